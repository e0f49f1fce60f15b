"""Learning problems: data, model and loss.

The registry `KINDS` knows names; the module behind a kind is imported by the job that needs it.

A kind trained by boosting is a module with

- ``check(data) -> (rows, columns)``: refuses a data file that cannot be used,
- ``load(data, seed) -> (table, facts)``: features and the column ``target``.

A kind trained as fused networks is a module with

- ``load(data, seed) -> Data``,
- optionally ``embed(data, settings, seed) -> dict of arrays`` (computed once per data set) and
  ``tune(data, settings, seed) -> dict``,
- ``trainer(batch, facts, tuned, settings, seed, threads) -> Trainer``,
- ``TRAINED``: the names of the parameters that need a training of their own.

To add a problem, write such a file and put its name into `KINDS` and into the config's schema; a
parameter that no other problem has gets its limits in `FUSED`.
"""

from dataclasses import dataclass
from importlib import import_module
from math import inf


@dataclass(frozen=True)
class Kind:
    """How a kind of problem is trained.

    Parameters
    ----------
    engine : {"boosting", "networks"}
    parameters : tuple of str
        Parameters that can be searched.
    trained : tuple of str
        Those of them that change a training; points that agree in them share one.
    task : {"regression", "classification", "config"}
        "config": the config's ``data.task`` says it.
    embeds, tunes : bool
        Whether the module has the functions ``embed`` and ``tune``.
    """

    engine: str
    parameters: tuple[str, ...]
    trained: tuple[str, ...]
    task: str
    embeds: bool = False
    tunes: bool = False


@dataclass(frozen=True)
class Limits:
    """What a model asks of a parameter.

    Parameters
    ----------
    low : float
        Smallest value.
    high : float
        Largest value.
    whole : bool
        Whether it must be of type int.
    open : bool
        Whether `low` itself is not allowed.
    """

    low: float
    high: float = inf
    whole: bool = False
    open: bool = False


#: LightGBM parameters that can be searched, by their main names: LightGBM lets a main name win
#: over its other names, such as those in which settings were tuned. The depth stands last:
#: `tilesearch.training.boosting` trains shallow models first.
BOOSTED: dict[str, Limits] = {
    "learning_rate": Limits(0, open=True),
    "num_leaves": Limits(2, 131072, whole=True),
    "min_data_in_leaf": Limits(1, whole=True),
    "feature_fraction": Limits(0, 1, open=True),
    "lambda_l1": Limits(0),
    "lambda_l2": Limits(0),
    "min_gain_to_split": Limits(0),
    "max_depth": Limits(1, whole=True),
}
_BOOSTED = tuple(BOOSTED)

#: Parameters of networks that can be searched, with what a network asks of them.
FUSED: dict[str, Limits] = {
    "learning_rate": Limits(0, open=True),
    "epochs": Limits(1, whole=True),
    "units": Limits(1, whole=True),
    "decay": Limits(0, open=True),
    "k": Limits(1, whole=True),
}

KINDS: dict[str, Kind] = {
    "housing": Kind("boosting", _BOOSTED, _BOOSTED, "regression"),
    "danish-housing": Kind("boosting", _BOOSTED, _BOOSTED, "regression"),
    "table": Kind("boosting", _BOOSTED, _BOOSTED, "config"),
    "bjet": Kind(
        "networks", ("learning_rate", "epochs"), ("learning_rate",), "regression", tunes=True
    ),
    "cifar10": Kind(
        "networks",
        ("learning_rate", "units"),
        ("learning_rate", "units"),
        "classification",
        embeds=True,
    ),
    "insolubles": Kind(
        "networks", ("learning_rate", "decay"), ("learning_rate", "decay"), "classification"
    ),
    "icecube": Kind(
        "networks", ("learning_rate", "k"), ("learning_rate", "k"), "regression", embeds=True
    ),
}


def module(kind: str):
    """The module behind a kind."""
    return import_module(f"{__name__}.{kind.replace('-', '_')}")
