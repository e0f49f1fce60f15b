"""What every problem hands on: data, batches and outcomes of trainings."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class Data:
    """A whole data set: named arrays whose first axis is the row.

    Parameters
    ----------
    arrays : dict of str to ndarray, shape (rows, ...)
        For example ``x`` (features or images) and ``y`` (target).
    facts : dict
        JSON-able facts: ``source`` (where the data comes from) and ``stand_in`` (None for the
        real thing, else a short label that says what stands in for it), and whatever else the
        problem wants to hand on (names of classes, shapes, scales).
    """

    arrays: dict[str, np.ndarray]
    facts: dict = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(next(iter(self.arrays.values())))


@dataclass(frozen=True)
class Batch:
    """The rows of one batch, split into parts.

    Each part maps the names of `Data.arrays` (and of embedded features) to the rows of that
    part. `validation` may be empty: a network's loss is measured on `test`, boosting stops
    early on `validation`.
    """

    train: Mapping[str, np.ndarray]
    validation: Mapping[str, np.ndarray]
    test: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Outcome:
    """What one training gave at one point.

    Parameters
    ----------
    point : int
        Position of the point in the sequence that was given to `Trainer.evaluate`.
    loss : float
        The loss; NaN where `status` is not "ok".
    status : {"ok", "failed"}
        Whether the loss can be used.
    reason : str
        One sentence, where the status is "failed".
    seconds : float
        Share of the wall time that this training took on its process.
    facts : dict
        JSON-able facts that are journaled with the loss.
    """

    point: int
    loss: float
    status: str = "ok"
    reason: str = ""
    seconds: float = 0.0
    facts: dict = field(default_factory=dict)


class Trainer(Protocol):
    """Trains models of one batch."""

    def evaluate(self, points: Iterable[Mapping[str, float]]) -> Iterator[Outcome]:
        """Yield one outcome per point, in any order, as soon as each is known."""
