"""Draw one figure of the statistics of one space."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from tilesearch.analysis.comparison import ranks
from tilesearch.analysis.design_geometry import MEASURES
from tilesearch.figures import statistics, style
from tilesearch.figures.results import selected, stand_in_of
from tilesearch.figures.study import edge_effects
from tilesearch.logs import job_log
from tilesearch.problems.trainers import read_table


def _ranks(minima: pd.DataFrame, problem: str, space: str) -> Figure:
    rows = selected(minima, "minima", problem=problem, space=space)
    title = f"{problem}, {space}"
    return statistics.critical_difference(
        ranks(minima, problem, space), title, stand_in=stand_in_of(rows)
    )


def _geometry(geometry, minima, correlations, problem: str, space: str) -> Figure:
    return statistics.geometry_scatter(geometry, minima, correlations, problem, space, MEASURES)


#: name of the figure in its file -> what draws it, from the tables that its rule has as inputs
FIGURES = {
    "scaled-minima-histograms": statistics.scaled_histograms,
    "equivalent-random-budget": statistics.budget_plot,
    "critical-difference": _ranks,
    "geometry-against-loss": _geometry,
    "edge-effects": edge_effects,
}


def main(
    name: str, paths: Mapping[str, str], problem: str, space: str, dpi: int, path_to_figure: str
) -> None:
    """Write PNG and SVG of one of `FIGURES`."""
    tables = {key: read_table(path, f"table '{key}'") for key, path in paths.items()}
    figure = FIGURES[name](**tables, problem=problem, space=space)
    style.save(figure, path_to_figure, dpi=dpi)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.params.name,
            dict(snakemake.input.items()),
            snakemake.wildcards.problem,
            snakemake.wildcards.space,
            snakemake.params.dpi,
            snakemake.output.png,
        )
