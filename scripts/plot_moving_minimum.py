"""Draw where the minima of the batches lie."""

from tilesearch.figures import style
from tilesearch.figures.study import moving_minimum
from tilesearch.files import read_json
from tilesearch.logs import job_log


def main(
    path_to_screen: str,
    path_to_facts: str,
    parameters: dict,
    problem: str,
    dpi: int,
    path_to_figure: str,
) -> None:
    """Write PNG and SVG."""
    stand_in = read_json(path_to_facts).get("stand_in") or ""
    figure = moving_minimum(read_json(path_to_screen), parameters, problem, stand_in=stand_in)
    style.save(figure, path_to_figure, dpi=dpi)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.input.screen,
            snakemake.input.facts,
            snakemake.params.parameters,
            snakemake.wildcards.problem,
            snakemake.params.dpi,
            snakemake.output.png,
        )
