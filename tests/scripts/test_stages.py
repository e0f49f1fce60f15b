"""The scripts of the rules, one after the other on a small table, called as functions."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import collect_evaluations
import load_data
import make_designs
import plot_shap
import scan_batch
import score
import screen_batches
import select_features
import split_batches
import train
from tilesearch.errors import InputError
from tilesearch.logs import job_log
from tilesearch.problems.trainers import read_table
from tilesearch.training import journal

PARAMETERS = [
    {"name": "learning_rate", "low": 0.05, "high": 0.6, "type": "float", "scale": "log"},
    {"name": "max_depth", "low": 1, "high": 6, "type": "int", "scale": "linear"},
]
MODEL = {"rounds": 25, "patience": 5, "lightgbm": {"min_child_samples": 5}}
SETTINGS = {
    "engine": "boosting",
    "kind": "table",
    "problem": "own",
    "space": "d2",
    "coefficients": 0,
    "seed": 1,
    "model": MODEL,
    "trained": ["learning_rate", "max_depth"],
}
BATCHES = {
    "number": 2,
    "size": "equal(120)",
    "overlap": False,
    "fractions": {"train": 0.6, "validation": 0.2, "test": 0.2},
}


def config(points_per_job=10):
    ranges = {p["name"]: {k: v for k, v in p.items() if k != "name"} for p in PARAMETERS}
    return {
        "seed": 1,
        "run": ["own"],
        "samplers": ["grid", "random"],
        "training": {"points_per_job": points_per_job, "gpu": False},
        "boosting": {
            "features": "none",
            "batches": BATCHES,
            "parameters": ranges,
            "scan": {"resolution": 3, "on_edge": "drop"},
            "model": MODEL,
            "spaces": {"d2": {"resolutions": [2, 3]}},
        },
        "problems": {
            "own": {
                "kind": "table",
                "data": {"path": "t.csv", "target": "y", "task": "regression"},
            }
        },
    }


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Files of all stages before the training."""
    folder = tmp_path_factory.mktemp("stages")
    path = {
        name: str(folder / name)
        for name in ("data.parquet", "data.json", "selected.json", "tuned.json", "batches.parquet")
    }
    rng = np.random.default_rng(2)
    raw = pd.DataFrame(rng.normal(size=(240, 5)), columns=list("abcde"))
    raw["kind"] = rng.choice(["p", "q", "r"], 240)
    raw["y"] = 3 * raw["a"] + raw["b"] ** 2 + (raw["kind"] == "q") + rng.normal(size=240) * 0.1
    raw.loc[rng.random(240) < 0.2, "c"] = np.nan
    raw.to_csv(folder / "t.csv", index=False)
    data = {"path": str(folder / "t.csv"), "target": "y", "task": "regression"}
    load_data.main("table", data, 1, path["data.parquet"], path["data.json"])
    outputs = {"selected": path["selected.json"], "tuned": path["tuned.json"]}
    outputs["values"] = str(folder / "shap.parquet")
    outputs["ranking"] = str(folder / "ranking.csv")
    chosen = {"keep": 3, "trials": 2, "shap_rows": 60}
    arguments = (path["data.parquet"], path["data.json"], chosen, MODEL, 1, 1)
    select_features.main(*arguments, outputs)
    split_batches.main(path["data.json"], BATCHES, 1, "own", path["batches.parquet"])
    make_designs.main(config(), "own", "d2", str(folder / "designs.parquet"))
    return folder


def inputs(folder, **more):
    return {
        "data": str(folder / "data.parquet"),
        "facts": str(folder / "data.json"),
        "selected": str(folder / "selected.json"),
        "tuned": str(folder / "tuned.json"),
        "batches": str(folder / "batches.parquet"),
        **{key: str(value) for key, value in more.items()},
    }


