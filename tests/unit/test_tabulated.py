"""Tabulated landscapes and the adaptive reference."""

import importlib.util
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from tilesearch.analysis.tabulated import (
    LossTable,
    PolynomialTable,
    adaptive,
    agreement,
    borders,
    lattice,
    replicates,
    shape,
)
from tilesearch.errors import InputError
from tilesearch.problems.polynomial import mangle
from tilesearch.space import Parameter, Space
from tilesearch.training.boosting import PolynomialTrainer

RATE = Parameter("rate", 1e-3, 1e-1, "float", "log")
DEPTH = Parameter("depth", 3, 9, "int")
SPACE = Space("d2", (RATE, DEPTH))
SQUARE = Space("square", (RATE, Parameter("x", 0.0, 1.0)))


def bowl(unit):
    return 1 + (unit[:, 0] - 0.31) ** 2 + 0.5 * (unit[:, 1] - 0.62) ** 2


def table(levels=30):
    points = lattice(SQUARE, levels)
    return LossTable(bowl(points).reshape(levels, levels), borders(SQUARE, levels))


def test_the_lattice_tries_every_whole_number_once_and_spreads_the_others():
    points = lattice(SPACE, 20)
    assert shape(borders(SPACE, 20)) == (20, 7)
    values = SPACE.values(points)
    assert np.unique(values["depth"], return_counts=True)[0].tolist() == list(range(3, 10))
    assert set(np.unique(values["depth"], return_counts=True)[1]) == {20}
    steps = np.diff(np.log(np.unique(values["rate"].round(12))))
    assert steps == pytest.approx(np.full(19, np.log(100) / 19), rel=1e-6)


def test_a_point_gets_the_loss_of_the_nearest_node():
    points = np.random.default_rng(1).random((500, 2))
    np.testing.assert_allclose(table().loss(points), bowl(np.rint(points * 29) / 29))


def test_a_grid_finds_its_own_trainings_on_the_edge():
    # Cells with nodes in their middles would give a grid losses from inside the domain.
    corners = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    np.testing.assert_array_equal(table(7).loss(corners), bowl(corners))


def test_a_whole_number_gets_exactly_its_own_training():
    losses = np.arange(20 * 7, dtype=float).reshape(20, 7)
    points = np.random.default_rng(2).random((300, 2))
    depth = SPACE.values(points)["depth"]
    made = LossTable(losses, borders(SPACE, 20))
    assert (made.loss(points) % 7 == depth - 3).all()


def test_predictions_are_scored_as_the_trainer_scores_them():
    rng = np.random.default_rng(3)
    truth = rng.normal(size=40)
    scale = np.abs(truth).max()
    predictions = mangle(truth / scale, [1.1, 0.7]) + rng.normal(0, 0.05, (3, 2, 40))
    made = PolynomialTable(predictions, truth, scale, 2)
    points = rng.random((50, 5))  # two trained, two coefficients, one without influence
    trainer = SimpleNamespace(
        names=["c1", "c2"], scale=scale, batch=SimpleNamespace(test={"y": truth})
    )
    found = made.loss(points)
    for point, loss in zip(points, found, strict=True):
        own = predictions[int(point[0] * 3), int(point[1] * 2)]
        searched = [{"c1": 0.5 + point[2], "c2": 0.5 + point[3]}]
        assert loss == pytest.approx(PolynomialTrainer.losses(trainer, own, searched)[0])


def test_blocks_change_nothing(monkeypatch):
    rng = np.random.default_rng(4)
    made = PolynomialTable(rng.normal(size=(4, 7)), rng.normal(size=7), 1.0, 1)
    points = rng.random((33, 2))
    whole = made.loss(points)
    monkeypatch.setattr("tilesearch.analysis.tabulated.BLOCK", 20)
    np.testing.assert_array_equal(made.loss(points), whole)


def test_the_mean_minimum_of_random_points_is_that_of_order_statistics():
    made = table(12)
    found = replicates({0: made}, ["random"], [1, 4, 9], 2, count=3000, seed=5)
    order = np.argsort(made.losses.ravel())
    levels = made.losses.ravel()[order]
    # Cells on the edge are half as wide as the others.
    width = np.r_[0.5, np.ones(10), 0.5] / 11
    share = np.outer(width, width).ravel()[order]
    for n, part in found.groupby("n"):
        # P(minimum >= the i-th smallest loss) = (1 - chance of all smaller ones)^n
        at_least = np.append(1 - np.cumsum(share) + share, 0) ** n
        expected = (levels * (at_least[:-1] - at_least[1:])).sum()
        error = part["minimum"].std() / np.sqrt(len(part))
        assert abs(part["minimum"].mean() - expected) < 4 * error


