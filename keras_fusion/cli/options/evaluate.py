"""What `keras-fusion evaluate` takes."""

from keras_fusion.cli.options import shared


def add_arguments(parser) -> None:
    """Adds what the command takes."""
    shared.add_recipe(parser)
    shared.add_training(parser)
    parser.add_argument(
        "--leave-out",
        action="store_true",
        help="also train the model without each modality from scratch",
    )
    parser.add_argument(
        "--corrupt",
        action="store_true",
        help="also judge with inputs that lie: noise, another sample's, or zeros in "
        "place of a modality, while the mask says that it is there",
    )
    parser.add_argument(
        "--on",
        choices=("test", "validation"),
        default="test",
        help="part to judge on; compare by validation first, then use test once",
    )
    parser.add_argument(
        "--publish",
        action="store_true",
        help="write results, weights and card into the recipe's folder",
    )
