"""Tune what is not searched of a problem's network, such as the widths of its layers."""

from tilesearch.files import read_json, write_json
from tilesearch.logs import job_log
from tilesearch.problems import module
from tilesearch.problems.base import Data
from tilesearch.problems.trainers import read_arrays
from tilesearch.training.fused import use_threads


def main(
    kind: str,
    path_to_data: str,
    path_to_facts: str,
    settings: dict,
    seed: int,
    threads: int,
    path_to_tuned: str,
) -> None:
    """Write the tuned settings."""
    use_threads(threads)
    data = Data(read_arrays(path_to_data), read_json(path_to_facts))
    write_json(path_to_tuned, module(kind).tune(data, settings, seed))


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.params.kind,
            snakemake.input.data,
            snakemake.input.facts,
            snakemake.params.settings,
            snakemake.params.seed,
            snakemake.threads,
            snakemake.output[0],
        )
