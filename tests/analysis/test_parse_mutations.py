"""Damaged answers give the values that stand in the text, or a typed error: never a value that nobody predicted."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import pytest
from parse_kit import Sample, bare_object, samples

from semanticface.actions import CSV_ORDER
from semanticface.analysis.parse import parse_answer
from semanticface.errors import UnparseableAnswer

SAMPLES = samples()
Mutation = Callable[[Sample, random.Random], str]


PAIR = re.compile(r"""["'](\w+)["']\s*:\s*["']?(-?\d[-+.\deE]*)["']?(?=\s*(?:/[/*]|[,}]))""")


def whole_values(text: str) -> dict[str, set[str]]:
    """Lower-cased name to all values that the text gives it and that are followed by what may follow a whole value."""
    out: dict[str, set[str]] = {name.lower(): set() for name in CSV_ORDER}
    for name, value in PAIR.findall(text):
        if name.lower() in out:
            out[name.lower()].add(repr(float(value)))
    return out


def outcome(text: str) -> bool:
    """True for a result, which must be what stands in the text; False for the typed error."""
    try:
        parsed = parse_answer(text)
    except UnparseableAnswer as error:
        assert error.message
        return False
    assert tuple(parsed.coefficients) == CSV_ORDER
    assert {name.lower(): {repr(value)} for name, value in parsed.coefficients.items()} == whole_values(text)
    return True


def pick(sample: Sample, rng: random.Random) -> tuple[str, str, str]:
    """One name, its value, and the pair as the text has it."""
    name = rng.choice(CSV_ORDER[:-1])
    value = sample.spelled[name]
    return name, value, f'"{name}": {value}'


def with_value(make: Callable[[str], str]) -> Mutation:
    def mutate(sample: Sample, rng: random.Random) -> str:
        name, value, pair = pick(sample, rng)
        return sample.text.replace(pair, f'"{name}": {make(value)}')

    return mutate


def with_pair(make: Callable[[str, str, str], str]) -> Mutation:
    def mutate(sample: Sample, rng: random.Random) -> str:
        name, value, pair = pick(sample, rng)
        return sample.text.replace(f"{pair},", make(name, value, pair))

    return mutate


def reordered(sample: Sample, rng: random.Random) -> str:
    head = sample.text.index('"EyeBlinkLeft"')
    tail = sample.text.index("}", head)
    pairs = [f'"{name}": {value}' for name, value in sample.spelled.items()]
    rng.shuffle(pairs)
    return sample.text[:head] + ", ".join(pairs) + sample.text[tail:]


def single_quoted(sample: Sample, _: random.Random) -> str:
    head = sample.text.index('"EyeBlinkLeft"')
    return sample.text[:head] + sample.text[head:].replace('"', "'")


def after_last(words: str) -> Mutation:
    def mutate(sample: Sample, _: random.Random) -> str:
        last = f'"RightEyeRoll": {sample.spelled["RightEyeRoll"]}'
        return sample.text.replace(last, last + words)

    return mutate


def other(value: str) -> str:
    return "0.7" if not value.startswith("0.7") else "0.2"


