"""Options that several commands have."""

import argparse

TASKS = "classification", "regression", "multilabel", "ordinal", "risk", "survival"
TASK_HELP = (
    "what the labels are; risk and survival are for times until an event: risk is "
    "Cox' model, survival tells how probable it is to reach each time (default: what "
    "the labels look like)"
)


class Labels(argparse.Action):
    """One column is a text; the option said again makes a tuple of several."""

    def __call__(self, parser, namespace, value, option=None):
        """Adds a column to those before."""
        before = getattr(namespace, self.dest)
        several = (before,) if isinstance(before, str) else before
        setattr(namespace, self.dest, (*several, value) if several else value)


def add_recipe(parser) -> None:
    """The recipe, or a file of one's own in its place."""
    parser.add_argument(
        "recipe",
        help="name, folder or .toml file of a recipe, or your own file (.csv, .tsv, "
        ".parquet, .npz), which is trained with default settings",
    )
    add_dataset(parser)


def add_dataset(parser) -> None:
    """Another data set for a recipe."""
    parser.add_argument(
        "--dataset", help="another data set for the recipe, such as csv:mine.csv"
    )
    add_label(parser, "the recipe's")


def add_label(parser, default: str) -> None:
    """Where the labels are, and what they are."""
    parser.add_argument(
        "--label",
        action=Labels,
        help=f"column or array that holds the labels (default: {default}); repeat "
        "the option for several columns of true and false",
    )
    add_task(parser)


def add_task(parser) -> None:
    """What the labels are."""
    parser.add_argument("--task", choices=TASKS, help=TASK_HELP)
    parser.add_argument(
        "--order",
        nargs="+",
        metavar="CLASS",
        help="classes from the least to the most; an ordinal task without this option "
        "takes whole numbers",
    )
    parser.add_argument(
        "--time", metavar="COLUMN", help="column of the time until the event or the end"
    )
    parser.add_argument(
        "--event",
        metavar="COLUMN",
        help="column that is true where the event happened, and false where the "
        "observation ended before it",
    )


def add_runs(parser) -> None:
    """The folder of runs."""
    parser.add_argument(
        "--runs", default="runs", help="folder of all runs; a recipe uses RUNS/RECIPE"
    )


def add_training(parser) -> None:
    """How a recipe is trained."""
    parser.add_argument(
        "--seeds",
        type=int,
        nargs="+",
        help="seeds; each has a split and a run of its own (default: the recipe's)",
    )
    parser.add_argument(
        "--epochs", type=int, help="largest number of epochs (default: the recipe's)"
    )
    parser.add_argument(
        "--calibrate",
        action="store_true",
        default=None,
        help="divide the logits by the temperature that fits the validation rows best",
    )
    parser.add_argument(
        "--coverage",
        type=float,
        help="also predict a set of classes for each row; the sets of this share of "
        "rows, such as 0.9, hold the true class",
    )
    parser.add_argument(
        "--uncertainty",
        choices=("entropy", "confidence"),
        help="measure by which to predict how uncertain the classes of each row are, "
        "from 0 to 1 (default: it is not predicted)",
    )
    parser.add_argument(
        "--precision",
        default="float32",
        help="number format: float32, mixed_bfloat16 or mixed_float16",
    )
    parser.add_argument(
        "--devices",
        type=int,
        default=1,
        help="number of devices that share each batch; it counts those of all hosts "
        "where JAX_COORDINATOR_ADDRESS is set, and on torch, from Keras 3.16 on, all "
        "processes of torchrun",
    )
    parser.add_argument(
        "--quiet", action="store_true", help="show no progress of the epochs"
    )
    add_runs(parser)
