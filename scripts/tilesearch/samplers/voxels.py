"""Random sequential addition of hard spheres on a list of voxels, to proved saturation.

Zhang & Torquato, Precise algorithm to generate random sequential addition of hard hyperspheres at
saturation, Phys. Rev. E 88 (2013) 053312: proposals are drawn only inside *live* voxels, those
that no sphere covers alone; live voxels are split, and when none is left the packing is saturated.
Four things differ here, and none of them changes the law of the packing:

- A stage halves every voxel along one axis, not along all, so that the list grows by at most 2
  per stage in any dimension, and covered halves drop out before they are split again.
- A voxel that several spheres cover only together is recognised too, by a weighted mean of the
  squared distances (`_jointly_covered`). In 8 dimensions that is what makes a proof feasible.
- A voxel inherits the list of spheres that reach it from the voxel that it is a half of.
- The proposals of a stage are a Poisson process in space and time, the same number on average in
  every live voxel, from a stream that is a hash of the seed, the stage and the voxel. So the
  whole run is a function of one fixed stream of proposals, and packings of different diameter can
  be compared on the same stream. A proposal that an older sphere covers is dropped at once; the
  rest of the stage is put in the order of time and placed one by one.
"""

from dataclasses import dataclass
from math import log

import numpy as np
from numba import njit

# Rounding: coordinates lie in [0, 1], so that a distance is off by a few 1e-16. These margins
# keep "covered" and "free" both on the safe side of the diameter.
MARGIN = 4e-15
#: A voxel is halved at most this often along an axis: rounding would blur narrower ones.
DEEPEST = 44
#: Default limit on the length of the voxel list.
MOST_VOXELS = 2_000_000
#: Increment of SplitMix64, the odd number nearest to 2**64 over the golden ratio.
STEP = np.uint64(0x9E3779B97F4A7C15)


@njit(cache=True, nogil=True)
def _mix(state):  # pragma: no cover - compiled
    """Finaliser of SplitMix64 (Steele, Lea & Flood, OOPSLA 2014): a bijective hash."""
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


@njit(cache=True, nogil=True)
def _voxel_key(key, voxel):  # pragma: no cover - compiled
    """Seed of the stream of one voxel (its position) in the stage named by `key`."""
    state = key
    for k in range(voxel.size):
        state = _mix(state + np.uint64(voxel[k]) * STEP + np.uint64(1))
    return state


@njit(cache=True, nogil=True)
def _uniform(bits):  # pragma: no cover - compiled
    """A number in (0, 1) from 64 random bits."""
    return (np.float64(bits >> np.uint64(11)) + 0.5) * 2.0**-53


@njit(cache=True, nogil=True)
def _reaches(centres, sphere, middle, half, periodic, reach2):  # pragma: no cover - compiled
    """True if the sphere reaches the box."""
    nearest = 0.0
    for k in range(middle.size):
        gap = abs(centres[sphere, k] - middle[k])
        if periodic and gap > 0.5:
            gap = 1.0 - gap
        if gap > half[k]:
            nearest += (gap - half[k]) ** 2
            if nearest >= reach2:
                return False
    return True


@njit(cache=True, nogil=True)
def _terms(offset, half, periodic):  # pragma: no cover - compiled
    """One axis' part of the squared distances to the nearest and farthest point of a box.

    `offset` leads from the middle of the box to the point from which the distances are taken.
    """
    gap = abs(offset)
    if periodic:
        return max(gap - half, 0.0) ** 2, min(gap + half, 0.5) ** 2
    return max(gap - half, 0.0) ** 2, (gap + half) ** 2


@njit(cache=True, nogil=True)
def _overlaps(point, centres, sphere, periodic, free2):  # pragma: no cover - compiled
    """True if the point is nearer to the sphere's centre than the diameter."""
    distance = 0.0
    for k in range(point.size):
        gap = abs(point[k] - centres[sphere, k])
        if periodic and gap > 0.5:
            gap = 1.0 - gap
        distance += gap * gap
        if distance >= free2:
            return False
    return True


@njit(cache=True, nogil=True)
def _window(middle, half, reach, cells, periodic, first, width):  # pragma: no cover - compiled
    """Write the range of cells within `reach` of a box; return their number."""
    total = 1
    for k in range(middle.size):
        low = int(np.floor((middle[k] - half[k] - reach) * cells))
        high = int(np.floor((middle[k] + half[k] + reach) * cells))
        if periodic:
            if high - low + 1 >= cells:
                low, high = 0, cells - 1
        else:
            low, high = max(low, 0), min(high, cells - 1)
        first[k] = low
        width[k] = high - low + 1
        total *= width[k]
    return total


