"""`keras-fusion show`."""

from pathlib import Path

from keras_fusion.cli import options as shared
from keras_fusion.cli.console import console
from keras_fusion.experiments.runs import best_run, recipe_of


def add_arguments(parser) -> None:
    """Adds what the command takes."""
    parser.add_argument(
        "model",
        help="a recipe or file that you have trained, the folder of a run, a .keras "
        "file, or an export",
    )
    shared.add_dataset(parser)
    shared.add_runs(parser)
    parser.add_argument(
        "--rows",
        metavar="FILE",
        help="file with rows to show (default: rows that training kept)",
    )
    parser.add_argument(
        "--port", type=int, default=8502, help="port; 0 takes a free one"
    )


def run(options) -> None:
    """Serves one page of a trained model, on this machine alone, until Ctrl-C."""
    try:
        from keras_fusion.playground import judge, rows, server
    except ModuleNotFoundError as error:
        raise ImportError(
            f"show needs {error.name}, which is not installed: "
            'pip install "keras-fusion[serving,datasets]".'
        ) from error

    model = _model(options)
    some = rows.of_file(model, options.rows) if options.rows else rows.kept(model)
    server.run(judge.Judge(model, some), str(model), options.port, console.print)


def _model(options):
    """The file or export that is named, or the best run of a recipe."""
    path = Path(options.model)
    for file in (path, path / "model.keras"):
        if file.suffix == ".keras" and (file.is_file() or file == path):
            return file
    if any(path.glob("[0-9]*/saved_model.pb")) or (path / "saved_model.pb").is_file():
        return path
    options.recipe = options.model
    return best_run(Path(options.runs) / recipe_of(options).name)
