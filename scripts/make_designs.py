"""Place the points: every sampler, size and batch of one space."""

import numpy as np
import pandas as pd

from tilesearch.designs import chunks, designs
from tilesearch.files import write_table
from tilesearch.logs import job_log
from tilesearch.study import read


def main(config: dict, problem: str, space: str, path_to_designs: str) -> None:
    """Write one row per point, with the training job that it belongs to."""
    study = read(config)
    chosen = study.problems[problem].spaces[space]
    table = designs(chosen, study.problems[problem].batches, study.seed)
    jobs = table.groupby("batch")["u1"].transform(
        lambda u: pd.Series(chunks(u.to_numpy(), chosen.points_per_job), u.index)
    )
    table.insert(1, "chunk", jobs.astype(np.int32))
    write_table(table, path_to_designs)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.params.config,
            snakemake.wildcards.problem,
            snakemake.wildcards.space,
            snakemake.output[0],
        )
