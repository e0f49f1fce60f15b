"""Tune LightGBM on all the data and keep the features with the largest mean |SHAP|."""

import numpy as np
import pandas as pd

from tilesearch.errors import InputError
from tilesearch.files import read_json, write_json, write_table
from tilesearch.logs import job_log
from tilesearch.problems.selection import ranking, shap_values, tune
from tilesearch.problems.table import TARGET
from tilesearch.problems.trainers import matrix, read_table


def main(
    path_to_data: str,
    path_to_facts: str,
    settings: dict,
    model: dict,
    seed: int,
    threads: int,
    outputs: dict[str, str],
) -> None:
    """Write ranking, selected features, tuned settings, and SHAP values of what is kept."""
    table, facts = read_table(path_to_data, "data table"), read_json(path_to_facts)
    names = facts["features"]
    if settings["keep"] > len(names):
        raise InputError(
            f"features.keep is {settings['keep']}, but there are only {len(names)} features, "
            "keep fewer or set features: none"
        )
    x, categorical = matrix(table[names])
    tuned, booster = tune(
        x,
        table[TARGET].to_numpy(),
        task=facts["task"],
        trials=settings["trials"],
        rounds=model["rounds"],
        patience=model["patience"],
        lightgbm=model["lightgbm"],
        seed=seed,
        categorical=categorical,
        classes=len(facts.get("classes", [])),
        threads=threads,
    )
    values, rows = shap_values(booster, x, settings["shap_rows"], seed)
    ranked = ranking(values, names)
    selected = ranked.feature[: settings["keep"]].tolist()
    write_table(ranked, outputs["ranking"])
    write_json(outputs["selected"], {"features": selected, "of": len(names)})
    write_json(outputs["tuned"], tuned)
    columns = [names.index(name) for name in selected]
    explained = pd.DataFrame(
        {
            "feature": np.repeat(selected, len(rows)),
            "value": x[np.ix_(rows, columns)].T.ravel(),
            "shap": values[:, columns].T.ravel(),
        }
    )
    write_table(explained, outputs["values"])


def keep_all(path_to_facts: str, path_to_selected: str, path_to_tuned: str) -> None:
    """Keep all features and LightGBM's own settings (features: none)."""
    names = read_json(path_to_facts)["features"]
    write_json(path_to_selected, {"features": names, "of": len(names)})
    write_json(path_to_tuned, {})


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        if snakemake.params.settings == "none":
            keep_all(snakemake.input.facts, snakemake.output.selected, snakemake.output.tuned)
        else:
            main(
                snakemake.input.data,
                snakemake.input.facts,
                snakemake.params.settings,
                snakemake.params.model,
                snakemake.params.seed,
                snakemake.threads,
                dict(snakemake.output.items()),
            )
