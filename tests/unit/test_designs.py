from copy import deepcopy
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tilesearch import study
from tilesearch.designs import chunks, designs, unit_columns

ROOT = Path(__file__).resolve().parents[2]
KEYS = ["batch", "sampler", "n", "point"]


def space_of(samplers=("grid", "random", "lhs"), **entry):
    config = deepcopy(yaml.safe_load((ROOT / "config.yaml").read_text()))
    config["samplers"] = list(samplers)
    config["boosting"]["spaces"] = {"s": entry or {"resolutions": [2, 3]}}
    return study.read(config).problems["housing"].spaces["s"]


def keyed(table):
    return table.set_index([*KEYS])[[*unit_columns(2)]]


def test_every_design_has_exactly_its_points():
    table = designs(space_of(resolutions=[2, 3], points=[5]), range(2), 1)
    counts = table.groupby(["batch", "sampler", "n"]).size()
    assert len(counts) == 2 * 3 * 3
    assert all(count == n for (_, _, n), count in counts.items())
    assert not table.duplicated(KEYS).any()
    for _, design in table.groupby(["batch", "sampler", "n"]):
        assert design["point"].tolist() == list(range(len(design)))
    assert table[["u1", "u2"]].min().min() >= 0
    assert table[["u1", "u2"]].max().max() < 1
    assert table.loc[table["n"] == 5, "resolution"].isna().all()
    assert set(table.loc[table["n"] == 9, "resolution"]) == {3}
    assert table["resolution"].dtype == "Int64"


def test_adding_samplers_sizes_and_batches_leaves_the_other_points():
    small = keyed(designs(space_of(), range(2), 1))
    larger = space_of(("rd", "lhs", "random", "grid"), resolutions=[4, 3, 2], points=[7])
    pd.testing.assert_frame_equal(keyed(designs(larger, range(3), 1)).loc[small.index], small)


def test_the_same_number_of_points_is_the_same_design_however_it_is_asked_for():
    by_resolution = designs(space_of(resolutions=[3]), range(1), 1)
    by_number = designs(space_of(points=[9]), range(1), 1)
    assert by_resolution["u1"].equals(by_number["u1"])


def test_seed_batch_and_sampler_each_have_their_own_stream():
    table = designs(space_of(("random",), points=[4]), range(2), 1)
    other = designs(space_of(("random",), points=[4]), range(2), 2)
    streams = [*table.groupby("batch")["u1"].first(), *other.groupby("batch")["u1"].first()]
    assert len(set(streams)) == 4


coordinates = st.lists(st.sampled_from(np.linspace(0, 0.9, 7).tolist()), min_size=1, max_size=60)


@given(coordinates, st.integers(2, 20))
def test_equal_first_coordinates_share_a_job(first, per_job):
    first = np.array(first)
    jobs = chunks(first, per_job)
    for value in np.unique(first):
        assert len(np.unique(jobs[first == value])) == 1
    assert jobs.min() == 0
    assert jobs.max() <= -(-len(first) // per_job) - 1
    # No job holds more than was asked for, but for the group that began in it.
    for job in np.unique(jobs):
        values, counts = np.unique(first[jobs == job], return_counts=True)
        assert counts.sum() - counts[np.argmax(values)] < per_job


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=60, unique=True))
def test_points_that_all_differ_make_even_jobs(first):
    sizes = np.bincount(chunks(np.array(first), 4))
    assert len(sizes) == -(-len(first) // 4)
    assert sizes.max() <= 4
    assert sizes.max() - sizes.min() <= 1


@given(coordinates)
def test_one_point_per_job_is_a_job_for_every_point(first):
    assert sorted(chunks(np.array(first), 1)) == list(range(len(first)))
