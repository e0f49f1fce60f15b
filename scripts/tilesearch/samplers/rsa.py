"""Random sequential addition of hard spheres: at a given radius, or at the largest for n points."""

from math import ceil, gamma, isfinite, pi, sqrt

import numpy as np

from tilesearch.samplers.base import Sampler, check_dimension
from tilesearch.samplers.voxels import MOST_VOXELS, Packing, pack

BOUNDARIES = ("free", "periodic")
#: Share of space that spheres cover when a torus is saturated, for d = 1 to 8: Rényi's constant,
#: then Zhang & Torquato, Phys. Rev. E 88 (2013) 053312, as in their table.
SATURATION = (0.7475979, 0.5470735, 0.3841307, 0.2600781, 0.1707761, 0.109302, 0.068404, 0.04230)
#: With a free boundary n spheres act like a torus whose side is longer than 1 by this share of the
#: diameter, for d = 1 to 8: fitted to packings, only a first guess for the search.
OVERHANG = (0.66, 0.66, 0.64, 0.62, 0.60, 0.575, 0.556, 0.544)
#: Default limit of the voxel list on the torus in 7 and 8 dimensions, where a proof takes minutes.
MOST_VOXELS_HARD = 20_000
#: Most points in 7 and 8 dimensions for which a draw looks for a packing that is saturated with
#: exactly n points: nine packings are needed on average, and one of 256 points takes a second.
MOST_EXACT = 64
#: How many streams are tried for a packing that is saturated with exactly n points.
STREAMS = 4
#: How many halvings beyond the tolerance a stream gets to end with exactly n points.
EXTRA_HALVINGS = 8


def check_boundary(boundary) -> None:
    """Raise ValueError unless `boundary` is one of `BOUNDARIES`."""
    if boundary not in BOUNDARIES:
        raise ValueError(f"boundary is {boundary!r}, it must be one of {', '.join(BOUNDARIES)}")


def ball_volume(d: int, radius: float = 1.0) -> float:
    """Volume of a `d`-dimensional ball.

    Examples
    --------
    >>> round(ball_volume(3), 4)
    4.1888
    """
    return pi ** (d / 2) / gamma(d / 2 + 1) * radius**d


def expected_diameter(n: int, d: int, *, periodic: bool = False) -> float:
    """Diameter at which about `n` spheres saturate the unit cube, from the packing fraction."""
    torus = 2.0 * (SATURATION[d - 1] / (n * ball_volume(d))) ** (1.0 / d)
    if periodic:
        return min(torus, 1.0)
    # diameter = torus * (1 + overhang * diameter), solved for the diameter
    return torus / max(1.0 - OVERHANG[d - 1] * torus, 0.1)


def largest_diameter(d: int, periodic: bool) -> float:
    """The largest diameter of use: one sphere fills the cube, or touches its own images."""
    return 1.0 if periodic else sqrt(d) * (1.0 + 1e-9)


def saturated_packing(d: int, radius: float, *, boundary: str = "free", rng=None) -> np.ndarray:
    """Random sequential addition of spheres of one radius until no more fits.

    Spheres are thrown into the unit cube one after the other, each uniformly over the places that
    are still free, until none is left. Proved by voxels: see `tilesearch.samplers.voxels`.

    Parameters
    ----------
    d : int
        Dimension, 1 to 8.
    radius : float
        Radius of the spheres, greater than 0. No two centres are nearer than ``2 * radius``.
    boundary : {"free", "periodic"}
        "free": centres lie anywhere in the cube, spheres may stick out; a first sphere always
        fits, so that any radius will do. "periodic": the cube is a torus; a sphere must not
        overlap its own images, so that the radius may be at most 1/2.
    rng : None, int or numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray, shape (n, d)
        Centres in [0, 1), in the order in which they were placed.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Notes
    -----
    Where memory does not allow to split voxels until none is left (many spheres in d >= 6), the
    packing ends when the proposals in the voxels left, three in each on average,
    have found no place three times running.

    Examples
    --------
    >>> centres = saturated_packing(2, 0.1, boundary="periodic", rng=1)
    >>> bool(8 <= len(centres) <= 24)
    True
    """
    check_dimension(d, RSA.highest_d)
    check_boundary(boundary)
    periodic = boundary == "periodic"
    if not isinstance(radius, (int, float, np.number)) or not isfinite(radius) or radius <= 0:
        raise ValueError(f"radius is {radius!r}, it must be a finite number greater than 0")
    if periodic and radius > 0.5:
        raise ValueError(
            f"radius is {radius}, on a torus it must be at most 0.5, "
            "or a sphere overlaps its own images"
        )
    seed = int(np.random.default_rng(rng).integers(2**63))
    # the fewest proposals are the fastest in few dimensions, where a voxel costs little
    mean = min(1.5 ** (d - 1), 3.0)
    # a voxel of few dimensions takes less memory, and a million discs start with two million
    most = MOST_VOXELS * RSA.highest_d // d
    return pack(
        d, 2.0 * float(radius), seed=seed, periodic=periodic, most_voxels=most, mean=mean
    ).centres


