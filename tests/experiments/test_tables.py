import io
import re
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from keras_fusion.cli.console import _Plain
from keras_fusion.common.errors import InputError
from keras_fusion.experiments.recipes import Recipe
from keras_fusion.experiments.reports import prediction_tables, tables
from keras_fusion.experiments.results import (
    Fit,
    Fits,
    Interval,
    Results,
    Scores,
    read,
)
from keras_fusion.zoo import published


def results(seeds=2):
    """Two methods on modalities a, b and c, all scores over so many seeds."""

    def scores(base):
        spread = [base, base + 0.02][:seeds]
        return Scores(
            all=spread,
            missing=dict.fromkeys("abc", spread),
            missing_random={"1": spread, "2": [s - 0.1 for s in spread]},
        )

    transformer = {"fusion": {"class_name": "ModalityTransformer"}}
    fit = Fit(validation=0.9, epochs=1, seconds=1.0, parameters=1234)
    wide = Interval(difference=0.01, low=-0.02, high=0.04)
    clear = Interval(difference=0.1, low=0.08, high=0.12)
    return Results(
        recipe=Recipe(name="tiny", dataset="tiny", arguments=transformer),
        part="test",
        precision="float32",
        metric="accuracy",
        scores={"model": scores(0.9), "concatenation": scores(0.8)},
        measures={},
        retrained_without=dict.fromkeys("abc", [0.5, 0.5][:seeds]),
        modality_weights={},
        paired={"concatenation": {"all": wide, "1 missing": clear}},
        fits=[Fits(0, None, {"model": fit})],
        backend="torch",
        versions={},
        machine="none",
        date="2026-01-01",
    )


def test_results_are_read_as_they_were_written(tmp_path):
    results().write(tmp_path / "results.json")
    assert read(tmp_path / "results.json") == results()
    assert '"model": {' in (tmp_path / "results.json").read_text()


def test_published_results_are_read_and_the_broken_are_named(tmp_path):
    for file in published.folder().glob("*/*.json"):
        if file.name in ("results.json", "ablation.json"):
            assert read(file).scores["model"].all
    (tmp_path / "results.json").write_text('{"part": "test"}')
    with pytest.raises(InputError, match="results.json is broken: recipe: "):
        read(tmp_path / "results.json")


def test_spread():
    assert tables.spread([0.9, 0.92]) == "91.0±1.4"
    assert tables.spread([0.9]) == "90.0"


def test_methods_down_losses_across():
    header, rows = tables.comparison_rows(results())
    assert header == ["modalities missing", "none", "1", "2"]
    assert rows == [
        ["ModalityTransformer", "91.0±1.4", "91.0±1.4", "81.0±1.4"],
        ["concatenation", "81.0±1.4", "81.0±1.4", "71.0±1.4"],
    ]


def test_sizes_stand_last():
    header, rows = tables.sized_rows(results())
    assert header[-1] == "parameters" and [row[-1] for row in rows] == ["1,234", ""]
    assert [row[:-1] for row in rows] == tables.comparison_rows(results())[1]


def test_modalities_down():
    header, rows = tables.missing_rows(results())
    assert header == ["missing", "model", "concatenation", "model trained without it"]
    assert rows[0] == ["a", "91.0±1.4", "81.0±1.4", "50.0±0.0"]
    header, rows = tables.missing_rows(replace(results(), retrained_without={}))
    assert len(header) == len(rows[0]) == 3


def test_a_win_is_claimed_only_where_the_interval_excludes_zero():
    header, rows = tables.paired_rows(results())
    assert header == ["points ahead of", "all there", "1 missing"]
    assert rows == [["concatenation", "+1.0 (-2.0 to +4.0)", "+10.0 (+8.0 to +12.0) *"]]
    assert "no difference was found" in tables.paired_legend(results())
    one = Interval(difference=-0.02)
    single = replace(results(), paired={"best single": {"all": one}})
    assert tables.paired_rows(single)[1] == [["best single", "-2.0"]]
    assert "no difference is claimed" in tables.paired_legend(single)


