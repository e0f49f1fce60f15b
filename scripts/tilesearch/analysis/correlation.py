"""Geometry against loss: does a design that covers the cube better find a lower minimum?"""

import numpy as np
import pandas as pd

from tilesearch.analysis.scores import joined
from tilesearch.seeds import rng_for

#: What a design is called in both tables.
KEY = ["problem", "space", "d", "sampler", "n", "batch"]


def rank_correlation(x, y, stratum=None) -> float:
    """Spearman's rank correlation of x and y within strata.

    Ranks are taken within each stratum and centred there, so that what differs between strata
    (more points: smaller covering radius and lower loss) does not count. Without `stratum` it
    is Spearman's rho. NaN where x or y is constant within every stratum.

    Parameters
    ----------
    x, y : array_like, shape (n,)
    stratum : array_like, shape (n,), optional

    Examples
    --------
    >>> round(rank_correlation([1, 2, 3, 4], [1, 3, 2, 4]), 6)
    0.8
    >>> rank_correlation([1, 2, 11, 12], [2, 1, 12, 11], ["a", "a", "b", "b"])
    -1.0
    """
    weights = np.ones((1, len(np.asarray(x))))
    return float(_correlations(x, y, stratum, weights)[0])


def _correlations(x, y, stratum, weights: np.ndarray) -> np.ndarray:
    """The correlation for each row of `weights` (t, n): how often each value is counted."""
    a = _centred_ranks(x, stratum, weights)
    b = _centred_ranks(y, stratum, weights)
    product = (weights * a * b).sum(axis=1)
    length = np.sqrt((weights * a * a).sum(axis=1) * (weights * b * b).sum(axis=1))
    # Rounding leaves a length of about 1e-17 where nothing varies.
    varies = length > 1e-12
    return np.where(varies, np.clip(product / np.where(varies, length, 1), -1, 1), np.nan)


def _centred_ranks(values, stratum, weights: np.ndarray) -> np.ndarray:
    """Mean ranks within each stratum, centred, in units of its size; shape of `weights`.

    All rows of weights at once: the values are sorted only once, and the rank of a group of
    equal values is the weight below it plus half its own.
    """
    values = np.asarray(values, dtype=float)
    stratum = np.zeros(len(values)) if stratum is None else np.asarray(stratum)
    ranks = np.empty(weights.shape)
    for name in np.unique(stratum):
        part = np.flatnonzero(stratum == name)
        _, group, count = np.unique(values[part], return_inverse=True, return_counts=True)
        order = np.argsort(group, kind="stable")
        starts = np.cumsum(count) - count
        own = np.add.reduceat(weights[:, part[order]], starts, axis=1)
        total = np.maximum(own.sum(axis=1, keepdims=True), 1)
        middle = np.cumsum(own, axis=1) - own / 2
        # Centred and scaled, so that large strata do not drown small ones.
        ranks[:, part] = (middle / total - 0.5)[:, group]
    return ranks