class RSA(Sampler):
    """Random sequential addition with the largest radius that still places n spheres.

    Hard spheres are thrown into the unit cube one after the other, each uniformly over the places
    that the earlier ones leave free. The points are their centres; no two are nearer than
    ``2 * radius``.

    *Which radius.* Whether n spheres fit depends on chance. So each draw first fixes a stream of
    random proposals in space and time (`tilesearch.samplers.voxels`); N(r), the number of spheres
    of radius r that the stream places until the cube is saturated, is then a function of r. A
    search by bisection ends with a radius r for which N(r) >= n and N(r') < n for an r' that is
    larger by at most the tolerance. It goes on between r and r' until N(r) = n, so that the n
    points are not the beginning of a packing but all of it: saturated. Where a stream jumps over n,
    the next stream is taken. For more than 64 points in 7 and 8 dimensions, where
    that takes too long, the search ends with N(r) >= n, and `free_volume` says how much is left at
    most. The points are in the order in which they were placed.

    N(r) falls by chance, not monotonically: with another stream the radius differs by about
    0.3 / (d sqrt(n)) of itself.

    *Where the points lie.* With a free boundary a sphere near a face is crowded from one side
    only, so that the marginals are not uniform: points gather close to the faces and are rarer
    behind. The outer 5 % of an axis on both sides together hold 18 % of 64 points in 2-d (uniform
    would be 10 %), 25 % in 3-d and 37 % in 6-d. With a periodic boundary the marginals are uniform.

    Parameters
    ----------
    d : int
        Dimension, 1 to 8.
    boundary : {"free", "periodic"}
        "free": centres lie anywhere in the cube. "periodic": distances are those on the torus,
        and the radius is at most 1/2.
    tolerance : float
        Relative tolerance of the radius, in (0, 1).
    most_voxels : int, optional
        Limit on the length of the voxel list, and so on memory (2 million: ~1 GB at worst) and
        time. Where it is met, nothing is proved. By default 2 million; 20,000 on the torus in 7
        and 8 dimensions.
    rng : None, int or numpy.random.Generator
        Source of randomness.

    Attributes
    ----------
    radius : float or None
        Radius of the spheres of the last draw, None before the first.
    saturated : bool or None
        True if it is proved that no further sphere of that radius fits.
    free_volume : float or None
        Upper bound on the share of the cube in which a further centre could lie; 0 if saturated.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Notes
    -----
    That a radius is too large is proved, too, at the sizes of a design. It is not where the voxel
    list meets its limit, as on the torus in 7 and 8 dimensions. Then a radius counts as too large
    when the proposals in the voxels left, on average three in each, have found no place three times
    running; the radius is some per cent smaller, and `free_volume` says how much could be free.

    A single point gets the radius at which no second one fits anywhere: half the diagonal of the
    cube, or 1/2 on the torus.

    References
    ----------
    Zhang & Torquato, Phys. Rev. E 88 (2013) 053312.

    Examples
    --------
    >>> from scipy.spatial.distance import pdist
    >>> from tilesearch.samplers.rsa import RSA
    >>> sampler = RSA(2, rng=1)
    >>> points = sampler.random(36)
    >>> points.shape, sampler.saturated, bool(pdist(points).min() >= 2 * sampler.radius)
    ((36, 2), True, True)
    """

    highest_d = 8

    def __init__(
        self,
        d: int,
        *,
        boundary: str = "free",
        tolerance: float = 1e-3,
        most_voxels: int | None = None,
        rng=None,
    ):
        check_boundary(boundary)
        if not isinstance(tolerance, (int, float, np.number)) or not 0 < tolerance < 1:
            raise ValueError(f"tolerance is {tolerance!r}, it must lie between 0 and 1")
        if most_voxels is not None and (
            isinstance(most_voxels, bool)
            or not isinstance(most_voxels, (int, np.integer))
            or most_voxels < 2
        ):
            raise ValueError(
                f"most_voxels is {most_voxels!r}, it must be None or an integer of at least 2"
            )
        super().__init__(d, rng=rng)
        self.boundary = boundary
        self.tolerance = float(tolerance)
        if most_voxels is None:
            hard = boundary == "periodic" and d >= 7
            most_voxels = MOST_VOXELS_HARD if hard else MOST_VOXELS
        self.most_voxels = int(most_voxels)
        self.radius = self.saturated = self.free_volume = None

    def reset(self):
        """Reset the sampler to its state before the first draw."""
        self.radius = self.saturated = self.free_volume = None
        return super().reset()

    def _random(self, n: int = 1, *, workers: int = 1) -> np.ndarray:
        periodic = self.boundary == "periodic"
        seeds = self.rng.integers(2**63, size=STREAMS)
        for seed in seeds:
            diameter, packing = widest_packing(
                n, self.d, seed=int(seed), periodic=periodic, tolerance=self.tolerance,
                most_voxels=self.most_voxels,
            )  # fmt: skip
            # a second stream helps where the first jumped over n, not where voxels ran out
            if (
                packing.saturated
                or len(packing.centres) == n
                or diameter == largest_diameter(self.d, periodic)
            ):
                break
        self.radius = diameter / 2.0
        self.saturated = packing.saturated
        self.free_volume = packing.free_volume
        if len(packing.centres) > n:  # the last sphere goes, and may leave all its place free
            self.free_volume = min(1.0, self.free_volume + ball_volume(self.d, diameter))
        return packing.centres[:n]


