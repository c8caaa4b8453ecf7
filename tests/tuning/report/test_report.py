"""The page of a search, read as a file and, where there is a Chromium, in it."""

import dataclasses
import re

import pytest

from keras_fusion.experiments.reports.colors import COLORS
from keras_fusion.experiments.results import Interval
from keras_fusion.tuning import write_report
from keras_fusion.tuning.report import figures
from keras_fusion.tuning.results import Judged, Reference, Winner
from tests.chromium import CHROMIUM
from tests.tuning.samples import failed, results, trial

pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return write_report(results(), tmp_path_factory.mktemp("page") / "report.html")


def test_the_page_asks_for_nothing(page):
    text = page.read_text(encoding="utf-8")
    own = re.sub(r"<script>.*?</script>", "", text, count=1, flags=re.S)  # plotly's
    assert not re.findall(r"(?:src|href)=|@import|url\(", own)
    assert "leaves &amp; more" in own and "MemoryError: &lt;no room&gt;" in own
    assert own.count("<tr>") == 1 + 15


def test_the_bar_says_what_was_spent_on_it(page, tmp_path):
    text = page.read_text(encoding="utf-8")
    assert "4 epochs; the best of 14" in text and "4 epochs; the best of 3" in text
    assert "On the test set" not in text
    assert "<b>51.0 %</b>linear model" in text
    assert "The mean of trials 0001 x 2, 0003 x 1 has 93.0 %" in text
    winner = Winner(trial="0003", values={}, score=0.9, parameters=1, latency=1.0)
    judged = Judged(
        metric="accuracy",
        seeds=[0, 1],
        scores={"one": [0.9, 0.8], "<two>": [0.7, 0.7]},
        winners={"one": winner, "<two>": winner},
        paired=Interval(difference=0.15, low=0.1, high=0.2),
    )
    found = dataclasses.replace(results(), test=judged)
    path = write_report(found, tmp_path / "report.html")
    text = path.read_text(encoding="utf-8")
    assert "one, trial 0003: 85.0±7.1 %; &lt;two&gt;" in text
    assert "+15.0 points, 95 % interval" in text


def test_what_is_better_than_every_trial_stands_first(tmp_path):
    ahead = {"linear model": Reference(score=0.97, seconds=0.1)}
    ahead["gradient boosting"] = Reference(score=0.2, seconds=0.1)
    found = dataclasses.replace(results(), references=ahead)
    text = write_report(found, tmp_path / "report.html").read_text(encoding="utf-8")
    cards = re.findall(r'<div class="(\w*)"><b>[^<]*</b>([a-z ]+)<', text)
    assert cards[:2] == [("", "linear model"), ("best", "best trial")]
    assert cards[-1] == ("", "gradient boosting")
    assert "<p>Better on validation than every trial: linear model, 97.0 %." in text
    lines = figures.score_against_latency(found.trials, ahead).layout
    at = dict(zip((a.text for a in lines.annotations), (s.y0 for s in lines.shapes)))
    assert at["linear model"] == 97 and at["gradient boosting"] == 20


def test_nothing_on_the_front_is_beaten():
    trials = results().trials[:-1]
    front = figures.pareto(trials)
    assert len(front) > 1
    for one in trials:
        better = [t for t in front if t.score >= one.score and t.latency <= one.latency]
        assert better
    assert max(trials, key=lambda t: t.score) is front[-1]


def test_the_heat_map_shows_the_best_of_each_cell():
    trials = [
        trial(0, "Summation", 0.5, depth=1),
        trial(1, "Summation", 0.7, depth=1),
        trial(2, "Product", 0.6, depth=2),
    ]
    (heat,) = figures.operators_by_depth(trials).data
    assert list(heat.y) == ["Summation", "Product"]
    assert [list(row) for row in heat.z] == [[70, None], [None, 60]]


def test_a_method_has_one_color_everywhere():
    points = figures.score_against_latency(results().trials)
    drawn = {x.name: x.marker.color for x in points.data if x.mode == "markers"}
    assert drawn["fusion"] == COLORS["model"]
    assert {drawn[name] for name in ("late average", "best single")} == {
        COLORS["late average"],
        COLORS["best single"],
    }
    lines = {x.text: x.font.color for x in points.layout.annotations}
    assert lines == {name: COLORS[name] for name in lines} and lines
    curves = figures.learning_curves(results().trials)
    late = next(x for x in curves.data if x.name.endswith("late average"))
    assert late.line.color == COLORS["late average"] and late.line.dash == "dot"


def test_a_loss_is_no_percentage():
    trials = [trial(0, "Summation", -0.5, metric="minus loss")]
    assert figures.shown(trials[0]) == 0.5
    assert list(figures.learning_curves(trials).data[0].y) == [0.125, 0.25, 0.375, 0.5]


def test_there_must_be_something_to_report(tmp_path):
    with pytest.raises(ValueError, match="nothing to report"):
        nothing = dataclasses.replace(results(), trials=[failed(0)])
        write_report(nothing, tmp_path / "report.html")


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_in_a_browser(page, tmp_path):
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        )
        tab = browser.new_page(viewport={"width": 1200, "height": 900})
        asked, said = [], []
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("console", lambda message: said.append(message.text))
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.goto(page.as_uri())
        tab.wait_for_selector("#curves .legend")
        _sort(tab)
        _hover(tab)
        tab.screenshot(path=tmp_path / "report.png", full_page=True)
        browser.close()
    assert asked == [page.as_uri()] and said == []


def _sort(tab):
    def column(number):
        cells = f"#leaderboard tbody td:nth-child({number})"
        return tab.eval_on_selector_all(cells, "all => all.map(c => c.dataset.by)")

    for number, kind in ((5, float), (2, str.casefold)):  # score, then fusion
        head = tab.locator(f"#leaderboard th:nth-child({number}) button")
        for reverse in (False, True):
            head.click()
            found = [kind(value) for value in column(number)]
            assert found == sorted(found, reverse=reverse)  # as people sort words
    assert tab.locator("th[aria-sort]").count() == 1


def _hover(tab):
    point = tab.locator("#latency .scatterlayer .trace .point").first
    point.scroll_into_view_if_needed()
    box = point.bounding_box()
    tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    label = tab.locator("#latency .hoverlayer .hovertext").first
    label.wait_for()
    assert "trial 00" in label.text_content() and " ms" in label.text_content()
