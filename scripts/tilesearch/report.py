"""The report of a study: one HTML file with the answer first, made from the tables."""

import base64
import io
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import jinja2
import numpy as np
import pandas as pd
from PIL import Image

from tilesearch.analysis.advice import listed, p_words, points_words
from tilesearch.errors import InputError

#: Packages whose versions are told.
PACKAGES = (
    "tilesearch", "snakemake", "numpy", "scipy", "pandas", "lightgbm", "optuna", "shap", "keras",
    "tensorflow", "tensorflow-cpu", "scikit-learn", "scikit-posthocs", "matplotlib",
)  # fmt: skip

#: Size of the figures on the page: type of 13 points becomes 15 pixels high.
PIXELS_PER_INCH = 84

#: Caption of the figures that are not named after theirs: begin of "group/name" -> caption.
SHARED_CAPTIONS = {"diagrams/": "diagrams", "samplers/": "tilings", "shap": "shap"}

#: Tables that are shown: name -> (title, columns).
TABLES = {
    "uncertainty": (
        "Scores: mean normalised minimum",
        ["problem", "space", "d", "n", "sampler", "batches", "mean", "chosen_error", "chosen",
         "p_value", "low", "high", "bca_low", "bca_high", "note"],
    ),
    "comparisons": (
        "Paired differences to the baseline",
        ["problem", "space", "d", "n", "sampler", "baseline", "batches", "percent", "low", "high",
         "better", "equal", "p_value", "p_holm", "tests", "note"],
    ),
    "budgets": (
        "Equivalent random budget",
        ["problem", "space", "d", "n", "sampler", "batches", "pool", "text", "interval", "ratio",
         "note"],
    ),
    "ranks": (
        "Average ranks",
        ["problem", "space", "d", "n", "sampler", "batches", "rank", "p_value",
         "critical_difference", "note"],
    ),
    "correlations": (
        "Geometry against loss: rank correlations",
        ["problem", "space", "d", "n", "measure", "designs", "batches", "rho", "low", "high",
         "note"],
    ),
    "tabulated": (
        "Tabulated landscapes: many designs a batch, and adaptive searches",
        ["problem", "space", "n", "sampler", "batches", "replicates", "mean", "error",
         "difference", "difference_error"],
    ),
    "agreement": (
        "Tabulated landscapes: agreement with the designs of the study, trainings saved",
        ["problem", "space", "n", "sampler", "batches", "replicates", "difference", "error", "z",
         "saved", "direct_error", "tabulated_error"],
    ),
    "counts": (
        "Trainings asked for",
        ["problem", "space", "d", "n", "resolution", "samplers", "batches", "trainings"],
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """One cell of a table: its text, and the value by which its column is sorted."""

    text: str
    key: str
    number: bool


@dataclass(frozen=True)
class Picture:
    """A figure in the report; `width` is that of the page at which type has one size in all."""

    group: str
    title: str
    caption: str
    source: str
    width: int


def cell(value: object) -> Cell:
    """A value as text and sorting key.

    Examples
    --------
    >>> cell(0.123456), cell("a").text, cell(float("nan")).text
    (Cell(text='0.1235', key='0.123456', number=True), 'a', '–')
    """
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return Cell("–", "", False)
    if isinstance(value, (bool, np.bool_)):
        return Cell("yes" if value else "no", str(bool(value)), False)
    if isinstance(value, (int, np.integer)):
        return Cell(f"{int(value):,}", str(int(value)), True)
    if isinstance(value, (float, np.floating)):
        return Cell(f"{value:.4g}", str(float(value)), True)
    return Cell(str(value), str(value), False)


def html_table(table: pd.DataFrame, columns: Sequence[str]) -> dict:
    """Header and cells of some columns; a column without any entry is left out."""
    rows = table.reindex(columns=list(columns))
    shown = [c for c in columns if (rows[c].notna() & (rows[c].astype(str) != "")).any()]
    cells = [[cell(value) for value in row] for row in rows[shown].itertuples(index=False)]
    return {"columns": [c.replace("_", " ") for c in shown], "rows": cells}


def headline(advice: pd.DataFrame, baseline: str) -> list[str]:
    """The answer in a few sentences, made from the advice of every problem, space and N.

    Examples
    --------
    >>> rows = pd.DataFrame({"problem": "p", "space": "d2", "d": 2, "n": [4, 9],
    ...     "best": "rsa", "better": ["rsa, lhs", ""], "worse": ["", "grid"],
    ...     "decided": [True, False]})
    >>> for sentence in headline(rows, "random"):
    ...     print(sentence)
    Of 2 comparisons (a problem, a space and a number of points), 1 is decided and 1 is not.
    Shown to be better than random: rsa in 1, lhs in 1 of 2.
    Shown to be worse than random: grid in 1 of 2.
    The smallest mean, shown or not: rsa in 2 of 2.
    """
    total, decided = len(advice), int(advice["decided"].sum())
    if not total:
        return ["The study has no comparison."]
    one = "comparison" if total == 1 else "comparisons"
    undecided = total - decided
    sentences = [
        f"Of {total} {one} (a problem, a space and a number of points), {decided} "
        f"{'is' if decided == 1 else 'are'} decided and {undecided} "
        f"{'is' if undecided == 1 else 'are'} not."
    ]
    for word in ("better", "worse"):
        counts = _counted(advice[word])
        if counts:
            said = ", ".join(f"{name} in {count}" for name, count in counts.items())
            sentences.append(f"Shown to be {word} than {baseline}: {said} of {total}.")
        else:
            sentences.append(f"No sampler is shown to be {word} than {baseline} anywhere.")
    leaders = _counted(advice["best"])
    if leaders:
        said = ", ".join(f"{name} in {count}" for name, count in leaders.items())
        sentences.append(f"The smallest mean, shown or not: {said} of {total}.")
    beaten = int((advice["decided"] & (advice["better"].fillna("") == "")).sum())
    if beaten:
        sentences.append(f"In {beaten} of {total} every other sampler is worse than {baseline}.")
    return sentences


def worth(budgets: pd.DataFrame, baseline: str) -> str:
    """What a point of each sampler is worth in random points, in a sentence; "" if unknown.

    The median over all problems, spaces and numbers of points, and the smallest and largest of
    them; the intervals of the single values stand in the table of budgets.

    Examples
    --------
    >>> rows = pd.DataFrame({"sampler": ["rsa", "rsa", "grid"], "ratio": [1.5, np.inf, 0.4]})
    >>> print(worth(rows, "random").split(": ")[1])
    rsa more than there are (1.50 to more than there are), grid 0.40.
    """
    known = budgets[(budgets["sampler"] != baseline) & budgets["ratio"].notna()]
    if known.empty:
        return ""
    # Not a mean of the two middle values: one of them may be infinite.
    ratios = known.groupby("sampler")["ratio"]
    medians = ratios.quantile(0.5, interpolation="higher").sort_values(ascending=False)
    least, most = ratios.min(), ratios.max()
    said = ", ".join(_ranged(name, median, least[name], most[name])
                     for name, median in medians.items())  # fmt: skip
    return (
        f"What one point is worth in points of {baseline}, median over all comparisons "
        f"(smallest to largest): {said}."
    )


def _ranged(name: str, median: float, low: float, high: float) -> str:
    words = {np.inf: "more than there are", -np.inf: "less than one"}
    middle, *ends = (words.get(value, f"{value:.2f}") for value in (median, low, high))
    return f"{name} {middle}" if low == high else f"{name} {middle} ({' to '.join(ends)})"


def decided_words(answer: pd.DataFrame, baseline: str) -> list[str]:
    """A sentence for each comparison that is decided, from the rows of `answers`.

    Examples
    --------
    >>> row = {"problem": "p", "space": "d2", "d": 2, "N": 9, "answer": "take rsa", "batches": 8,
    ...     "smallest mean": "rsa", "worth in random points": "18 (12 to 30)"}
    >>> decided_words(pd.DataFrame([row]), "random")
    ['p, d2, N = 9: take rsa; 9 points of rsa are worth 18 (12 to 30) of random (8 batches).']
    """
    if answer.empty:
        return []
    said = []
    for row in answer[answer["answer"].str.startswith("take ")].to_dict("records"):
        best, worth_of = row["smallest mean"], row["worth in random points"]
        verb = "is" if row["N"] == 1 else "are"
        value = f"; {points_words(row['N'])} of {best} {verb} worth {worth_of} of {baseline}"
        known = best != baseline and worth_of != "unknown"
        batches = f"{row['batches']} batch{'' if row['batches'] == 1 else 'es'}"
        said.append(
            f"{row['problem']}, {row['space']}, N = {row['N']}: {row['answer']}"
            f"{value if known else ''} ({batches})."
        )
    return said


def _counted(names: pd.Series) -> dict[str, int]:
    split = (name for text in names.fillna("") for name in str(text).split(", ") if name)
    counts = pd.Series(list(split), dtype=object).value_counts(sort=False)
    return counts.sort_values(ascending=False, kind="stable").to_dict()


def answers(
    advice: pd.DataFrame,
    uncertainty: pd.DataFrame,
    budgets: pd.DataFrame,
    comparisons: pd.DataFrame,
) -> pd.DataFrame:
    """One row per problem, space and N: which sampler, and what it is worth.

    Where the data do not decide, the sampler with the smallest mean is named as such.
    """
    keys = ["problem", "space", "n"]
    rows = []
    for row in advice.itertuples():
        here = {"problem": row.problem, "space": row.space, "n": row.n, "sampler": row.best}
        mean = _one(uncertainty, here)
        budget, test = _one(budgets, here), _one(comparisons, here)
        better = str(row.better or "") if isinstance(row.better, str) else ""
        verdict = f"take {listed(better.split(', '))}" if better else "not decided"
        if row.decided and not better:
            verdict = f"take {row.best}"
        rows.append(
            {
                "problem": row.problem,
                "space": row.space,
                "d": row.d,
                "N": row.n,
                "answer": verdict,
                "smallest mean": row.best or "none",
                "normalised minimum": _plus_minus(mean),
                "worth in random points": "unknown"
                if budget is None
                else f"{budget['text']} ({budget['interval']})",
                "corrected p": "–"
                if test is None or not np.isfinite(test["p_holm"])
                else p_words(float(test["p_holm"])),
                "batches": row.batches,
                "data": "stand-in" if isinstance(row.stand_in, str) and row.stand_in else "real",
            }
        )
    table = pd.DataFrame(rows)
    return table.sort_values(["problem", "d", "space", "N"]) if len(table) else table.reindex(
        columns=[*keys]
    )  # fmt: skip


def _one(table: pd.DataFrame, here: Mapping) -> pd.Series | None:
    same = np.logical_and.reduce([(table[k] == v).fillna(False) for k, v in here.items()])
    return table[same].iloc[0] if same.any() else None


def _plus_minus(row: pd.Series | None) -> str:
    if row is None or not np.isfinite(row["mean"]):
        return "unknown"
    error = float(row["chosen_error"])
    return f"{row['mean']:.4f} ± {error:.4f}" if np.isfinite(error) else f"{row['mean']:.4f}"


def embedded(path: str | Path) -> str:
    """A PNG as data URI; 256 colours are enough for a chart and cost a third of the bytes."""
    picture = Image.open(path).convert("RGB")
    small = picture.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    stream = io.BytesIO()
    small.save(stream, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()


def caption_of(group: str, name: str, captions: Mapping[str, str]) -> str:
    """The caption of a figure: of the longest caption name that ends its own.

    Parameters
    ----------
    group, name : str
        Folder and name of the figure, without its ending.
    captions : mapping of str to str
        Name to Jinja template, which may use ``snakemake.wildcards``.

    Raises
    ------
    InputError
        If there is none.

    Examples
    --------
    >>> caption_of("housing", "d2-edge-effects", {"edge-effects": "Points. "})
    'Points.'
    """
    fitting = [key for key in captions if name == key or name.endswith(f"-{key}")]
    fitting += [c for begin, c in SHARED_CAPTIONS.items() if f"{group}/{name}".startswith(begin)]
    fitting += [c for begin, c in SHARED_CAPTIONS.items() if name.startswith(begin)]
    fitting += ["examples"] if name.startswith("example-") else []
    if not fitting:
        raise InputError(f"figure '{group}/{name}' has no caption, write workflow/report/….rst")
    wildcards = {"problem": group, "name": name, "example": name}
    chosen = max(fitting, key=len)
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701
    text = environment.from_string(captions[chosen]).render(snakemake={"wildcards": wildcards})
    return " ".join(text.replace("``", "").split())


def pictures(paths: Iterable[str | Path], captions: Mapping[str, str]) -> list[Picture]:
    """The figures, each with its caption, in the order of `paths`."""
    shown = []
    for path in map(Path, paths):
        group, name = path.parent.name, path.stem
        caption = caption_of(group, name, captions)
        with Image.open(path) as picture:
            dpi = picture.info.get("dpi", (150, 150))[0]
            width = round(picture.width / dpi * PIXELS_PER_INCH)
        shown.append(Picture(group, name.replace("-", " "), caption, embedded(path), width))
    return shown


def run_times(folder: str | Path) -> pd.DataFrame:
    """Jobs, seconds and memory by rule, from the benchmark files."""
    rows = []
    for path in sorted(Path(folder).rglob("*.tsv")):
        rule = path.relative_to(folder).parts[0].removesuffix(".tsv")
        for row in pd.read_csv(path, sep="\t", na_values="-").itertuples():
            rows.append({"rule": rule, "seconds": row.s, "MB": row.max_rss})
    if not rows:
        return pd.DataFrame(columns=["rule", "jobs", "seconds", "longest (s)", "most memory (MB)"])
    groups = pd.DataFrame(rows).groupby("rule", as_index=False)
    table = groups.agg(
        jobs=("seconds", "size"),
        seconds=("seconds", "sum"),
        longest=("seconds", "max"),
        memory=("MB", "max"),
    )
    renamed = {"longest": "longest (s)", "memory": "most memory (MB)"}
    return table.rename(columns=renamed).sort_values("seconds", ascending=False)


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that are installed here."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def data_rows(facts: Mapping[str, Mapping], screens: Mapping[str, Mapping]) -> pd.DataFrame:
    """One row per problem: source, rows, batches and domain."""
    rows = []
    for problem, fact in facts.items():
        screen = screens[problem]
        domain = "; ".join(
            f"{name} {low:.4g} to {high:.4g}" for name, (low, high) in screen["domain"].items()
        )
        rows.append(
            {
                "problem": problem,
                "source": fact["source"],
                "stand-in": fact.get("stand_in") or "no, real data",
                "rows": fact["rows"],
                "batches kept": len(screen["kept"]),
                "of": len(screen["kept"]) + len(screen["dropped"]),
                "domain searched": domain,
            }
        )
    return pd.DataFrame(rows)


def render(
    template: str,
    *,
    tables: Mapping[str, pd.DataFrame],
    shown: Sequence[Picture],
    facts: Mapping[str, Mapping],
    screens: Mapping[str, Mapping],
    times: pd.DataFrame,
    config_text: str,
    seed: int,
    baseline: str,
) -> str:
    """The report as HTML.

    Parameters
    ----------
    template : str
        Jinja2 template.
    tables : mapping of str to DataFrame
        The tables of the study: those of `TABLES` (``tabulated`` and ``agreement`` only where
        there are), and ``advice``.
    shown : sequence of Picture
    facts, screens : mapping of str to mapping
        What loading and screening wrote, by problem.
    times : DataFrame
        As `run_times` returns it.
    config_text : str
        The whole config as YAML.
    seed : int
    baseline : str
        The sampler that all others are compared with.
    """
    advice = tables["advice"]
    compared = [tables[name] for name in ("uncertainty", "budgets", "comparisons")]
    answer = answers(advice, *compared)
    groups: dict[str, list[Picture]] = {}
    for picture in shown:
        groups.setdefault(picture.group, []).append(picture)
    sentences = {}
    for row in advice.sort_values(["problem", "d", "space", "n"]).itertuples():
        sentences.setdefault(row.problem, []).append(row.advice)
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(template).render(
        headline=[*headline(advice, baseline), *filter(None, [worth(tables["budgets"], baseline)])],
        decided=decided_words(answer, baseline),
        answer=html_table(answer, list(answer.columns)),
        sentences=sentences,
        data=html_table(data_rows(facts, screens), list(data_rows(facts, screens).columns)),
        dropped={p: s["dropped"] for p, s in screens.items() if s["dropped"]},
        stand_ins={p: f["stand_in"] for p, f in facts.items() if f.get("stand_in")},
        groups=groups,
        tables={
            name: {"title": title, **html_table(tables[name], columns)}
            for name, (title, columns) in TABLES.items()
            if name in tables
        },
        times=html_table(times, list(times.columns)),
        versions=versions(),
        config=config_text,
        seed=seed,
        baseline=baseline,
        trainings=f"{int(tables['counts']['trainings'].sum()):,}",
        sizes=[points_words(n) for n in sorted(set(advice["n"]))],
    )
