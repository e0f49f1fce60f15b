"""How well the points of every single design lie, to be set against its loss."""

import numpy as np
import pandas as pd

from tilesearch.geometry import covering_radius, discrepancies, separation

#: What is set against the loss; the covering radius leads.
MEASURES = ["covering_radius", "separation", "discrepancy_cd"]

#: Splits of the covering radius above its exact dimensions: a rank needs no tight bounds.
STEPS = 20


def measures(points: np.ndarray) -> dict[str, float]:
    """The `MEASURES` of one design.

    Parameters
    ----------
    points : ndarray, shape (n, d)
        Points in [0, 1].

    Examples
    --------
    >>> measures(np.array([[0.5, 0.5]]))["covering_radius"].__round__(3)
    0.707
    """
    values = (
        covering_radius(points, steps=STEPS).value,
        separation(points),
        discrepancies(points)["cd"],
    )
    return dict(zip(MEASURES, values, strict=True))


def measure_designs(designs: pd.DataFrame) -> pd.DataFrame:
    """Measure every design of a space.

    Parameters
    ----------
    designs : DataFrame
        Columns ``batch``, ``sampler``, ``n`` and the coordinates ``u1``, ``u2``, …

    Returns
    -------
    DataFrame
        One row per batch, sampler and n, with a column for each of `MEASURES`.

    Examples
    --------
    >>> rows = pd.DataFrame({"batch": 0, "sampler": "grid", "n": 2, "u1": [0.25, 0.75]})
    >>> table = measure_designs(rows)
    >>> table["separation"].tolist(), table["covering_radius"].tolist()
    ([0.5], [0.25])
    """
    axes = [c for c in designs.columns if c[0] == "u" and c[1:].isdigit()]
    known: dict[bytes, dict] = {}
    rows = []
    for (batch, sampler, n), part in designs.groupby(["batch", "sampler", "n"]):
        points = part[axes].to_numpy()
        # A grid is the same in every batch: measure it once.
        content = points.tobytes()
        if content not in known:
            known[content] = measures(points)
        rows.append({"batch": batch, "sampler": sampler, "n": n, **known[content]})
    return pd.DataFrame(rows, columns=["batch", "sampler", "n", *MEASURES])
