"""Advice in words, made from the tables of a study: nothing here knows an answer beforehand."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tilesearch.analysis.scores import joined


@dataclass(frozen=True)
class Advice:
    """What a study says about one problem, space and number of points.

    Attributes
    ----------
    problem, space : str
    d, n : int
        `n` is a number of points that the study has.
    batches : int
        Number of batches of the best sampler's mean.
    best : str
        Sampler with the smallest mean normalised minimum; "" where there is none.
    better, worse : tuple of str
        Samplers that differ from the baseline after Holm's correction, best mean first.
    decided : bool
        Whether a sampler is better than the baseline, or the baseline is the best and every
        other one is worse.
    sentences : tuple of str
        The advice, most important first.
    stand_in : str
        What the data stand in for; "" for real data.
    """

    problem: str
    space: str
    d: int
    n: int
    batches: int
    best: str
    better: tuple[str, ...]
    worse: tuple[str, ...]
    decided: bool
    sentences: tuple[str, ...]
    stand_in: str

    @property
    def text(self) -> str:
        """All sentences."""
        return " ".join(self.sentences)


def p_words(p_value: float) -> str:
    """A p-value in words.

    Examples
    --------
    >>> p_words(0.0314), p_words(1e-5)
    ('p = 0.031', 'p < 0.001')
    """
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.2g}"


def listed(names) -> str:
    """Names as a list in a sentence.

    Examples
    --------
    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    names = list(names)
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def points_words(n: int) -> str:
    """A number of points in words.

    Examples
    --------
    >>> points_words(1), points_words(36)
    ('1 point', '36 points')
    """
    return f"{n} point{'' if n == 1 else 's'}"


def advise_one(
    problem: str,
    space: str,
    n: int,
    *,
    scores: pd.DataFrame,
    paired: pd.DataFrame,
    budgets: pd.DataFrame,
    ranks: pd.DataFrame,
    alpha: float = 0.05,
) -> Advice:
    """The advice for one problem, space and number of points of the study.

    Parameters
    ----------
    problem, space : str
    n : int
        A number of points that `scores` has.
    scores : DataFrame
        Of `tilesearch.analysis.scores.scores` or `...uncertainty.uncertainties`.
    paired : DataFrame
        Of `tilesearch.analysis.comparison.paired`: it names the baseline.
    budgets : DataFrame
        Of `tilesearch.analysis.budget.budgets`.
    ranks : DataFrame
        Of `tilesearch.analysis.comparison.rank_table`.
    alpha : float
        Level of the Holm-corrected tests below which a difference counts as shown.

    Returns
    -------
    Advice

    Raises
    ------
    ValueError
        If `scores` has no row of them.
    """
    rows = _at(scores, problem, space, n)
    if rows.empty:
        raise ValueError(
            f"the scores have no row of problem '{problem}', space '{space}', n {n}; "
            "take values that they hold"
        )
    d = int(rows["d"].iloc[0])
    stand_in = joined(rows["stand_in"]) if "stand_in" in rows else ""
    means = rows.set_index("sampler")["mean"].astype(float).dropna().sort_values(kind="stable")
    where = f"With {points_words(n)} in {d} dimension{'' if d == 1 else 's'} ({problem}, {space})"
    if means.empty:
        text = f"{where} the study has no usable minimum: {joined(rows['note'])}."
        return Advice(problem, space, d, n, 0, "", (), (), False, (text,), stand_in)

    tests = _at(paired, problem, space, n).set_index("sampler")
    baseline = tests["baseline"].iloc[0] if len(tests) else ""
    shown = tests[tests["p_holm"].astype(float) < alpha] if len(tests) else tests
    better = _named(shown, means, sign=-1)
    worse = _named(shown, means, sign=1)
    others = [s for s in means.index if s != baseline]
    beaten = bool(others) and means.index[0] == baseline and set(worse) == set(others)
    sentences = [_verdict(where, better, beaten, baseline, tests)]
    named = list(better) or [means.index[0]]
    told = [_numbers(s, rows, tests, budgets, problem, space, n, baseline) for s in named]
    sentences += told if better else [f"The smallest mean: {told[0]}"]
    if worse and not beaten:
        sentences.append(f"Worse than {baseline}: {listed(worse)}.")
    sentences += _not_told_apart(ranks, problem, space, n)
    if stand_in:
        sentences.append(f"The data are a stand-in: {stand_in}.")
    batches = int(rows.set_index("sampler").loc[means.index[0], "batches"])
    return Advice(
        problem, space, d, n, batches, means.index[0], better, worse, bool(better) or beaten,
        tuple(sentences), stand_in,
    )  # fmt: skip


