"""Finding and reading the tables of a finished study, as far as advice needs them."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from tilesearch.errors import InputError

#: Where tables are looked for, in this order: the study that ran here, then the reference studies.
FOLDERS = ("results/tables", "resources/reference/*/tables")

#: Tables that hold the means, the better one first.
SCORES = ("uncertainty", "scores")

#: What `advise` calls a table -> its file and its columns, for a study that lacks it.
OTHERS = {
    "paired": ("comparisons", ["problem", "space", "n", "sampler", "baseline", "p_holm",
                               "difference", "tests", "batches", "note"]),
    "budgets": ("budgets", ["problem", "space", "n", "sampler", "text", "interval"]),
    "ranks": ("ranks", ["problem", "space", "n", "sampler", "rank", "critical_difference"]),
}  # fmt: skip


def find(given: str | None = None, *, roots: tuple[Path, ...] | None = None) -> list[Path]:
    """The files of scores: the one that is given, else those of the first of `FOLDERS` with any.

    Parameters
    ----------
    given : str or None
        A file, or a folder of tables.
    roots : tuple of Path, optional
        Folders in which `FOLDERS` are looked for; by default the working directory and the
        folder of the project.

    Raises
    ------
    InputError
        If there is none.
    """
    if given is not None:
        path = Path(given)
        found = _in_folder(path) if path.is_dir() else path
        if found is None or not found.is_file():
            raise InputError(
                f"--scores is '{given}', which is no file and no folder with "
                f"{' or '.join(SCORES)}.csv, run a study or give its tables"
            )
        return [found]
    roots = (Path(), Path(__file__).parents[3]) if roots is None else roots
    for folder in FOLDERS:
        for root in roots:
            places = sorted(root.glob(folder))
            found = [path for place in places if (path := _in_folder(place)) is not None]
            if found:
                return found
    raise InputError(
        f"there are no scores in {' or '.join(FOLDERS)}, run a study first "
        "(snakemake --cores all) or give --scores"
    )


def _in_folder(folder: Path) -> Path | None:
    for name in SCORES:
        for ending in ("parquet", "csv"):
            if (folder / f"{name}.{ending}").is_file():
                return folder / f"{name}.{ending}"
    return None


def read(path: Path) -> pd.DataFrame:
    """One table; in a CSV file an empty text is a text and no missing value.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    try:
        table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise InputError(f"table '{path}' cannot be read: {str(error).splitlines()[0]}") from error
    texts = [c for c in ("note", "stand_in", "better", "worse", "chosen") if c in table]
    texts = [
        c for c in texts if not pd.api.types.is_numeric_dtype(table[c]) or table[c].isna().all()
    ]
    return table.assign(**{c: table[c].astype(object).fillna("") for c in texts})


def load(paths: Sequence[Path]) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """The tables of one study or of several, one below the other; as `load_study`."""
    studies = [load_study(path) for path in paths]
    tables = {
        key: pd.concat([tables[key] for tables, _ in studies], ignore_index=True)
        for key in ("scores", *OTHERS)
    }
    return tables, [sentence for _, missing in studies for sentence in missing]


def load_study(path: Path) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """The tables that `tilesearch.analysis.advice.advise` takes, and what is missing of them.

    Parameters
    ----------
    path : Path
        File of scores; the other tables lie beside it.

    Returns
    -------
    tables : dict of str to DataFrame
    missing : list of str
        A sentence for each table that is not there.

    Raises
    ------
    InputError
        If the scores lack a column.
    """
    scores = read(path)
    needed = ["problem", "space", "d", "n", "sampler", "batches", "mean", "error", "note"]
    absent = [c for c in needed if c not in scores]
    if absent:
        raise InputError(
            f"'{path}' lacks the column(s) {', '.join(absent)}, give a table of scores"
        )
    tables, missing = {"scores": scores}, []
    for key, (name, columns) in OTHERS.items():
        beside = next(
            (p for e in ("parquet", "csv") if (p := path.with_name(f"{name}.{e}")).is_file()), None
        )
        if beside is None:
            missing.append(f"There is no table of {name} beside the scores '{path}'.")
        tables[key] = pd.DataFrame(columns=columns) if beside is None else read(beside)
    return tables, missing
