"""Draw the loss landscapes of the batches."""

import pandas as pd

from tilesearch.figures import style
from tilesearch.figures.landscapes import landscapes
from tilesearch.files import read_json
from tilesearch.logs import job_log
from tilesearch.problems.trainers import read_table


def main(
    paths: list[str],
    path_to_screen: str,
    parameters: dict,
    problem: str,
    dpi: int,
    path_to_figure: str,
) -> None:
    """Write PNG and SVG."""
    scans = pd.concat([read_table(path, "scan table") for path in paths], ignore_index=True)
    figure = landscapes(scans, read_json(path_to_screen), parameters, problem)
    style.save(figure, path_to_figure, dpi=dpi)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.input.scans,
            snakemake.input.screen,
            snakemake.params.parameters,
            snakemake.wildcards.problem,
            snakemake.params.dpi,
            snakemake.output.png,
        )
