"""Draw what the data look like: images of every class, or an event."""

import numpy as np
from matplotlib.figure import Figure

from tilesearch.figures import style
from tilesearch.figures.examples import class_images, event
from tilesearch.files import read_json
from tilesearch.logs import job_log


def examples(arrays: dict, facts: dict, problem: str, seed: int) -> Figure:
    """Events where the data have hits, images where they have classes."""
    stand_in = facts["stand_in"] or ""
    if "hits" in arrays:
        where = (arrays["x"], arrays["hits"], arrays["y"], facts["metres"])
        return event(*where, stand_in=stand_in)
    labelled = (arrays["x"], arrays["y"], facts["classes"])
    return class_images(*labelled, problem, stand_in=stand_in, seed=seed)


def main(
    path_to_data: str, path_to_facts: str, problem: str, seed: int, dpi: int, path_to_figure: str
) -> None:
    """Write PNG and SVG."""
    with np.load(path_to_data) as stored:
        figure = examples(dict(stored), read_json(path_to_facts), problem, seed)
    style.save(figure, path_to_figure, dpi=dpi)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.input.data,
            snakemake.input.facts,
            snakemake.wildcards.problem,
            snakemake.params.seed,
            snakemake.params.dpi,
            snakemake.output.png,
        )
