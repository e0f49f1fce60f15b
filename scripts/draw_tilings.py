"""Draw the samplers in two dimensions: the three tilings, and the chess-board analogy."""

from tilesearch.figures import style
from tilesearch.figures.tilings import chess_board, hypertiling_3d, three_tilings
from tilesearch.logs import job_log

FIGURES = {
    "three-tilings": three_tilings,
    "chess-board-analogy": chess_board,
    "hypertiling-3d": hypertiling_3d,
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
