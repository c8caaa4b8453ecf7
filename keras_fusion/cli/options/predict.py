"""What `keras-fusion predict` takes."""


def add_arguments(parser) -> None:
    """Adds what the command takes."""
    parser.add_argument("model", help="a .keras file or an exported SavedModel")
    parser.add_argument(
        "file",
        help="rows: .npz, .csv, .parquet or .json; or pictures: a folder with rgb/ and "
        "depth/",
    )
    parser.add_argument(
        "--output",
        metavar="FILE",
        help="write all rows to a .csv, .parquet or .json, masks into a folder",
    )
    parser.add_argument(
        "--json", action="store_true", help="print all rows and outputs as JSON"
    )
    parser.add_argument(
        "--contributions",
        action="store_true",
        help="also say what each modality contributed to each prediction, as a Shapley "
        "value; the model predicts each row 2^M times for it, or about 1,000 times "
        "where there are more than 8 modalities",
    )
    parser.add_argument(
        "--address",
        help="predict the parts of a table by a Ray cluster, such as ray://HOST:10001, "
        "or local for all processors of this machine",
    )
    parser.add_argument("--rows", type=int, default=20, help="number of rows to print")
