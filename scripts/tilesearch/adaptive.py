"""Adaptive searches that serve as a reference: their names, and what they need."""

from collections.abc import Iterable
from importlib.util import find_spec

from tilesearch.errors import InputError

#: Samplers of Optuna by name, and the package that each needs beside Optuna.
ADAPTIVE = {"tpe": None, "gp": "torch"}


def check_adaptive(names: Iterable[str]) -> None:
    """Check that adaptive samplers are known and can run here.

    Optuna imports what it needs after ten trials only, long after the trainings of a study.

    Raises
    ------
    InputError
        If a name is unknown, or its package is not installed.
    """
    for name in names:
        if name not in ADAPTIVE:
            raise InputError(
                f"tabulated.adaptive names '{name}', which is unknown, take some of "
                f"{', '.join(ADAPTIVE)}"
            )
        package = ADAPTIVE[name]
        if package and find_spec(package) is None:
            raise InputError(
                f"tabulated.adaptive names '{name}', which needs the package '{package}', "
                f"install it (pip install {package}) or leave '{name}' out"
            )
