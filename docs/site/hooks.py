"""Makes the site of the files as they lie in the project, and of what it can generate.

Every page keeps its path, so links that work in a checkout work on the site. Guides are
scripts; the reference, the table of operators, the page of builders and the picture of
the house are made from the code.
"""

import pathlib
import sys

import jupytext
from mkdocs.structure.files import File, Files
from nbformat import v4

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs" / "site"))

import builders  # noqa: E402
import fences  # noqa: E402
import house  # noqa: E402
import operators  # noqa: E402
import outputs  # noqa: E402
import reference  # noqa: E402

PAGES = (
    "*.md",
    "benchmarks/**/*",
    "deploy/**/*",
    "docs/*.md",
    "docs/site/*.css",
    "docs/site/*.js",
    "examples/**/*.md",
    "examples/**/*.py",
    "keras_fusion/datasets/builtin/data/README.md",
    "saved_models/README.md",
    "tuning/*/*",
    "tuning/*.md",
    "keras_fusion/**/*.py",  # pages link to sources
    "zoo/**/*",
    "zoo/*.md",
)
SUFFIXES = {".css", ".js", ".json", ".md", ".png", ".py", ".svg", ".toml", ".yaml"}


def on_config(config):
    """Fills the folders of the navigation with the pages that are generated."""
    modules = [{name: f"docs/reference/{name}.md"} for name in reference.MODULES]
    for entry in config.nav:
        entry |= {"Reference": modules} if "Reference" in entry else {}
    return config


def on_files(files, config):
    """The files of the project, by their own paths, and the generated ones."""
    kept = [file for file in files if file.abs_src_path is None or theme(file)]
    found = {path for pattern in PAGES for path in ROOT.glob(pattern)}
    for path in sorted(path for path in found if path.suffix in SUFFIXES):
        name = path.relative_to(ROOT).as_posix()
        name = "index.md" if name == "README.md" else name
        kept.append(File.generated(config, name, abs_src_path=str(path)))
    kept += [
        File.generated(config, name, content=content)
        for name, content in generated().items()
    ]
    return Files(kept)


def on_page_markdown(markdown, **kwargs):
    """The text of a page as the site reads it."""
    return fences.plain(markdown)


def generated() -> dict[str, str]:
    """The content of every generated page and picture, by its path."""
    pages = {f"docs/guides/{p.stem}.md": guide(p) for p in guide_files()}
    pages |= {f"docs/reference/{n}.md": reference.page(n) for n in reference.MODULES}
    pages |= builders.pages()
    return pages | {
        "docs/operators.md": operators.page(),
        "docs/house.svg": house.picture(ROOT / "keras_fusion"),
    }


def guide_files():
    return sorted((ROOT / "docs" / "guides").glob("*.py"))


def guide(path):
    """The page of a guide, with what its cells print where that is known."""
    notebook = jupytext.read(path)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    printed = iter(outputs.kept(path) or [""] * len(code))
    cells = []
    for cell in notebook.cells:
        cells.append(cell)
        text = next(printed) if cell.cell_type == "code" else ""
        if text:
            cells.append(v4.new_markdown_cell(f"```text\n{text}\n```"))
    notebook.cells = cells
    return jupytext.writes(notebook, fmt="md")


def theme(file):
    return not pathlib.Path(file.abs_src_path).is_relative_to(ROOT / "docs")
