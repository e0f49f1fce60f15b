"""What every registered sampler has to keep. A new sampler is tested by being registered."""

import json
import subprocess
import sys
import warnings

import numpy as np
import pytest
import scipy.stats._qmc
from scipy import stats
from scipy.stats import qmc

import tilesearch.samplers
from tilesearch.samplers import SAMPLERS, make, sampler_class

NAMES = sorted(SAMPLERS)
COUNTS = (1, 2, 7, 16)


@pytest.fixture(autouse=True)
def short_optimisation(monkeypatch):
    # scipy's optimiser of Latin hypercubes takes 0.1 s for any design, and seconds for tiny ones,
    # where rounding errors pass for improvements. The contract does not hang on how long it runs.
    whole = scipy.stats._qmc._random_cd
    monkeypatch.setattr(
        scipy.stats._qmc, "_random_cd", lambda sample, **k: whole(sample, **{**k, "n_iters": 30})
    )


def highest(name, d):
    limit = sampler_class(name).highest_d
    return d if limit is None else min(d, limit)


@pytest.mark.parametrize("d", range(1, 9))
@pytest.mark.parametrize("name", NAMES)
def test_points_are_exact_in_number_and_lie_in_the_half_open_cube(name, d):
    if d != highest(name, d):
        with pytest.raises(ValueError, match=f"d is {d}"):
            make(name, d)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for n in COUNTS:
            points = make(name, d, rng=n).random(n)
            assert isinstance(points, np.ndarray)
            assert points.dtype == np.float64
            assert points.shape == (n, d)
            assert (points >= 0).all()
            assert (points < 1).all()


@pytest.mark.parametrize("name", NAMES)
def test_larger_sets_are_exact_too(name):
    for d, n in ((2, 101), (3, 65)):
        points = make(name, highest(name, d), rng=1).random(n)
        assert points.shape == (n, highest(name, d))
        assert len(np.unique(points, axis=0)) == n


@pytest.mark.parametrize("name", NAMES)
def test_is_an_engine_of_scipy(name):
    sampler = make(name, 2, rng=1)
    assert isinstance(sampler, qmc.QMCEngine)
    assert sampler.d == 2
    sampler.random(7)
    sampler.random(8)
    assert sampler.num_generated == 15
    # scipy builds on `random`: whole numbers come for free
    whole = sampler.integers(0, u_bounds=10, n=7)
    assert whole.shape == (7, 2)
    assert whole.min() >= 0
    assert whole.max() < 10


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_same_points(name):
    by_int = make(name, 2, rng=5).random(9)
    np.testing.assert_array_equal(by_int, make(name, 2, rng=5).random(9))
    np.testing.assert_array_equal(by_int, make(name, 2, rng=np.int64(5)).random(9))
    by_generator = make(name, 2, rng=np.random.default_rng(5)).random(9)
    again = make(name, 2, rng=np.random.default_rng(5)).random(9)
    np.testing.assert_array_equal(by_generator, again)
    assert make(name, 2, rng=None).random(9).shape == (9, 2)


@pytest.mark.parametrize("name", NAMES)
def test_seeds_matter_unless_the_design_is_a_full_grid(name):
    # 7 points in 2-d: a grid is thinned at random, all others are random anyway.
    assert not np.array_equal(make(name, 2, rng=1).random(7), make(name, 2, rng=2).random(7))


@pytest.mark.parametrize("name", NAMES)
def test_reset_brings_back_the_first_points(name):
    sampler = make(name, 2, rng=3)
    first, second = sampler.random(7), sampler.random(7)
    assert sampler.reset() is sampler
    assert sampler.num_generated == 0
    np.testing.assert_array_equal(sampler.random(7), first)
    np.testing.assert_array_equal(sampler.random(7), second)


@pytest.mark.parametrize("name", NAMES)
def test_sequences_continue_and_sets_are_drawn_anew(name):
    whole = make(name, 2, rng=4).random(15)
    sampler = make(name, 2, rng=4)
    parts = [sampler.random(8), sampler.random(7)]
    if sampler.continues:
        np.testing.assert_array_equal(np.concatenate(parts), whole)
    else:
        assert not np.array_equal(parts[1], make(name, 2, rng=4).random(7))


@pytest.mark.parametrize("name", NAMES)
def test_fast_forward_skips(name):
    sampler = make(name, 2, rng=4)
    assert sampler.fast_forward(7) is sampler
    assert sampler.num_generated == 7
    other = make(name, 2, rng=4)
    other.random(7)
    np.testing.assert_array_equal(sampler.random(8), other.random(8))


@pytest.mark.parametrize("name", NAMES)
def test_a_call_does_not_touch_what_an_earlier_one_returned(name):
    sampler = make(name, 2, rng=6)
    first = sampler.random(7)
    copy = first.copy()
    sampler.random(7)[:] = -1
    np.testing.assert_array_equal(first, copy)
    first[:] = -1
    np.testing.assert_array_equal(sampler.reset().random(7), copy)


@pytest.mark.parametrize("d", [0, -1, 2.5, "3", True, None])
@pytest.mark.parametrize("name", NAMES)
def test_bad_dimension(name, d):
    with pytest.raises(ValueError, match=r"d is .* it must be"):
        make(name, d)


@pytest.mark.parametrize("n", [0, -1, 2.5, "3", True, None])
@pytest.mark.parametrize("name", NAMES)
def test_bad_count(name, n):
    sampler = make(name, 2, rng=1)
    with pytest.raises(ValueError, match=r"n is .* it must be"):
        sampler.random(n)
    with pytest.raises(ValueError, match=r"n is .* it must be"):
        sampler.fast_forward(n)
    # ... and leaves no trace
    np.testing.assert_array_equal(sampler.random(1), make(name, 2, rng=1).random(1))


@pytest.mark.parametrize("name", [n for n in NAMES if sampler_class(n).uniform_marginals])
def test_marginals_are_uniform_where_promised(name):
    # One point drawn from each design, so that the sample is independent.
    choose = np.random.default_rng(0)
    sample = np.array([make(name, 2, rng=k).random(7)[choose.integers(7)] for k in range(150)])
    for axis in range(2):
        assert stats.kstest(sample[:, axis], "uniform").pvalue > 1e-3


def test_points_do_not_depend_on_the_process(monkeypatch):
    monkeypatch.undo()
    code = (
        "import json; from tilesearch.samplers import SAMPLERS, make;"
        "print(json.dumps({k: make(k, 2, rng=7).random(7).tolist() for k in reversed(SAMPLERS)}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    points = json.loads(done.stdout)
    assert sorted(points) == NAMES
    for name in NAMES:
        np.testing.assert_array_equal(points[name], make(name, 2, rng=7).random(7))


def test_unknown_names():
    with pytest.raises(ValueError, match="sampler 'sudoku' is unknown, take one of grid"):
        make("sudoku", 2)
    with pytest.raises(AttributeError, match="Sudoku"):
        _ = tilesearch.samplers.Sudoku


@pytest.mark.parametrize("name", NAMES)
def test_classes_are_importable_from_the_package_and_documented(name):
    cls = sampler_class(name)
    assert getattr(tilesearch.samplers, cls.__name__) is cls
    assert cls.__doc__
    assert ">>>" in cls.__doc__


def test_imports_nothing_heavy():
    code = (
        "import sys; from tilesearch.samplers import SAMPLERS, sampler_class;"
        "[sampler_class(k) for k in SAMPLERS];"
        "heavy = {'snakemake', 'lightgbm', 'tensorflow', 'keras', 'pandas', 'optuna',"
        " 'matplotlib', 'sklearn'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
