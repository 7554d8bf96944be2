"""What a model is asked: our own question, the chat layout around it, and the picture's place in it.

The layout is the one that ms-swift 4.6 trains Qwen3-VL with: a system part (left out when it is empty), then the
user's part with the picture where `<image>` stands, or first of all. The question below is for checkpoints that are
trained here; others bring theirs in their profile. This module knows nothing of the model, of decoding or of answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from semanticface.actions import CSV_ORDER, ROTATIONS, SHAPES
from semanticface.engines.mllm.profile import Layout, Profile
from semanticface.errors import AssetError, OptionsError

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

IMAGE_TAG = "<image>"
"""Where the picture goes in a profile's user text; without it the picture comes first."""
START, END = "<|im_start|>", "<|im_end|>"
PICTURE_START, PICTURE, PICTURE_END = "<|vision_start|>", "<|image_pad|>", "<|vision_end|>"
_LAYOUT = (PICTURE_START, PICTURE, PICTURE_END, START, END)
_RESERVED = (*_LAYOUT, "<|video_pad|>", "<|vision_pad|>", "<|endoftext|>")
_NO_QWEN = "the base has to be a Qwen3-VL with its own tokenizer"

OWN_SYSTEM = (
    "You read faces for animators. From one picture of a person you report what the muscles of the face are doing: "
    "first in words, then as numbers that drive an ARKit face."
)

_WORDS = """Look at the face in the picture and report only what is visible in it. Left and right are the person's own \
sides, as they would name them.

Begin with words, in four points:
1. {category}: the name that suits the expression as a whole, for example "smile" or "surprise". Join two names when \
it is a mixture; write "neutral" when everything rests.
2. {movements}: which muscles act and how strongly (slightly, moderately, strongly), one region after another: brows, \
eyes, cheeks, mouth, jaw; then gaze, nose, tongue and head where they take part. Keep silent about what rests.
3. {emotion}: the feeling that these movements speak for. Unless the muscles by themselves make it plain, write \
"not clearly observable".
4. {symmetry}: where one side moves more than the other, and which side. Write "mostly symmetric" when they agree.

Follow with numbers, one for every name in this list of {count}, in the order of the list, with nothing missing and \
nothing added:
{names}

The first {shapes} names, up to {last_shape}, are muscle actions: 0 is at rest, 1 is as far as the action goes. The \
last {rotations}, from {first_rotation} on, are angles in radians and may be negative: yaw grows towards the person's \
right, pitch grows downwards, and roll grows as the top of the head leans towards the person's left. Give every number \
{places} after the point, as in {zero}.

"""

_BARE = """Write the four points as a numbered list with bold titles, and under the second a line for each region:
1. **{category}**: ...
2. **{movements}**:
   - **Brows**: ...
3. **{emotion}**: ...
4. **{symmetry}**: ...

After an empty line put the numbers into a single line of JSON and stop there:
{{"{first}": {zero}, "{second}": {zero}, and so on to "{last}": {zero}}}"""

_PAPER = """Write all of it as JSON{shape} and nothing around it. The key "analysis" holds the points, the second of \
them as an object with a sentence for each region; the key "arkit" holds the numbers:
{example}"""


def own_user_prompt(layout: Layout, decimals: int) -> str:
    """Our question for an answer in `layout` with `decimals` places; it asks what the paper's appendix B.2 asks.

    Ranges are told as they are: 52 shapes from 0 to 1, nine signed angles. Raises OptionsError for a layout without
    words, for which it asks in the first place.
    """
    if layout.wordless:
        raise OptionsError(f"this question asks for words, and the layout {layout} has none", "take another layout")
    places = "1 digit" if decimals == 1 else f"{decimals} digits"
    fields = {
        "count": len(CSV_ORDER),
        "names": ", ".join(CSV_ORDER),
        "shapes": len(SHAPES),
        "last_shape": SHAPES[-1],
        "rotations": len(ROTATIONS),
        "first_rotation": ROTATIONS[0],
        "places": places,
        "zero": f"{0:.{decimals}f}",
        "first": CSV_ORDER[0],
        "second": CSV_ORDER[1],
        "last": CSV_ORDER[-1],
        "shape": ", indented by two spaces," if layout is Layout.PAPER_INDENTED else " on a single line",
    }
    fields |= _titles(layout)
    fields["example"] = _example(layout).format(**fields)
    return (_WORDS + (_BARE if layout is Layout.BARE else _PAPER)).format(**fields)


