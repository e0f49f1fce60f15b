"""Speed of the samplers: every figure beside the one to beat, in one process and one run.

    python benchmarks/samplers.py                  everything: many minutes, most of them the
                                                   designs of the paper study in 8 dimensions
    python benchmarks/samplers.py --batches 2      2 of its 44 batches, and the rest extrapolated

Every line gives what was done, our seconds, what stands beside it (a measured alternative, or a
goal), and their ratio last: above 1 we are faster. Seconds are CPU seconds of this process, which
works on one core: on an idle machine that is wall time, on a busy one (the load is printed first
and last) wall time would measure the others. Several repeats give their median.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from itertools import combinations, product
from math import ceil, floor
from statistics import median

# before numpy starts its threads: one core, whatever the machine has
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
from scipy.spatial import cKDTree
from scipy.stats import qmc

from tilesearch.designs import designs
from tilesearch.samplers import make, multigrid
from tilesearch.samplers.rsa import SATURATION, ball_volume, saturated_packing
from tilesearch.space import Parameter, Space
from tilesearch.study import Size, SpaceStudy

PAPER = {2: range(2, 11), 3: range(2, 9), 4: range(2, 5), 5: range(2, 4), 6: [2], 7: [2], 8: [2]}
SAMPLERS = ("grid", "random", "lhs", "rsa", "hypertiling")
BATCHES = 44
COMPILE_ALL = (
    "from tilesearch.samplers import make; from tilesearch.samplers.rsa import saturated_packing;"
    f"[make(name, d, rng=0).random(5) for d in range(1, 9) for name in {(*SAMPLERS, 'lhs-rsa')}];"
    "make('hypertiling-intersections', 2, rng=0).random(5);"
    "saturated_packing(2, 0.1, boundary='periodic', rng=0)"
)


def seconds(job, repeats: int = 1) -> float:
    """Median CPU seconds of `job(repeat)`."""
    spent = []
    for repeat in range(repeats):
        started = time.process_time()
        job(repeat)
        spent.append(time.process_time() - started)
    return median(spent)


def smallest_distance(points: np.ndarray) -> float:
    """Smallest distance between two points."""
    return float(cKDTree(points).query(points, k=2)[0][:, 1].min())


def line(what: str, ours: float, other: str, theirs: float) -> None:
    """Print one comparison; the ratio comes last."""
    print(f"{what}: {ours:.4g} s; {other}: {theirs:.4g} s; ratio {theirs / ours:.2f}", flush=True)


def load() -> None:
    """Print how busy the machine is."""
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)


def compilation() -> None:
    """Two processes after each other: the first compiles, the second finds the cache on disk."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
        for what in ("import and compilation by numba", "import and loading from numba's cache"):
            before = os.times().children_user + os.times().children_system
            subprocess.run([sys.executable, "-c", COMPILE_ALL], env=environment, check=True)
            spent = os.times().children_user + os.times().children_system - before
            print(f"{what}, all kernels: {spent:.1f} s", flush=True)
    exec(COMPILE_ALL)  # noqa: S102 - the same for this process


def largest_radius() -> None:
    """`RSA(d).random(n)` against its goals."""
    for d, n, goal in ((2, 100, 0.03), (3, 512, 0.2), (8, 256, 10.0)):
        repeats = 3 if d == 8 else 7
        samplers = [make("rsa", d, rng=rng) for rng in range(repeats)]
        drawn = []
        ours = seconds(lambda k, n=n, s=samplers, out=drawn: out.append(s[k].random(n)), repeats)
        print(
            f"RSA({d}).random({n}): separation {smallest_distance(drawn[0]):.5f} >= 2 x radius "
            f"{2 * samplers[0].radius:.5f}, saturated: {samplers[0].saturated}, free volume at "
            f"most {samplers[0].free_volume:.2g}"
        )
        line(f"RSA({d}).random({n})", ours, "goal", goal)


def radius_for(d: int, n: int) -> float:
    """Radius at which about `n` spheres saturate the torus."""
    return (SATURATION[d - 1] / (n * ball_volume(d))) ** (1 / d)


