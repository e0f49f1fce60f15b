"""Assign the rows of a problem's data to batches and parts."""

from tilesearch.batches import split
from tilesearch.files import read_json, write_table
from tilesearch.logs import job_log


def main(path_to_facts: str, settings: dict, seed: int, problem: str, path_to_batches: str) -> None:
    """Write the table of batch, part and row."""
    rows = read_json(path_to_facts)["rows"]
    write_table(split(settings, rows, seed, problem), path_to_batches)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.input.facts,
            snakemake.params.settings,
            snakemake.params.seed,
            snakemake.wildcards.problem,
            snakemake.output[0],
        )
