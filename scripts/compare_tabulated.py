"""Compare samplers on the tabulated landscapes of one problem, and with direct trainings."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from tilesearch.analysis.scores import joined
from tilesearch.analysis.tabulated import (
    Landscape,
    LossTable,
    adaptive,
    agreement,
    borders,
    open_table,
    replicates,
    shape,
)
from tilesearch.files import read_json, write_table
from tilesearch.logs import job_log
from tilesearch.problems.trainers import read_table, target_of
from tilesearch.space import Parameter, Space


def open_tables(
    rows: pd.DataFrame,
    edges: Sequence[np.ndarray],
    coefficients: int,
    data: str,
    batches: str,
) -> dict[int, Landscape]:
    """The table of every batch; a failed training is NaN."""

    def target(batch: int):
        return target_of(data, batches, batch) if coefficients else None

    parts = {int(batch): part for batch, part in rows.groupby("batch")}
    return {b: open_table(part, edges, coefficients, target(b)) for b, part in parts.items()}


def yardsticks(found: pd.DataFrame, tables: Mapping[int, Landscape]) -> dict[int, float]:
    """What the minima of each batch are divided by.

    The smallest loss of the table, which stays where it is when a sampler is added. Losses that
    hang on coefficients have no smallest one: then the smallest that any design found.
    """
    best = found.groupby("batch")["minimum"].min()
    return {
        batch: float(np.nanmin(table.losses)) if isinstance(table, LossTable) else best[batch]
        for batch, table in tables.items()
    }


def summary(found: pd.DataFrame, tables: Mapping[int, Landscape], baseline: str) -> pd.DataFrame:
    """Means over batches of the minimum, and of its paired difference to the baseline.

    A minimum is divided by the batch's yardstick. ``difference`` is that of a batch's mean
    logarithms, which does not hang on it.
    """
    smallest = yardsticks(found, tables)
    scaled = found.assign(normalised=found["minimum"] / found["batch"].map(smallest))
    # A search that met failed trainings alone has no minimum.
    scaled["normalised"] = scaled["normalised"].where(np.isfinite(scaled["normalised"]))
    scaled["log"] = np.log(scaled["normalised"])
    keys = ["sampler", "n"]
    by_batch = scaled.groupby([*keys, "batch"], as_index=False).agg(
        normalised=("normalised", "mean"), replicates=("normalised", "size"), log=("log", "mean")
    )
    others = by_batch.loc[by_batch["sampler"] == baseline, ["n", "batch", "log"]]
    paired = by_batch.merge(others, on=["n", "batch"], how="left", suffixes=("", "_baseline"))
    by_batch["difference"] = (paired["log"] - paired["log_baseline"]).to_numpy()
    table = by_batch.groupby(keys, as_index=False).agg(
        batches=("normalised", "count"),
        replicates=("replicates", "max"),
        mean=("normalised", "mean"),
        error=("normalised", "sem"),
        difference=("difference", "mean"),
        difference_error=("difference", "sem"),
    )
    return table.sort_values(["n", "sampler"], ignore_index=True)


def main(
    paths: Sequence[str],
    inputs: Mapping[str, str],
    names: Mapping[str, str],
    parameters: list[dict],
    coefficients: int,
    samplers: Sequence[str],
    settings: Mapping,
    mode: str,
    d: int,
    trained: int,
    seed: int,
    baseline: str,
    outputs: Mapping[str, str],
) -> None:
    """Write the scores on the tables, and their agreement with the designs of the study."""
    space = Space("table", tuple(Parameter(**p) for p in parameters))
    space = space.within(read_json(inputs["screen"])["domain"])
    rows = pd.concat([read_table(path, "tabulated batch") for path in paths], ignore_index=True)
    edges = borders(space, settings["levels"])
    tables = open_tables(rows, edges, coefficients, inputs["data"], inputs["batches"])
    minima = read_table(inputs["minima"], "table of minima")
    for key, value in names.items():
        minima = minima[minima[key] == value]
    sizes = sorted(int(n) for n in minima["n"].unique())
    found = replicates(tables, samplers, sizes, d, count=settings["replicates"], seed=seed)
    runs = {"names": settings["adaptive"], "count": settings["runs"], "seed": seed}
    searched = adaptive(tables, sizes, d, **runs)
    scores = summary(pd.concat([found, searched], ignore_index=True), tables, baseline)
    numbers = {"trained": trained, "table_trainings": int(np.prod(shape(edges)))}
    agreed = agreement(minima, found, **numbers, baseline=baseline)
    # Which designs the tables are set against: trained ones, or single ones of the same tables.
    for name, table in (("scores", scores), ("agreement", agreed.assign(mode=mode))):
        labelled = table.assign(**names, stand_in=joined(rows["stand_in"]))
        write_table(labelled, outputs[name])


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.input.tables,
            dict(snakemake.input.items()),
            {"problem": snakemake.wildcards.problem, "space": snakemake.wildcards.space},
            snakemake.params.parameters,
            snakemake.params.coefficients,
            snakemake.params.samplers,
            snakemake.params.settings,
            snakemake.params.mode,
            snakemake.params.d,
            snakemake.params.trained,
            snakemake.params.seed,
            snakemake.params.baseline,
            dict(snakemake.output.items()),
        )