def test_all_batches_read_the_same_designs_and_the_order_of_samplers_is_no_matter():
    tables = {0: table(10), 1: LossTable(table(10).losses + 1, table(10).edges)}
    found = replicates(tables, ["lhs", "random"], [4], 2, count=5, seed=1)
    wide = found.pivot_table(index=["sampler", "replicate"], columns="batch", values="minimum")
    np.testing.assert_allclose(wide[1] - wide[0], 1)
    again = replicates(tables, ["random"], [4], 2, count=5, seed=1)
    expected = found[found["sampler"] == "random"].reset_index(drop=True)
    pd.testing.assert_frame_equal(again, expected)


def test_failed_trainings_are_passed_over_and_a_table_of_failures_has_no_minimum():
    losses = np.array([np.nan, 2.0])
    found = replicates({0: LossTable(losses)}, ["grid"], [2], 1, count=1)
    assert found["minimum"].tolist() == [2.0]
    none = replicates({0: LossTable(losses * np.nan)}, ["grid"], [2], 1, count=1)
    assert none["minimum"].isna().all()


def batches(count=30):
    rng = np.random.default_rng(7)
    # Directions turned at random: one design shared by all batches must not be lucky in all.
    return {
        b: LossTable(np.rot90(table(20).losses, rng.integers(4)) * rng.uniform(1, 3))
        for b in range(count)
    }


def test_tabulated_and_direct_agree_where_they_should_and_not_elsewhere():
    tables = batches()
    many = replicates(tables, ["random", "lhs"], [4, 9], 2, count=300, seed=1)
    numbers = {"trained": 26, "table_trainings": 400}
    one_each = pd.concat(
        [
            replicates({b: t}, ["random", "lhs"], [4, 9], 2, count=1, seed=1000 + b)
            for b, t in tables.items()
        ]
    )
    same = agreement(one_each, many, **numbers)
    assert len(same) == 4
    assert (same["z"].abs() < 3.5).all()
    others = same[same["sampler"] == "lhs"]
    assert (others["tabulated_error"] < others["direct_error"]).all()
    assert (same.loc[same["sampler"] == "random", "tabulated_error"] == 0).all()
    assert same["saved"].tolist() == pytest.approx([300 * 26 / 400] * 4)
    shifted = one_each.assign(minimum=one_each["minimum"] * np.exp(0.2))
    assert (agreement(shifted, many, **numbers)["z"] > 5).all()


def test_tables_of_different_spaces_are_refused():
    many = replicates({0: table(5)}, ["random"], [4], 2, count=2)
    with pytest.raises(ValueError, match="give tables of one space"):
        agreement(many.assign(n=5), many, trained=1, table_trainings=1)


def test_tpe_beats_random_in_the_end_and_its_curve_never_rises():
    tables = {0: table(40)}
    found = adaptive(tables, [10, 60], 2, names=["tpe"], count=12, seed=1)
    means = found.groupby("n")["minimum"].mean()
    fixed = replicates(tables, ["random"], [60], 2, count=300, seed=1)["minimum"].mean()
    assert means[60] < fixed
    wide = found.pivot_table(index="replicate", columns="n", values="minimum")
    assert (wide[60] <= wide[10]).all()


def test_a_search_over_failures_goes_on():
    losses = np.full((4, 4), np.nan)
    losses[0] = 1.0
    found = adaptive({0: LossTable(losses)}, [30], 2, names=["tpe"], count=1, seed=1)
    assert found["minimum"].tolist() == [1.0]


def test_gp_runs_or_says_what_it_needs():
    if importlib.util.find_spec("torch") is None:
        with pytest.raises(InputError, match="'gp', which needs the package 'torch'"):
            adaptive({0: table(10)}, [5], 2, names=["gp"], count=1)
    else:
        found = adaptive({0: table(10)}, [12], 2, names=["gp"], count=1, seed=1)
        assert np.isfinite(found["minimum"]).all()


def test_an_unknown_adaptive_sampler_is_named():
    with pytest.raises(InputError, match="'cma', which is unknown"):
        adaptive({0: table(10)}, [5], 2, names=["cma"], count=1)


def test_replicates_that_scatter_widely_do_not_look_larger_than_single_designs():
    # The logarithm of a mean would lie 2 above the mean of the logarithms here.
    rng = np.random.default_rng(11)
    many = pd.DataFrame(
        {"batch": b, "sampler": "lhs", "n": 4, "minimum": np.exp(rng.normal(0, 2, 400))}
        for b in range(20)
    ).explode("minimum")
    many["minimum"] = many["minimum"].astype(float)
    one = many.groupby("batch", as_index=False).first()
    row = agreement(one, many, trained=4, table_trainings=4).iloc[0]
    assert abs(row["z"]) < 3.5
