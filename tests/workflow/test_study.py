"""A small study end to end: its results, and what runs again after a change or a kill."""

import re
import time
from copy import deepcopy

import pandas as pd
import pytest
import yaml
from running import SMALL, kill

RESULTS = "results/small"


def kept(project) -> int:
    screen = yaml.safe_load((project.folder / RESULTS / "housing/screen.json").read_text())
    return len(screen["kept"])


def jobs(output: str) -> dict[str, int]:
    """Numbers of jobs by rule that Snakemake announces."""
    table = output.split("Job stats:")[1] if "Job stats:" in output else ""
    return {name: int(n) for name, n in re.findall(r"^(\w+)\s+(\d+)$", table, re.MULTILINE)}


def changed(**changes) -> dict:
    config = deepcopy(SMALL)
    for path, value in changes.items():
        *above, key = path.split("__")
        section = config
        for name in above:
            section = section.setdefault(name, {})
        section[key] = value
    return config


def test_every_target_is_there(small):
    folder = small.folder / RESULTS
    for name in ("minima", "scores"):
        assert len(pd.read_parquet(folder / f"tables/{name}.parquet")) == len(
            pd.read_csv(folder / f"tables/{name}.csv")
        )
    figures = list((folder / "figures").rglob("*.png"))
    assert len(figures) >= 4
    assert all(path.with_suffix(".svg").stat().st_size > 1000 for path in figures)


def test_every_statistic_says_its_number_of_batches(small):
    folder = small.folder / RESULTS / "tables"
    for name in ("uncertainty", "comparisons", "ranks", "budgets", "correlations", "advice"):
        table = pd.read_parquet(folder / f"{name}.parquet")
        assert len(table) == len(pd.read_csv(folder / f"{name}.csv"))
        assert set(table.batches) == {kept(small)}, name
    uncertainty = pd.read_parquet(folder / "uncertainty.parquet")
    scores = pd.read_parquet(folder / "scores.parquet")
    pd.testing.assert_series_equal(uncertainty["mean"], scores["mean"])
    counts = pd.read_parquet(folder / "counts.parquet")
    assert counts.trainings.sum() == 3 * 3 * (4 + 9)


def test_every_figure_is_a_target_of_its_own_name(project):
    """The deck's figures, by what their names say: the demo runs all five problems."""
    output = project.run("-n", "figures")
    for name in (
        "diagrams/important-and-unimportant-parameter", "samplers/three-tilings",
        "diagrams/protocol", "cifar10/example-images-per-class", "cifar10/loss-landscapes",
        "bjet/loss-landscapes", "bjet/d2-scaled-minima-histograms", "housing/shap-bars",
        "housing/d2-result-plot", "study/trainings-by-dimension-and-resolution",
        "housing/moving-minimum", "housing/d2-edge-effects", "diagrams/odd-polynomial",
        "housing/d2-losses-before-and-after-normalisation", "insolubles/example-images-per-class",
        "icecube/example-event", "samplers/chess-board-analogy", "housing/d2-critical-difference",
        "housing/d2-equivalent-random-budget", "housing/d2-geometry-against-loss",
    ):  # fmt: skip
        for ending in ("png", "svg"):
            assert f"results/figures/{name}.{ending}" in output, name


def test_evaluations_are_the_product_of_the_config(small):
    table = pd.read_parquet(small.folder / RESULTS / "housing/d2/evaluations.parquet")
    assert len(table) == kept(small) * 3 * (4 + 9)
    assert (table.status == "ok").all()
    assert set(table.groupby(["sampler", "batch", "n"]).point.nunique().reset_index().point) == {
        4,
        9,
    }


def test_scores_come_from_the_evaluations(small):
    folder = small.folder / RESULTS
    table = pd.read_parquet(folder / "housing/d2/evaluations.parquet")
    scores = pd.read_parquet(folder / "tables/scores.parquet")
    best = table.groupby("batch").loss.min()
    for row in scores.itertuples():
        ratios = []
        for batch, smallest in best.items():
            chosen = (table.batch == batch) & (table.sampler == row.sampler) & (table.n == row.n)
            ratios.append(table[chosen].loss.min() / smallest)
        assert row.mean == pytest.approx(sum(ratios) / len(ratios))
        assert row.batches == len(ratios)


def test_a_second_run_does_nothing(small):
    assert "Nothing to be done" in small.run("--configfile", "small.yaml")


def test_openmp_threads_of_a_job_sleep_while_they_wait(project, monkeypatch):
    site = project.folder / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(
        "import os, sys\n"
        "with open(os.environ['SEEN'], 'a') as stream:\n"
        "    print(*sys.orig_argv[1:], os.environ.get('OMP_WAIT_POLICY'), file=stream)\n"
    )
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(site))
    monkeypatch.setenv("SEEN", str(project.folder / "seen.txt"))
    project.write("small.yaml", SMALL)
    project.run(f"{RESULTS}/housing/features/selected.json", "--configfile", "small.yaml")
    lines = (project.folder / "seen.txt").read_text().splitlines()
    jobs = [line for line in lines if "select_features.py" in line]
    assert jobs
    assert all(line.endswith(" passive") for line in jobs)


def test_a_figure_setting_retrains_nothing(small, tmp_path):
    project = small.copy(tmp_path / "copy")
    project.write("dpi.yaml", changed(figures__dpi=160))
    planned = jobs(project.run("-n", "--configfile", "dpi.yaml"))
    assert planned["plot_results"] == 1
    assert {"train", "scan_batch", "score", "make_designs"}.isdisjoint(planned)