@njit(cache=True, nogil=True)
def _next_row(first, width, step, cells):  # pragma: no cover - compiled
    """Flat index of the first cell of row `step` of a window, and the step to the next row.

    A row is a run of cells along the last axis; `step` counts the rows in mixed radix, as digits.
    The flat index leaves the last axis out. The flag is True when there is no further row.
    """
    flat = 0
    for k in range(first.size - 1):
        position = first[k] + step[k]
        if position < 0:
            position += cells
        elif position >= cells:
            position -= cells
        flat = (flat + position) * cells
    for k in range(first.size - 2, -1, -1):
        step[k] += 1
        if step[k] < width[k]:
            return flat, False
        step[k] = 0
    return flat, True


@njit(cache=True, nogil=True)
def _longer(array, needed):  # pragma: no cover - compiled
    """The array itself, or a copy with room for at least `needed` rows."""
    if needed <= array.shape[0]:
        return array
    grown = np.empty((max(needed, 2 * array.shape[0]),) + array.shape[1:], array.dtype)
    grown[: array.shape[0]] = array
    return grown


@njit(cache=True, nogil=True)
def _gather(
    middle, half, centres, fresh, placed, heads, nexts, cells, reach, periodic, first, width,
    step, found,
):  # fmt: skip  # pragma: no cover - compiled
    """Spheres `fresh` to `placed` that reach a box: `found` with them in front, and their number.

    `first`, `width` and `step` are room to work in.
    """
    count = 0
    window = _window(middle, half, reach, cells, periodic, first, width)
    if placed - fresh <= window:
        found = _longer(found, placed - fresh)
        for sphere in range(fresh, placed):
            if _reaches(centres, sphere, middle, half, periodic, reach * reach):
                found[count] = sphere
                count += 1
        return count, found
    last = first.size - 1
    step[:] = 0
    done = False
    while not done:
        flat, done = _next_row(first, width, step, cells)
        for position in range(first[last], first[last] + width[last]):
            if position < 0:
                position += cells
            elif position >= cells:
                position -= cells
            sphere = heads[flat + position]
            while sphere >= fresh:  # newest first: the rest of a cell can be skipped
                if _reaches(centres, sphere, middle, half, periodic, reach * reach):
                    found = _longer(found, count + 1)
                    found[count] = sphere
                    count += 1
                sphere = nexts[sphere]
    return count, found


@njit(cache=True, nogil=True)
def _add_images(count, offsets, squares, cover2):  # pragma: no cover - compiled
    """Append the second images of spheres that may reach a box on a small torus; return the number.

    `offsets` has a sphere's offset from the middle of the box in each column.
    """
    d = offsets.shape[0]
    total = count
    for entry in range(count):
        for k in range(d):
            offset = offsets[k, entry]
            square = squares[entry] + 1.0 - 2.0 * abs(offset)
            if square < cover2:
                for other in range(d):
                    offsets[other, total] = offsets[other, entry]
                offsets[k, total] = offset - 1.0 if offset > 0.0 else offset + 1.0
                squares[total] = square
                total += 1
    return total


