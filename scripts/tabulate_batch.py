"""Train one batch at every cell of a fine lattice of the domain."""

import pandas as pd

from tilesearch.analysis.tabulated import lattice
from tilesearch.files import read_json, write_table
from tilesearch.logs import job_log
from tilesearch.problems.trainers import spare_sklearn
from tilesearch.space import Parameter, Space
from train import open_batch, rows_of


def main(
    parameters: list[dict],
    levels: int,
    batch: int,
    inputs: dict[str, str],
    settings: dict,
    journal: str,
    threads: int,
    path_to_table: str,
) -> None:
    """Write one row per cell, in the order of the lattice; with coefficients its predictions."""
    space = Space("table", tuple(Parameter(**p) for p in parameters))
    space = space.within(read_json(inputs["screen"])["domain"])
    points = pd.DataFrame(space.values(lattice(space, levels)))
    opened = open_batch(inputs, batch, settings, threads, predict=True)
    facts = ("prediction",) if settings["coefficients"] else ()
    name = f"{settings['space']}-table-{batch}"
    rows = rows_of(points, list(points.columns), opened, settings, journal, name, facts=facts)
    points.insert(0, "batch", batch)
    write_table(points.assign(**rows, stand_in=opened.stand_in), path_to_table)


if __name__ == "__main__":
    spare_sklearn()
    with job_log(snakemake.log[0]):
        main(
            snakemake.params.parameters,
            snakemake.params.levels,
            int(snakemake.wildcards.batch),
            dict(snakemake.input.items()),
            snakemake.params.settings,
            snakemake.params.journal,
            snakemake.threads,
            snakemake.output[0],
        )
