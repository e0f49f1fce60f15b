"""Draw the designs of the first batch of a 2-d space."""

from tilesearch.figures import style
from tilesearch.figures.designs import designs_2d
from tilesearch.logs import job_log
from tilesearch.problems.trainers import read_table


def main(path_to_designs: str, problem: str, dpi: int, path_to_figure: str) -> None:
    """Write PNG and SVG."""
    table = read_table(path_to_designs, "design table")
    first = table[table["batch"] == table["batch"].min()]
    style.save(designs_2d(first, f"{problem}: designs of one batch"), path_to_figure, dpi=dpi)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.input.designs,
            snakemake.wildcards.problem,
            snakemake.params.dpi,
            snakemake.output.png,
        )
