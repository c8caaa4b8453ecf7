"""What `keras-fusion train` takes."""

from keras_fusion.cli.options import shared


def add_arguments(parser) -> None:
    """Adds what the command takes."""
    shared.add_recipe(parser)
    shared.add_training(parser)
    parser.add_argument(
        "--folds",
        type=int,
        help="number of folds, 3 or more, into which the rows are cut; a model is "
        "trained for each, which validates on its fold and trains on the others, and "
        "their average is one model",
    )
    parser.add_argument(
        "--distill",
        action="store_true",
        help="with --folds: also train one network, as large as one of the models, to "
        "answer as their average does, and say what it loses on the test rows",
    )