def test_loading_and_selecting(files):
    facts = json.loads((files / "data.json").read_text())
    assert facts["rows"] == 240
    assert facts["features"] == [*"abcde", "kind"]
    assert len(facts["sha256"]) == 64
    selected = json.loads((files / "selected.json").read_text())
    assert selected["of"] == 6
    assert {"a", "b"} <= set(selected["features"])
    ranking = pd.read_csv(files / "ranking.csv")
    assert ranking["feature"].tolist()[:3] == selected["features"]
    explained = pd.read_parquet(files / "shap.parquet")
    assert explained["feature"].unique().tolist() == selected["features"]
    assert (explained.groupby("feature").size() == 60).all()
    importance = explained["shap"].abs().groupby(explained["feature"]).mean()
    for row in ranking.head(3).itertuples():
        assert importance[row.feature] == pytest.approx(row.importance)


def test_shap_figures_are_drawn_from_the_tables_at_the_config_s_resolution(files, tmp_path):
    paths = [str(files / name) for name in ("ranking.csv", "shap.parquet", "data.json")]
    sizes = []
    for dpi in (150, 300):
        stems = [str(tmp_path / f"{name}-{dpi}.png") for name in ("bars", "beeswarm")]
        plot_shap.main(*paths, dpi, *stems)
        sizes.append([Image.open(stem).width for stem in stems])
    assert [2 * width for width in sizes[0]] == sizes[1]
    assert (tmp_path / "beeswarm-150.svg").stat().st_size > 5000


def test_selecting_more_features_than_exist(files):
    chosen = {"keep": 7, "trials": 1, "shap_rows": 60}
    arguments = (str(files / "data.parquet"), str(files / "data.json"), chosen, MODEL, 1, 1, {})
    with pytest.raises(InputError, match=r"features\.keep is 7, but there are only 6"):
        select_features.main(*arguments)


def test_keeping_all_features(files, tmp_path):
    paths = [str(tmp_path / name) for name in ("selected.json", "tuned.json")]
    select_features.keep_all(str(files / "data.json"), *paths)
    assert json.loads((tmp_path / "selected.json").read_text())["features"][-1] == "kind"
    assert json.loads((tmp_path / "tuned.json").read_text()) == {}


