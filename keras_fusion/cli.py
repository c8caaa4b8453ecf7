"""The command `keras-fusion`: parses, calls, prints."""

import argparse
import importlib
import importlib.util
import os
import sys

PROGRAM = "keras-fusion"


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; the exit status, 2 with one sentence where input is bad."""
    options = _parser().parse_args(arguments)
    try:
        _import_backend(options.command)
        from keras_fusion import commands

        return commands.run(options)
    except (ValueError, OSError, ImportError, RuntimeError) as error:
        if options.debug:
            raise
        print(f"{PROGRAM}: error: {_sentence(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(
            f"{PROGRAM}: stopped; the same command goes on from here.", file=sys.stderr
        )
        return 130


def _parser():
    parser = argparse.ArgumentParser(
        PROGRAM, description="Fuse several inputs about one thing, with Keras 3."
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--debug", action="store_true", help="show tracebacks")
    add = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND"
    ).add_parser

    names = add("list", parents=[common], help="what there is, or a recipe's results")
    names.add_argument("recipe", nargs="?", help="print its published results")

    train = add("train", parents=[common], help="train a recipe; resumes after a kill")
    evaluate = add("evaluate", parents=[common], help="judge it beside the baselines")
    for command in (train, evaluate):
        _add_run_options(command)
    evaluate.add_argument(
        "--leave-out",
        action="store_true",
        help="also train a model without each modality from scratch",
    )
    evaluate.add_argument(
        "--on",
        choices=("test", "validation"),
        default="test",
        help="what to judge on; choose by validation, then test once",
    )
    evaluate.add_argument(
        "--publish",
        action="store_true",
        help="write results, weights and card into the recipe's folder",
    )

    export = add("export", parents=[common], help="write a verified SavedModel")
    export.add_argument("model", help="a recipe that was trained, or a .keras file")
    export.add_argument("--runs", default="runs", help="where train put its runs")
    export.add_argument("--output", help="default: saved_models/NAME")

    predict = add("predict", parents=[common], help="classes for raw features")
    predict.add_argument("model", help="a .keras file or an exported SavedModel")
    predict.add_argument("file", help=".npz, .csv, .parquet or .json")
    predict.add_argument("--json", action="store_true", help="print JSON, all rows")
    predict.add_argument("--rows", type=int, default=20, help="rows of the table")

    panel = add("panel", parents=[common], help="a frame, its masks and affinities")
    panel.add_argument("recipe", help="name, folder or .toml file; segmentation")
    panel.add_argument("--row", type=int, default=0, help="frame of the test set")
    panel.add_argument(
        "--point",
        type=int,
        nargs=2,
        default=(0, 0),
        metavar=("Y", "X"),
        help="pixel whose affinities are drawn",
    )
    panel.add_argument("--runs", default="runs", help="where train put its runs")
    panel.add_argument("--output", help="default: RECIPE.png")
    return parser


def _add_run_options(command):
    command.add_argument("recipe", help="name, folder or .toml file")
    command.add_argument("--dataset", help="in place of the recipe's, e.g. csv:my.csv")
    command.add_argument("--label", help="label column or array of --dataset")
    command.add_argument(
        "--seeds", type=int, nargs="+", help="in place of the recipe's"
    )
    command.add_argument("--epochs", type=int, help="in place of the recipe's")
    command.add_argument("--precision", default="float32", help="or mixed_bfloat16")
    command.add_argument("--runs", default="runs", help="runs go to RUNS/RECIPE")
    command.add_argument(
        "--quiet", action="store_true", help="no progress bar for each epoch"
    )


def _import_backend(command):
    """Imports Keras on its backend, without the notices TensorFlow prints by then."""
    _choose_backend()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    terminal = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
            importlib.import_module("keras")
            # On other backends Keras imports it too, later, to set its seed.
            if command != "list" and importlib.util.find_spec("tensorflow"):
                importlib.import_module("tensorflow")
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)


def _choose_backend():
    """Takes a backend that is installed where neither variable nor file names one."""
    home = os.environ.get("KERAS_HOME") or os.path.expanduser("~/.keras")
    if "KERAS_BACKEND" in os.environ or os.path.exists(f"{home}/keras.json"):
        return
    for backend in ("tensorflow", "jax", "torch"):
        if importlib.util.find_spec(backend):
            os.environ["KERAS_BACKEND"] = backend
            return


def _sentence(error):
    """An error's own words, without the call that Keras prints around them."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}"
    return " ".join(str(error).split())


if __name__ == "__main__":
    sys.exit(main())
