"""Equivalent random budget: how many random points reach the same expected minimum."""

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import gammaln

from tilesearch.analysis.scores import GROUP, joined, usable


def expected_minima(losses, largest: int | None = None) -> np.ndarray:
    """Expected minimum of m of the losses, drawn without replacement, for m = 1, 2, ….

    With the losses in rising order, the i-th is the smallest of m drawn of P with probability
    C(P - i, m - 1) / C(P, m). This is the unbiased estimate of the expected minimum of m
    independent random points, as the pool is itself a random sample (a U-statistic; David &
    Nagaraja, Order Statistics, 2003).

    Parameters
    ----------
    losses : array_like, shape (P,)
        The pool: finite losses in any order.
    largest : int, optional
        Largest m, at most P; by default P.

    Returns
    -------
    ndarray, shape (largest,)
        Element m - 1 belongs to m points; it never rises.

    Raises
    ------
    ValueError
        If the pool is empty or holds a value that is not finite, or `largest` is out of 1 to P.

    Examples
    --------
    >>> expected_minima([3.0, 1.0, 2.0]).round(6).tolist()
    [2.0, 1.333333, 1.0]
    """
    pool = np.sort(np.asarray(losses, dtype=float))
    size = pool.size
    if size == 0 or not np.isfinite(pool).all():
        raise ValueError(f"the pool has {size} losses, give one or more, all finite")
    largest = size if largest is None else largest
    if not 1 <= largest <= size:
        raise ValueError(f"largest is {largest}, give a number from 1 to the pool's size {size}")
    m = np.arange(1, largest + 1)[:, None]
    above = np.arange(size - 1, -1, -1)[None, :]  # how many losses are larger than each
    possible = above >= m - 1
    rest = np.where(possible, above - m + 1, 0)
    with np.errstate(over="ignore"):
        log_weight = _log_choose(above, m - 1, rest) - _log_choose(size, m, size - m)
    weight = np.where(possible, np.exp(log_weight), 0.0)
    # The logarithms cost some digits; the weights of each m add up to 1.
    weight /= weight.sum(axis=1, keepdims=True)
    # Their rounding must not put the mean of equal losses beside them.
    return np.clip(weight @ pool, pool[0], pool[-1])


def _log_choose(total, chosen, rest):
    return gammaln(total + 1) - gammaln(chosen + 1) - gammaln(rest + 1)


def invert(curve, value) -> np.ndarray:
    """Number of points at which falling curves reach values.

    Between two numbers of points the logarithm of the number is interpolated.

    Parameters
    ----------
    curve : array_like, shape (m,) or (t, m)
        Expected minima of 1, 2, …, m points, never rising.
    value : array_like, scalar or shape (t,)
        Values to reach, one per curve.

    Returns
    -------
    ndarray, shape () or (t,)
        From 1 to m; -inf where one point is already better than the value, inf where m points
        are not enough.

    Examples
    --------
    >>> invert([4.0, 2.0, 1.0], 2.0).item()
    2.0
    >>> [invert([4.0, 2.0, 1.0], v).item() for v in (5.0, 4.0, 0.5)]
    [-inf, 1.0, inf]
    """
    curve = np.asarray(curve, dtype=float)
    value = np.asarray(value, dtype=float)
    flat = curve.ndim == 1
    curve, value = np.atleast_2d(curve), np.atleast_1d(value)
    m = curve.shape[1]
    # Index of the first number of points that reaches the value.
    first = (curve > value[:, None]).sum(axis=1)
    right = np.clip(first, 1, m - 1) if m > 1 else np.zeros(len(curve), dtype=int)
    left = np.maximum(right - 1, 0)
    row = np.arange(len(curve))
    high, low = curve[row, left], curve[row, right]
    step = np.where(high > low, high - low, 1.0)
    share = np.clip((high - value) / step, 0, 1)
    found = np.exp(np.log(left + 1) + share * (np.log(right + 1) - np.log(left + 1)))
    found = np.where(value > curve[:, 0], -np.inf, np.where(first >= m, np.inf, found))
    return found[0] if flat else found


