"""Collect the evaluations of one space, and check that none is missing."""

import pandas as pd

from tilesearch.errors import InputError
from tilesearch.files import write_table
from tilesearch.logs import job_log
from tilesearch.problems.trainers import read_table


def collect(tables: list[pd.DataFrame], points: int, batches: int) -> pd.DataFrame:
    """Concatenate and sort; the number of rows must be the product that the config asks for.

    Raises
    ------
    InputError
        If rows are missing or double.
    """
    filled = [table for table in tables if len(table)]
    found = sum(map(len, filled))
    keys = ["batch", "sampler", "n", "point"]
    table = pd.concat(filled, ignore_index=True) if filled else None
    if found != points * batches or table.duplicated(keys).any():
        raise InputError(
            f"{found} evaluations were found and {points * batches} are expected "
            f"({points} points in each of {batches} batches), delete the evaluations folder of "
            "this space and start again: the journals are kept"
        )
    return table.sort_values(keys, ignore_index=True)


def main(paths: list[str], points: int, batches: int, path_to_evaluations: str) -> None:
    """Write the collected table."""
    tables = [read_table(path, "evaluation table") for path in paths]
    write_table(collect(tables, points, batches), path_to_evaluations)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.input.evaluations,
            snakemake.params.points,
            snakemake.params.batches,
            snakemake.output[0],
        )
