"""Draw the result plot of one space."""

from tilesearch.figures import style
from tilesearch.figures.results import result_plot
from tilesearch.logs import job_log
from tilesearch.problems.trainers import read_table


def main(path_to_scores: str, problem: str, space: str, dpi: int, path_to_figure: str) -> None:
    """Write PNG and SVG."""
    scores = read_table(path_to_scores, "table of scores")
    style.save(result_plot(scores, problem, space), path_to_figure, dpi=dpi)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.input.scores,
            snakemake.wildcards.problem,
            snakemake.wildcards.space,
            snakemake.params.dpi,
            snakemake.output.png,
        )
