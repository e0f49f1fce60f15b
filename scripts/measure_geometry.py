"""Measure how well the points of every sampler lie, for one dimension and number of points."""

import pandas as pd

from tilesearch.figures import style
from tilesearch.figures.geometry import geometry_figure
from tilesearch.files import write_table
from tilesearch.geometry import draws, table
from tilesearch.logs import job_log


def main(
    samplers: list[str], d: int, n: int, seeds: int, seed: int, outputs: dict[str, str], dpi: int
) -> None:
    """Write the table (mean and standard error over seeded designs) and its figure."""
    rows = table(draws(samplers, d, n, seeds=seeds, seed=seed))
    write_table(pd.DataFrame(rows), outputs["csv"], outputs["parquet"])
    style.save(geometry_figure(rows, d, n), outputs["png"], dpi=dpi)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.params.samplers,
            int(snakemake.wildcards.d),
            int(snakemake.wildcards.n),
            snakemake.params.seeds,
            snakemake.params.seed,
            dict(snakemake.output.items()),
            snakemake.params.dpi,
        )
