"""Draw which features matter: the bar chart and the beeswarm."""

import pandas as pd

from tilesearch.figures import shap, style
from tilesearch.files import read_json
from tilesearch.logs import job_log
from tilesearch.problems.trainers import read_table


def main(
    path_to_ranking: str,
    path_to_values: str,
    path_to_facts: str,
    dpi: int,
    path_to_bars: str,
    path_to_beeswarm: str,
) -> None:
    """Write PNG and SVG of both figures."""
    explained, facts = read_table(path_to_values, "table of SHAP values"), read_json(path_to_facts)
    names = explained["feature"].unique().tolist()
    values, features = (
        explained[column].to_numpy().reshape(len(names), -1).T for column in ("shap", "value")
    )
    about = {"stand_in": facts["stand_in"], "task": facts["task"]}
    bars = shap.bar_chart(pd.read_csv(path_to_ranking), len(names), **about)
    style.save(bars, path_to_bars, dpi=dpi)
    swarm = shap.beeswarm(values, features, names, **about, classes=len(facts.get("classes", [])))
    style.save(swarm, path_to_beeswarm, dpi=dpi)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.input.ranking,
            snakemake.input.shap,
            snakemake.input.facts,
            snakemake.params.dpi,
            snakemake.output.bars,
            snakemake.output.beeswarm,
        )
