"""What a builder says of itself, so that nobody else has to know it by name."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Record:
    """What others need to know of a builder; `zoo.builders()[name].record`.

    Attributes:
        name: Of the builder.
        fusion: Name of the operator that it fuses by where nobody says another; None
            where it fuses by no operator.
        by_modality: Names of the arguments that may be dicts by modality.
        alone: Name of the builder of its form for a single modality. Where that is the
            builder itself, its operator has something to do with one modality, too.
        alone_takes: The arguments that this form shares with the builder, in case it is
            another one, which takes `modality` in addition; None stands for all.
        independent_rows: Whether a row's output depends on no other row.
    """

    name: str
    fusion: str | None
    by_modality: tuple[str, ...]
    alone: str
    alone_takes: tuple[str, ...] | None
    independent_rows: bool

    def of_modalities(self, arguments: dict, modalities) -> dict:
        """The arguments, where they are given by modality for these alone."""
        return {
            key: {m: x for m, x in value.items() if m in modalities}
            if key in self.by_modality and isinstance(value, dict)
            else value
            for key, value in arguments.items()
        }

    def of_one(self, arguments: dict, modality: str) -> tuple[str, dict]:
        """Builder and arguments of the model of this modality alone."""
        arguments = self.of_modalities(arguments, [modality])
        if self.alone_takes is not None:
            kept = self.alone_takes
            arguments = {k: v for k, v in arguments.items() if k in kept}
            arguments["modality"] = modality
        return self.alone, arguments


def builder(
    *,
    by_modality: tuple[str, ...] = ("encoders",),
    alone: str | None = None,
    alone_takes: tuple[str, ...] | None = None,
    independent_rows: bool = True,
) -> Callable:
    """Gives a builder its `Record`; the default fusion is read from its signature."""

    def recorded(build):
        default = inspect.signature(build).parameters.get("fusion")
        build.record = Record(
            name=build.__name__,
            fusion=default and default.default,
            by_modality=by_modality,
            alone=alone or build.__name__,
            alone_takes=alone_takes,
            independent_rows=independent_rows,
        )
        return build

    return recorded
