import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tilesearch.seeds import rng_for, seed_for

NAMES = ("housing", "d2", "rsa", 16, 3)


def test_seed_is_pinned():
    # A changed value would silently change every study.
    assert seed_for(1, *NAMES) == 893091897549360315
    assert seed_for(1, "housing", "d2", "rsa", "16", "3") == 893091897549360315


@given(st.integers(), st.lists(st.text(max_size=5), max_size=4))
def test_seeds_fit_into_63_bits(seed, names):
    assert 0 <= seed_for(seed, *names) < 2**63


def test_every_part_of_the_name_matters():
    seeds = {
        seed_for(1, *NAMES),
        seed_for(2, *NAMES),
        seed_for(1, *NAMES[:-1]),
        seed_for(1, *NAMES[:-1], 4),
        seed_for(1, *reversed(NAMES)),
        seed_for(1, "housingd2", *NAMES[2:]),
        seed_for(1, "h", "ousing", *NAMES[1:]),
    }
    assert len(seeds) == 7


@pytest.mark.parametrize("hash_seed", ["0", "1"])
def test_seed_is_the_same_in_every_process(hash_seed):
    code = f"from tilesearch.seeds import seed_for; print(seed_for(1, *{NAMES!r}))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": hash_seed},
    )
    assert int(done.stdout) == seed_for(1, *NAMES)


def test_streams_repeat_and_differ():
    assert rng_for(1, "a").random(3).tolist() == rng_for(1, "a").random(3).tolist()
    assert rng_for(1, "a").random(3).tolist() != rng_for(1, "b").random(3).tolist()


def test_neighbouring_names_give_independent_streams():
    first = [rng_for(1, "batch", k).random() for k in range(500)]
    assert stats.kstest(first, "uniform").pvalue > 1e-3
    assert abs(stats.spearmanr(first[:-1], first[1:]).statistic) < 0.15