def test_tabulated_landscapes_answer_for_many_designs(small, tmp_path):
    project = small.copy(tmp_path / "copy")
    settings = {"levels": 5, "replicates": 40, "adaptive": ["tpe"], "runs": 2}
    project.write("table.yaml", changed(tabulated=settings))
    project.run("tabulated", "--configfile", "table.yaml")
    folder = project.folder / RESULTS / "tables/tabulated"
    scores = pd.read_csv(folder / "housing-d2-scores.csv")
    assert set(scores.sampler) == {*SMALL["samplers"], "tpe"}
    assert set(scores.batches) == {kept(small)}
    assert (scores["mean"] >= 1).all()
    assert (scores[scores.sampler == "random"].difference == 0).all()
    agreement = pd.read_csv(folder / "housing-d2-agreement.csv")
    assert len(agreement) == 3 * 2
    assert (agreement.saved == 40 * 39 / 25).all()
    assert agreement.difference.abs().max() < 0.5
    tables = list((project.folder / RESULTS / "housing/d2/tabulated").glob("*.parquet"))
    assert [len(pd.read_parquet(path)) for path in tables] == [25] * kept(small)


def test_in_tabulated_mode_every_loss_comes_from_the_table_and_the_report_shows_it(project):
    settings = {"levels": 4, "replicates": 20, "adaptive": ["tpe"], "runs": 2}
    spaces = {"d2": {"resolutions": [2, 3]}, "d3": {"resolutions": [2], "coefficients": 1}}
    changes = {"training__mode": "tabulated", "tabulated": settings}
    project.write("mode.yaml", changed(**changes, boosting__spaces=spaces))
    project.run("--configfile", "mode.yaml", seconds=600)
    folder = project.folder / RESULTS
    assert not (folder / "logs/train").exists()
    assert len(list((folder / "logs/tabulate_batch").rglob("*.log"))) == 2 * kept(project)
    for space, points in (("d2", 3 * 13), ("d3", 3 * 8)):
        rows = pd.read_parquet(folder / f"housing/{space}/evaluations.parquet")
        assert len(rows) == points * kept(project)
        assert (rows.status == "ok").all()
        tables = (folder / f"housing/{space}/tabulated").glob("*.parquet")
        table = pd.concat(pd.read_parquet(path) for path in tables)
        assert set(rows.training) <= set(table.training)
        if space == "d2":
            assert set(rows.loss) <= set(table.loss)
        scores = pd.read_csv(folder / f"tables/tabulated/housing-{space}-scores.csv")
        assert (scores["mean"] >= 1).all()
    report = (folder / "report.html").read_text()
    assert "adaptive searches" in report
    assert "housing: d3 tabulated result plot" in report


@pytest.mark.parametrize(
    ("changes", "new"),
    [
        ({"samplers": [*SMALL["samplers"], "sobol"]}, 4 + 9),
        ({"boosting__spaces__d2__resolutions": [2, 3, 4]}, 3 * 16),
    ],
    ids=["sampler", "resolution"],
)
def test_an_addition_trains_only_the_new_points(small, tmp_path, changes, new):
    project = small.copy(tmp_path / "copy")
    before = {(row["batch"], row["key"]) for row in project.journal_rows()}
    project.write("more.yaml", changed(**changes))
    project.run(f"{RESULTS}/housing/d2/evaluations.parquet", "--configfile", "more.yaml")
    after = [(row["batch"], row["key"]) for row in project.journal_rows()]
    assert len(after) == len(set(after)), "an evaluation was repeated"
    assert before < set(after)
    # Grids share their corners, so there may be fewer new evaluations than new points.
    assert 0 < len(after) - len(before) <= kept(project) * new
    table = pd.read_parquet(project.folder / RESULTS / "housing/d2/evaluations.parquet")
    assert len(table) == kept(project) * (3 * 13 + new)


def test_a_job_and_a_file_per_point_give_the_same_table(small, tmp_path):
    project = small.copy(tmp_path / "copy")
    evaluations = f"{RESULTS}/housing/d2/evaluations.parquet"
    project.write("single.yaml", changed(training__points_per_job=1))
    project.run(evaluations, "--configfile", "single.yaml")
    parts = list((project.folder / RESULTS / "housing/d2/evaluations").rglob("*.parquet"))
    assert len(parts) == kept(project) * 39
    assert all(len(pd.read_parquet(path)) == 1 for path in parts)
    single = pd.read_parquet(project.folder / evaluations)
    pd.testing.assert_frame_equal(single, pd.read_parquet(small.folder / evaluations))


def test_kill_9_repeats_no_finished_training(project):
    config = changed(
        boosting__batches={"number": 2, "size": "equal(1000)"},
        boosting__spaces={"d2": {"resolutions": [4, 5, 6]}},
        boosting__model={"rounds": 150, "patience": 20},
    )
    project.write("killed.yaml", config)
    evaluations = f"{RESULTS}/housing/d2/evaluations.parquet"
    process = project.start(evaluations, "--configfile", "killed.yaml")
    scanned = 0
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        rows = project.journal_rows()
        if not (project.folder / RESULTS / "housing/screen.json").exists():
            scanned = len(rows)
        elif len(rows) > scanned + 30:
            break
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.05)
    kill(process)
    done = [(row["batch"], row["key"]) for row in project.journal_rows()]
    assert len(done) > scanned
    assert not (project.folder / evaluations).exists()
    project.run("--unlock", "--configfile", "killed.yaml")
    project.run(evaluations, "--configfile", "killed.yaml")
    after = [(row["batch"], row["key"]) for row in project.journal_rows()]
    assert len(after) == len(set(after)), "a finished training was repeated"
    assert set(done) < set(after)
    table = pd.read_parquet(project.folder / evaluations)
    assert len(table) == kept(project) * 3 * (16 + 25 + 36)
