"""Rules of early stopping: which epoch is the best, and what renews the patience."""

import math
from collections.abc import Callable
from typing import NamedTuple

BEFORE, NOW = "accuracy", "accuracy, then loss; both renew the patience"


class Rule(NamedTuple):
    """What is largest in the best epoch, and whether any smaller loss is progress.

    Attributes:
        worth: Of an epoch, from its accuracy and its loss on validation.
        either: Whether the patience begins again with a loss smaller than all before.
    """

    worth: Callable[[float, float], tuple]
    either: bool = False


RULES = {
    BEFORE: Rule(lambda accuracy, loss: (accuracy,)),
    "loss": Rule(lambda accuracy, loss: (-loss,)),
    "accuracy, then loss": Rule(lambda accuracy, loss: (accuracy, -loss)),
    NOW: Rule(lambda accuracy, loss: (accuracy, -loss), either=True),
}


def kept(accuracies, losses, rule: Rule, patience: int) -> tuple[int, int]:
    """The epoch, from 0, whose weights early stopping keeps, and the epochs trained.

    Args:
        accuracies, losses: On validation, by epoch.
        rule: Of `RULES`.
        patience: Epochs in a row that may pass without progress.
    """
    best, smallest, at, last = None, math.inf, 0, 0
    for epoch, (accuracy, loss) in enumerate(zip(accuracies, losses)):
        worth = rule.worth(float(accuracy), float(loss))
        if rule.either and loss < smallest:
            smallest, last = loss, epoch
        if best is None or worth > best:
            best, at, last = worth, epoch, epoch
        if epoch - last >= patience:
            break
    return at, epoch + 1