@njit(cache=True, nogil=True)
def _jointly_covered(
    count, offsets, squares, half, cover2, rounds, values, mean, way, steps
):  # pragma: no cover - compiled
    """True if it is proved that several spheres together cover a box.

    With weights w of sum 1, a point whose weighted mean squared distance to the centres is below
    D^2 is nearer than D to one of them. Over the box (middle m, half widths h) the largest such
    mean is  S + 2 sum_k h_k |g_k| + |h|^2  with  S = sum_j w_j |a_j - m|^2  and
    g = sum_j w_j (a_j - m): the first-order term of a lone sphere cancels where spheres surround
    the box, so that much larger boxes are recognised. The least value over w is a linear program;
    a few steps of Frank & Wolfe's method (Huber's smoothing of the absolute value, exact line
    search) come near it, and its dual tells early when it cannot succeed. The first `count`
    columns of `offsets` are the a_j - m, and `squares` their squared lengths; `values`, `mean`,
    `way` and `steps` are room to work in.
    """
    d = half.size
    size2 = 0.0
    for k in range(d):
        size2 += half[k] * half[k]
    start = 0
    for entry in range(count):
        if squares[entry] < squares[start]:
            start = entry
    if count == 0 or squares[start] + size2 >= cover2:
        return False
    weighted = squares[start]
    for k in range(d):
        mean[k] = offsets[k, start]
    for _ in range(rounds):
        # the sphere that lies best for the point farthest from the mean, smoothed
        for k in range(d):
            way[k] = min(max(2.0 * mean[k], -half[k]), half[k])
        for entry in range(count):
            values[entry] = squares[entry]
        for k in range(d):
            twice = 2.0 * way[k]
            for entry in range(count):
                values[entry] += twice * offsets[k, entry]
        lowest = np.inf
        best = 0
        for entry in range(count):
            if values[entry] < lowest:
                lowest = values[entry]
                best = entry
        if lowest + size2 >= cover2:
            return False
        # exact line search: the bound is piecewise linear, its minimum at a kink or at the end
        for k in range(d):
            way[k] = offsets[k, best] - mean[k]
            step = -mean[k] / way[k] if way[k] * mean[k] < 0.0 else 1.0
            steps[k] = min(step, 1.0)
        steps[d] = 1.0
        rise = squares[best] - weighted
        for kink in range(d + 1):
            values[kink] = weighted + size2 + steps[kink] * rise
        for k in range(d):
            twice, start_k, way_k = 2.0 * half[k], mean[k], way[k]
            for kink in range(d + 1):
                values[kink] += twice * abs(start_k + steps[kink] * way_k)
        bound = np.inf
        share = 0.0
        for kink in range(d + 1):
            if values[kink] < bound:
                bound = values[kink]
                share = steps[kink]
        if bound < cover2:
            return True
        weighted += share * (squares[best] - weighted)
        for k in range(d):
            mean[k] += share * way[k]
    return False


