"""What `keras-fusion serve` takes."""


def add_arguments(parser) -> None:
    """Adds what the command takes."""
    parser.add_argument(
        "folder", nargs="?", default="saved_models", help="folder of the models"
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on; there is no password"
    )
    parser.add_argument(
        "--rest-port", type=int, default=8501, help="port of REST; 0 takes a free one"
    )
    parser.add_argument(
        "--grpc-port", type=int, default=8500, help="port of gRPC; 0 takes a free one"
    )
    parser.add_argument(
        "--label",
        action="append",
        default=[],
        metavar="MODEL:LABEL=VERSION",
        help="also keep VERSION loaded, under the name LABEL",
    )
    parser.add_argument(
        "--body",
        type=int,
        metavar="BYTES",
        help="largest request in bytes (default: 64 MiB)",
    )
    parser.add_argument(
        "--batch",
        type=int,
        metavar="ROWS",
        help="largest number of rows in a request (default: 1024)",
    )
    parser.add_argument(
        "--seconds",
        type=float,
        help="longest time of a request over REST (default: 30)",
    )