def packings() -> None:
    """Saturated packings per second, against the best published rates."""
    for d, n, rates in (
        (3, 20_000, {"goal": 20_000, "Merope": 10_000, "RSA_MPI": 5_700}),
        (2, 1_000_000, {"Ebeida et al.": 1_000_000 / 12}),
    ):
        placed = []
        spent = seconds(
            lambda _, d=d, n=n, out=placed: out.append(
                len(saturated_packing(d, radius_for(d, n), boundary="periodic", rng=1))
            )
        )
        print(f"saturated packing in {d}-d: {placed[0]} spheres, {placed[0] / spent:,.0f} a second")
        for name, rate in rates.items():
            other = f"{name}, {rate:,.0f} spheres a second"
            line(f"saturated packing in {d}-d", spent, other, placed[0] / rate)


def fractions() -> None:
    """Packing fractions of saturated tori against Zhang & Torquato's."""
    for d, n, repeats in ((2, 4000, 10), (3, 3000, 10), (4, 1500, 6), (5, 700, 6), (6, 300, 6)):
        radius = radius_for(d, n)
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
    sets = []
    scipy_seconds = seconds(
        lambda _: sets.append(qmc.PoissonDisk(d, radius=distance, rng=1).fill_space())
    )
    own_seconds = seconds(lambda _: sets.append(saturated_packing(d, distance / 2, rng=1)))
    for name, points in zip(("scipy PoissonDisk", "saturated_packing"), sets, strict=True):
        print(
            f"{name} in {d}-d, distance {distance}: {len(points)} points, smallest distance "
            f"{smallest_distance(points) / distance:.3f} of it"
        )
    each, theirs = own_seconds / len(sets[1]), scipy_seconds / len(sets[0])
    line(f"a point in {d}-d", each, "scipy PoissonDisk", theirs)


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


def against_plain_loop(d: int, n: int = 10_000) -> None:
    """About `n` vertices in d dimensions: `multigrid.vertices` and `plain_loop` (timed once)."""
    star = multigrid.star(d)
    offsets = offsets_for(star, 1)
    half = (n / star.density) ** (1 / d) / 2
    k, _ = multigrid.vertices(star, offsets, half)
    ours = seconds(lambda _: multigrid.vertices(star, offsets, half), 5)
    found = []
    reach = reach_for(star, half)
    slow = seconds(lambda _: found.append(plain_loop(star.vectors, offsets, half, reach)))
    if set(map(tuple, k.tolist())) != found[0]:
        raise RuntimeError("the plain loop and multigrid.vertices disagree")
    line(f"{len(k)} tiling vertices in {d}-d", ours, "plain Python loop", slow)


def hypertilings(goal: float = 2.0) -> None:
    """`Hypertiling(8).random(n)`, both kinds of points, against the goal."""
    for name, n in (
        ("hypertiling", 256),
        ("hypertiling", 6561),
        ("hypertiling-intersections", 256),
    ):
        sampler = make(name, 8, rng=1)
        sampler.random(n)  # makes the tables of the star, once a process
        ours = seconds(lambda _, sampler=sampler, n=n: sampler.random(n), 5)
        line(f"{name} in 8-d, {n} points", ours, "goal", goal)


def all_designs(batches: int) -> None:
    """Every design of the housing part of the paper study, `batches` of its 44 batches."""
    total = count = 0.0
    for d, resolutions in PAPER.items():
        axes = tuple(Parameter(f"x{axis}", 0.0, 1.0) for axis in range(d))
        sizes = tuple(Size(r**d, r) for r in resolutions)
        space = SpaceStudy("p", f"d{d}", Space("s", axes), (), (), (), SAMPLERS, sizes, 1000)
        spent = seconds(lambda _, space=space: designs(space, range(batches), 1))
        print(f"designs in {d}-d, {batches} batches: {spent:.3g} s", flush=True)
        total += spent * BATCHES / batches
        count += len(sizes) * len(SAMPLERS) * BATCHES
    how = "" if batches == BATCHES else f", from {batches} of {BATCHES} batches"
    line(f"{count:.0f} designs of the paper study{how}", total, "goal", 300.0)


def main() -> None:
    """Print all comparisons."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--batches", type=int, default=BATCHES, help="batches of the paper study, 1 to 44"
    )
    batches = parser.parse_args().batches
    if not 1 <= batches <= BATCHES:
        parser.error(f"--batches is {batches}, it must be from 1 to {BATCHES}")
    load()
    compilation()
    largest_radius()
    packings()
    against_poisson_disk()
    fractions()
    against_plain_loop(2)
    against_plain_loop(3)
    hypertilings()
    all_designs(batches)
    load()


if __name__ == "__main__":
    main()