def test_predictions_by_row():
    outputs = {
        "probabilities": np.array([[0.2, 0.8], [0.9, 0.1]]),
        "modality_weights": np.array([[0.25, 0.75], [0.0, 1.0]]),
    }
    header, rows = prediction_tables.prediction_rows(outputs, ["x", "y"], ["a", "b"])
    assert header == ["row", "class", "probability", "a", "b"]
    assert rows == [
        ["0", "y", "0.800", "0.25", "0.75"],
        ["1", "x", "0.900", "–", "1.00"],
    ]
    assert prediction_tables.prediction_rows(outputs, None, ["a", "b"])[1][0][1] == "1"
    numbers = {"predictions": np.array([[1.23456]])}
    assert prediction_tables.prediction_rows(numbers, None, []) == (
        ["row", "prediction"],
        [["0", "1.235"]],
    )


def test_markdown():
    assert tables.markdown_table(["a", "b"], [["x", "1"]]).splitlines() == [
        "| a | b |",
        "| --- | ---: |",
        "| x | 1 |",
    ]


@pytest.mark.parametrize("name", ["<script>", "a|b", "[a](b)", "`x`", "a\nb", "_x_"])
def test_names_from_outside_are_text(name):
    """No HTML, no mark of Markdown, no further cell, no further line."""
    line = tables.markdown_table(["class"], [[name]]).splitlines()
    assert len(line) == 3
    bare = line[2].removeprefix("| ").removesuffix(" |")
    assert not re.search(r"<|(?<!\\)[|`\[\]_*]", bare)


def test_names_cannot_move_the_cursor():
    page = io.StringIO()
    Console(file=page).print(tables.rich_table("\x1b[2Jt", ["a"], [["\x1b]0;x\x07"]]))
    assert "\x1b]" not in page.getvalue() and "\x1b[2J" not in page.getvalue()


def test_numbers_of_a_wheel_have_no_commit():
    found = replace(results(), commit=None)
    assert "commit" not in tables.origin(found)
    words = tables.origin(replace(found, commit="abc"))
    assert words == tables.origin(found).replace(
        found.date, f"commit abc, {found.date}"
    )


@pytest.mark.parametrize("width", [60, 80, 200])
def test_no_word_is_broken(width):
    header = ["method", "none", *"12345", "ModalityTransformer", "parameters"]
    rows = [
        ["AdaptiveWeighting(gate='softmax')", *["95.8±1.2"] * 7, "1,234,567"],
        ["the best single modality of all", *["-5.8±1.2"] * 7, "12"],
    ]
    page = io.StringIO()
    Console(file=page, width=width).print(tables.rich_table("t", header, rows))
    lines = page.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    shown = set(page.getvalue().split())
    cells = [cell for row in (header, *rows) for cell in row]
    assert {word for cell in cells for word in cell.split()} <= shown


def test_every_row_has_its_name_in_every_part():
    header = ["trial", "fusion", *(f"{'long' * 5}_{i}" for i in range(4))]
    rows = [["0001", "Summation", *"1234"], ["", "linear model", *"5678"]]
    page = io.StringIO()
    Console(file=page, width=60).print(tables.rich_table("t", header, rows))
    lines = [line for line in page.getvalue().splitlines() if "linear model" in line]
    assert len(lines) > 1 and re.findall(r"\d", " ".join(lines)) == [*"5678"]


def test_a_terminal_breaks_titles_and_sentences_between_words():
    page = io.StringIO()
    shown = _Plain(file=page, width=40, force_terminal=True, soft_wrap=True)
    words = [f"word-{i}" for i in range(20)]
    shown.print(tables.rich_table(" ".join(words), ["a"], [["1"]]))
    shown.say(" ".join(words))
    plain = re.sub(r"\x1b\[[0-9;]*m", "", page.getvalue())
    assert max(map(len, plain.splitlines())) <= 40
    found = [word for word in plain.split() if word.startswith("word")]
    assert found == words + words
    shown = _Plain(file=(page := io.StringIO()), width=40, soft_wrap=True)
    shown.say(" ".join(words))  # a file has whole lines
    assert page.getvalue().count("\n") == 1
