"""Small generated studies for the tests of the statistics and their figures."""

import numpy as np
import pandas as pd

SAMPLERS = ("grid", "random", "lhs", "rsa")


def study(
    batches=6, samplers=SAMPLERS, resolutions=(2, 3), seed=0, *, better=(), worth=2
) -> pd.DataFrame:
    """Evaluations of independent random points on noisy bowls whose minimum moves.

    All samplers place their points at random, so none is better; those in `better` keep the
    best of `worth` random points for each of their points, and are worth `worth` times as many.
    """
    rng = np.random.default_rng(seed)
    tables = []
    for batch in range(batches):
        centre, floor = rng.uniform(0.25, 0.75, 2), rng.uniform(0.05, 0.1)
        for sampler in samplers:
            for resolution in resolutions:
                n = resolution**2
                draws = worth if sampler in better else 1
                points = rng.random((n, draws, 2))
                loss = floor * (1 + ((points - centre) ** 2).sum(axis=2))
                best = loss.argmin(axis=1)
                x, y = points[np.arange(n), best].T
                tables.append(
                    pd.DataFrame(
                        {
                            "batch": batch, "sampler": sampler, "resolution": resolution, "n": n,
                            "point": range(n), "x": x, "y": y, "loss": loss.min(axis=1),
                        }
                    )
                )  # fmt: skip
    table = pd.concat(tables, ignore_index=True).astype({"resolution": "Int64"})
    return table.assign(
        problem="bowl",
        space="d2",
        d=2,
        status="ok",
        reason="",
        training=[f"t{i}" for i in range(len(table))],
        seconds=0.1,
        stand_in="",
    )


def failing(table: pd.DataFrame, rows) -> pd.DataFrame:
    """`table` with the rows marked by `rows` failed."""
    table = table.copy()
    table.loc[rows, ["loss", "status", "reason"]] = [np.nan, "failed", "diverged"]
    return table


def awkward_studies() -> dict[str, pd.DataFrame]:
    """Studies that a careless statistic stumbles over, by name."""
    plain = study()
    is_ = {s: plain["sampler"] == s for s in SAMPLERS}
    zero = plain.copy()
    zero.loc[zero["batch"] == 0, "loss"] -= zero.loc[zero["batch"] == 0, "loss"].min()
    ties = plain.assign(loss=plain["loss"].round(2))
    # Two samplers that found the same everywhere.
    ties.loc[is_["rsa"], "loss"] = ties.loc[is_["lhs"], "loss"].to_numpy()
    asked = plain.copy()
    asked.loc[asked["resolution"] == 3, "resolution"] = pd.NA
    return {
        "one batch": study(batches=1),
        "two batches": study(batches=2),
        "one resolution": study(resolutions=(3,)),
        "one point": study(resolutions=(1,)),
        "two samplers": study(samplers=("random", "rsa")),
        "one sampler": study(samplers=("random",)),
        "no baseline": study(samplers=("grid", "lhs", "rsa")),
        "ties": ties,
        "all equal": plain.assign(loss=0.5),
        "some failed": failing(plain, is_["lhs"] & (plain["point"] % 2 == 0)),
        "a sampler failed": failing(plain, is_["lhs"]),
        "a design failed": failing(plain, is_["lhs"] & (plain["batch"] == 1) & (plain["n"] == 4)),
        "the baseline failed": failing(plain, is_["random"]),
        "all failed": failing(plain, plain["batch"] >= 0),
        "a loss of zero": zero,
        "negative losses": plain.assign(loss=plain["loss"] - 1),
        "n asked directly": asked,
        "stand-in": plain.assign(stand_in="generated bowls"),
    }
