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
        _run(options)
        return 0
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


def _run(options):
    import keras

    keras.config.disable_traceback_filtering()  # errors in their own words
    importlib.import_module(f"keras_fusion.cli.{options.command}").run(options)


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
    names.add_argument(
        "--method", help="of the results: its differences to every other, paired"
    )

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

    tune = add("tune", parents=[common], help="search fusion and depth; resumes")
    tune.add_argument("search", help="folder with search.toml, or a .toml file")
    tune.add_argument("--trials", type=int, help="in place of the search's")
    tune.add_argument(
        "--minutes", type=float, help="that all may take; overrides the search's"
    )
    tune.add_argument("--epochs", type=int, help="of a trial, in place of its own")
    tune.add_argument("--tuner", help="auto, hyperband, random or bayesian")
    tune.add_argument("--seed", type=int, help="of the trials drawn")
    tune.add_argument(
        "--workers", type=int, help="trials at once, by Ray (default: one, without Ray)"
    )
    tune.add_argument(
        "--address", help="of a Ray cluster, such as ray://HOST:10001 (default: none)"
    )
    tune.add_argument(
        "--gpus-per-trial",
        type=float,
        default=0,
        metavar="N",
        help="GPUs of each trial with Ray; a fraction shares one (default: 0)",
    )
    tune.add_argument("--report", action="store_true", help="write report.html")
    tune.add_argument(
        "--tensorboard", action="store_true", help="write logs for its HParams page"
    )
    tune.add_argument(
        "--against",
        metavar="SEARCH",
        help="test the winner, once, beside that of this search of the same size",
    )
    tune.add_argument(
        "--promote",
        metavar="NAME",
        help="train the best fusion on all but the test rows, as recipe zoo/NAME",
    )
    tune.add_argument(
        "--publish", action="store_true", help="put the results beside search.toml"
    )
    tune.add_argument("--runs", default="tuning/runs", help="runs go to RUNS/SEARCH")

    export = add("export", parents=[common], help="write a verified SavedModel")
    export.add_argument("model", help="a recipe that was trained, or a .keras file")
    export.add_argument("--runs", default="runs", help="where train put its runs")
    export.add_argument("--output", help="default: saved_models/NAME")
    export.add_argument("--version", type=int, help="default: the next free number")
    export.add_argument(
        "--samples", help="real rows to compare on; default: some that train kept"
    )
    export.add_argument(
        "--formats", nargs="+", default=(), help="onnx, litert: besides the SavedModel"
    )
    _add_batches(export, "--warmup", "batch sizes that a server asks for as it loads")
    _add_batches(export, "--xla", "batch sizes to compile by XLA, others are padded")

    verify = add("verify", parents=[common], help="find damage in what was exported")
    verify.add_argument("path", help="a version, or the folder of its versions")

    serve = add("serve", parents=[common], help="answer as TensorFlow Serving does")
    serve.add_argument("folder", nargs="?", default="saved_models")
    serve.add_argument("--host", default="127.0.0.1", help="nothing asks who calls")
    serve.add_argument("--rest-port", type=int, default=8501, help="0 is a free one")
    serve.add_argument("--grpc-port", type=int, default=8500, help="0 is a free one")
    serve.add_argument(
        "--label",
        action="append",
        default=[],
        metavar="MODEL:LABEL=VERSION",
        help="keep this version too and answer under the label",
    )
    serve.add_argument("--body", type=int, metavar="BYTES", help="at most, a request")
    serve.add_argument("--batch", type=int, metavar="ROWS", help="at most, a request")
    serve.add_argument("--seconds", type=float, help="at most, from first byte to last")

    predict = add("predict", parents=[common], help="classes for raw features")
    predict.add_argument("model", help="a .keras file or an exported SavedModel")
    predict.add_argument("file", help=".npz, .csv, .parquet or .json")
    predict.add_argument("--output", metavar="FILE", help=".csv, .parquet or .json")
    predict.add_argument("--json", action="store_true", help="print JSON, all rows")
    predict.add_argument("--rows", type=int, default=20, help="rows of the table")

    panel = add("panel", parents=[common], help="a frame, its masks and affinities")
    panel.add_argument("recipe", help="name, folder or .toml file; segmentation")
    _add_dataset(panel)
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
    _add_dataset(command)
    command.add_argument(
        "--seeds", type=int, nargs="+", help="in place of the recipe's"
    )
    command.add_argument("--epochs", type=int, help="in place of the recipe's")
    command.add_argument("--precision", default="float32", help="or mixed_bfloat16")
    command.add_argument("--runs", default="runs", help="runs go to RUNS/RECIPE")
    command.add_argument(
        "--quiet", action="store_true", help="no progress bar for each epoch"
    )


def _add_dataset(command):
    command.add_argument("--dataset", help="in place of the recipe's, e.g. csv:my.csv")
    command.add_argument("--label", help="label column or array of --dataset")


def _add_batches(command, option, words):
    command.add_argument(
        option, type=int, nargs="+", default=(), metavar="B", help=words
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
            _import_keras()
            # On other backends Keras imports it too, later, to set its seed.
            if command not in ("list", "verify") and importlib.util.find_spec(
                "tensorflow"
            ):
                importlib.import_module("tensorflow")
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)


def _import_keras():
    try:
        importlib.import_module("keras")
    except ModuleNotFoundError as error:
        backend = os.environ.get("KERAS_BACKEND")
        if error.name != backend:
            raise
        raise ImportError(
            f"KERAS_BACKEND is {backend!r}, which is not installed: "
            f'pip install "keras-fusion[{backend}]", or name another one.'
        ) from error


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
