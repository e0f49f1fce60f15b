"""Counts of the studies, against the numbers of the study that is reproduced."""

from pathlib import Path

import pytest

from tilesearch import config, counts, study
from tilesearch.__main__ import main

ROOT = Path(__file__).parents[2]
STUDIES = ROOT / "workflow/studies"


def rows_of(*names: str) -> list[counts.Row]:
    paths = [ROOT / "config.yaml", *(STUDIES / f"{name}.yaml" for name in names)]
    read = study.read(config.load(paths))
    return counts.count(read, config.measured_seconds(ROOT / config.SECONDS))


def total(rows, *without: str) -> int:
    return sum(row.total for row in rows if row.space not in without)


def test_the_paper_study_has_the_deck_s_numbers():
    finished = [r for r in rows_of("paper") if r.problem in ("housing", "cifar10", "bjet")]
    assert total(finished) == 618_950
    assert total(finished, "d5") == 558_450


@pytest.mark.parametrize(
    ("space", "number"),
    [("d2", 84_480), ("d3", 284_900), ("d4", 77_660), ("d5", 60_500), ("d6", 14_080)]
    + [("d7", 28_160), ("d8", 56_320)],
)
def test_every_dimension_of_housing(space, number):
    (row,) = [r for r in rows_of("paper") if (r.problem, r.space) == ("housing", space)]
    assert row.total == number


def test_a_grid_of_r_to_the_d_points_trains_r_squared_models():
    paths = [ROOT / "config.yaml", STUDIES / "paper.yaml"]
    read = study.read({**config.load(paths), "samplers": ["grid"]})
    for space in read.problems["housing"].spaces.values():
        if len(space.sizes) == 1:
            assert counts.trainings(space, ("learning_rate", "max_depth")) == 4
    # Grids of different resolution share points: 0, 1/2 and 1 of R = 3 are among those of R = 5.
    d2 = read.problems["housing"].spaces["d2"]
    assert counts.trainings(d2, ("learning_rate", "max_depth")) < d2.points


def test_epochs_of_one_learning_rate_share_a_training():
    (row,) = [r for r in rows_of("paper") if r.problem == "bjet"]
    assert row.trained < row.total


def test_hours_grow_with_the_rows():
    measured = {1000.0: 0.07, 10000.0: 0.44}
    assert counts.seconds_at(1000, measured) == pytest.approx(0.07)
    assert counts.seconds_at(10000, measured) == pytest.approx(0.44)
    assert 0.07 < counts.seconds_at(3000, measured) < 0.44
    assert counts.seconds_at(500, {1000.0: 0.2}) == pytest.approx(0.1)


def test_the_command_prints_the_table(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    arguments = ["count", "--configfile", "workflow/studies/paper.yaml"]
    arguments += ["--problems", "housing", "cifar10", "bjet", "--without", "d5"]
    assert main(arguments) == 0
    assert "558,450" in capsys.readouterr().out


def test_an_unknown_problem_is_named(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert main(["count", "--problems", "houses"]) == 2
    assert "'houses'" in capsys.readouterr().err


def test_a_missing_config_is_named(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert main(["count"]) == 2
    assert "config.yaml" in capsys.readouterr().err


def test_a_table_has_one_training_per_node_whatever_the_designs():
    loaded = config.load([ROOT / "config.yaml", STUDIES / "king-county.yaml"])
    loaded["training"]["mode"] = "tabulated"
    loaded["tabulated"]["levels"] = 40
    read = study.read(loaded)
    batches = len(read.problems["housing"].batches)
    rows = [row for row in counts.count(read, {}) if row.problem == "housing"]
    # 40 learning rates by the 15 depths from 8 to 22.
    trained = {row.space: row.trained / batches for row in rows}
    assert trained["d2"] == trained["d8"] == 40 * 15
    assert all(row.jobs == batches for row in rows)
