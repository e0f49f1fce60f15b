import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

optuna = pytest.importorskip("optuna")

from optuna.distributions import (  # noqa: E402
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import TrialState  # noqa: E402

from tilesearch.adapters.optuna import DesignSampler, value_at  # noqa: E402
from tilesearch.samplers import make  # noqa: E402

optuna.logging.set_verbosity(optuna.logging.ERROR)

SPACE = {
    "rate": FloatDistribution(1e-4, 1e-1, log=True),
    "depth": IntDistribution(8, 22),
    "kind": CategoricalDistribution(["a", "b", None]),
    "step": FloatDistribution(0.0, 1.0, step=0.25),
}


def suggest(trial):
    return {
        "rate": trial.suggest_float("rate", 1e-4, 1e-1, log=True),
        "depth": trial.suggest_int("depth", 8, 22),
        "kind": trial.suggest_categorical("kind", ["a", "b", None]),
        "step": trial.suggest_float("step", 0.0, 1.0, step=0.25),
    }


def objective(trial):
    return suggest(trial)["rate"]


def sampler(n=12, **options):
    return DesignSampler(SPACE, n=n, **{"sampler": "lhs", **options})


def points_of(study, *states):
    trials = study.get_trials(states=states or None)
    return [tuple(trial.params.values()) for trial in trials if trial.params]


def all_points(design):
    return [tuple(point.values()) for point in design.points]


def test_trials_walk_through_the_design_in_order():
    study = optuna.create_study(sampler=sampler())
    study.optimize(objective, n_trials=12)
    assert points_of(study) == all_points(sampler())
    units = make("lhs", 4, rng=0).random(12)
    expected = [tuple(map(value_at, SPACE.values(), unit)) for unit in units.tolist()]
    assert points_of(study) == expected


def test_stops_when_the_design_is_done():
    study = optuna.create_study(sampler=sampler())
    study.optimize(objective, n_trials=50)
    assert len(study.trials) == 12
    study = optuna.create_study(sampler=sampler())
    study.optimize(objective, n_trials=None, timeout=60)
    assert len(study.trials) == 12


def test_every_sampler_name_works_and_seeds_differ():
    assert all_points(sampler(sampler="sobol")) != all_points(sampler(sampler="halton"))
    assert all_points(sampler(seed=1)) != all_points(sampler(seed=2))
    assert all_points(sampler(seed=1)) == all_points(sampler(seed=1))


@pytest.mark.parametrize("workers", [2, 8])
def test_threads_share_the_design(workers):
    study = optuna.create_study(sampler=sampler(n=40))
    study.optimize(objective, n_trials=100, n_jobs=workers)
    assert sorted(points_of(study), key=repr) == sorted(all_points(sampler(n=40)), key=repr)
    # At most one surplus trial a worker, and none of them trained anything.
    surplus = [trial for trial in study.trials if not trial.params]
    assert len(surplus) < workers
    assert all(trial.state == TrialState.PRUNED for trial in surplus)


WORKER = """
import sys, time, optuna
from optuna.distributions import FloatDistribution
from tilesearch.adapters.optuna import DesignSampler
optuna.logging.set_verbosity(optuna.logging.ERROR)
space = {"x": FloatDistribution(0, 1), "y": FloatDistribution(0, 1)}
storage = optuna.storages.JournalStorage(
    optuna.storages.journal.JournalFileBackend(sys.argv[1])
)
study = optuna.load_study(
    study_name="s", storage=storage, sampler=DesignSampler(space, n=30, sampler="halton")
)
def objective(trial):
    time.sleep(0.003)
    return trial.suggest_float("x", 0, 1) + trial.suggest_float("y", 0, 1)
study.optimize(objective, n_trials=int(sys.argv[2]))
"""


def test_processes_and_restarts_share_the_design(tmp_path):
    path = str(tmp_path / "journal.log")
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(path))
    study = optuna.create_study(study_name="s", storage=storage)

    def work(trials):
        command = [sys.executable, "-c", WORKER, path, str(trials)]
        return subprocess.run(command, capture_output=True, text=True)

    # Three at a time that leave points over, then a restart that asks for too many.
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(work, [7, 7, 7]))
    assert [run.returncode for run in done] == [0, 0, 0], done[0].stderr
    assert len(set(points_of(study))) == len(points_of(study)) == 21
    assert work(100).returncode == 0
    space = {"x": FloatDistribution(0, 1), "y": FloatDistribution(0, 1)}
    expected = all_points(DesignSampler(space, n=30, sampler="halton"))
    assert sorted(points_of(study)) == sorted(expected)
    assert len(study.trials) == 30


def test_goes_on_after_a_restart_with_sqlite(tmp_path):
    url = f"sqlite:///{tmp_path}/study.db"
    study = optuna.create_study(study_name="s", storage=url, sampler=sampler(n=6))
    study.optimize(objective, n_trials=4)
    again = optuna.load_study(study_name="s", storage=url, sampler=sampler(n=6))
    again.optimize(objective, n_trials=4)
    assert points_of(again) == all_points(sampler(n=6))


def test_failed_and_pruned_trials_keep_their_points():
    def sometimes(trial):
        suggest(trial)
        if trial.number == 2:
            raise RuntimeError("broken")
        if trial.number == 4:
            raise optuna.TrialPruned
        return 1.0

    study = optuna.create_study(sampler=sampler(n=8))
    study.optimize(sometimes, n_trials=20, catch=(RuntimeError,))
    assert points_of(study) == all_points(sampler(n=8))
    assert [trial.number for trial in study.get_trials(states=[TrialState.FAIL])] == [2]


