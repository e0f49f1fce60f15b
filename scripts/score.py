"""Smallest loss of every design, normalised within its batch, and means over batches."""

import pandas as pd

from tilesearch.analysis.scores import minima, scores
from tilesearch.files import write_table
from tilesearch.logs import job_log
from tilesearch.problems.trainers import read_table


def main(paths: list[str], paths_to_minima: list[str], paths_to_scores: list[str]) -> None:
    """Write the minima of all designs and the scores of all samplers."""
    tables = [minima(read_table(path, "evaluation table")) for path in paths]
    found = pd.concat(tables, ignore_index=True)
    write_table(found, *paths_to_minima)
    write_table(scores(found), *paths_to_scores)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.input,
            [snakemake.output.minima, snakemake.output.minima_csv],
            [snakemake.output.scores, snakemake.output.scores_csv],
        )
