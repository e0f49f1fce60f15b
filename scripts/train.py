"""Train the models of one batch and chunk of points."""

from pathlib import Path

import pandas as pd

from tilesearch.designs import keyed
from tilesearch.files import read_json, write_table
from tilesearch.logs import job_log
from tilesearch.problems.trainers import (
    Opened,
    open_boosting,
    open_network,
    read_table,
    spare_sklearn,
)
from tilesearch.space import Parameter, Space
from tilesearch.training.evaluation import evaluate


def open_batch(
    inputs: dict[str, str], batch: int, settings: dict, threads: int, *, predict: bool = False
) -> Opened:
    """Open one batch from the files of the stages before; `predict` as for `open_boosting`."""
    common = {
        "batch": batch,
        "model": settings["model"],
        "seed": settings["seed"],
        "problem": settings["problem"],
    }
    if settings["engine"] == "networks":
        names = ("data", "facts", "batches", "embedded", "tuned")
        files = {name: inputs[name] for name in names if name in inputs}
        return open_network(settings["kind"], **files, **common, threads=threads)
    names = ("data", "facts", "selected", "tuned", "batches")
    return open_boosting(
        **{name: inputs[name] for name in names},
        **common,
        space=settings["space"],
        coefficients=settings["coefficients"],
        predict=predict,
    )


def rows_of(
    values: pd.DataFrame,
    influential: list[str],
    opened: Opened,
    settings: dict,
    journal: str,
    name: str,
    *,
    facts: tuple[str, ...] = (),
) -> dict[str, list]:
    """Evaluate points; columns loss, status, reason, training, seconds and those of `facts`."""
    points = values[influential].to_dict("records")
    folder = Path(journal) / opened.fingerprint
    rows = evaluate(points, settings["trained"], opened.trainer, folder, name)
    columns = ("loss", "status", "reason", "training", "seconds", *facts)
    return {column: [row.get(column) for row in rows] for column in columns}


def main(
    batch: int,
    chunk: int,
    parameters: list[dict],
    unimportant: list[str],
    inputs: dict[str, str],
    settings: dict,
    journal: str,
    threads: int,
    path_to_evaluations: str,
) -> None:
    """Write one row per point of the chunk."""
    domain = read_json(inputs["screen"])["domain"]
    space = Space(settings["space"], tuple(Parameter(**p) for p in parameters)).within(domain)
    chosen = [("batch", "==", batch), ("chunk", "==", chunk)]
    points = read_table(inputs["designs"], "design table", filters=chosen)
    table = keyed(points, space, settings["problem"])
    influential = [name for name in space.names if name not in unimportant]
    opened = open_batch(inputs, batch, settings, threads)
    name = f"{settings['space']}-{batch}-{chunk}"
    rows = rows_of(table, influential, opened, settings, journal, name)
    write_table(table.assign(**rows, stand_in=opened.stand_in), path_to_evaluations)


if __name__ == "__main__":
    spare_sklearn()
    with job_log(snakemake.log[0]):
        main(
            int(snakemake.wildcards.batch),
            int(snakemake.wildcards.chunk),
            snakemake.params.parameters,
            snakemake.params.unimportant,
            dict(snakemake.input.items()),
            snakemake.params.settings,
            snakemake.params.journal,
            snakemake.threads,
            snakemake.output[0],
        )
