"""Count what a study asks for: a table, and a figure of dimension against resolution."""

from collections.abc import Mapping

import pandas as pd

from tilesearch.config import measured_seconds
from tilesearch.counts import count
from tilesearch.figures import style
from tilesearch.figures.study import coverage
from tilesearch.files import write_table
from tilesearch.logs import job_log
from tilesearch.study import Study, read


def count_table(study: Study) -> pd.DataFrame:
    """One row per problem, space and size of design."""
    rows = []
    for row in count(study, measured_seconds()):
        space = study.problems[row.problem].spaces[row.space]
        for size, trainings in row.points.items():
            rows.append(
                {
                    "problem": row.problem,
                    "space": row.space,
                    "d": row.d,
                    "unimportant": len(space.unimportant),
                    "resolution": size.resolution,
                    "n": size.n,
                    "samplers": len(space.samplers),
                    "batches": row.batches,
                    "trainings": trainings,
                }
            )
    return pd.DataFrame(rows).astype({"resolution": "Int64"})


def main(config: Mapping, dpi: int, outputs: Mapping[str, str]) -> None:
    """Write CSV, Parquet, PNG and SVG."""
    table = count_table(read(config))
    write_table(table, outputs["csv"], outputs["parquet"])
    style.save(coverage(table), outputs["png"], dpi=dpi)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake.params.config, snakemake.params.dpi, dict(snakemake.output.items()))