def cluster_bootstrap(
    x, y, batch, stratum=None, *, level: float = 0.95, resamples: int = 2000, rng=None
) -> tuple[float, float]:
    """Percentile interval of `rank_correlation` over resampled batches.

    Designs of one batch share its landscape, so whole batches are resampled. (NaN, NaN) for
    fewer than two batches, or where fewer than 9 of 10 resamples have a correlation.

    Parameters
    ----------
    x, y, batch : array_like, shape (n,)
    stratum : array_like, shape (n,), optional
    level : float
    resamples : int
    rng : None, int or numpy.random.Generator
    """
    rng = np.random.default_rng(rng)
    _, index = np.unique(np.asarray(batch), return_inverse=True)
    count = index.max() + 1
    if count < 2:
        return float("nan"), float("nan")
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=resamples)
    found = _correlations(x, y, stratum, drawn[:, index].astype(float))
    found = found[~np.isnan(found)]
    if len(found) < 0.9 * resamples:
        return float("nan"), float("nan")
    low, high = np.quantile(found, [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)


def joined_tables(geometry: pd.DataFrame, minima: pd.DataFrame) -> pd.DataFrame:
    """`geometry` with the normalised minimum of each of its designs that has one.

    Raises
    ------
    ValueError
        If a design stands twice in `geometry`, or none of its designs is in `minima`.
    """
    doubled = geometry.duplicated(KEY)
    if doubled.any():
        raise ValueError(
            f"the geometry holds {int(doubled.sum())} design(s) twice, give one row for each "
            f"{', '.join(KEY)}"
        )
    values = minima.groupby(KEY, as_index=False)["normalised"].mean()
    table = geometry.merge(values, on=KEY, validate="one_to_one")
    if table.empty:
        raise ValueError("no design of the geometry is in the minima, give tables of one study")
    return table


def correlations(
    geometry: pd.DataFrame,
    minima: pd.DataFrame,
    measures: list[str],
    *,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Rank correlation of each geometry measure with the normalised minimum.

    At each number of points all designs of all samplers and batches are ranked together; over
    all numbers of points the ranks are taken within each (`rank_correlation`). The interval is a
    bootstrap over batches.

    Parameters
    ----------
    geometry : DataFrame
        One row per design: problem, space, d, sampler, n, batch and a column per measure.
    minima : DataFrame
        As `tilesearch.analysis.scores.minima` returns it.
    measures : list of str
        Columns of `geometry`.
    level : float
        Confidence level of the intervals.
    resamples, seed : int
        Bootstrap samples, and the study seed.

    Returns
    -------
    DataFrame
        One row per problem, space, d, n (NA: all) and measure: ``designs``, ``batches``,
        ``rho``, ``low``, ``high``, ``stand_in``, ``note``. Positive: a larger value goes with a
        higher loss.

    Raises
    ------
    ValueError
        If a measure is no column of `geometry`, or the tables do not fit together.
    """
    absent = [m for m in measures if m not in geometry.columns]
    if absent:
        raise ValueError(f"the geometry lacks the column(s) {', '.join(absent)}")
    table = joined_tables(geometry, minima)
    stand_ins = minima.groupby(["problem", "space"])["stand_in"].agg(joined)
    rows = []
    for (problem, space, d), part in table.groupby(["problem", "space", "d"]):
        sizes = sorted(part["n"].unique())
        for n in [*sizes, None] if len(sizes) > 1 else sizes:
            some = part if n is None else part[part["n"] == n]
            for measure in measures:
                rng = rng_for(seed, "correlation", problem, space, n, measure)
                rows.append(
                    {
                        "problem": problem,
                        "space": space,
                        "d": d,
                        "n": pd.NA if n is None else n,
                        "measure": measure,
                        **_row(some, measure, level, resamples, rng),
                        "stand_in": stand_ins[problem, space],
                    }
                )
    table = pd.DataFrame(rows).astype({"n": "Int64"})
    table["note"] = table.pop("note")
    return table


def _row(some: pd.DataFrame, measure: str, level: float, resamples: int, rng) -> dict:
    # An infinite measure (the mesh ratio of equal points) has a rank like any other.
    rows = some[some[measure].notna() & some["normalised"].notna()]
    batches = rows["batch"].nunique()
    notes = []
    if len(rows) < len(some):
        notes.append(f"{len(some) - len(rows)} of {len(some)} designs without a usable value")
    low = high = rho = float("nan")
    if len(rows) > 2:
        data = (rows[measure], rows["normalised"])
        rho = rank_correlation(*data, rows["n"])
    if np.isnan(rho):
        notes.append("no correlation: one of the two does not vary")
    else:
        low, high = cluster_bootstrap(
            *data, rows["batch"], rows["n"], level=level, resamples=resamples, rng=rng
        )
        if np.isnan(low):
            notes.append("one batch: no interval" if batches < 2 else "no interval: ties")
    return {
        "designs": len(rows),
        "batches": batches,
        "rho": rho,
        "low": low,
        "high": high,
        "note": joined(notes),
    }
