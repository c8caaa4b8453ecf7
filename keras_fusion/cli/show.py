"""`keras-fusion show`."""

from pathlib import Path

from keras_fusion.cli.console import console
from keras_fusion.experiments.runs import best_run, recipe_of


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