def widest_packing(
    n: int,
    d: int,
    *,
    seed: int,
    periodic: bool = False,
    tolerance: float = 1e-3,
    most_voxels: int = MOST_VOXELS,
) -> tuple[float, Packing]:
    """Bisection for the largest diameter at which a stream of proposals places `n` spheres.

    It looks for one that places no more than `n`, too, unless that takes too long.

    Parameters
    ----------
    n, d : int
        Number of spheres, dimension.
    seed : int
        Names the stream.
    periodic : bool
        Torus instead of cube.
    tolerance : float
        Relative tolerance of the diameter.
    most_voxels : int
        As in `tilesearch.samplers.voxels.pack`.

    Returns
    -------
    diameter : float
    packing : Packing
        With n centres; with n + 1 where the stream jumps over n.
    """
    highest = largest_diameter(d, periodic)
    guess = min(expected_diameter(n, d, periodic=periodic), highest)
    base = max(1, ceil(1.0 / guess))

    def attempt(diameter, limit):
        return pack(
            d, diameter, seed=seed, periodic=periodic, limit=limit, base=base,
            most_voxels=most_voxels,
        )  # fmt: skip

    low = high = best = None
    diameter = guess
    exact = d <= 6 or n <= MOST_EXACT
    # Beside the tolerance about the diameter's standard deviation from stream to stream, which
    # finds the larger diameters. Without it fewer packings are needed: the first neighbours that
    # differ in whether n spheres fit end the search, and the count's own scatter (a few spheres) is
    # no reason for a longer step. (A rounding error must not make it longer, either.)
    stride = 1.0 + (tolerance + 0.3 / (d * sqrt(n)) if exact else 0.999 * tolerance)
    scatter = 1.0 / stride if exact else 1.0 + 4.0 * tolerance
    extra = tries = 0
    while True:
        packing = attempt(diameter, n + exact)
        count = len(packing.centres)
        tries += 1
        if count >= n:
            low, best = diameter, packing
            if low == highest:
                break
        else:
            high = diameter
        if low is None or high is None:
            if low is None:
                # n spheres fill the cube as the count did at the diameter that was too large
                diameter = high * min((count / n) ** (1.0 / d) * scatter, 1.0 / stride)
            else:
                diameter = min(low * stride, highest)
            if exact or tries > 3:
                stride *= stride
        elif high > low * (1.0 + tolerance):
            diameter = sqrt(low * high)
        elif len(best.centres) > n and extra < EXTRA_HALVINGS:
            extra += 1
            diameter = sqrt(low * high)
        else:
            break
    return low, best