def pools(evaluations: pd.DataFrame, baseline: str = "random") -> dict[tuple, pd.DataFrame]:
    """The baseline's evaluations of each problem and space, over all numbers of points.

    A failed point is a trial that was paid for: it stays in the pool with the largest loss of
    its batch's pool. A batch without any usable one is left out.

    Returns
    -------
    dict of (problem, space) to DataFrame
        With the columns ``batch``, ``n``, ``loss`` and ``failed``.
    """
    rows = evaluations[evaluations["sampler"] == baseline]
    ok = usable(rows)
    rows = rows.assign(loss=rows["loss"].astype(float).where(ok), failed=~ok)
    found = {}
    for key, part in rows.groupby(["problem", "space"]):
        worst = part.groupby("batch")["loss"].transform("max")
        filled = part.assign(loss=part["loss"].fillna(worst)).dropna(subset="loss")
        found[key] = filled[["batch", "n", "loss", "failed"]]
    return found


def _curves(pool: pd.DataFrame, yardsticks: pd.Series) -> pd.DataFrame:
    """Expected minima of 1, 2, … points in units of the yardstick, one row per batch."""
    losses = {batch: part.to_numpy(float) for batch, part in pool.groupby("batch")["loss"]}
    batches = [batch for batch in losses if yardsticks.get(batch, np.nan) > 0]
    if not batches:
        return pd.DataFrame()
    largest = min(losses[batch].size for batch in batches)
    curves = [expected_minima(losses[batch], largest) / yardsticks[batch] for batch in batches]
    return pd.DataFrame(curves, index=batches)


def said(budget: float, pool: int) -> str:
    """A number of points, or the bound that replaces it.

    Examples
    --------
    >>> said(61.7, 450), said(float("inf"), 450), said(-float("inf"), 450), said(3.21, 450)
    ('62', '> 450', '< 1', '3.2')
    """
    if np.isnan(budget):
        return "unknown"
    if budget == np.inf:
        return f"> {pool}"
    if budget == -np.inf:
        return "< 1"
    return f"{budget:.0f}" if budget >= 10 else f"{budget:.1f}"


def budgets(
    evaluations: pd.DataFrame,
    minima: pd.DataFrame,
    *,
    baseline: str = "random",
    level: float = 0.95,
) -> pd.DataFrame:
    """Equivalent random budget of every sampler at every number of points, with its uncertainty.

    In each batch the expected minimum of m random points follows exactly from the pooled
    losses of all random designs (`expected_minima`). Both it and the sampler's minimum are
    divided by the smallest loss of the batch, as in the scores, and averaged over the batches;
    the budget is the m at which the averages agree. (The yardstick only weighs the batches here;
    the pool's own minimum would not do, as it depends on the pool but not on the design, which
    biases the comparison.) `budget_interval` gives the interval.

    The pool of `baseline` itself leaves out the very design that is asked about, so that its
    budget is a test of the method and not true by construction.

    Parameters
    ----------
    evaluations : DataFrame
        One row per trained point.
    minima : DataFrame
        As `tilesearch.analysis.scores.minima` returns it for them.
    baseline : str
        The sampler whose points are counted.
    level : float
        Confidence level of the interval, in (0, 1).

    Returns
    -------
    DataFrame
        One row per problem, space, d, sampler, resolution and n: ``batches``, ``pool`` (random
        points per batch), ``budget``, ``low``, ``high`` (numbers of points; inf above the pool,
        -inf where one point is better), ``ratio``, ``ratio_low``, ``ratio_high`` (divided by
        n), ``text`` and ``interval`` (with bounds in words, such as "> 450"), ``stand_in``,
        ``note``.
    """
    if not 0 < level < 1:
        raise ValueError(f"level is {level}, give a number between 0 and 1")
    found = pools(evaluations, baseline)
    rows = []
    for (problem, space), part in minima.groupby(["problem", "space"]):
        pool = found.get((problem, space))
        yardsticks = part.groupby("batch")["minimum"].min()
        curves = {}
        for key, design in part.groupby(GROUP, dropna=False):
            named = dict(zip(GROUP, key, strict=True))
            held_out = named["n"] if named["sampler"] == baseline else None
            if held_out not in curves:
                own = pool if pool is None or held_out is None else pool[pool["n"] != held_out]
                empty = own is None or own.empty
                curves[held_out] = pd.DataFrame() if empty else _curves(own, yardsticks)
            minimum = design.groupby("batch")["minimum"].mean() / yardsticks
            row = _budget_row(named["n"], minimum, curves[held_out], level)
            if pool is not None and pool["failed"].any():
                failed = int(pool["failed"].sum())
                said_failed = f"{failed} failed random points count as the worst of their batch"
                row["note"] = joined([row["note"], said_failed])
            stand_in = joined(design["stand_in"]) if "stand_in" in design else ""
            rows.append({**named, **row, "stand_in": stand_in})
    columns = [*GROUP, *_BUDGET, "stand_in", "note"]
    table = pd.DataFrame(rows, columns=columns)
    return table.astype({"resolution": "Int64"})


