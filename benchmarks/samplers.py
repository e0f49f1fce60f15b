"""Speed of the samplers: each figure beside the one to beat, in one process.

    python benchmarks/samplers.py            a minute or two, after compilation
    python benchmarks/samplers.py --long     also 5-d and 6-d saturation, and 1 M spheres in 2-d

Every line gives what was done, our seconds (median of the repeats), what stands beside it (a
measured alternative, or a goal), and their ratio last: above 1 we are faster. Compilation by numba
is measured first; it is cached on disk, so that only the first process pays for it.
"""

import argparse
import time
from statistics import median

import numpy as np
from hypertiling import rows as hypertiling_rows
from scipy.spatial import cKDTree
from scipy.stats import qmc

from tilesearch.designs import designs
from tilesearch.samplers import make
from tilesearch.samplers.rsa import SATURATION, ball_volume, saturated_packing
from tilesearch.space import Parameter, Space
from tilesearch.study import Size, SpaceStudy

PAPER = {2: range(2, 11), 3: range(2, 9), 4: range(2, 5), 5: range(2, 4), 6: [2], 7: [2], 8: [2]}
SAMPLERS = ("grid", "random", "lhs", "rsa", "hypertiling")
BATCHES = 44


def seconds(job, repeats: int = 3) -> float:
    """Median wall seconds of `job(repeat)`."""
    spent = []
    for repeat in range(repeats):
        started = time.perf_counter()
        job(repeat)
        spent.append(time.perf_counter() - started)
    return median(spent)


def smallest_distance(points: np.ndarray) -> float:
    """Smallest distance between two points."""
    return float(cKDTree(points).query(points, k=2)[0][:, 1].min())


def line(what: str, ours: float, other: str, theirs: float) -> None:
    """Print one comparison; the ratio comes last."""
    print(f"{what}: {ours:.4g} s; {other}: {theirs:.4g} s; ratio {theirs / ours:.2f}", flush=True)


def compile_all() -> None:
    """Compile, or load from the cache, every kernel that is used below."""
    started = time.perf_counter()
    for d in range(1, 9):
        for name in SAMPLERS:
            make(name, d, rng=0).random(5)
    saturated_packing(2, 0.1, boundary="periodic", rng=0)
    print(f"compilation, or loading it from the cache: {time.perf_counter() - started:.1f} s")


def largest_radius() -> None:
    """`RSA(d).random(n)` against its goals."""
    for d, n, goal in ((2, 100, 0.03), (3, 512, 0.2), (8, 256, 10.0)):
        repeats = 3 if d == 8 else 7
        ours = seconds(lambda rng, d=d, n=n: make("rsa", d, rng=rng).random(n), repeats)
        sampler = make("rsa", d, rng=0)
        separation = smallest_distance(sampler.random(n))
        print(
            f"RSA({d}).random({n}): separation {separation:.5f} >= 2 x radius "
            f"{2 * sampler.radius:.5f}, saturated: {sampler.saturated}, free volume at most "
            f"{sampler.free_volume:.2g}"
        )
        line(f"RSA({d}).random({n})", ours, "goal", goal)


def packings(long: bool) -> None:
    """Saturated packings per second, against the best published rate."""
    sizes = [(3, 20_000, 20_000)] + ([(2, 1_000_000, 1_000_000 / 12)] if long else [])
    for d, n, rate in sizes:
        radius = (SATURATION[d - 1] / (n * ball_volume(d))) ** (1 / d)
        started = time.perf_counter()
        placed = len(saturated_packing(d, radius, boundary="periodic", rng=1))
        spent = time.perf_counter() - started
        print(f"saturated packing in {d}-d: {placed} spheres, {placed / spent:,.0f} spheres/s")
        line(f"saturated packing in {d}-d", spent, f"at {rate:,.0f} spheres/s", placed / rate)


def fractions(long: bool) -> None:
    """Packing fractions of saturated tori against Zhang & Torquato's."""
    for d, n, repeats in [(2, 4000, 10), (3, 3000, 10), (4, 1500, 6)] + (
        [(5, 700, 6), (6, 300, 6)] if long else []
    ):
        radius = (SATURATION[d - 1] / (n * ball_volume(d))) ** (1 / d)
        covered = [
            len(saturated_packing(d, radius, boundary="periodic", rng=s)) * ball_volume(d, radius)
            for s in range(repeats)
        ]
        error = np.std(covered, ddof=1) / np.sqrt(repeats)
        off = (np.mean(covered) - SATURATION[d - 1]) / error
        print(
            f"packing fraction in {d}-d: {np.mean(covered):.5f} +- {error:.5f}, published "
            f"{SATURATION[d - 1]:.5f} ({off:+.1f} standard errors)",
            flush=True,
        )


def against_poisson_disk(d: int = 6, distance: float = 0.4) -> None:
    """Hard spheres in 6-d: points per second and smallest distance, scipy's beside ours."""
    started = time.perf_counter()
    theirs = qmc.PoissonDisk(d, radius=distance, rng=1).fill_space()
    scipy_seconds = time.perf_counter() - started
    started = time.perf_counter()
    ours = saturated_packing(d, distance / 2, rng=1)
    own_seconds = time.perf_counter() - started
    for name, points in (("scipy PoissonDisk", theirs), ("saturated_packing", ours)):
        print(
            f"{name} in {d}-d, distance {distance}: {len(points)} points, smallest distance "
            f"{smallest_distance(points) / distance:.3f} of it"
        )
    each = own_seconds / len(ours)
    line("a point in 6-d", each, "scipy PoissonDisk", scipy_seconds / len(theirs))


def all_designs() -> None:
    """Every design of the housing part of the paper study, all batches."""
    started = time.perf_counter()
    count = 0
    for d, resolutions in PAPER.items():
        axes = tuple(Parameter(f"x{axis}", 0.0, 1.0) for axis in range(d))
        sizes = tuple(Size(r**d, r) for r in resolutions)
        space = SpaceStudy("p", f"d{d}", Space("s", axes), (), (), (), SAMPLERS, sizes, 1000)
        count += len(designs(space, range(BATCHES), 1).groupby(["batch", "sampler", "n"]))
    line(f"{count} designs of the paper study", time.perf_counter() - started, "goal", 300.0)


def main() -> None:
    """Print all comparisons."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--long", action="store_true", help="also what takes minutes")
    arguments = parser.parse_args()
    compile_all()
    packings(arguments.long)
    fractions(arguments.long)
    against_poisson_disk()
    for what, ours, theirs, ratio in hypertiling_rows():
        print(f"{what}: {ours:.4g} s; {theirs:.4g} s; ratio {ratio:.1f}", flush=True)
    all_designs()
    largest_radius()


if __name__ == "__main__":
    main()
