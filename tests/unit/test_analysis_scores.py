import math

import numpy as np
import pandas as pd
import pytest

from tilesearch.analysis.scores import DESIGN, minima, parameters_of, scores

KEY = ["problem", "space", "d", "batch", "sampler", "resolution", "n"]


def table(rows):
    """Evaluations from (batch, sampler, R, losses); one-dimensional, x = point / 10."""
    out = []
    for batch, sampler, resolution, losses in rows:
        for point, loss in enumerate(losses):
            out.append(
                {
                    "problem": "p",
                    "space": "d1",
                    "d": 1,
                    "batch": batch,
                    "sampler": sampler,
                    "resolution": resolution,
                    "n": len(losses),
                    "point": point,
                    "x": point / 10,
                    "loss": loss,
                    "status": "failed" if math.isnan(loss) else "ok",
                    "reason": "diverged" if math.isnan(loss) else "",
                    "training": f"t{len(out)}",
                    "seconds": 0.1,
                    "stand_in": "",
                }
            )
    return pd.DataFrame(out).astype({"resolution": "Int64"})


@pytest.fixture
def evaluations():
    stream = np.random.default_rng(3)
    rows = []
    for batch in range(4):
        for sampler in ("grid", "random", "rsa"):
            for resolution, n in ((2, 2), (3, 3), (pd.NA, 5)):
                losses = stream.uniform(0.5, 2, n).tolist()
                if batch == 2 and sampler == "rsa":
                    losses = [math.nan] * n  # a design without one usable point
                elif stream.random() < 0.3:
                    losses[0] = math.nan
                rows.append((batch, sampler, resolution, losses))
    return table(rows)


def by_loops(evaluations):
    """Mean, std and error of each (sampler, n) by plain loops over plain lists."""
    records = evaluations.to_dict("records")
    best, designs = {}, {}
    for row in records:
        designs.setdefault((row["sampler"], row["n"]), {}).setdefault(row["batch"], math.inf)
        if row["status"] != "ok":
            continue
        best[row["batch"]] = min(best.get(row["batch"], math.inf), row["loss"])
        of_batch = designs[row["sampler"], row["n"]]
        of_batch[row["batch"]] = min(of_batch[row["batch"]], row["loss"])
    out = {}
    for key, of_batch in designs.items():
        ratios = [m / best[b] for b, m in of_batch.items() if m < math.inf]
        mean = sum(ratios) / len(ratios)
        std = math.sqrt(sum((r - mean) ** 2 for r in ratios) / (len(ratios) - 1))
        out[key] = (len(ratios), mean, std, std / math.sqrt(len(ratios)))
    return out


def test_scores_equal_a_recomputation_by_plain_loops(evaluations):
    table = scores(minima(evaluations))
    expected = by_loops(evaluations)
    assert len(table) == len(expected) == 9
    for row in table.itertuples():
        got = (row.batches, row.mean, row.std, row.error)
        assert got == pytest.approx(expected[row.sampler, row.n], rel=1e-12)


def test_minima_hold_one_row_per_design_and_count_the_points(evaluations):
    rows = minima(evaluations)
    assert len(rows) == 4 * 3 * 3
    assert not rows.duplicated(KEY).any()
    assert (rows["ok"] + rows["failed"] == rows["n"]).all()
    assert (rows["missing"] == 0).all()
    assert rows["failed"].sum() == (evaluations["status"] == "failed").sum()
    assert rows["normalised"].min() == 1
    assert (rows.groupby("batch")["scaled"].min() == 0).all()


def test_the_minimum_comes_with_its_parameters(evaluations):
    rows = minima(evaluations)
    rows = rows[rows["ok"] > 0]
    merged = rows.drop(columns="stand_in").merge(evaluations, on=[*KEY, "point"])
    assert len(merged) == len(rows)
    np.testing.assert_array_equal(merged["best_x"], merged["x"])
    np.testing.assert_array_equal(merged["minimum"], merged["loss"])


def test_the_order_of_the_rows_does_not_matter(evaluations):
    shuffled = evaluations.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(minima(shuffled), minima(evaluations))


def test_ties_take_the_first_point_and_share_the_best():
    rows = minima(table([(0, "a", 3, [2.0, 1.0, 1.0]), (0, "b", 3, [1.0, 3.0, 3.0])]))
    assert rows["point"].tolist() == [1, 0]
    assert rows["normalised"].tolist() == [1.0, 1.0]
    assert scores(rows)["best"].tolist() == [1, 1]


