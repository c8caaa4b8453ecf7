"""Writes the tables and plots of zoo/ anew from its results files; trains nothing.

    python -m benchmarks.zoo_pages

It rewrites the index that opens zoo/README.md, and in the card of every recipe what
`keras-fusion evaluate --publish` put there.
"""

from pathlib import Path

from keras_fusion.common.files import whole
from keras_fusion.experiments.reports import card, index, tables
from keras_fusion.experiments.reports.plots import PLOTS, save_plots
from keras_fusion.experiments.results import read
from keras_fusion.zoo import published


def with_index(page: str, folder: Path) -> str:
    """The page of all recipes with the index of `folder` made anew."""
    header, rows = index.index_rows(folder)
    content = [
        "Test scores, mean ± standard deviation over seeds. The brackets hold the "
        "95 % interval of the gain. A star marks an interval that excludes zero.",
        tables.markdown_table(header, rows),
    ]
    return card.replaced(page, index.BEGIN, "\n\n".join(content))


def rewrite(folder: Path) -> None:
    """Makes the index and all cards of the recipes in `folder` anew."""
    write(folder / "README.md", with_index((folder / "README.md").read_text(), folder))
    for file in sorted(folder.glob("*/results.json")):
        results = read(file)
        save_plots(results, file.parent)
        plots = [name for name in PLOTS if (file.parent / name).is_file()]
        page = file.with_name("README.md")
        content = card.contents(results, plots)
        write(page, card.replaced(page.read_text(), card.BEGIN, content))


def write(path: Path, text: str) -> None:
    """Writes a page, whole or not at all."""
    with whole(path) as beside:
        beside.write_text(text)
    print(f"wrote {path}")


if __name__ == "__main__":
    rewrite(published.folder())