def _at(table: pd.DataFrame, problem: str, space: str, n: int) -> pd.DataFrame:
    if table.empty:
        return table
    same = (table["problem"] == problem) & (table["space"] == space) & (table["n"] == n)
    return table[same.fillna(False)]


def _named(shown: pd.DataFrame, means: pd.Series, *, sign: int) -> tuple[str, ...]:
    """Samplers of `shown` whose difference has that sign, best mean first."""
    if shown.empty:
        return ()
    differing = shown[np.sign(shown["difference"].astype(float)) == sign].index
    return tuple(s for s in means.index if s in differing)


def _verdict(where: str, better, beaten: bool, baseline: str, tests: pd.DataFrame) -> str:
    if better:
        take = better[0] if len(better) == 1 else f"{better[0]} (or {listed(better[1:])})"
        verb = "finds" if len(better) == 1 else "find"
        return f"{where} take {take}: {listed(better)} {verb} a lower loss than {baseline}."
    if beaten:
        return f"{where} take {baseline}: every other sampler finds a higher loss."
    known = tests["p_holm"].astype(float).dropna() if len(tests) else pd.Series(dtype=float)
    if known.empty:
        why = joined(tests["note"]) if len(tests) else "there is nothing to compare with"
        return f"{where} the data do not decide: {why or 'there is no test'}."
    count = int(tests["tests"].max())
    batches = int(tests["batches"].max())
    # Holm's correction can only raise a p-value: a family's smallest tells how far it is.
    best = tests[tests["difference"].astype(float) < 0]["p_holm"].astype(float).min()
    # What a row says: "one batch: no uncertainty; 5 differences cannot decide: …".
    said = (part for note in tests["note"] for part in str(note).split("; "))
    limit = joined(part for part in said if "cannot decide" in part)
    closest = (
        f"the clearest has a corrected {p_words(best)}"
        if np.isfinite(best)
        else f"no sampler has a lower mean logarithm of the minimum than {baseline}"
    )
    text = (
        f"{where} the data do not decide: no sampler is shown to be better than {baseline} "
        f"({batches} batch{'' if batches == 1 else 'es'}, {count} "
        f"test{'' if count == 1 else 's'}; {closest})."
    )
    return text + (f" Note: {limit}." if limit else "")


def _numbers(
    sampler: str, rows, tests, budgets, problem: str, space: str, n: int, baseline: str
) -> str:
    """The mean, the difference to the baseline and the budget of one sampler in a sentence."""
    row = rows.set_index("sampler").loc[sampler]
    error = row.get("chosen_error", row["error"])
    mean = f"{row['mean']:.4f}"
    known = f"{mean} ± {error:.4f}" if np.isfinite(float(error)) else f"{mean} (no uncertainty)"
    batches = int(row["batches"])
    parts = [
        f"{sampler}: mean normalised minimum {known} "
        f"({batches} batch{'' if batches == 1 else 'es'})"
    ]
    if sampler in tests.index and np.isfinite(float(tests.loc[sampler, "difference"])):
        parts.append(_difference(tests.loc[sampler], baseline))
    budget = _at(budgets, problem, space, n)
    budget = budget[budget["sampler"] == sampler] if len(budget) else budget
    if baseline and sampler != baseline and len(budget) and budget["text"].iloc[0] != "unknown":
        found = budget.iloc[0]
        verb = "is" if n == 1 else "are"
        parts.append(
            f"its {points_words(n)} {verb} worth {found['text']} of {baseline} "
            f"(interval {found['interval']})"
        )
    return "; ".join(parts) + "."


