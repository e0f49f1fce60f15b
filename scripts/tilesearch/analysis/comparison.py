"""Comparisons of samplers in the same batch: paired differences to a baseline, and ranks.

The yardstick of the normalised minimum moves when a design is added to a study. What stands
here does not use it: differences are those of the logarithms of two minima of one batch (0.01 is
one per cent), and ranks only compare.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scikit_posthocs
from scipy import stats

from tilesearch.analysis.scores import joined
from tilesearch.analysis.uncertainty import bca_interval
from tilesearch.seeds import rng_for

#: What all samplers of one comparison share.
STAGE = ["problem", "space", "d", "resolution", "n"]


@dataclass(frozen=True)
class Ranks:
    """Samplers ranked in each batch (1 = smallest minimum; ties share their mean rank).

    Attributes
    ----------
    batches : int
        Number of batches in which every ranked sampler has a minimum.
    mean : pandas.Series
        Average rank of each sampler, smallest first; empty where there is nothing to rank.
    statistic, p_value : float
        Of the Friedman test; NaN where there is none.
    critical_difference : float
        Average ranks that lie further apart differ (Nemenyi); NaN where there is none.
    pairwise : pandas.DataFrame
        p-values of the Nemenyi test of each pair; empty where there is none.
    alpha : float
        Level of the critical difference.
    note : str
        What was left out, or why there is no test.
    """

    batches: int
    mean: pd.Series
    statistic: float
    p_value: float
    critical_difference: float
    pairwise: pd.DataFrame
    alpha: float
    note: str


def log_minima(minima: pd.DataFrame) -> pd.DataFrame:
    """Logarithm of the minimum, one row per batch and one column per sampler.

    Replicates are averaged. A minimum of 0 or below, which has no logarithm, is NaN.

    Parameters
    ----------
    minima : DataFrame
        Rows of one problem, space and number of points.
    """
    minimum = minima["minimum"].astype(float)
    rows = minima.assign(_log=np.log(minimum.where(minimum > 0)))
    return rows.pivot_table(
        index="batch", columns="sampler", values="_log", aggfunc="mean", dropna=False
    )


def smallest_p(n: int) -> float:
    """Smallest two-sided p-value that a Wilcoxon signed-rank test of `n` differences can reach.

    Examples
    --------
    >>> smallest_p(5)
    0.0625
    """
    return min(1.0, 2.0 ** (1 - n))


def signed_rank(differences) -> tuple[float, float, str]:
    """Wilcoxon signed-rank test of differences around 0.

    Differences of 0 are left out (Wilcoxon's way). The distribution is exact for up to 50
    differences without ties (scipy) and up to 13 with ties (all signs), else the normal one.

    Returns
    -------
    statistic, p_value : float
        (NaN, 1.0) where all differences are 0, (NaN, NaN) where there are none.
    note : str
        "" where there was a test.

    Examples
    --------
    >>> signed_rank([0.1, 0.2, 0.3, 0.4, 0.5])
    (0.0, 0.0625, '')
    >>> signed_rank([0.0, 0.0])[1:]
    (1.0, 'all differences are 0')
    """
    differences = np.asarray(differences, dtype=float)
    if differences.size == 0:
        return float("nan"), float("nan"), "no batch has both minima: no test"
    if not differences.any():
        return float("nan"), 1.0, "all differences are 0"
    # An equal pair is left out here and not by scipy, so that "auto" sees no zeros.
    differences = differences[differences != 0]
    if differences.size <= 13 and len(np.unique(np.abs(differences))) < differences.size:
        return (*_exact_with_ties(differences), "")
    test = stats.wilcoxon(differences)
    return float(test.statistic), float(test.pvalue), ""


def _exact_with_ties(differences: np.ndarray) -> tuple[float, float]:
    """The signed-rank test over all 2^n signs at once: seconds faster than scipy's, one by one."""
    n = differences.size
    rank = stats.rankdata(np.abs(differences))
    positive = rank[differences > 0].sum()
    signs = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    distance = np.abs(signs @ rank - rank.sum() / 2)
    p_value = np.mean(distance >= abs(positive - rank.sum() / 2) - 1e-9)
    return float(min(positive, rank.sum() - positive)), float(p_value)


def holm(p_values) -> np.ndarray:
    """Holm-corrected p-values; a NaN stays NaN and is no member of the family.

    The i-th smallest of m p-values is multiplied by m - i + 1, and none may be smaller than
    one before it (Holm 1979). (That of statsmodels agrees, but collects garbage at each call:
    0.2 s, for every family of a study.)

    Examples
    --------
    >>> holm([0.01, np.nan, 0.04]).round(3).tolist()
    [0.02, nan, 0.04]
    """
    p_values = np.asarray(p_values, dtype=float)
    corrected = np.full(p_values.shape, np.nan)
    known = np.flatnonzero(~np.isnan(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    stepped = p_values[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(stepped), 1)
    return corrected


def paired(
    minima: pd.DataFrame,
    *,
    baseline: str = "random",
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Paired differences of each sampler to `baseline` in the same batches, with Wilcoxon tests.

    The difference in a batch is log(minimum) - log(minimum of the baseline): negative where the
    sampler is better, in no need of a yardstick, and symmetric around 0 if both are alike.

    Parameters
    ----------
    minima : DataFrame
        As `tilesearch.analysis.scores.minima` returns it.
    baseline : str
        The sampler to compare with.
    level : float
        Confidence level of the BCa intervals of the mean difference.
    resamples, seed : int
        Bootstrap samples, and the study seed.

    Returns
    -------
    DataFrame
        One row per problem, space, d, resolution, n and other sampler: ``baseline``,
        ``batches`` (with both minima), ``difference`` (mean), ``error`` (std / sqrt(batches)),
        ``low``, ``high`` (BCa), ``percent`` (100 (exp(difference) - 1)), ``better`` and
        ``equal`` (numbers of batches), ``statistic``, ``p_value``, ``p_holm`` and ``tests``
        (corrected for all samplers at the same number of points, "which one for this N?", and
        how many those are), ``p_holm_space`` and ``tests_space`` (corrected for all samplers
        and numbers of points of the space, for reading the table as a whole), ``stand_in``,
        ``note``.

    Examples
    --------
    >>> rows = pd.DataFrame([{"problem": "p", "space": "s", "d": 2, "resolution": 2, "n": 4,
    ...     "batch": b, "sampler": s, "minimum": m, "stand_in": ""}
    ...     for b in range(6) for s, m in (("random", 1.0 + b), ("rsa", 0.9 + 0.91 * b))])
    >>> row = paired(rows).iloc[0]
    >>> row["sampler"], int(row["batches"]), int(row["better"]), float(row["p_value"])
    ('rsa', 6, 6, 0.03125)
    """
    rows = []
    for key, part in minima.groupby(STAGE, dropna=False):
        wide = log_minima(part)
        stand_in = joined(part["stand_in"]) if "stand_in" in part else ""
        stage = dict(zip(STAGE, key, strict=True))
        for sampler in wide.columns:
            if sampler == baseline:
                continue
            rng = rng_for(seed, "paired", *key, sampler)
            row = _paired_row(wide, sampler, baseline, level, resamples, rng)
            rows.append({**stage, "sampler": sampler, "baseline": baseline, **row})
            rows[-1]["stand_in"] = stand_in
    table = pd.DataFrame(rows, columns=None if rows else _PAIRED_COLUMNS)
    if table.empty:
        return table
    table["resolution"] = table["resolution"].astype("Int64")
    for suffix, family in (("", STAGE), ("_space", ["problem", "space"])):
        families = table.groupby(family, dropna=False)["p_value"]
        table["p_holm" + suffix] = families.transform(lambda p: holm(p.to_numpy()))
        table["tests" + suffix] = families.transform("count")
    table["note"] = [_with_limit(row) for row in table.itertuples()]
    return table[_PAIRED_COLUMNS]


_PAIRED_COLUMNS = [
    *STAGE, "sampler", "baseline", "batches", "difference", "error", "low", "high", "percent",
    "better", "equal", "statistic", "p_value", "p_holm", "tests", "p_holm_space",
    "tests_space", "stand_in", "note",
]  # fmt: skip


def _paired_row(
    wide: pd.DataFrame, sampler: str, baseline: str, level: float, resamples: int, rng
) -> dict:
    notes = []
    if baseline not in wide:
        notes.append(f"no {baseline} design with the same number of points")
        differences = np.array([])
    else:
        differences = (wide[sampler] - wide[baseline]).dropna().to_numpy()
        lost = len(wide) - len(differences)
        if lost:
            notes.append(f"{lost} of {len(wide)} batches lack a minimum above 0 of one of the two")
    n = differences.size
    statistic, p_value, note = signed_rank(differences)
    mean = float(differences.mean()) if n else float("nan")
    error = float(stats.sem(differences)) if n > 1 else float("nan")
    low, high = bca_interval(differences, level=level, resamples=resamples, rng=rng)
    if n == 1:
        notes.append("one batch: no uncertainty")
    return {
        "batches": n,
        "difference": mean,
        "error": error,
        "low": low,
        "high": high,
        "percent": 100 * float(np.expm1(mean)),
        "better": int((differences < 0).sum()),
        "equal": int((differences == 0).sum()),
        "statistic": statistic,
        "p_value": p_value,
        "note": joined([*notes, note]),
    }


def _with_limit(row) -> str:
    """The note of a row, and whether its batches are too few for any test to decide."""
    differing = row.batches - row.equal
    limit = smallest_p(differing)
    if differing > 0 and limit * row.tests > 0.05:
        corrected = f", {min(limit * row.tests, 1):.2g} corrected for {row.tests} tests"
        said = (
            f"{differing} difference{'s' if differing > 1 else ''} cannot decide: the smallest "
            f"possible p-value is {limit:.2g}{corrected if row.tests > 1 else ''}"
        )
        return joined([row.note, said])
    return row.note


def block_table(minima: pd.DataFrame, problem: str, space: str, n: int | None = None):
    """What `ranks` ranks: one row per batch, one column per sampler.

    Parameters
    ----------
    minima : DataFrame
        As `tilesearch.analysis.scores.minima` returns it.
    problem, space : str
        What to compare.
    n : int, optional
        Number of points. By default all: a batch's value is then the mean over the numbers of
        points, that every sampler has, of the logarithm of its minimum, so that the batch stays
        the unit of replication.

    Returns
    -------
    blocks : DataFrame
        Complete: no NaN.
    note : str
        What was left out.

    Raises
    ------
    ValueError
        If there is no such row.
    """
    rows = minima[(minima["problem"] == problem) & (minima["space"] == space)]
    if n is not None:
        rows = rows[rows["n"] == n]
    if rows.empty:
        asked = f"problem '{problem}', space '{space}'" + ("" if n is None else f", n {n}")
        raise ValueError(f"the minima have no row of {asked}, take values that they hold")
    notes = []
    tables = {key: log_minima(part) for key, part in rows.groupby("n")}
    samplers = sorted(set(rows["sampler"]))
    # A sampler without a single usable batch would take all batches with it.
    for sampler in list(samplers):
        if not any(sampler in t and t[sampler].notna().any() for t in tables.values()):
            samplers.remove(sampler)
            notes.append(f"left out, without a usable minimum: {sampler}")
    shared = {
        key: table
        for key, table in tables.items()
        if all(s in table and table[s].notna().any() for s in samplers)
    }
    if len(shared) < len(tables):
        lost = ", ".join(str(key) for key in tables if key not in shared)
        notes.append(f"left out, not of every sampler: N = {lost}")
    if not shared or not samplers:
        return pd.DataFrame(), joined([*notes, "nothing that every sampler has"])
    stack = pd.concat([t[samplers] for t in shared.values()], keys=shared.keys(), names=["n"])
    # Mean over N, NaN if any is NaN.
    values = stack.groupby("batch").agg(lambda column: column.mean(skipna=False))
    present = stack.groupby("batch").size() == len(shared)
    blocks = values[present & values.notna().all(axis=1)]
    if len(blocks) < len(values):
        notes.append(f"{len(values) - len(blocks)} of {len(values)} batches are incomplete")
    return blocks, joined(notes)


def ranks_of(blocks: pd.DataFrame, *, alpha: float = 0.05, note: str = "") -> Ranks:
    """Average ranks, Friedman test and Nemenyi's critical difference (Demšar 2006).

    The critical difference is q sqrt(k (k + 1) / (6 n)) for k samplers and n batches, where
    sqrt(2) q is the quantile 1 - `alpha` of the studentised range of k groups.

    Parameters
    ----------
    blocks : DataFrame, shape (n, k)
        One row per batch, one column per sampler, smaller is better, no NaN.
    alpha : float
        Level of the critical difference.
    note : str
        Statement to carry along.

    Examples
    --------
    >>> blocks = pd.DataFrame({"a": [1, 1, 1, 2], "b": [2, 2, 3, 3], "c": [3, 3, 2, 4]})
    >>> ranks = ranks_of(blocks)
    >>> ranks.mean.to_dict(), round(ranks.p_value, 4)
    ({'a': 1.0, 'b': 2.25, 'c': 2.75}, 0.0388)
    """
    n, k = blocks.shape
    nan, empty = float("nan"), pd.DataFrame()
    if n == 0 or k == 0:
        none = pd.Series(dtype=float)
        return Ranks(0, none, nan, nan, nan, empty, alpha, joined([note, "nothing to rank"]))
    mean = blocks.rank(axis=1).mean().sort_values(kind="stable")
    if k < 3:
        note = joined([note, f"{k} samplers: a Friedman test needs 3"])
        return Ranks(n, mean, nan, nan, nan, empty, alpha, note)
    if n < 2:
        note = joined([note, "one batch: no test of ranks"])
        return Ranks(n, mean, nan, nan, nan, empty, alpha, note)
    if (blocks.nunique(axis=1) == 1).all():
        note = joined([note, "all samplers are equal in every batch"])
        statistic, p_value = 0.0, 1.0
    else:
        test = stats.friedmanchisquare(*blocks.to_numpy(float).T)
        statistic, p_value = float(test.statistic), float(test.pvalue)
    quantile = stats.studentized_range.ppf(1 - alpha, k, np.inf) / np.sqrt(2)
    difference = float(quantile * np.sqrt(k * (k + 1) / (6 * n)))
    pairwise = scikit_posthocs.posthoc_nemenyi_friedman(blocks.astype(float))
    pairwise.index = pairwise.columns = list(blocks.columns)
    return Ranks(n, mean, statistic, p_value, difference, pairwise, alpha, note)


def ranks(
    minima: pd.DataFrame, problem: str, space: str, n: int | None = None, *, alpha: float = 0.05
) -> Ranks:
    """Ranks of the samplers of a space at `n` points, or over all numbers of points.

    See `block_table` for what a batch's value is, and `ranks_of` for the statistics.
    """
    blocks, note = block_table(minima, problem, space, n)
    return ranks_of(blocks, alpha=alpha, note=note)


def rank_table(minima: pd.DataFrame, *, alpha: float = 0.05) -> pd.DataFrame:
    """The ranks of every problem and space, at each number of points and over all of them.

    Returns
    -------
    DataFrame
        One row per problem, space, d, n (NA over all) and sampler: ``batches``, ``samplers``
        (their number), ``rank`` (average), ``statistic``, ``p_value`` (Friedman),
        ``critical_difference``, ``alpha``, ``stand_in``, ``note``.
    """
    rows = []
    for (problem, space, d), part in minima.groupby(["problem", "space", "d"]):
        stand_in = joined(part["stand_in"]) if "stand_in" in part else ""
        sizes = sorted(part["n"].unique())
        # With one N, "over all of them" would say the same once more.
        for n in [*sizes, None] if len(sizes) > 1 else sizes:
            found = ranks(part, problem, space, n, alpha=alpha)
            row = {
                "problem": problem,
                "space": space,
                "d": d,
                "n": pd.NA if n is None else n,
                "batches": found.batches,
                "samplers": len(found.mean),
                "statistic": found.statistic,
                "p_value": found.p_value,
                "critical_difference": found.critical_difference,
                "alpha": alpha,
                "stand_in": stand_in,
                "note": found.note,
            }
            rows += [{**row, "sampler": s, "rank": rank} for s, rank in found.mean.items()]
    columns = [
        "problem", "space", "d", "n", "sampler", "batches", "samplers", "rank", "statistic",
        "p_value", "critical_difference", "alpha", "stand_in", "note",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns).astype({"n": "Int64"})