@pytest.mark.filterwarnings("ignore:RetryHeartbeatStaleTrialCallback is experimental")
def test_a_retried_trial_repeats_its_point():
    study = optuna.create_study(sampler=sampler(n=4))
    lost = study.ask()
    point = suggest(lost)
    optuna.storages.RetryHeartbeatStaleTrialCallback()(study, study.trials[0])
    study.tell(lost, state=TrialState.FAIL)
    study.optimize(objective, n_trials=10)
    assert tuple(point.values()) == points_of(study)[0]
    done = points_of(study, TrialState.COMPLETE)
    assert sorted(done, key=repr) == sorted(all_points(sampler(n=4)), key=repr)


def test_queued_trials_take_no_point():
    study = optuna.create_study(sampler=sampler(n=5))
    mine = {"rate": 0.01, "depth": 10, "kind": None, "step": 0.5}
    study.enqueue_trial(mine)
    study.optimize(objective, n_trials=20)
    assert study.trials[0].params == mine
    assert points_of(study)[1:] == all_points(sampler(n=5))


def test_queued_trials_need_all_parameters():
    study = optuna.create_study(sampler=sampler())
    study.enqueue_trial({"rate": 0.01})
    with pytest.raises(ValueError, match="queued trial 0 does not set parameter 'depth'"):
        study.optimize(objective, n_trials=1)


def test_earlier_trials_of_another_sampler_do_not_count():
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(objective, n_trials=3)
    study.sampler = sampler(n=5)
    study.optimize(objective, n_trials=20)
    assert points_of(study)[3:] == all_points(sampler(n=5))
    # ... nor do those of another design
    study.sampler = sampler(n=4, seed=9)
    study.optimize(objective, n_trials=20)
    assert points_of(study)[8:] == all_points(sampler(n=4, seed=9))


def test_ask_and_tell():
    study = optuna.create_study(sampler=sampler(n=3))
    for _ in range(3):
        trial = study.ask(SPACE)
        study.tell(trial, 1.0)
    assert points_of(study) == all_points(sampler(n=3))
    with pytest.raises(optuna.TrialPruned, match="all 3 points of the design are taken"):
        study.ask(SPACE)


def test_trials_asked_together_take_different_points():
    study = optuna.create_study(sampler=sampler(n=6))
    trials = [study.ask() for _ in range(6)]
    points = [tuple(suggest(trial).values()) for trial in reversed(trials)]
    assert points[::-1] == all_points(sampler(n=6))


def test_asking_for_what_the_design_does_not_hold():
    study = optuna.create_study(sampler=sampler())
    with pytest.raises(ValueError, match=r"'other' is not in the search space .* rate, depth"):
        study.optimize(lambda trial: trial.suggest_float("other", 0, 1), n_trials=1)
    with pytest.raises(ValueError, match=r"'depth' is asked from .*high=3.* same distribution"):
        study.optimize(lambda trial: trial.suggest_int("depth", 1, 3), n_trials=1)


@pytest.mark.parametrize(
    "distribution",
    [
        FloatDistribution(-2.0, 3.0),
        FloatDistribution(1e-5, 1.0, log=True),
        FloatDistribution(0.1, 0.7, step=0.2),
        FloatDistribution(0.5, 0.5),
        IntDistribution(-3, 4),
        IntDistribution(1, 1000, log=True),
        IntDistribution(2, 20, step=3),
        CategoricalDistribution([1, "x", None, 2.5]),
    ],
)
def test_values_belong_to_their_distribution(distribution):
    values = [value_at(distribution, k / 1000) for k in range(1000)]
    assert all(distribution._contains(distribution.to_internal_repr(v)) for v in values)
    if not isinstance(distribution, CategoricalDistribution):
        assert values == sorted(values)
        assert values[0] == distribution.low


def test_steps_and_choices_have_equal_bins():
    for distribution, count in (
        (IntDistribution(2, 20, step=3), 7),
        (FloatDistribution(0.0, 1.0, step=0.25), 5),
        (CategoricalDistribution(list("abcd")), 4),
    ):
        values = [value_at(distribution, (k + 0.5) / 140) for k in range(140)]
        assert len(set(values)) == count
        assert {values.count(value) for value in set(values)} == {140 // count}


def test_constants_take_no_axis():
    space = {"x": FloatDistribution(0, 1), "c": IntDistribution(3, 3)}
    design = DesignSampler(space, n=5, sampler="grid")
    assert [point["c"] for point in design.points] == [3] * 5
    assert [point["x"] for point in design.points] == pytest.approx([0, 0.25, 0.5, 0.75, 1])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 0}, "n is 0"),
        ({"n": 2.5}, "n is 2.5"),
        ({"seed": None}, "seed is None"),
        ({"sampler": "sudoku"}, "sampler 'sudoku' is unknown"),
        ({"search_space": {}}, "no parameter to vary"),
        ({"search_space": {"c": IntDistribution(3, 3)}}, "no parameter to vary"),
        ({"search_space": {"c": [1, 2]}}, "is not supported, take a FloatDistribution"),
    ],
)
def test_bad_arguments(options, message):
    arguments = {"search_space": SPACE, "n": 5, "sampler": "lhs", **options}
    with pytest.raises(ValueError, match=message):
        DesignSampler(arguments.pop("search_space"), **arguments)
