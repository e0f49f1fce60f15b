"""Load the data of a problem into one table of features and target."""

from tilesearch.files import sha256, write_json, write_table
from tilesearch.logs import job_log
from tilesearch.problems import module


def main(kind: str, data: dict, seed: int, path_to_data: str, path_to_facts: str) -> None:
    """Write the data table, and what is to be known about it."""
    table, facts = module(kind).load(data, seed)
    write_table(table, path_to_data)
    features = [name for name in table.columns if name != "target"]
    facts |= {"rows": len(table), "features": features, "sha256": sha256(path_to_data)}
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
