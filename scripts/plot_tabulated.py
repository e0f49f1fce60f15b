"""Draw the samplers on the tabulated landscapes of one space, with adaptive reference lines."""

from pathlib import Path

from tilesearch.analysis.tables import read
from tilesearch.figures import style
from tilesearch.figures.tabulated import tabulated_plot
from tilesearch.logs import job_log


def main(path: str, problem: str, space: str, baseline: str, dpi: int, path_to_figure: str) -> None:
    """Write PNG and SVG."""
    figure = tabulated_plot(read(Path(path)), problem, space, baseline)
    style.save(figure, path_to_figure, dpi=dpi)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.input[0],
            snakemake.wildcards.problem,
            snakemake.wildcards.space,
            snakemake.params.baseline,
            snakemake.params.dpi,
            snakemake.output.png,
        )
