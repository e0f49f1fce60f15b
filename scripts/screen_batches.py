"""Choose the domain of all batches, and the batches whose minimum lies inside it."""

import logging

import pandas as pd

from tilesearch.files import write_json
from tilesearch.logs import job_log
from tilesearch.problems.trainers import read_table
from tilesearch.screen import minimum, screen

log = logging.getLogger(__name__)


def main(
    paths_to_scans: list[str], domain: dict, on_edge: str, problem: str, path_to_screen: str
) -> None:
    """Write domain, kept and dropped batches; say which were dropped, and why."""
    tables = [read_table(path, "scan table") for path in paths_to_scans]
    scans = pd.concat(tables, ignore_index=True)
    minima = []
    for batch, scan in scans.groupby("batch"):
        points = {name: scan[name].to_numpy() for name in domain}
        minima.append(minimum(int(batch), points, scan["loss"].to_numpy()))
    scanned = {name: scans[name].unique() for name in domain} if on_edge == "expand" else None
    result = screen(minima, {name: tuple(ends) for name, ends in domain.items()}, scanned)
    for dropped in result["dropped"]:
        log.info("%s: batch %d is dropped: %s", problem, dropped["batch"], dropped["reason"])
    log.info("%s: %d of %d batches kept", problem, len(result["kept"]), len(minima))
    write_json(path_to_screen, result)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.input,
            snakemake.params.domain,
            snakemake.params.on_edge,
            snakemake.wildcards.problem,
            snakemake.output[0],
        )
