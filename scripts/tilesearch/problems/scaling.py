"""Standardisation with the statistics of the train part."""

from dataclasses import dataclass

import numpy as np

from tilesearch.errors import InputError


@dataclass(frozen=True)
class Scaling:
    """Mean and standard deviation per column.

    Examples
    --------
    >>> Scaling.of(np.array([[0.0, 5.0], [2.0, 5.0]])).apply(np.array([[2.0, 5.0]])).tolist()
    [[1.0, 0.0]]
    """

    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray) -> "Scaling":
        """Scaling of the rows `values`; a column that never changes keeps its scale."""
        values = np.asarray(values, dtype=np.float64)
        deviation = values.std(axis=0)
        # A column of equal numbers has a deviation of rounding errors, not always of 0.
        flat = deviation <= 1e-12 * np.maximum(np.abs(values).max(axis=0), 1e-300)
        return cls(values.mean(axis=0), np.where(flat, 1.0, deviation))

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Standardised values, float32."""
        return ((np.asarray(values, np.float64) - self.mean) / self.deviation).astype(np.float32)


def check_finite(values: np.ndarray, what: str, remedy: str) -> None:
    """Refuse arrays with NaN or infinite numbers; the message names the first such row."""
    bad = ~np.isfinite(np.asarray(values).reshape(len(values), -1)).all(axis=1)
    if bad.any():
        raise InputError(
            f"{what} has a value that is no finite number in row {int(np.argmax(bad))} "
            f"({int(bad.sum())} such rows), {remedy}"
        )
