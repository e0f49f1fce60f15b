"""How sure a mean over batches is: Gaussian, exponential and bootstrap uncertainties.

Scaled minima (normalised minimum minus 1) cannot go below 0, and at high resolution they pile up
there: their distribution looks exponential, not Gaussian. A chi-square test of an exponential
fit decides which of the two uncertainties is used.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from tilesearch.analysis.scores import DESIGN, GROUP, joined, scores
from tilesearch.seeds import rng_for

#: Smallest expected count of a bin in a chi-square test (Cochran 1954).
EXPECTED = 5.0


@dataclass(frozen=True)
class ExponentialFit:
    """An exponential distribution with location 0 fitted to scaled minima.

    Attributes
    ----------
    n : int
        Number of values (batches).
    scale : float
        The mean of the values, which is the maximum-likelihood scale; NaN where `n` is 0.
    error : float
        Uncertainty of the scale, scale / sqrt(n).
    chi2, p_value : float
        Of the chi-square test; NaN where there is none.
    bins : int
        Number of merged bins of the test; 0 where there is none.
    note : str
        Why there is no p-value; "" where there is one.
    """

    n: int
    scale: float
    error: float
    chi2: float
    p_value: float
    bins: int
    note: str


def merged_edges(n: int, scale: float, largest: float, *, bins: int = 50) -> np.ndarray:
    """Edges of bins that each expect `EXPECTED` or more of `n` exponential values.

    Starts from `bins` bins of equal width in [0, `largest`] and an open one above; neighbours
    are merged from the left until each expects enough; what is left over at the right joins
    the last bin, which is open.

    Examples
    --------
    >>> merged_edges(20, 1.0, 4.0, bins=8).tolist()
    [0.0, 0.5, inf]
    """
    fine = np.append(np.linspace(0, largest, bins + 1), np.inf)
    cumulated = n * stats.expon.cdf(fine, scale=scale)
    edges = [0]
    for i in range(1, len(fine)):
        # Rounding must not cost a bin that expects exactly the wanted count.
        if cumulated[i] - cumulated[edges[-1]] >= EXPECTED * (1 - 1e-12):
            edges.append(i)
    # The rest at the right is too small for a bin of its own: the last bin takes it.
    edges = [*edges[:-1], len(fine) - 1] if len(edges) > 1 else [0, len(fine) - 1]
    return fine[edges]


def exponential_fit(scaled, *, bins: int = 50) -> ExponentialFit:
    """Fit an exponential to scaled minima and test the fit.

    The scale is the maximum-likelihood estimate with location 0, the mean. The chi-square test
    counts the values in bins merged to expected counts of 5 or more (`merged_edges`); its
    degrees of freedom are bins - 1 - 1, the last 1 for the fitted scale. As the scale comes from
    the values and not from the counts, the true distribution lies between those of
    bins - 2 and bins - 1 degrees of freedom (Chernoff & Lehmann 1954): the test rejects a true
    exponential a little more often than its level says.

    Parameters
    ----------
    scaled : array_like, shape (n,)
        Values of 0 or more; NaN is left out.
    bins : int
        Number of fine bins before merging.

    Returns
    -------
    ExponentialFit
        With three merged bins or more (16 to 20 batches) it has a p-value, else a note.

    Raises
    ------
    ValueError
        If a value is negative beyond rounding, or infinite.

    Examples
    --------
    >>> fit = exponential_fit(np.random.default_rng(1).exponential(0.1, 200))
    >>> 0.08 < fit.scale < 0.12, fit.p_value > 0.05
    (True, True)
    >>> exponential_fit([0.1, 0.2]).note
    'no p-value: 2 batches are too few for a chi-square test (3 bins of 5 expected values)'
    """
    values = np.asarray(scaled, dtype=float)
    values = values[~np.isnan(values)]
    if values.size and (values.min() < -1e-12 or np.isinf(values.max())):
        raise ValueError(
            f"the scaled minima reach from {values.min():g} to {values.max():g}, "
            "they must be finite and 0 or more (minimum / smallest loss of the batch - 1)"
        )
    values = np.clip(values, 0, None)
    n = values.size
    nan = float("nan")
    if n == 0:
        return ExponentialFit(0, nan, nan, nan, nan, 0, "no p-value: no batch")
    scale = float(values.mean())
    error = scale / np.sqrt(n)
    if scale == 0:
        return ExponentialFit(n, 0.0, 0.0, nan, nan, 0, "no p-value: all scaled minima are 0")
    edges = merged_edges(n, scale, values.max(), bins=bins)
    if len(edges) < 4:
        note = (
            f"no p-value: {n} {'batch is' if n == 1 else 'batches are'} too few for a "
            f"chi-square test (3 bins of {EXPECTED:g} expected values)"
        )
        return ExponentialFit(n, scale, error, nan, nan, 0, note)
    observed = np.histogram(values, edges)[0]
    expected = n * np.diff(stats.expon.cdf(edges, scale=scale))
    test = stats.chisquare(observed, expected, ddof=1)
    return ExponentialFit(
        n, scale, error, float(test.statistic), float(test.pvalue), len(observed), ""
    )


def gaussian_interval(values, *, level: float = 0.95) -> tuple[float, float]:
    """Student-t interval of the mean; (NaN, NaN) for fewer than two values.

    Examples
    --------
    >>> low, high = gaussian_interval([1.0, 2.0, 3.0])
    >>> round(low, 3), round(high, 3)
    (-0.484, 4.484)
    """
    values = np.asarray(values, dtype=float)
    if values.size < 2:
        return float("nan"), float("nan")
    mean, half = values.mean(), stats.t.ppf(0.5 + level / 2, values.size - 1) * stats.sem(values)
    return float(mean - half), float(mean + half)


def exponential_interval(values, *, level: float = 0.95) -> tuple[float, float]:
    """Exact interval of the mean of exponential values with location 0.

    2 n mean / scale follows a chi-square distribution with 2 n degrees of freedom.

    Examples
    --------
    >>> low, high = exponential_interval([1.0, 2.0, 3.0])
    >>> round(low, 3), round(high, 3)
    (0.83, 9.698)
    """
    values = np.asarray(values, dtype=float)
    if values.size == 0:
        return float("nan"), float("nan")
    twice = 2 * values.sum()
    low, high = stats.chi2.ppf([0.5 + level / 2, 0.5 - level / 2], 2 * values.size)
    return float(twice / low), float(twice / high)


def bca_interval(
    values, *, level: float = 0.95, resamples: int = 2000, rng=None
) -> tuple[float, float]:
    """Bias-corrected and accelerated bootstrap interval of the mean (`scipy.stats.bootstrap`).

    Equal values give an interval without width, fewer than two give (NaN, NaN).

    Examples
    --------
    >>> low, high = bca_interval(np.arange(20.0), rng=1)
    >>> bool(low < 9.5 < high)
    True
    >>> bca_interval([2.0, 2.0])
    (2.0, 2.0)
    """
    values = np.asarray(values, dtype=float)
    if values.size < 2:
        return float("nan"), float("nan")
    if np.ptp(values) == 0:
        return float(values[0]), float(values[0])
    interval = stats.bootstrap(
        (values,), np.mean, confidence_level=level, n_resamples=resamples, method="BCa", rng=rng
    ).confidence_interval
    return float(interval.low), float(interval.high)


def choose(p_value: float, threshold: float = 0.05) -> str:
    """Which uncertainty is used: "exponential" if its fit is not rejected, else "gaussian".

    Without a p-value (NaN) nothing speaks for the exponential: "gaussian".

    Examples
    --------
    >>> choose(0.3), choose(0.01), choose(float("nan"))
    ('exponential', 'gaussian', 'gaussian')
    """
    return "exponential" if p_value >= threshold else "gaussian"


def uncertainties(
    minima: pd.DataFrame,
    *,
    threshold: float = 0.05,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """The scores with every uncertainty of their means.

    Parameters
    ----------
    minima : DataFrame
        As `tilesearch.analysis.scores.minima` returns it.
    threshold : float
        Smallest p-value in [0, 1] of the chi-square test with which the exponential
        uncertainty is used.
    level : float
        Confidence level of the intervals, in (0, 1).
    resamples : int
        Bootstrap samples.
    seed : int
        Study seed; each row's bootstrap is seeded by it and the names of the row.

    Returns
    -------
    DataFrame
        The rows and columns of `scores`, and: ``scale`` and ``scale_error`` of the exponential
        fit, ``chi2``, ``bins``, ``p_value``, ``chosen`` ("gaussian", "exponential" or "" where
        there is no error), ``chosen_error``, ``low`` and ``high`` (the chosen interval of the
        mean), ``bca_low`` and ``bca_high``. `n` of every column is ``batches``; what is missing
        is NaN and the note says why.

    Raises
    ------
    ValueError
        If `threshold` or `level` is out of range.
    """
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold is {threshold}, give a p-value from 0 to 1")
    if not 0 < level < 1:
        raise ValueError(f"level is {level}, give a number between 0 and 1")
    table = scores(minima)
    # The batch is the unit of replication: replicates are averaged first, as in `scores`.
    values = minima.groupby(DESIGN, dropna=False)["normalised"].mean().reset_index()
    grouped = dict(list(values.groupby(GROUP, dropna=False)["normalised"]))
    by_key = {_key(key): series.dropna().to_numpy(float) for key, series in grouped.items()}
    rows = []
    for row in table.itertuples():
        names = (row.problem, row.space, row.d, row.sampler, row.resolution, row.n)
        rng = rng_for(seed, "bootstrap", row.problem, row.space, row.sampler, row.n)
        rows.append(_row(by_key[_key(names)], threshold, level, resamples, rng))
    extra = pd.DataFrame(rows, index=table.index)
    reasons = extra.pop("reason")
    notes = table.pop("note")
    table = pd.concat([table, extra], axis=1)
    table["note"] = [joined(pair) for pair in zip(notes, reasons, strict=True)]
    return table


def _key(key: tuple) -> tuple:
    # Missing resolutions are not equal to one another, and NaN and NA differ.
    return tuple(None if pd.isna(k) else k for k in key)


def _row(values: np.ndarray, threshold: float, level: float, resamples: int, rng) -> dict:
    fit = exponential_fit(values - 1)
    chosen = choose(fit.p_value, threshold) if fit.n > 1 else ""
    nan = float("nan")
    if chosen == "exponential":
        error = fit.error
        low, high = (1 + end for end in exponential_interval(values - 1, level=level))
    elif chosen == "gaussian":
        error = float(stats.sem(values))
        low, high = gaussian_interval(values, level=level)
    else:
        error = low = high = nan
    bca_low, bca_high = bca_interval(values, level=level, resamples=resamples, rng=rng)
    return {
        "scale": fit.scale,
        "scale_error": fit.error,
        "chi2": fit.chi2,
        "bins": fit.bins,
        "p_value": fit.p_value,
        "chosen": chosen,
        "chosen_error": error,
        "low": low,
        "high": high,
        "bca_low": bca_low,
        "bca_high": bca_high,
        "reason": fit.note,
    }