def test_a_design_whose_points_all_failed_keeps_its_row_and_says_so():
    rows = minima(table([(0, "a", 2, [math.nan] * 2), (0, "b", 2, [1.0, 2.0])]))
    lost = rows.iloc[0]
    assert math.isnan(lost["minimum"])
    assert math.isnan(lost["normalised"])
    assert lost["note"] == "no usable point (2 failed)"
    line = scores(rows).iloc[0]
    assert (line["batches"], line["unusable"], line["failed"]) == (0, 1, 2)
    assert "no batch with a normalised minimum" in line["note"]


def test_a_loss_that_is_not_finite_is_no_minimum_whatever_its_status():
    evaluations = table([(0, "a", 3, [3.0, 2.0, 1.0])])
    evaluations.loc[2, "loss"] = -np.inf
    row = minima(evaluations).iloc[0]
    assert (row["minimum"], row["failed"]) == (2.0, 1)
    assert row["note"] == "1 of 3 points failed"


@pytest.mark.parametrize("smallest", [0.0, -1.0])
def test_a_smallest_loss_of_zero_or_below_is_said_and_not_divided_by(smallest):
    rows = minima(table([(0, "a", 2, [smallest, 1.0]), (0, "b", 2, [1.0, 2.0])]))
    assert rows["normalised"].isna().all()
    assert all("needs one above 0" in note for note in rows["note"])
    assert rows["minimum"].tolist() == [smallest, 1.0]
    assert (scores(rows)["unusable"] == 1).all()
    assert all("0 or below: no ratio" in note for note in scores(rows)["note"])


def test_missing_points_are_said():
    evaluations = table([(0, "a", 3, [1.0, 2.0, 3.0])]).iloc[:2]
    row = minima(evaluations).iloc[0]
    assert row["missing"] == 1
    assert row["note"] == "1 of 3 points are missing"


def test_one_batch_has_no_uncertainty_and_says_so():
    line = scores(minima(table([(0, "a", 2, [1.0, 2.0])]))).iloc[0]
    assert line["mean"] == 1.0
    assert math.isnan(line["error"])
    assert line["note"] == "one batch: no uncertainty"


def test_all_designs_equal_have_mean_one_and_error_zero():
    rows = [(b, s, 2, [b + 1.0, 9.0]) for b in range(3) for s in "abc"]
    table_ = scores(minima(table(rows)))
    assert (table_["mean"] == 1).all()
    assert (table_["error"] == 0).all()
    assert (table_["best"] == 3).all()


def test_replicates_of_a_batch_are_averaged_before_the_mean_over_batches():
    rows = minima(table([(b, "a", 2, [1.0 + b, 2.0 + b]) for b in range(2)]))
    rows = pd.concat([rows, rows[rows["batch"] == 0].assign(normalised=3.0)])
    line = scores(rows).iloc[0]
    assert (line["batches"], line["mean"]) == (2, 1.5)


def test_another_space_sets_no_yardstick():
    one = table([(0, "a", 2, [2.0, 3.0])])
    other = table([(0, "a", 2, [1.0, 3.0])]).assign(space="d9")
    rows = minima(pd.concat([one, other], ignore_index=True))
    assert rows["normalised"].tolist() == [1.0, 1.0]


def test_stand_ins_are_carried_along():
    evaluations = table([(0, "a", 2, [2.0, 3.0])]).assign(stand_in="generated")
    rows = minima(evaluations)
    assert rows["stand_in"].tolist() == ["generated"]
    assert scores(rows)["stand_in"].tolist() == ["generated"]


def test_a_point_given_twice_is_refused():
    evaluations = table([(0, "a", 2, [2.0, 3.0])])
    with pytest.raises(ValueError, match=r"1 point\(s\) twice.*drop"):
        minima(pd.concat([evaluations, evaluations.iloc[:1]]))


def test_an_absent_column_is_named():
    with pytest.raises(ValueError, match=r"lack the column\(s\) loss"):
        minima(table([(0, "a", 2, [2.0, 3.0])]).drop(columns="loss"))


def test_parameters_are_the_other_numeric_columns():
    evaluations = table([(0, "a", 2, [2.0, 3.0])]).assign(host="h", depth=3, flag=True)
    assert parameters_of(evaluations) == ["x", "depth"]
    assert set(DESIGN) == set(KEY)
