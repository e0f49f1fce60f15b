"""Write the report of a study: one HTML file."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import yaml

from tilesearch.analysis.tables import read
from tilesearch.files import read_json
from tilesearch.logs import job_log
from tilesearch.problems.trainers import read_table
from tilesearch.report import pictures, render, run_times


def tabulated_tables(paths: Sequence[str]) -> dict[str, pd.DataFrame]:
    """The tables of all spaces in one, by what they say; {} where nothing was tabulated."""
    found = {}
    for name, ending in (("tabulated", "-scores.csv"), ("agreement", "-agreement.csv")):
        parts = [read(Path(path)) for path in paths if path.endswith(ending)]
        found |= {name: pd.concat(parts, ignore_index=True)} if parts else {}
    return found


def main(
    path_to_template: str,
    tables: Sequence[str],
    tabulated: Sequence[str],
    figures: Sequence[str],
    captions: Sequence[str],
    facts: Sequence[str],
    screens: Sequence[str],
    benchmarks: str,
    config: Mapping,
    path_to_report: str,
) -> None:
    """Write the report; a problem's files lie in the folder of its name."""
    texts = {Path(path).stem: Path(path).read_text(encoding="utf-8") for path in captions}
    frames = {Path(path).stem: read_table(path, "table") for path in tables}
    html = render(
        Path(path_to_template).read_text(encoding="utf-8"),
        tables=frames | tabulated_tables(tabulated),
        shown=pictures(figures, texts),
        facts={Path(path).parent.name: read_json(path) for path in facts},
        screens={Path(path).parent.name: read_json(path) for path in screens},
        times=run_times(benchmarks),
        config_text=yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True),
        seed=config["seed"],
        baseline=config["statistics"]["baseline"],
    )
    Path(path_to_report).write_text(html, encoding="utf-8")


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.input.template,
            snakemake.input.tables,
            snakemake.input.get("tabulated", []),
            snakemake.input.figures,
            snakemake.input.captions,
            snakemake.input.facts,
            snakemake.input.screens,
            snakemake.params.benchmarks,
            snakemake.params.config,
            snakemake.output[0],
        )
