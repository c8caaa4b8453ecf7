"""What `keras-fusion tune` takes."""

from keras_fusion.cli.options import shared


def add_arguments(parser) -> None:
    """Adds what the command takes."""
    parser.add_argument(
        "search",
        help="folder with search.toml, or a .toml file, or your own file (.csv, .tsv, "
        ".parquet, .npz), which is searched with default settings",
    )
    shared.add_label(parser, "the search's")
    overrides = "; overrides search.toml"
    parser.add_argument("--trials", type=int, help=f"number of trials{overrides}")
    parser.add_argument(
        "--minutes", type=float, help=f"time budget in minutes{overrides}"
    )
    parser.add_argument("--epochs", type=int, help=f"epochs of a full trial{overrides}")
    parser.add_argument(
        "--tuner", help=f"auto, hyperband, random or bayesian{overrides}"
    )
    parser.add_argument(
        "--seed", type=int, help=f"seed of the choice of trials{overrides}"
    )
    parser.add_argument(
        "--workers",
        type=int,
        help="number of trials that run at the same time, by Ray (default: 1, without "
        "Ray)",
    )
    parser.add_argument(
        "--address", help="address of a Ray cluster, such as ray://HOST:10001"
    )
    parser.add_argument(
        "--gpus-per-trial",
        type=float,
        default=0,
        metavar="N",
        help="GPUs for each trial, with Ray; 0.5 lets two trials share one",
    )
    parser.add_argument(
        "--storage",
        metavar="ADDRESS",
        help="folder or address of fsspec, such as s3://BUCKET/PATH, where trials keep "
        "their checkpoints; with it the machines need no common folder",
    )
    parser.add_argument("--report", action="store_true", help="write report.html")
    parser.add_argument(
        "--tensorboard",
        action="store_true",
        help="write logs for the HParams page of TensorBoard",
    )
    parser.add_argument(
        "--against",
        metavar="SEARCH",
        help="compare the best trial on the test rows with the best of this other "
        "search, which has the same budget; do it once",
    )
    parser.add_argument(
        "--promote",
        metavar="NAME",
        help="when the search has ended, train the best fusion again on all but the "
        "test rows, with its baselines, and write it as recipe zoo/NAME",
    )
    parser.add_argument(
        "--ensemble",
        action="store_true",
        help="with --promote: export the ensemble that the search chose, as one model, "
        "in place of the best fusion; nothing is trained again",
    )
    parser.add_argument(
        "--publish", action="store_true", help="write the results beside search.toml"
    )
    parser.add_argument(
        "--runs", default="tuning/runs", help="folder of all runs, in RUNS/SEARCH each"
    )
