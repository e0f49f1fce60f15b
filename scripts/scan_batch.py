"""Scan one batch on a grid of the domain, to see where its minimum lies."""

import pandas as pd

from tilesearch.files import write_table
from tilesearch.logs import job_log
from tilesearch.problems.trainers import spare_sklearn
from tilesearch.samplers import make
from tilesearch.space import Parameter, Space
from train import open_batch, rows_of


def main(
    parameters: list[dict],
    resolution: int,
    batch: int,
    inputs: dict[str, str],
    settings: dict,
    journal: str,
    threads: int,
    path_to_scan: str,
) -> None:
    """Write one row per point of the scan: parameter values and loss."""
    space = Space("scan", tuple(Parameter(**p) for p in parameters))
    unit = make("grid", space.d).random(resolution**space.d)
    # The levels of an int parameter may coincide.
    points = pd.DataFrame(space.values(unit)).drop_duplicates(ignore_index=True)
    opened = open_batch(inputs, batch, settings, threads)
    rows = rows_of(points, list(points.columns), opened, settings, journal, f"scan-{batch}")
    points.insert(0, "batch", batch)
    write_table(points.assign(**rows, stand_in=opened.stand_in), path_to_scan)


if __name__ == "__main__":
    spare_sklearn()
    with job_log(snakemake.log[0]):
        main(
            snakemake.params.parameters,
            snakemake.params.resolution,
            int(snakemake.wildcards.batch),
            dict(snakemake.input.items()),
            snakemake.params.settings,
            snakemake.params.journal,
            snakemake.threads,
            snakemake.output[0],
        )
