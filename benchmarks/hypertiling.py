"""Speed of the hypertilings: vertices against a plain Python loop over intersections, and d = 8.

Run ``python benchmarks/hypertiling.py``. Each line is (what, ours in s, theirs in s or the goal,
ratio); everything is measured in this process, one after the other, after a warm-up.
"""

import os
from itertools import combinations, product
from math import ceil, floor
from time import perf_counter

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from tilesearch.samplers import Hypertiling, multigrid

REPEATS = 5


def plain_loop(vectors, offsets, half: float, reach: float) -> set[tuple[int, ...]]:
    """Vertices of the dual tiling in [-half, half]^d, by the textbook loop, as integer tuples.

    For each d grids and each hyperplane of each of them that comes within `reach` of the origin,
    the intersection is solved for, its other integers are read off, and the 2^d cells around it
    are added to a set.
    """
    vectors = [[float(x) for x in vector] for vector in vectors]
    offsets = [float(g) for g in offsets]
    m, d = len(vectors), len(vectors[0])
    lengths = [sum(x * x for x in vector) ** 0.5 for vector in vectors]
    found = set()
    for chosen in combinations(range(m), d):
        inverse = np.linalg.inv([vectors[j] for j in chosen]).tolist()
        ranges = [
            range(ceil(offsets[j] - reach * lengths[j]), floor(offsets[j] + reach * lengths[j]) + 1)
            for j in chosen
        ]
        for index in product(*ranges):
            right = [index[i] - offsets[j] for i, j in enumerate(chosen)]
            x = [sum(a * b for a, b in zip(row, right, strict=True)) for row in inverse]
            if sum(a * a for a in x) > reach * reach:
                continue
            k = [
                ceil(sum(a * b for a, b in zip(vectors[j], x, strict=True)) + offsets[j])
                for j in range(m)
            ]
            for steps in product((0, 1), repeat=d):
                for i, j in enumerate(chosen):
                    k[j] = index[i] + steps[i]
                z = [k[j] - offsets[j] - 0.5 for j in range(m)]
                position = [sum(z[j] * vectors[j][a] for j in range(m)) for a in range(d)]
                if max(abs(p) for p in position) <= half:
                    found.add(tuple(k))
    return found


def reach_for(star: multigrid.Star, half: float) -> float:
    """Radius in grid space within which lie all intersections around vertices in the cube."""
    smallest = np.linalg.eigvalsh(star.vectors.T @ star.vectors)[0]
    return (half * star.d**0.5 + star.spread) / smallest


def offsets_for(star: multigrid.Star, seed: int) -> np.ndarray:
    """Random offsets, with the sum that the sampler gives them."""
    offsets = np.random.default_rng(seed).random(star.m)
    if star.sums_to_zero:
        offsets[-1] = -offsets[:-1].sum()
    return offsets


def median_time(job) -> float:
    """Median wall time of `REPEATS` calls, after one that is not counted."""
    job()
    times = []
    for _ in range(REPEATS):
        start = perf_counter()
        job()
        times.append(perf_counter() - start)
    return float(np.median(times))


def against_plain_loop(d: int = 3, n: int = 10_000) -> tuple[str, float, float, float]:
    """About `n` vertices in d dimensions: `multigrid.vertices` and `plain_loop` (timed once)."""
    star = multigrid.star(d)
    offsets = offsets_for(star, 1)
    half = (n / star.density) ** (1 / d) / 2
    ours = median_time(lambda: multigrid.vertices(star, offsets, half))
    start = perf_counter()
    theirs = plain_loop(star.vectors, offsets, half, reach_for(star, half))
    slow = perf_counter() - start
    k, _ = multigrid.vertices(star, offsets, half)
    if set(map(tuple, k.tolist())) != theirs:
        raise RuntimeError("the plain loop and multigrid.vertices disagree")
    return f"{len(k)} vertices in {d}-d, plain Python loop", ours, slow, slow / ours


def against_goal(
    d: int, n: int, goal: float, points: str = "vertices"
) -> tuple[str, float, float, float]:
    """One call of `Hypertiling(d).random(n)` against a goal in seconds."""
    sampler = Hypertiling(d, points=points, rng=1)
    ours = median_time(lambda: sampler.random(n))
    return f"Hypertiling({d}, points={points!r}).random({n}), goal", ours, goal, goal / ours


def rows() -> list[tuple[str, float, float, float]]:
    """All measurements: (what, ours in s, theirs in s or the goal, ratio)."""
    return [
        against_plain_loop(2),
        against_plain_loop(3),
        against_goal(8, 256, 2.0),
        against_goal(8, 6561, 2.0),
        against_goal(8, 256, 2.0, "intersections"),
    ]


def main() -> None:
    print(f"{'what':60} {'ours, s':>10} {'theirs, s':>10} {'ratio':>8}")
    for what, ours, theirs, ratio in rows():
        print(f"{what:60} {ours:10.4f} {theirs:10.3f} {ratio:8.0f}")


if __name__ == "__main__":
    main()
