"""What `keras-fusion list` takes."""


def add_arguments(parser) -> None:
    """Adds what the command takes."""
    parser.add_argument(
        "recipe", nargs="?", help="print the published results of this recipe"
    )
    parser.add_argument(
        "--method", help="compare this method of the results with every other, paired"
    )
