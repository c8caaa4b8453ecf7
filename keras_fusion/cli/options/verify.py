"""What `keras-fusion verify` takes."""


def add_arguments(parser) -> None:
    """Adds what the command takes."""
    parser.add_argument("path", help="a version, or the folder of its versions")
