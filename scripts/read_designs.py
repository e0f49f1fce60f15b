"""Read the losses of one batch and chunk of points from the batch's table."""

import numpy as np

from tilesearch.analysis.tabulated import borders, cell_numbers, open_table
from tilesearch.designs import keyed, unit_columns
from tilesearch.files import read_json, write_table
from tilesearch.logs import job_log
from tilesearch.problems.trainers import read_table, target_of
from tilesearch.space import Parameter, Space


def main(
    batch: int,
    chunk: int,
    parameters: list[dict],
    searched: list[str],
    levels: int,
    inputs: dict[str, str],
    settings: dict,
    path_to_evaluations: str,
) -> None:
    """Write one row per point of the chunk, like `train.main`; reading takes no seconds."""
    domain = read_json(inputs["screen"])["domain"]
    space = Space(settings["space"], tuple(Parameter(**p) for p in parameters)).within(domain)
    edges = borders(Space("table", space.parameters[: len(searched)]), levels)
    rows = read_table(inputs["table"], "tabulated batch")
    coefficients = settings["coefficients"]
    target = target_of(inputs["data"], inputs["batches"], batch) if coefficients else None
    chosen = [("batch", "==", batch), ("chunk", "==", chunk)]
    points = read_table(inputs["designs"], "design table", filters=chosen)
    unit = points[unit_columns(space.d)].to_numpy()
    losses = open_table(rows, edges, coefficients, target).loss(unit)
    cells = rows.iloc[cell_numbers(unit, edges)]
    failed = ~np.isfinite(losses)
    why = cells["reason"].where(cells["reason"] != "", "the loss is not finite")
    table = keyed(points, space, settings["problem"]).assign(
        loss=np.where(failed, np.nan, losses),
        status=np.where(failed, "failed", "ok"),
        reason=np.where(failed, why, ""),
        training=cells["training"].to_numpy(),
        seconds=0.0,
        stand_in=cells["stand_in"].to_numpy(),
    )
    write_table(table, path_to_evaluations)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            int(snakemake.wildcards.batch),
            int(snakemake.wildcards.chunk),
            snakemake.params.parameters,
            snakemake.params.searched,
            snakemake.params.levels,
            dict(snakemake.input.items()),
            snakemake.params.settings,
            snakemake.output[0],
        )
