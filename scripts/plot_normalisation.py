"""Draw the minimum losses before and after normalisation."""

from tilesearch.figures import style
from tilesearch.figures.statistics import before_after
from tilesearch.logs import job_log
from tilesearch.problems.trainers import read_table


def main(path_to_minima: str, problem: str, space: str, dpi: int, path_to_figure: str) -> None:
    """Write PNG and SVG."""
    minima = read_table(path_to_minima, "table of minima")
    style.save(before_after(minima, problem, space), path_to_figure, dpi=dpi)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.input.minima,
            snakemake.wildcards.problem,
            snakemake.wildcards.space,
            snakemake.params.dpi,
            snakemake.output.png,
        )
