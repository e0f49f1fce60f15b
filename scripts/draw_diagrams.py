"""Draw the diagrams that need no results."""

from tilesearch.figures import style
from tilesearch.figures.diagrams import important_unimportant, odd_polynomial, protocol
from tilesearch.logs import job_log

FIGURES = {
    "important-and-unimportant-parameter": important_unimportant,
    "protocol": lambda seed: protocol(),
    "odd-polynomial": odd_polynomial,
}


def main(name: str, seed: int, path_to_figure: str, dpi: int) -> None:
    """Write PNG and SVG of one of `FIGURES`."""
    style.save(FIGURES[name](seed), path_to_figure, dpi=dpi)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.wildcards.name,
            snakemake.params.seed,
            snakemake.output.png,
            snakemake.params.dpi,
        )