def _difference(test: pd.Series, baseline: str) -> str:
    percent = float(test["percent"])
    low, high = (100 * np.expm1(float(test[end])) for end in ("low", "high"))
    interval = f", interval {low:+.2f} % to {high:+.2f} %" if np.isfinite(low) else ""
    tested = (
        f", corrected {p_words(float(test['p_holm']))}"
        if np.isfinite(float(test["p_holm"]))
        else ""
    )
    return (
        f"{percent:+.2f} % against {baseline}{interval}, lower in {int(test['better'])} of "
        f"{int(test['batches'])}{tested}"
    )


def _not_told_apart(ranks: pd.DataFrame, problem: str, space: str, n: int) -> list[str]:
    """The samplers whose average ranks lie within a critical difference of the best rank."""
    rows = _at(ranks, problem, space, n)
    if rows.empty or not np.isfinite(rows["critical_difference"].astype(float)).all():
        return []
    rows = rows.sort_values("rank")
    reach = rows["rank"].iloc[0] + rows["critical_difference"].iloc[0]
    near = rows.loc[rows["rank"] <= reach, "sampler"].tolist()
    test = f"Friedman {p_words(float(rows['p_value'].iloc[0]))}"
    if len(near) == len(rows):
        return [f"By average rank no two samplers are told apart from the best ({test})."]
    if len(near) == 1:
        return [f"By average rank {near[0]} stands alone at the top ({test})."]
    return [f"By average rank {near[0]} leads, not told apart from {listed(near[1:])} ({test})."]


def advise_all(scores: pd.DataFrame, **tables) -> list[Advice]:
    """The advice for every problem, space and number of points of a study.

    Parameters
    ----------
    scores : DataFrame
    **tables
        As for `advise_one`.
    """
    keys = scores[["problem", "space", "d", "n"]].drop_duplicates()
    keys = keys.sort_values(["problem", "d", "space", "n"])
    return [
        advise_one(row.problem, row.space, row.n, scores=scores, **tables)
        for row in keys.itertuples()
    ]


def advise(n: int, d: int, scores: pd.DataFrame, **tables) -> tuple[list[Advice], list[str]]:
    """The advice for `n` points in `d` dimensions, from every space of a study that has them.

    Where a space has no design of `n` points, the nearest number it has (on a logarithmic
    scale, at most a factor 2 away) answers, and a remark says so.

    Parameters
    ----------
    n, d : int
        1 or more.
    scores : DataFrame
    **tables
        As for `advise_one`.

    Returns
    -------
    advices : list of Advice
        Empty where the study cannot answer.
    remarks : list of str
        What the study does not have.

    Raises
    ------
    ValueError
        If `n` or `d` is below 1.
    """
    for name, value in (("n", n), ("d", d)):
        if value < 1:
            raise ValueError(f"{name} is {value}, give 1 or more")
    has = scores[scores["d"] == d]
    if has.empty:
        dimensions = ", ".join(str(k) for k in sorted(scores["d"].unique())) or "none"
        return [], [
            f"The data do not decide: the study has no space of {d} dimensions (it has: "
            f"{dimensions})."
        ]
    advices, remarks = [], []
    for (problem, space), part in has.groupby(["problem", "space"]):
        sizes = np.array(sorted(part["n"].unique()))
        nearest = int(sizes[np.argmin(np.abs(np.log(sizes / n)))])
        if not 0.5 <= nearest / n <= 2:
            remarks.append(
                f"{problem}, {space}: the data do not decide for {points_words(n)}, the study "
                f"has {sizes[0]} to {sizes[-1]}."
            )
            continue
        if nearest != n:
            remarks.append(
                f"{problem}, {space}: the study has no design of {points_words(n)}; the nearest, "
                f"{nearest}, answers."
            )
        advices.append(advise_one(problem, space, nearest, scores=scores, **tables))
    return advices, remarks


def advice_table(advices: list[Advice]) -> pd.DataFrame:
    """One row per advice: problem, space, d, n, batches, best, better, worse, decided, advice."""
    rows = [
        {
            "problem": a.problem,
            "space": a.space,
            "d": a.d,
            "n": a.n,
            "batches": a.batches,
            "best": a.best,
            "better": ", ".join(a.better),
            "worse": ", ".join(a.worse),
            "decided": a.decided,
            "advice": a.text,
            "stand_in": a.stand_in,
        }
        for a in advices
    ]
    columns = [
        "problem", "space", "d", "n", "batches", "best", "better", "worse", "decided", "advice",
        "stand_in",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)