_BUDGET = [
    "batches", "pool", "budget", "low", "high", "ratio", "ratio_low", "ratio_high", "text",
    "interval",
]  # fmt: skip


def _budget_row(n: int, minimum: pd.Series, curves: pd.DataFrame, level: float) -> dict:
    """The budget of one design from its normalised minimum and the curve of each batch."""
    nan = float("nan")
    nothing = dict.fromkeys(_BUDGET, nan) | {"batches": 0, "pool": 0}
    nothing |= {"text": "unknown", "interval": "unknown"}
    if curves.empty:
        return {**nothing, "note": "no pool of random points in a batch with losses above 0"}
    reached = minimum.reindex(curves.index).dropna()
    if reached.empty:
        return {**nothing, "note": "no batch with both a minimum and a pool"}
    curve, reached_values = curves.loc[reached.index].to_numpy(float), reached.to_numpy(float)
    count, pool = curve.shape
    budget = float(invert(curve.mean(axis=0), reached_values.mean()))
    notes = []
    if count < len(minimum):
        notes.append(f"{len(minimum) - count} of {len(minimum)} batches not usable")
    if count == 1:
        low = high = nan
        interval = "unknown"
        notes.append("one batch: no uncertainty")
    else:
        low, high = budget_interval(curve, reached_values, level=level)
        ends = dict.fromkeys([said(low, pool), said(high, pool)])
        interval = " to ".join(ends)
    return {
        "batches": count,
        "pool": pool,
        "budget": budget,
        "low": low,
        "high": high,
        "ratio": budget / n,
        "ratio_low": low / n,
        "ratio_high": high / n,
        "text": said(budget, pool),
        "interval": interval,
        "note": joined(notes),
    }


def budget_interval(curve, reached, *, level: float = 0.95) -> tuple[float, float]:
    """Interval of the budget: all m at which a paired t-test finds no difference.

    Over batches, the minimum of the design is compared with the expected minimum of m random
    points; the numbers m for which |mean| <= t * std / sqrt(batches) form the interval (Fieller
    1954). Unlike a percentile bootstrap of the ratio it stays honest with few batches and where
    the curve is flat, and a bound remains a bound.

    Parameters
    ----------
    curve : array_like, shape (batches, m)
        Expected minima of 1, 2, …, m points in each batch.
    reached : array_like, shape (batches,)
        The design's minimum in each batch, two or more.
    level : float
        Confidence level.

    Returns
    -------
    low, high : float
        From 1 to m; -inf below one point, inf above m.
    """
    difference = np.asarray(reached, dtype=float)[:, None] - np.asarray(curve, dtype=float)
    count = len(difference)
    half = stats.t.ppf(0.5 + level / 2, count - 1) * stats.sem(difference, axis=0)
    mean = difference.mean(axis=0)
    # The first m at which the design is not clearly better, the last at which not clearly worse.
    upper = np.maximum.accumulate(mean + half)
    lower = np.minimum.accumulate((mean - half)[::-1])[::-1]
    return float(invert(-upper, 0.0)), float(invert(-lower, 0.0))
