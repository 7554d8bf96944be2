"""The pages in a real browser, at the width of a desk and of a phone, without a network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from browser_kit import DESKTOP, PHONE, Browser, needs_browser
from evaluation_report_kit import make_evaluation
from report_kit import ANALYSIS, EVIL, plain, sequence, write_take

from semanticface.curves.recipe import Recipe
from semanticface.report.page import write_page
from semanticface.report.take import TakeOptions, take_page
from semanticface.results import FrameResult, Status
from semanticface.take import read_take
from semanticface_training.evaluation.report import write_report

pytestmark = [pytest.mark.slow, needs_browser]
SIZES = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])

CONTRAST = """(() => {
  const parts = (text) => (text.match(/[\\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
  const light = (c) => { const f = (v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    return 0.2126 * f(c[0]) + 0.7152 * f(c[1]) + 0.0722 * f(c[2]); };
  const ground = (node) => { for (let n = node; n; n = n.parentElement) {
    const c = parts(getComputedStyle(n).backgroundColor); if (c.length < 4 || c[3] > 0.99) return c; } return [255, 255, 255]; };
  const bad = [];
  for (const node of document.querySelectorAll("body *")) {
    if (![...node.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()) || !node.checkVisibility()) continue;
    if (node.closest("script, option, noscript") || node.disabled) continue;
    const style = getComputedStyle(node), inSvg = node.namespaceURI.includes("svg");
    const a = light(parts(inSvg ? style.fill : style.color)), b = light(ground(node));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) bad.push(`${node.tagName}.${node.className.baseVal ?? node.className} ${ratio.toFixed(2)} ${node.textContent.trim().slice(0, 30)}`);
  }
  return bad;
})()"""  # noqa: E501
NAMELESS = """[...document.querySelectorAll("button, input, select, img, svg[role=img], a")].filter((node) =>
  !(node.getAttribute("aria-label") || node.getAttribute("alt") || node.textContent.trim() || node.closest("label"))
).map((node) => node.outerHTML.slice(0, 100))"""
DRAWN = "document.querySelector('#face').innerHTML"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as one:
        yield one


@pytest.fixture(scope="module")
def take(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty frames, some flagged, one that says evil things; twenty of them as pictures; raw and clean."""
    folder = tmp_path_factory.mktemp("take")
    evil = replace(ANALYSIS, expression_category=EVIL, muscle_movements={EVIL: EVIL}, emotional_implication=EVIL)
    special = {n: FrameResult(n, n / 24, Status.NO_FACE, message=EVIL) for n in (10, 11)}
    special[20] = replace(plain(20, 40), analysis=evil, message=EVIL)
    special[30] = replace(plain(30, 40), confidence=0.1)
    path = write_take(folder / "shot <b>7", sequence(folder / "footage", 40), 40, special)
    made = take_page(read_take(path), TakeOptions(recipe=Recipe(smoothing=0.5), recipe_name="calm.json", pictures=20))
    write_page(folder / "take.html", made.html)
    return folder / "take.html"


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(make_evaluation(tmp_path_factory.mktemp("evaluation"))[0])[0]


@pytest.fixture(params=["take", "evaluation"])
def page(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


@SIZES
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_page_is_whole_readable_and_no_wider_than_its_window(
    browser: Browser, page: Path, size: tuple[int, int], theme: str
) -> None:
    browser.open(page, size, theme)
    assert browser.complaints == [], "neither errors nor anything that the page's policy refused"
    assert browser.foreign() == [], "no request beyond the file itself"
    assert browser.run("document.documentElement.scrollWidth") <= size[0]
    assert browser.run("document.title").find("owned") < 0
    assert browser.run(CONTRAST) == []
    assert browser.run(NAMELESS) == []
    assert browser.run("document.querySelectorAll('main, header, footer').length") == 3
    assert browser.run("[...document.images].every((one) => one.complete && one.naturalWidth > 0)")


def test_the_policy_stops_a_script_that_slipped_through(browser: Browser, take: Path, tmp_path: Path) -> None:
    text = take.read_text(encoding="utf-8")
    assert "</body>" in text
    broken = tmp_path / "broken.html"
    broken.write_text(text.replace("</body>", f"{EVIL}<img src='http://127.0.0.1:9/x.png'></body>"), encoding="utf-8")
    browser.open(broken, DESKTOP)
    assert "owned" not in browser.run("document.title")
    assert any("Content Security Policy" in one for one in browser.complaints)


def test_the_keyboard_plays_steps_and_goes_from_flag_to_flag(browser: Browser, take: Path) -> None:
    browser.open(take, DESKTOP)
    frame = "Number(document.getElementById('where').textContent.split(' ')[0])"
    browser.run("document.activeElement.blur()")
    found = []
    for key, shift in (("ArrowRight", False), ("ArrowRight", True), ("ArrowLeft", False), (".", False), (",", False),
                       ("End", False), ("Home", False)):  # fmt: skip
        browser.press(key, shift=shift)
        found.append(browser.run(frame))
    assert found == [1, 11, 10, 20, 10, 39, 0]
    browser.press(" ")
    browser.run(f"new Promise((done) => {{ const look = () => {frame} > 3 ? done() : setTimeout(look, 20); look(); }})")
    browser.press(" ")
    stopped = browser.run(frame)
    browser.run("new Promise((done) => setTimeout(done, 200))")
    assert browser.run(frame) == stopped > 3


def test_what_is_said_and_drawn_follows_the_frame(browser: Browser, take: Path) -> None:
    browser.open(take, DESKTOP)
    go = (
        "document.getElementById('seek').value = {0}; document.getElementById('seek').dispatchEvent(new Event('input'))"
    )
    browser.run(go.format(20))
    assert browser.run("document.getElementById('category').textContent") == EVIL
    assert browser.run("document.querySelectorAll('#movements script, #movements img').length") == 0
    browser.run(go.format(10))
    assert "no result" in browser.run(DRAWN)
    assert "no face" in browser.run("document.getElementById('state').textContent")
    browser.run(go.format(39))
    corners = "[...document.querySelector('#face .lips').getAttribute('d').matchAll(/-?[\\d.]+/g)].map(Number)"
    path = browser.run(corners)
    assert path[1] > path[7] + 5, "the subject's left corner, on the right of the drawing, is raised"
    left = "document.querySelector('[aria-label=MouthSmileLeft]').textContent"
    raw = browser.run(left)
    browser.run("document.querySelector('[data-mode=raw]').click()")
    assert browser.run(left) == "0.80" and raw != "", "the raw value of the last frame"
    note = "document.getElementById('picture-note').textContent"
    browser.run(go.format(10))
    assert browser.run(note) == "Footage, frame 10", "flagged frames have their picture"


def test_a_click_on_a_curve_goes_to_its_time(browser: Browser, take: Path) -> None:
    browser.open(take, PHONE)
    plot = "document.querySelector('.lane[aria-label=JawOpen] .plot')"
    box = browser.run(
        f"(() => {{ const box = {plot}.getBoundingClientRect(); return [box.left, box.width, box.top]; }})()"
    )
    middle = f"bubbles: true, clientX: {box[0] + box[1] / 2}, clientY: {box[2] + 5}"
    browser.run(f"{plot}.dispatchEvent(new PointerEvent('pointerdown', {{{middle}}}))")
    assert browser.run("document.getElementById('where').textContent").startswith(("19", "20"))


def test_the_evaluation_draws_true_and_predicted_faces(browser: Browser, evaluation: Path) -> None:
    browser.open(evaluation, DESKTOP)
    faces = "[...document.querySelectorAll('svg.face')].map((one) => one.querySelector('.lips').getAttribute('d'))"
    drawn = browser.run(faces)
    assert len(drawn) >= 4 and drawn[0] != drawn[1]
    ids = browser.run("[...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert len(ids) == len(set(ids)), "two parts of a page with one name would be taken for each other"


def test_the_theme_can_be_chosen(browser: Browser, take: Path) -> None:
    browser.open(take, DESKTOP, "light")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = browser.run(ground)
    browser.run("document.getElementById('theme').click(); document.getElementById('theme').click()")
    assert browser.run(ground) != light
