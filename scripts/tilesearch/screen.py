"""Screening: which batches are used, and on which domain."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from tilesearch.errors import InputError

Domain = dict[str, tuple[float, float]]


@dataclass(frozen=True)
class Minimum:
    """Where the smallest loss of a batch's scan lies."""

    batch: int
    loss: float
    values: dict[str, float]
    flat: bool = False  # the scan has the same loss everywhere


def minimum(batch: int, points: Mapping[str, np.ndarray], losses: np.ndarray) -> Minimum:
    """The smallest loss of a scan.

    Of equal losses (a depth that no tree reaches) the point nearest the middle of the scanned
    lattice counts, so that a plateau which only touches the edge is not taken for a minimum on
    the edge.

    Parameters
    ----------
    batch : int
    points : mapping of str to ndarray, shape (n,)
        Values of the scanned points by parameter.
    losses : ndarray, shape (n,)
        NaN where the training failed.

    Raises
    ------
    InputError
        If no loss is finite.
    """
    if not np.isfinite(losses).any():
        raise InputError(
            f"batch {batch}: no training of the scan gave a loss, see the reasons in its scan table"
        )
    ties = np.flatnonzero(losses == np.nanmin(losses))
    distance = np.zeros(len(ties))
    for values in points.values():
        levels, index = np.unique(values, return_inverse=True)
        centred = np.abs(index[ties] / max(len(levels) - 1, 1) - 0.5)
        distance = np.maximum(distance, centred)
    best = ties[np.argmin(distance)]
    chosen = {name: values[best].item() for name, values in points.items()}
    return Minimum(batch, float(losses[best]), chosen, 1 < len(ties) == len(losses))


def inside(where: Minimum, domain: Domain) -> bool:
    """True if the minimum lies in the interior of the domain; rounding does not move an edge."""
    return all(
        low < where.values[name] < high
        and not _same(where.values[name], low, high - low)
        and not _same(where.values[name], high, high - low)
        for name, (low, high) in domain.items()
    )


def _same(value: float, end: float, width: float) -> bool:
    # The last level of a scan is the largest float below 1 in the unit interval, and a log scale
    # rounds at both ends: such a level is the edge, though it differs in the last digits.
    return math.isclose(value, end, rel_tol=1e-9, abs_tol=1e-15 * width)


def candidates(
    configured: Domain, scanned: Mapping[str, Sequence[float]]
) -> list[tuple[float, Domain]]:
    """Boxes of lattice lines that contain the configured domain, with their relative volume."""
    sides = []
    for name, (low, high) in configured.items():
        levels = np.unique(scanned[name])
        span = (max(levels[-1], high) - min(levels[0], low)) or 1.0
        lows = [low, *(v.item() for v in levels if v < low)]
        highs = [high, *(v.item() for v in levels if v > high)]
        sides.append([(name, a, b, (b - a) / span) for a, b in product(lows, highs)])
    boxes = []
    for box in product(*sides):
        volume = float(np.prod([side[3] for side in box]))
        boxes.append((volume, {name: (a, b) for name, a, b, _ in box}))
    return boxes


def screen(
    minima: Sequence[Minimum],
    configured: Domain,
    scanned: Mapping[str, Sequence[float]] | None = None,
) -> dict:
    """Choose the domain of all batches, and drop the batches whose minimum is not inside.

    A batch with the same loss at all points has no minimum and is dropped, too.

    Parameters
    ----------
    minima : sequence of Minimum
        One per batch.
    configured : dict of str to (low, high)
        The domain of the config.
    scanned : mapping of str to sequence of float, optional
        Levels of a scan that reached beyond the configured domain: the domain then becomes the
        smallest box of these levels that contains the configured domain and has the most
        batches' minima inside. Without it the domain stays as configured.

    Returns
    -------
    dict
        ``domain`` (name to [low, high]), ``kept`` (batch numbers), ``dropped`` (one dict a
        batch: batch, reason) and ``minima`` (one dict a batch: batch, loss, values).

    Raises
    ------
    InputError
        If no batch is left; the message names the minima, or the loss that all points have.

    Examples
    --------
    >>> found = [Minimum(0, 1.0, {"x": 0.5}), Minimum(1, 1.0, {"x": 2.0})]
    >>> screen(found, {"x": (0.0, 1.0)})["kept"]
    [0]
    >>> screen(found, {"x": (0.0, 1.0)}, {"x": [0, 1, 2, 3, 4]})["domain"]
    {'x': [0.0, 3]}
    """
    domain = dict(configured)
    uneven = [m for m in minima if not m.flat]
    if not uneven:
        raise InputError(
            f"in each of the {len(minima)} batches all points of the scan have the same loss (in "
            f"batch {minima[0].batch} {minima[0].loss:.4g}), so that there is nothing to search: "
            "give batches more rows (LightGBM splits none with fewer than 2 min_data_in_leaf)"
        )
    if scanned is not None:
        boxes = candidates(domain, scanned)
        counts = [sum(inside(m, box) for m in uneven) for _, box in boxes]
        best = min(range(len(boxes)), key=lambda i: (-counts[i], boxes[i][0]))
        domain = boxes[best][1]
    kept = [m.batch for m in uneven if inside(m, domain)]
    if not kept:
        remedy = "scan.domain" if scanned is not None else "parameters, or set scan.on_edge: expand"
        shown = "; ".join(f"batch {m.batch} at {_text(m.values)}" for m in uneven[:10])
        raise InputError(
            f"all {len(uneven)} batches have their minimum on the edge of the domain "
            f"({shown}), widen {remedy}"
        )
    dropped = [{"batch": m.batch, "reason": _reason(m)} for m in minima if m.batch not in kept]
    return {
        "domain": {name: [low, high] for name, (low, high) in domain.items()},
        "kept": kept,
        "dropped": dropped,
        "minima": [{"batch": m.batch, "loss": m.loss, "values": m.values} for m in minima],
    }


def _reason(where: Minimum) -> str:
    if where.flat:
        return f"all points of its scan have the same loss {where.loss:.4g}"
    return f"its minimum {_text(where.values)} lies on the edge"


def _text(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name}={value:.4g}" for name, value in values.items())
