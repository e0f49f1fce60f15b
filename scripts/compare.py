"""Compare the samplers: uncertainties, paired tests, ranks, budgets, correlations, advice."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from tilesearch.analysis.advice import advice_table, advise_all
from tilesearch.analysis.budget import budgets
from tilesearch.analysis.comparison import paired, rank_table
from tilesearch.analysis.correlation import correlations
from tilesearch.analysis.design_geometry import MEASURES
from tilesearch.analysis.scores import DESIGN
from tilesearch.analysis.uncertainty import uncertainties
from tilesearch.files import write_table
from tilesearch.logs import job_log
from tilesearch.problems.trainers import read_table

#: What the budgets need of an evaluation.
COLUMNS = [*DESIGN, "point", "loss", "status"]


def compare(
    minima: pd.DataFrame,
    evaluations: pd.DataFrame,
    geometry: pd.DataFrame,
    settings: Mapping,
    seed: int,
) -> dict[str, pd.DataFrame]:
    """Every table of the statistics, by name; each says the number of batches.

    Parameters
    ----------
    minima, evaluations : DataFrame
        Of all problems and spaces.
    geometry : DataFrame
        One row per design, with the `MEASURES`.
    settings : mapping
        ``baseline``, ``exponential_p`` and ``resamples``.
    seed : int
        Study seed.
    """
    baseline, resamples = settings["baseline"], settings["resamples"]
    drawn = {"resamples": resamples, "seed": seed}
    tables = {
        "uncertainty": uncertainties(minima, threshold=settings["exponential_p"], **drawn),
        "comparisons": paired(minima, baseline=baseline, **drawn),
        "ranks": rank_table(minima),
        "budgets": budgets(evaluations, minima, baseline=baseline),
        "correlations": correlations(geometry, minima, MEASURES, **drawn),
    }
    advices = advise_all(
        tables["uncertainty"],
        paired=tables["comparisons"],
        budgets=tables["budgets"],
        ranks=tables["ranks"],
    )
    return {**tables, "advice": advice_table(advices)}


def main(
    path_to_minima: str,
    paths_to_evaluations: Sequence[str],
    paths_to_geometry: Sequence[str],
    settings: Mapping,
    seed: int,
    paths: Sequence[str],
) -> None:
    """Write each table to the paths that carry its name."""
    columns = {"columns": COLUMNS}
    read = [read_table(path, "evaluation table", **columns) for path in paths_to_evaluations]
    measured = [read_table(path, "geometry table") for path in paths_to_geometry]
    tables = compare(
        read_table(path_to_minima, "table of minima"),
        pd.concat(read, ignore_index=True),
        pd.concat(measured, ignore_index=True),
        settings,
        seed,
    )
    for path in paths:
        write_table(tables[Path(path).stem], path)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.input.minima,
            snakemake.input.evaluations,
            snakemake.input.geometry,
            snakemake.params.settings,
            snakemake.params.seed,
            snakemake.output,
        )
