"""Compare samplers on the tabulated landscapes of one problem, and with direct trainings."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from tilesearch.analysis.scores import joined, usable
from tilesearch.analysis.tabulated import LossTable, adaptive, agreement, replicates, shape
from tilesearch.files import read_json, write_table
from tilesearch.logs import job_log
from tilesearch.problems.trainers import read_table
from tilesearch.space import Parameter, Space


def open_tables(rows: pd.DataFrame, counts: tuple[int, ...]) -> dict[int, LossTable]:
    """The table of every batch; a failed training is NaN."""
    losses = rows["loss"].where(usable(rows))
    parts = {batch: losses[part.index] for batch, part in rows.groupby("batch")}
    return {int(b): LossTable(part.to_numpy(float).reshape(counts)) for b, part in parts.items()}


def summary(found: pd.DataFrame, tables: Mapping[int, LossTable], baseline: str) -> pd.DataFrame:
    """Means over batches of the minimum, and of its paired difference to the baseline.

    A minimum is divided by the smallest loss of its batch's table, a yardstick that stays where
    it is when a sampler is added. ``difference`` is that of the logarithms of a batch's means.
    """
    smallest = {batch: np.nanmin(table.losses) for batch, table in tables.items()}
    scaled = found.assign(normalised=found["minimum"] / found["batch"].map(smallest))
    keys = ["sampler", "n"]
    by_batch = scaled.groupby([*keys, "batch"], as_index=False).agg(
        normalised=("normalised", "mean"), replicates=("normalised", "size")
    )
    by_batch["log"] = np.log(by_batch["normalised"])
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
    path_to_screen: str,
    path_to_minima: str,
    names: Mapping[str, str],
    parameters: list[dict],
    samplers: Sequence[str],
    settings: Mapping,
    trained: int,
    seed: int,
    baseline: str,
    outputs: Mapping[str, str],
) -> None:
    """Write the scores on the tables, and their agreement with direct trainings."""
    space = Space("table", tuple(Parameter(**p) for p in parameters))
    space = space.within(read_json(path_to_screen)["domain"])
    rows = pd.concat([read_table(path, "tabulated batch") for path in paths], ignore_index=True)
    counts = shape(space, settings["levels"])
    tables = open_tables(rows, counts)
    minima = read_table(path_to_minima, "table of minima")
    for key, value in names.items():
        minima = minima[minima[key] == value]
    sizes = sorted(int(n) for n in minima["n"].unique())
    found = replicates(tables, samplers, sizes, space.d, count=settings["replicates"], seed=seed)
    runs = {"names": settings["adaptive"], "count": settings["runs"], "seed": seed}
    searched = adaptive(tables, sizes, space.d, **runs)
    scores = summary(pd.concat([found, searched], ignore_index=True), tables, baseline)
    agreed = agreement(minima, found, trained=trained, table_trainings=int(np.prod(counts)))
    for name, table in (("scores", scores), ("agreement", agreed)):
        labelled = table.assign(**names, stand_in=joined(rows["stand_in"]))
        write_table(labelled, outputs[name])


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.input.tables,
            snakemake.input.screen,
            snakemake.input.minima,
            {"problem": snakemake.wildcards.problem, "space": snakemake.wildcards.space},
            snakemake.params.parameters,
            snakemake.params.samplers,
            snakemake.params.settings,
            snakemake.params.trained,
            snakemake.params.seed,
            snakemake.params.baseline,
            dict(snakemake.output.items()),
        )