def _titles(layout: Layout) -> dict[str, str]:
    """The names of the four points: titles of a Markdown list, or keys."""
    if layout is Layout.BARE:
        texts = ("Facial Expression Category", "Detailed Facial Muscle Movements", "Emotional Implication", "Symmetry")
    else:
        texts = ("expression_category", "muscle_movements", "emotional_implication", "symmetry")
    return dict(zip(("category", "movements", "emotion", "symmetry"), texts, strict=True))


def _example(layout: Layout) -> str:
    """The outline of an answer in the paper's layouts, as a format string."""
    lines = [
        "{{",
        '  "analysis": {{',
        '    "{category}": "...",',
        '    "{movements}": {{"brows": "..."}},',
        '    "{emotion}": "...",',
        '    "{symmetry}": "..."',
        "  }},",
        '  "arkit": {{',
        '    "{first}": {zero},',
        "    ...,",
        '    "{last}": {zero}',
        "  }}",
        "}}",
    ]
    if layout is Layout.PAPER_INDENTED:
        return "\n".join(lines)
    return " ".join(line.strip() for line in lines).replace("{{ ", "{{").replace(" }}", "}}")


@dataclass(frozen=True, slots=True, eq=False)
class Prompt:
    """One question: `ids` with a picture token for each 32 x 32 pixels; `patches` (P, 1536) float32; `grid` (1, h, w).

    P = h * w patches of 16 x 16 pixels, four to a picture token.
    """

    ids: list[int]
    patches: torch.Tensor
    grid: tuple[int, int, int]


def split_user(user: str) -> tuple[str, str]:
    """The user's text before and after the picture. Raises AssetError when it asks for more than one picture."""
    before, *after = user.split(IMAGE_TAG)
    if len(after) > 1:
        raise AssetError(f"the profile's user text has {len(after)} places for a picture", f"leave one {IMAGE_TAG}")
    return (before, after[0]) if after else ("", before)


def chat_text(profile: Profile, picture_tokens: int) -> str:
    """The whole prompt as one text, up to where the answer begins.

    A profile is the checkpoint's own word, so its texts are tokenised as training did; only the tokens that make this
    layout are refused inside them (AssetError), since a second picture or an early end would make another question.
    """
    before, after = split_user(profile.user)
    _refuse_reserved("system", profile.system, IMAGE_TAG)
    _refuse_reserved("user", profile.user)
    system = f"{START}system\n{profile.system}{END}\n" if profile.system else ""
    picture = f"{PICTURE_START}{PICTURE * picture_tokens}{PICTURE_END}"
    return f"{system}{START}user\n{before}{picture}{after}{END}\n{START}assistant\n"


def _refuse_reserved(name: str, text: str, *more: str) -> None:
    found = next((token for token in (*_RESERVED, *more) if token in text), None)
    if found:
        raise AssetError(f"the profile's {name} text holds {found}, which has no place there", "remove it")


class Prompter:
    """Pictures to prompts for one checkpoint. The text is tokenised once; safe to use from several threads.

    `tokenizer` is the base model's; truncation and padding that it was saved with are switched off. Raises AssetError
    when it is not a Qwen vision-language tokenizer, or when the profile's texts don't fit the layout.
    """

    def __init__(self, tokenizer: Tokenizer, profile: Profile) -> None:
        start, self._picture, end, *_ = (_id(tokenizer, name) for name in _LAYOUT)
        tokenizer.no_truncation()
        tokenizer.no_padding()
        whole = list(tokenizer.encode(chat_text(profile, 1), add_special_tokens=False).ids)
        place = whole.index(self._picture) if self._picture in whole else 0
        if whole[place - 1 : place + 2] != [start, self._picture, end]:
            raise AssetError(f"the base model's tokenizer doesn't read {PICTURE} as one token", _NO_QWEN)
        self._head, self._tail = whole[:place], whole[place + 1 :]
        self._image_tokens = profile.image_tokens

    @property
    def text_tokens(self) -> int:
        """Tokens of a prompt besides the picture's."""
        return len(self._head) + len(self._tail)

    def build(self, image: NDArray[np.uint8], image_tokens: tuple[int, int] | None = None) -> Prompt:
        """The prompt for an (H, W, 3) uint8 RGB picture; `image_tokens` instead of the profile's limits.

        Raises MediaError for a picture that the model can't take.
        """
        import torch

        from semanticface.engines.mllm.picture import to_patches

        patches = to_patches(image, image_tokens or self._image_tokens)
        ids = [*self._head, *[self._picture] * patches.tokens, *self._tail]
        return Prompt(ids, torch.from_numpy(patches.values), patches.grid)


def _id(tokenizer: Tokenizer, name: str) -> int:
    number = tokenizer.token_to_id(name)
    if number is None:
        raise AssetError(f"the base model's tokenizer has no token {name}", _NO_QWEN)
    return int(number)