REPAIRED: dict[str, Mutation] = {
    "fences": lambda sample, _: f"```json\n{sample.text}\n```",
    "fence and prose": lambda sample, _: f"Here it is:\n```\n{sample.text}\n```\nHope this helps {{smile}}!",
    "trailing prose": lambda sample, _: f"{sample.text}\n\nThe jaw is open by 0.9.",
    "trailing comment": lambda sample, _: f"{sample.text} // done",
    "trailing comma": after_last(","),
    "comment": with_pair(lambda name, value, pair: f"/* {name}, */ {pair} /* end */, // note\n"),
    "same twice": with_pair(lambda name, value, pair: f"{pair}, {pair},"),
    "same twice, longer": with_pair(lambda name, value, pair: f"{pair}, {pair}0,"),
    "letter case": with_pair(lambda name, value, pair: f'"{name[0].lower()}{name[1:]}": {value},'),
    "number as text": with_value(lambda value: f'"{value}"'),
    "exponent": with_value(lambda value: f"{value}e0"),
    "reordered": reordered,
    "single quotes": single_quoted,
    "extra key": with_pair(lambda name, value, pair: f'{pair}, "Confidence": 0.9,'),
    "answer twice": lambda sample, _: f"{sample.text}\n\n{bare_object(sample.spelled)}",
    "windows line ends": lambda sample, _: sample.text.replace("\n", "\r\n"),
}
REFUSED: dict[str, Mutation] = {
    "key dropped": with_pair(lambda name, value, pair: ""),
    "two values": with_pair(lambda name, value, pair: f'{pair}, "{name}": {other(value)},'),
    "two values by case": with_pair(lambda name, value, pair: f'{pair}, "{name.upper()}": {other(value)},'),
    "other sign of zero": with_pair(lambda name, value, pair: f'"{name}": 0.0, "{name}": -0.0,'),
    "NaN": with_value(lambda value: "NaN"),
    "Infinity": with_value(lambda value: "Infinity"),
    "-Infinity": with_value(lambda value: "-Infinity"),
    "huge": with_value(lambda value: "1e9"),
    "overflow": with_value(lambda value: "1e999"),
    "beyond range": with_value(lambda value: "3.3"),
    "null": with_value(lambda value: "null"),
    "true": with_value(lambda value: "true"),
    "word": with_value(lambda value: '"high"'),
    "NaN as text": with_value(lambda value: '"nan"'),
    "nothing": with_value(lambda value: ""),
    "empty text": with_value(lambda value: '""'),
    "point only": with_value(lambda value: "0."),
    "leading zero": with_value(lambda value: f"0{value.removeprefix('-')}"),
    "underscore": with_value(lambda value: "0_0"),
    "other digits": with_value(lambda value: "\u0660.\u0661"),
    "list": with_value(lambda value: f"[{value}]"),
    "object": with_value(lambda value: f'{{"value": {value}}}'),
    "lost comma": with_pair(lambda name, value, pair: f"{pair} "),
    "lost colon": with_pair(lambda name, value, pair: f'"{name}" {value},'),
    "lost quote": with_pair(lambda name, value, pair: f'"{name}: {value},'),
    "open comment": with_pair(lambda name, value, pair: f"{pair}, /* "),
    "open comment at the end": after_last(", /* "),
    "other answer": lambda sample, _: (
        f"{sample.text}\n{bare_object(sample.spelled | {'JawOpen': other(sample.spelled['JawOpen'])})}"
    ),
    "second try": lambda sample, _: f"{sample.text[: len(sample.text) - 60]}\n\n{bare_object(sample.spelled)}",
    "last value open": lambda sample, _: sample.text.rstrip("} \n"),
}


def test_the_answers_themselves_parse_without_repairs() -> None:
    for sample in SAMPLES:
        parsed = parse_answer(sample.text)
        assert parsed.repairs == (), sample.name
        assert {name: repr(value) for name, value in parsed.coefficients.items()} == {
            name: repr(float(value)) for name, value in sample.spelled.items()
        }


@pytest.mark.parametrize("kind", REPAIRED)
def test_what_can_be_read_in_one_way_only_is_repaired_and_reported(kind: str) -> None:
    for sample in SAMPLES:
        for seed in range(4):
            text = REPAIRED[kind](sample, random.Random(f"{kind}{seed}"))
            assert outcome(text), (sample.name, seed)
            told = parse_answer(text).repairs
            assert told or text == sample.text or kind in ("exponent", "windows line ends"), (sample.name, seed)


@pytest.mark.parametrize("kind", REFUSED)
def test_what_leaves_a_choice_or_a_hole_is_refused(kind: str) -> None:
    for sample in SAMPLES:
        for seed in range(4):
            text = REFUSED[kind](sample, random.Random(f"{kind}{seed}"))
            assert not outcome(text), (sample.name, seed)


def test_a_cut_answer_gives_a_result_only_when_all_values_are_whole() -> None:
    results = 0
    for sample in SAMPLES:
        ends = {*range(0, len(sample.text), 37), *range(len(sample.text) - 30, len(sample.text))}
        for end in sorted(ends):
            text = sample.text[:end]
            if outcome(text):
                results += 1
                assert all(whole_values(text).values())
                assert text[end - 1] in "}\n "
    assert results  # the paper's dialect without its last brace


def test_damage_at_random_places_never_changes_a_value() -> None:
    rng = random.Random(1)
    survived = 0
    for _ in range(600):
        sample = rng.choice(SAMPLES)
        at = rng.randrange(len(sample.text))
        junk = rng.choice(
            ("", "", '"', "'", "{", "}", ",", ":", "\\", "\n", "/*", "//", "-", ".", "x", "```", "[", "]")
        )
        text = sample.text[:at] + junk + sample.text[at + rng.choice((0, 1, 3)) :]
        survived += outcome(text)
    assert 50 < survived < 600
