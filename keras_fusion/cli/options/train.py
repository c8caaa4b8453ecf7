"""What `keras-fusion train` takes."""

from keras_fusion.cli.options import shared


def add_arguments(parser) -> None:
    """Adds what the command takes."""
    shared.add_recipe(parser)
    shared.add_training(parser)
    parser.add_argument(
        "--folds",
        type=int,
        help="train one model on each of so many folds, 3 or more, and average them "
        "into one model; rows that one fold validates on train the others",
    )
    parser.add_argument(
        "--distill",
        action="store_true",
        help="with --folds: also train one network, as large as one of theirs, to "
        "answer as they do together, and say on the test rows what it loses",
    )