@njit(cache=True, nogil=True)
def _sweep(
    voxels, starts, nearby, base, depth, axis, split, centres, fresh, placed, heads, nexts, cells,
    diameter, periodic, mean, rounds, key,
):  # fmt: skip  # pragma: no cover - compiled
    """Halve the live voxels along `axis` if `split`, drop the covered, propose in the others.

    `depth` says how often the voxels have been halved along each axis, `voxels` their positions
    on the grid of ``base * 2**depth``. `starts` and `nearby` hold, for every voxel, the spheres
    before number `fresh` that reach it; spheres `fresh` to `placed` are looked up. Returns the
    live voxels with their lists, and the proposals that no sphere covers, with their times.
    """
    d = voxels.shape[1]
    near2 = (diameter + MARGIN) ** 2
    cover2 = max(diameter - MARGIN, 0.0) ** 2
    free2 = (diameter + MARGIN / 2) ** 2
    pieces = 2 if split else 1
    half = 0.5 / (base * 2.0**depth)
    whole_half = half[axis]
    thin = whole_half / pieces
    limit = np.nextafter(1.0, 0.0)

    voxel = np.empty(d, np.int64)
    middle = np.empty(d)
    point = np.empty(d)
    first = np.empty(d, np.int64)
    width = np.empty(d, np.int64)
    step = np.empty(d, np.int64)
    block = np.empty(d, np.int64)
    block_middle = np.empty(d)
    block_half = np.full(d, 0.5 / base)

    recent = 0
    new = np.empty(64, np.int32)
    room = 64
    images = 1 + d if periodic else 1
    around = np.empty(room, np.int32)
    rest_near, rest_far, rest = np.empty(room), np.empty(room), np.empty(room)
    along = np.empty(room)
    offsets = np.empty((d, room * images))
    squares, values = np.empty(room * images), np.empty(room * images)
    average = np.empty(d)
    way = np.empty(d)
    steps = np.empty(d + 1)
    kept = np.empty((max(16, voxels.shape[0]), d), np.int64)
    kept_starts = np.zeros(kept.shape[0] + 1, np.int64)
    kept_nearby = np.empty(max(64, nearby.size), np.int32)
    proposals = np.empty((64, d))
    times = np.empty(64)
    live = 0
    drawn = 0

    for parent in range(voxels.shape[0]):
        same = parent > 0
        half[axis] = whole_half
        for k in range(d):
            voxel[k] = voxels[parent, k]
            middle[k] = (2 * voxel[k] + 1) * half[k]
            home = voxel[k] >> depth[k]
            same = same and home == block[k]
            block[k] = home

        # the new spheres that reach the block, the voxel of the first stage around this one;
        # neighbours in the list mostly share it
        if fresh < placed and not same:
            for k in range(d):
                block_middle[k] = (2 * block[k] + 1) * block_half[k]
            recent, new = _gather(
                block_middle, block_half, centres, fresh, placed, heads, nexts, cells,
                diameter + MARGIN, periodic, first, width, step, new,
            )  # fmt: skip

        # by sphere and axis, the offset from the middle; squared distances of the middle and of the
        # nearest and farthest point, without the part of `axis`, in which the pieces differ. This
        # is where the time goes, and the inner loops have no branches.
        old = starts[parent + 1] - starts[parent]
        total = old + recent
        if total > room:
            room = 2 * total
            around = np.empty(room, np.int32)
            rest_near, rest_far, rest = np.empty(room), np.empty(room), np.empty(room)
            along = np.empty(room)
            offsets = np.empty((d, room * images))
            squares, values = np.empty(room * images), np.empty(room * images)
        for entry in range(old):
            around[entry] = nearby[starts[parent] + entry]
        for entry in range(recent):
            around[old + entry] = new[entry]
        rest_near[:total] = 0.0
        rest_far[:total] = 0.0
        rest[:total] = 0.0
        for k in range(d):
            row = along if k == axis else offsets[k]
            for entry in range(total):
                row[entry] = centres[around[entry], k] - middle[k]
            if periodic:
                for entry in range(total):
                    row[entry] -= np.rint(row[entry])
            if k != axis:
                for entry in range(total):
                    nearest, farthest = _terms(row[entry], half[k], periodic)
                    rest_near[entry] += nearest
                    rest_far[entry] += farthest
                    rest[entry] += row[entry] ** 2

        half[axis] = thin
        kept_nearby = _longer(kept_nearby, kept_starts[live] + pieces * total)
        for piece in range(pieces):
            voxel[axis] = pieces * voxels[parent, axis] + piece
            shift = (2 * piece + 1 - pieces) * thin
            middle[axis] = (2 * voxel[axis] + 1) * thin
            lowest = np.inf
            for entry in range(total):
                offset = along[entry] - shift
                if periodic:
                    offset -= np.rint(offset)
                offsets[axis, entry] = offset
                squares[entry] = rest[entry] + offset * offset
                nearest, farthest = _terms(offset, thin, periodic)
                lowest = min(lowest, rest_far[entry] + farthest)
                values[entry] = rest_near[entry] + nearest
            if lowest < cover2:
                continue
            begin = kept_starts[live]
            end = begin
            for entry in range(total):
                kept_nearby[end] = around[entry]
                end += values[entry] < near2
            count = total
            if periodic:
                count = _add_images(total, offsets, squares, cover2)
            if _jointly_covered(
                count, offsets, squares, half, cover2, rounds, values, average, way, steps
            ):
                continue

            kept = _longer(kept, live + 1)
            kept_starts = _longer(kept_starts, live + 2)
            for k in range(d):
                kept[live, k] = voxel[k]
            live += 1
            kept_starts[live] = end

            # a Poisson process: exponential waiting times until the stage's time, 1, is over
            state = _voxel_key(key, voxel)
            time = 0.0
            while True:
                state += STEP
                time -= log(_uniform(_mix(state))) / mean
                if time > 1.0:
                    break
                for k in range(d):
                    state += STEP
                    shift = 2.0 * _uniform(_mix(state)) - 1.0
                    point[k] = min(max(middle[k] + shift * half[k], 0.0), limit)
                free = True
                for entry in range(begin, end):
                    if _overlaps(point, centres, kept_nearby[entry], periodic, free2):
                        free = False
                        break
                if free:
                    proposals = _longer(proposals, drawn + 1)
                    times = _longer(times, drawn + 1)
                    proposals[drawn] = point
                    times[drawn] = time
                    drawn += 1
    return (
        kept[:live], kept_starts[: live + 1], kept_nearby[: kept_starts[live]],
        proposals[:drawn], times[:drawn],
    )  # fmt: skip


@njit(cache=True, nogil=True)
def _place(
    proposals, times, centres, placed, limit, heads, nexts, cells, diameter, periodic
):  # pragma: no cover - compiled
    """Place the proposals in the order of time, until `limit` spheres lie; return their number.

    The proposals are free of the spheres before number `placed`.
    """
    d = proposals.shape[1]
    free2 = (diameter + MARGIN / 2) ** 2
    first = np.empty(d, np.int64)
    width = np.empty(d, np.int64)
    step = np.empty(d, np.int64)
    nothing = np.zeros(d)
    found = np.empty(64, np.int32)
    before = placed
    for proposal in np.argsort(times):
        if placed == limit:
            break
        point = proposals[proposal]
        if placed > before:
            count, found = _gather(
                point, nothing, centres, before, placed, heads, nexts, cells,
                diameter + MARGIN, periodic, first, width, step, found,
            )  # fmt: skip
            free = True
            for entry in range(count):
                if _overlaps(point, centres, found[entry], periodic, free2):
                    free = False
                    break
            if not free:
                continue
        flat = 0
        for k in range(d):
            centres[placed, k] = point[k]
            flat = flat * cells + min(int(point[k] * cells), cells - 1)
        nexts[placed] = heads[flat]
        heads[flat] = placed
        placed += 1
    return placed


