"""The command `keras-fusion`: parses, calls, and says what failed."""

import argparse
import importlib
import sys

from keras_fusion.cli import backend, faults
from keras_fusion.common.errors import InputError

PROGRAM = "keras-fusion"
COMMANDS = {  # each is a module here with `run`, and one of `options`
    "list": "list recipes, layers and data sets, or print a recipe's published results",
    "init": "write a recipe for your own file, ready to edit",
    "train": "train a recipe or your own file; an interrupted run resumes",
    "evaluate": "compare a model with its baselines on the test rows",
    "tune": "search for the fusion and depth; an interrupted search resumes",
    "export": "write a verified SavedModel that TensorFlow Serving takes",
    "verify": "check the files of an export against its manifest",
    "serve": "serve exports over REST and gRPC, on this machine, for development",
    "predict": "predict the rows of a file",
    "show": "open a local page on which you try a trained model",
    "panel": "draw a picture with its predicted mask and affinities",
}


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; the exit status.

    It is 2 with one sentence where the input is bad, and 1 where the fault is ours.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    command = next((word for word in arguments if word in COMMANDS), None)
    debug = "--debug" in arguments
    try:
        options = _parser(command).parse_args(arguments)
        module = _module(command)
        if command not in ("list", "verify"):
            backend.silence_others()
        module.run(options)
        return 0
    except (InputError, OSError, ImportError) as error:
        if debug or faults.is_ours(error):
            return faults.report(PROGRAM, error, debug)
        print(f"{PROGRAM}: error: {faults.sentence(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{PROGRAM}: stopped; the same command resumes it.", file=sys.stderr)
        return 130
    except Exception as error:
        return faults.report(PROGRAM, error, debug)


class _Defaults(argparse.ArgumentDefaultsHelpFormatter):
    """Shows defaults, but none that says nothing, such as None and False."""

    def _get_help_string(self, action):
        return super()._get_help_string(action) if action.default else action.help


def _module(command):
    """The command's module, imported on the backend that is there."""
    backend.prepare()
    return importlib.import_module(f"keras_fusion.cli.{command}")


def _parser(command):
    """All commands by name; the arguments of the one that is called.

    Keras is not imported for them, so that `--help` answers at once.
    """
    parser = argparse.ArgumentParser(
        PROGRAM, description="Fuse several inputs about one thing, with Keras 3."
    )
    add = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, words in COMMANDS.items():
        known = add.add_parser(
            name,
            help=words,
            description=f"{words[0].upper()}{words[1:]}.",
            formatter_class=_Defaults,
        )
        if name == command:
            taken = importlib.import_module(f"keras_fusion.cli.options.{name}")
            taken.add_arguments(known)
        known.add_argument(
            "--debug", action="store_true", help="show the traceback of an error"
        )
    return parser


if __name__ == "__main__":
    sys.exit(main())