def run_study(files, folder, points_per_job=10):
    """Scan, screen, train, collect and score; the collected table."""
    notes = str(folder / "journal")
    scans = []
    for batch in range(2):
        scans.append(str(folder / f"scan-{batch}.parquet"))
        settings = {**SETTINGS, "space": "scan"}
        scan_batch.main(PARAMETERS, 3, batch, inputs(files), settings, notes, 1, scans[-1])
    # A domain wider than the scan: every batch is kept, wherever its minimum lies.
    wide = {"learning_rate": (0.01, 1.0), "max_depth": (0, 7)}
    screen_batches.main(scans, wide, "drop", "own", str(folder / "screen.json"))
    screened = json.loads((folder / "screen.json").read_text())
    assert screened["kept"] == [0, 1]
    screened["domain"] = {p["name"]: [p["low"], p["high"]] for p in PARAMETERS}
    (folder / "screen.json").write_text(json.dumps(screened))
    designs = folder / "designs.parquet"
    make_designs.main(config(points_per_job), "own", "d2", str(designs))
    chunks = -(-26 // points_per_job)
    tables = []
    for batch in range(2):
        for chunk in range(chunks):
            tables.append(str(folder / f"{batch}-{chunk}.parquet"))
            files_in = inputs(files, screen=folder / "screen.json", designs=designs)
            train.main(batch, chunk, PARAMETERS, [], files_in, SETTINGS, notes, 1, tables[-1])
    collected = str(folder / "evaluations.parquet")
    collect_evaluations.main(tables, 26, 2, collected)
    return pd.read_parquet(collected)


@pytest.fixture(scope="module")
def study(files, tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    return folder, run_study(files, folder)


def test_every_point_has_one_row_with_its_keys_and_values(study):
    _, table = study
    assert len(table) == 2 * 2 * (4 + 9)
    assert (table["status"] == "ok").all()
    assert np.isfinite(table["loss"]).all()
    assert set(table["problem"]) == {"own"}
    assert set(table["space"]) == {"d2"}
    assert set(table["d"]) == {2}
    assert table["max_depth"].between(1, 6).all()
    assert table["learning_rate"].between(0.05, 0.6).all()
    assert not table.duplicated(["batch", "sampler", "n", "point"]).any()
    assert (table.groupby(["batch", "training"])["loss"].nunique() == 1).all()


def test_one_point_per_job_gives_the_same_losses(files, study, tmp_path):
    _, table = study
    single = run_study(files, tmp_path, points_per_job=1)
    columns = ["batch", "sampler", "n", "point", "loss", "training"]
    pd.testing.assert_frame_equal(single[columns], table[columns])


def test_training_again_trains_nothing(files, study):
    folder, table = study
    before = sorted(path.name for path in (folder / "journal").rglob("*.jsonl"))
    again = run_study(files, folder)
    pd.testing.assert_frame_equal(again, table)
    assert sorted(path.name for path in (folder / "journal").rglob("*.jsonl")) == before
    rows = [len(journal.read(path)) for path in (folder / "journal").iterdir()]
    assert len(rows) == 2  # a fingerprint per batch, shared by scan and training
    assert sum(rows) >= table["training"].nunique()


def test_a_changed_model_never_reuses_a_loss(files, study):
    opened = [
        train.open_batch(inputs(files), 0, SETTINGS | change, 1).fingerprint
        for change in ({}, {"model": MODEL | {"patience": 6}}, {"seed": 2}, {"problem": "p"})
    ]
    opened.append(train.open_batch(inputs(files), 1, SETTINGS, 1).fingerprint)
    assert len(set(opened)) == len(opened)


def test_scores_are_written_as_csv_and_parquet(study, tmp_path):
    folder, table = study
    minima = [str(tmp_path / f"minima.{e}") for e in ("parquet", "csv")]
    scores = [str(tmp_path / f"scores.{e}") for e in ("parquet", "csv")]
    score.main([str(folder / "evaluations.parquet")], minima, scores)
    found = pd.read_parquet(minima[0])
    best = table.groupby(["batch", "sampler", "n"])["loss"].min()
    assert len(found) == len(best) == 8
    assert sorted(found["minimum"]) == sorted(best)
    assert len(pd.read_csv(scores[1])) == len(pd.read_parquet(scores[0])) == 4


def test_screening_says_which_batches_are_dropped(study, tmp_path, caplog):
    folder, _ = study
    scans = [str(folder / f"scan-{batch}.parquet") for batch in range(2)]
    one = pd.read_parquet(scans[0]).assign(loss=lambda t: t["learning_rate"])
    one.to_parquet(tmp_path / "edge.parquet")
    caplog.set_level("INFO")
    domain = {"learning_rate": (0.05, 1.0), "max_depth": (0, 7)}
    arguments = ([str(tmp_path / "edge.parquet"), scans[1]], domain, "drop", "own")
    screen_batches.main(*arguments, str(tmp_path / "screen.json"))
    assert json.loads((tmp_path / "screen.json").read_text())["kept"] == [1]
    assert any("batch 0 is dropped" in m and "learning_rate=0.05" in m for m in caplog.messages)


def test_a_missing_double_or_absent_row_is_an_error(study):
    _, table = study
    double = pd.concat([table.iloc[1:], table.iloc[[1]]])
    for tables in ([table.iloc[1:]], [double], [table, table], [table.head(0)], []):
        with pytest.raises(InputError, match="52 are expected"):
            collect_evaluations.collect(tables, 26, 2)
    empty = table.head(0)
    pd.testing.assert_frame_equal(collect_evaluations.collect([empty, table], 26, 2), table)


def test_a_broken_file_of_the_study_is_named_with_the_remedy(tmp_path):
    (tmp_path / "t.parquet").write_text("no parquet")
    with pytest.raises(InputError, match="delete it and start again"):
        read_table(str(tmp_path / "t.parquet"), "table")


def test_the_log_holds_the_sentence_and_the_job_ends_without_a_traceback(tmp_path):
    with pytest.raises(SystemExit, match="error: mend it"), job_log(tmp_path / "a" / "job.log"):
        raise InputError("mend it")
    assert "ERROR mend it" in (tmp_path / "a" / "job.log").read_text()
    with pytest.raises(ZeroDivisionError), job_log(tmp_path / "job.log"):
        1 / 0  # noqa: B018
    assert "ZeroDivisionError" in (tmp_path / "job.log").read_text()