@dataclass(frozen=True)
class Packing:
    """What sequential addition reached.

    Attributes
    ----------
    centres : ndarray, shape (n, d)
        Centres of the spheres, in the order in which they were placed.
    saturated : bool
        True if it is proved that no further sphere fits: no live voxel is left.
    free_volume : float
        Upper bound on the share of the cube in which a further centre could lie; 0 if saturated.
    """

    centres: np.ndarray
    saturated: bool
    free_volume: float


def pack(
    d: int,
    diameter: float,
    *,
    seed: int,
    periodic: bool = False,
    limit: int | None = None,
    base: int | None = None,
    most_voxels: int = MOST_VOXELS,
    mean: float = 3.0,
    patience: int = 3,
    rounds: int = 4,
) -> Packing:
    """Add spheres at random, until no more fits or `limit` lie.

    Parameters
    ----------
    d : int
        Dimension.
    diameter : float
        Smallest distance between two centres, greater than 0.
    seed : int
        Names the stream of proposals; in [0, 2**64).
    periodic : bool
        True: the cube is a torus.
    limit : int, optional
        Stop when so many spheres lie; by default only saturation stops.
    base : int, optional
        Number of voxels per axis at the start; by default about one diameter wide. Packings are
        on the same stream of proposals only if they agree in `base`.
    most_voxels : int
        No more voxels than these are kept. When halving would exceed them, the voxels stay as
        they are, and the run ends after `patience` further stages without a new sphere.
    mean : float
        Average number of proposals per live voxel and stage.
    patience : int
        See `most_voxels`.
    rounds : int
        Steps of the search for spheres that cover a voxel together.

    Returns
    -------
    Packing
    """
    if base is None:
        base = max(1, int(1.0 / diameter))
    base = max(1, min(base, int((most_voxels / 2) ** (1.0 / d))))
    room = limit if limit is not None else 1024
    cells = max(1, min(int(1.0 / diameter), int((4.0 * max(room, base**d) + 64) ** (1.0 / d))))
    heads = np.full(cells**d, -1, np.int32)
    nexts = np.empty(room, np.int32)
    centres = np.empty((room, d))
    voxels = np.stack(np.unravel_index(np.arange(base**d), (base,) * d), axis=1)
    depth = np.zeros(d, np.int64)
    starts, nearby = np.zeros(len(voxels) + 1, np.int64), np.empty(0, np.int32)
    placed = fresh = stage = idle = axis = 0
    split = False
    while True:
        voxels, starts, nearby, proposals, times = _sweep(
            voxels, starts, nearby, base, depth, axis, split, centres, fresh, placed, heads, nexts,
            cells, diameter, periodic, mean, rounds, np.uint64(_hash(seed, stage)),
        )  # fmt: skip
        depth[axis] += split
        if len(voxels) == 0:
            return Packing(centres[:placed].copy(), True, 0.0)
        if limit is None and placed + len(times) > len(centres):
            room = 2 * (placed + len(times))
            centres, nexts = np.resize(centres, (room, d)), np.resize(nexts, room)
        fresh = placed
        if len(times):
            placed = _place(
                proposals, times, centres, placed, len(centres), heads, nexts, cells, diameter,
                periodic,
            )  # fmt: skip
        volume = len(voxels) * float(base) ** -d * 0.5 ** depth.sum()
        if placed == limit:
            return Packing(centres[:placed].copy(), False, volume)
        axis = int(np.argmin(depth))
        split = 2 * len(voxels) <= most_voxels and depth[axis] < DEEPEST
        idle = 0 if split or placed > fresh else idle + 1
        if idle == patience:
            return Packing(centres[:placed].copy(), False, volume)
        stage += 1


def _hash(seed: int, stage: int) -> int:
    """Key of a stage's streams."""
    mask = (1 << 64) - 1
    return (seed * 0x9E3779B97F4A7C15 + stage * 0xD1B54A32D192ED03 + 0x632BE59BD9B4E019) & mask
