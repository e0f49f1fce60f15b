"""Load the data of a problem that is trained as networks into named arrays."""

import numpy as np

from tilesearch.files import sha256, write_json
from tilesearch.logs import job_log
from tilesearch.problems import module


def main(kind: str, data: dict, seed: int, path_to_data: str, path_to_facts: str) -> None:
    """Write the arrays, and what is to be known about them."""
    loaded = module(kind).load(data, seed)
    np.savez(path_to_data, **loaded.arrays)
    facts = {**loaded.facts, "rows": loaded.rows, "sha256": sha256(path_to_data)}
    write_json(path_to_facts, facts)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.params.kind,
            snakemake.params.data,
            snakemake.params.seed,
            snakemake.output.data,
            snakemake.output.facts,
        )
