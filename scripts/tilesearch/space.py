"""Parameters and spaces: the unit cube on one side, typed values on the other."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from tilesearch.errors import InputError

TYPES = ("float", "int")
SCALES = ("linear", "log")

#: Largest float, and the largest whole number up to which floats hold every whole number.
LARGEST = sys.float_info.max
EXACT = 2**53


@dataclass(frozen=True)
class Parameter:
    """One axis of a search space.

    Parameters
    ----------
    name : str
        Name of the parameter.
    low, high : float
        Ends of the range, both included; ``low < high``, and ``low > 0`` on a log scale.
    type : {"float", "int"}
        An int parameter takes the whole numbers from `low` to `high`, each with the same share
        of the unit interval (of its logarithm on a log scale).
    scale : {"linear", "log"}
        Scale on which the unit interval is spread.

    Raises
    ------
    InputError
        If a bound, the type or the scale cannot be used; the message names it.

    Examples
    --------
    >>> depth = Parameter("max_depth", 8, 22, type="int")
    >>> depth.values([0.0, 0.5, 0.999]).tolist()
    [8, 15, 22]
    >>> rate = Parameter("learning_rate", 1e-4, 1e-2, scale="log")
    >>> float(rate.values(0.5).round(6))
    0.001
    """

    name: str
    low: float
    high: float
    type: str = "float"
    scale: str = "linear"

    def __post_init__(self):
        if self.type not in TYPES:
            raise InputError(
                f"parameter '{self.name}': type is '{self.type}', it must be one of "
                f"{', '.join(TYPES)}"
            )
        if self.scale not in SCALES:
            raise InputError(
                f"parameter '{self.name}': scale is '{self.scale}', it must be one of "
                f"{', '.join(SCALES)}"
            )
        # By comparison: an int may be larger than any float, and numpy takes none above 2^63.
        if not (abs(self.low) <= LARGEST and abs(self.high) <= LARGEST):
            raise InputError(
                f"parameter '{self.name}': low {self.low} and high {self.high} must be finite"
            )
        if not self.low < self.high:
            raise InputError(
                f"parameter '{self.name}': low is {self.low} and high is {self.high}, "
                "low must be smaller than high"
            )
        largest = EXACT if self.type == "int" else LARGEST
        if max(-self.low, self.high, self.high - self.low) > largest:
            raise InputError(
                f"parameter '{self.name}': the range from {self.low:g} to {self.high:g} is too "
                f"wide, ends and difference must be at most {largest:g}"
            )
        if self.scale == "log" and self.low <= 0:
            raise InputError(
                f"parameter '{self.name}': low is {self.low} on a log scale, "
                "it must be greater than 0 (or take scale: linear)"
            )
        if self.type == "int" and (self.low != int(self.low) or self.high != int(self.high)):
            raise InputError(
                f"parameter '{self.name}': low {self.low} and high {self.high} of an int "
                "parameter must be whole numbers"
            )

    def _ends(self) -> tuple[float, float]:
        # Equal-width bins: an int axis reaches half a step beyond its ends on either side.
        low, high = float(self.low), float(self.high)
        if self.type == "int":
            low, high = low - 0.5, high + 0.5
        return (np.log(low), np.log(high)) if self.scale == "log" else (low, high)

    def values(self, unit) -> np.ndarray:
        """Values at positions of the unit interval.

        Parameters
        ----------
        unit : array_like
            Positions in [0, 1].

        Returns
        -------
        ndarray
            Same shape; float64, or int64 for an int parameter; never outside [low, high].
        """
        low, high = self._ends()
        values = low + np.asarray(unit, dtype=float) * (high - low)
        if self.scale == "log":
            values = np.exp(values)
        if self.type == "int":
            values = np.floor(values + 0.5)
        values = np.clip(values, self.low, self.high)
        return values.astype(np.int64) if self.type == "int" else values

    def unit(self, values) -> np.ndarray:
        """Positions in the unit interval of `values` (the middle of its bin for an int).

        Examples
        --------
        >>> Parameter("x", 2.0, 4.0).unit([2, 3, 4]).tolist()
        [0.0, 0.5, 1.0]
        """
        low, high = self._ends()
        values = np.asarray(values, dtype=float)
        if self.scale == "log":
            values = np.log(values)
        return (values - low) / (high - low)


@dataclass(frozen=True)
class Space:
    """An ordered list of parameters.

    Examples
    --------
    >>> space = Space("d2", (Parameter("rate", 0.0, 1.0), Parameter("depth", 1, 4, type="int")))
    >>> space.d
    2
    >>> {k: v.tolist() for k, v in space.values([[0.5, 0.0], [0.25, 0.99]]).items()}
    {'rate': [0.5, 0.25], 'depth': [1, 4]}
    """

    name: str
    parameters: tuple[Parameter, ...]

    def __post_init__(self):
        names = [p.name for p in self.parameters]
        if not names:
            raise InputError(f"space '{self.name}' has no parameters, give it one or more")
        if len(set(names)) != len(names):
            raise InputError(f"space '{self.name}' names a parameter twice: {', '.join(names)}")

    @property
    def d(self) -> int:
        """Number of dimensions."""
        return len(self.parameters)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, in order."""
        return tuple(p.name for p in self.parameters)

    def values(self, unit_points) -> dict[str, np.ndarray]:
        """Typed values of points in the unit cube.

        Parameters
        ----------
        unit_points : array_like, shape (n, d)
            Points in [0, 1]^d.

        Returns
        -------
        dict of str to ndarray, shape (n,)
            One column per parameter, in the order of the space.
        """
        unit_points = np.asarray(unit_points, dtype=float)
        return {p.name: p.values(unit_points[:, i]) for i, p in enumerate(self.parameters)}

    def within(self, domain: Mapping[str, tuple[float, float]]) -> "Space":
        """The same space with the ranges of `domain` for the parameters that it names.

        Examples
        --------
        >>> Space("s", (Parameter("x", 0.0, 1.0),)).within({"x": (0.0, 2.0)}).parameters[0].high
        2.0
        """
        parameters = tuple(
            replace(p, low=domain[p.name][0], high=domain[p.name][1]) if p.name in domain else p
            for p in self.parameters
        )
        return Space(self.name, parameters)


def cells(parameter: Parameter, levels: int) -> int:
    """Number of cells of one axis: one per value where an int axis has no more than `levels`.

    Examples
    --------
    >>> cells(Parameter("depth", 1, 5, "int"), 46), cells(Parameter("rate", 0.0, 1.0), 46)
    (5, 46)
    """
    if levels < 1:
        raise ValueError(f"levels is {levels}, give 1 or more")
    # On a log scale the values of an int have bins of different width: no lattice fits them.
    if parameter.type == "int" and parameter.scale == "linear":
        return min(levels, int(parameter.high - parameter.low) + 1)
    return levels
