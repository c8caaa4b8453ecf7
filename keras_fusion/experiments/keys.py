"""What the keys of a recipe take, and the words that say it."""

import re
from typing import Annotated, Literal

from pydantic import Strict

from keras_fusion.datasets import split_rules
from keras_fusion.experiments import schema
from keras_fusion.experiments.schema import Number

_FILE_NAME = re.compile(r"\w[\w .+-]*")

TaskName = Annotated[
    Literal[
        "classification", "regression", "multilabel", "ordinal", "risk", "survival"
    ],
    schema.said(
        '"classification", "regression", "multilabel", "ordinal", "risk" or "survival"'
    ),
]
Order = Annotated[
    tuple[schema.Name | Annotated[int, Strict()], ...],
    schema.said("a list of two or more texts or whole numbers", lambda x: len(x) != 1),
]
Labels = Annotated[
    schema.Name | tuple[schema.Name, ...],
    schema.said("a text or a list of texts", bool),
]
Scale = Literal["auto", "feature", "modality", "quantile", "none"]
Scaling = Annotated[
    Scale | dict[str, Scale],
    schema.said(
        '"auto", "feature", "modality", "quantile" or "none", or a table that gives '
        "a modality one of them"
    ),
]
ClassWeight = Annotated[
    Literal["balanced"] | dict[str, Number],
    schema.said('"balanced" or a table with a number from 0 for each class'),
]
Coverage = Annotated[
    float, Strict(), schema.said("a number between 0 and 1", lambda x: 0 < x < 1)
]
Uncertainty = Annotated[
    Literal["entropy", "confidence"], schema.said('"entropy" or "confidence"')
]
Baselines = Annotated[
    dict[str, dict],
    schema.said(
        "a table for each baseline, of the arguments that differ from the model's",
        lambda tables: all(_FILE_NAME.fullmatch(name) for name in tables),
    ),
]
Modalities = Annotated[dict[str, dict], schema.said("a table for each modality")]
SplitRule = Annotated[
    str, schema.said(f"one of {', '.join(split_rules.FORMS)}", split_rules.is_rule)
]
GroupBy = Annotated[Literal["kind", "prefix"], schema.said('"kind" or "prefix"')]
