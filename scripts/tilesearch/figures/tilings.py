"""What the designs look like: the three tilings, the chess-board analogy, a tiling in space."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PatchCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle
from mpl_toolkits.mplot3d.art3d import Poly3DCollection

from tilesearch.figures import style
from tilesearch.geometry import separation
from tilesearch.samplers.base import check_count
from tilesearch.samplers.hypertiling import Hypertiling, Tiling
from tilesearch.samplers.lhs import LHS
from tilesearch.samplers.rsa import RSA
from tilesearch.seeds import rng_for

_ROOK = "\N{BLACK CHESS ROOK}"
_LIGHT, _DARK = "#F3EEE3", "#D9CDB8"
#: thin and thick rhombs, oblate and prolate rhombohedra
_TILE_COLORS = ("#BFE3D6", "#E9F5F0")


def _unit_square(axes: Axes, title: str) -> None:
    """Frame the unit square, with a title and no ticks."""
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", xticks=[], yticks=[], title=title)
    axes.spines[:].set_visible(True)


def _dots(axes: Axes, points: np.ndarray, sampler: str, size: float = 45.0) -> None:
    """Points above everything else, not cut off at the edge of the square."""
    look = style.point_style(sampler)
    axes.scatter(*points.T, s=size, zorder=5, clip_on=False, edgecolors="white", lw=0.7, **look)


def _cells(axes: Axes, points: np.ndarray) -> None:
    """The n x n cells of a Latin hypercube, the ones that hold a point filled."""
    n = len(points)
    corners = np.floor(points * n) / n
    color = style.look("lhs").color
    filled = [Rectangle(tuple(corner), 1 / n, 1 / n) for corner in corners]
    axes.add_collection(PatchCollection(filled, facecolor=color, alpha=0.25, lw=0))
    ticks = np.arange(1, n) / n
    lines = [[(t, 0), (t, 1)] for t in ticks] + [[(0, t), (1, t)] for t in ticks]
    axes.add_collection(LineCollection(lines, colors="#C8C8C8", lw=0.6))


def _rhombs(axes: Axes, tiling: Tiling) -> None:
    """The tiles of a planar tiling."""
    rings = tiling.tiles[:, [0, 1, 3, 2]]
    colors = np.array(_TILE_COLORS)[tiling.kind]
    outline = style.look("hypertiling").color
    axes.add_collection(PolyCollection(rings, facecolors=colors, edgecolors=outline, lw=0.8))


def _discs(axes: Axes, points: np.ndarray, radius: float, *, alpha: float = 0.2) -> None:
    """A disc around each point."""
    color = style.look("rsa").color
    discs = [Circle(tuple(point), radius) for point in points]
    collection = PatchCollection(discs, facecolor=(color, alpha), edgecolor=(color, 0.9), lw=1.0)
    axes.add_collection(collection)


def three_tilings(seed: int = 0, n: int = 36) -> Figure:
    """LHS, hypertiling and RSA with `n` points each in the unit square, side by side.

    Drawn are the cells of the Latin hypercube, the tiles whose corners are the points, and the
    discs that may not overlap.

    Parameters
    ----------
    seed : int
        Seed of all three.
    n : int
        Number of points, at least 1.

    Raises
    ------
    ValueError
        If `n` is not an int of at least 1.

    Examples
    --------
    >>> len(three_tilings(seed=1, n=9).axes)
    3
    """
    check_count(n)
    with style.apply():
        figure = style.new_figure(13.5, 5.8)
        left, middle, right = figure.subplots(1, 3)
        points = LHS(2, rng=rng_for(seed, "lhs")).random(n)
        _cells(left, points)
        _dots(left, points, "lhs")
        _unit_square(left, "Latin hypercube")
        left.set_xlabel("one point in every row and column")
        tiling = Hypertiling(2, rng=rng_for(seed, "hypertiling")).tiling(n)
        _rhombs(middle, tiling)
        _dots(middle, tiling.points, "hypertiling")
        _unit_square(middle, "hypertiling (Penrose)")
        middle.set_xlabel("points where the tiles meet")
        sampler = RSA(2, rng=rng_for(seed, "rsa"))
        points = sampler.random(n)
        _discs(right, points, sampler.radius)
        _dots(right, points, "rsa")
        _unit_square(right, "random sequential addition")
        right.set_xlabel("discs as large as random placing allows")
        figure.suptitle(f"{n} points in the unit square", fontsize=17)
    return figure


def _board(axes: Axes, squares: int) -> None:
    """A chess board of `squares` by `squares` on the unit square."""
    dark = np.add.outer(np.arange(squares), np.arange(squares)) % 2 == 0
    colors = np.where(dark.ravel(), _DARK, _LIGHT)
    corners = np.stack(np.meshgrid(*[np.arange(squares) / squares] * 2), -1).reshape(-1, 2)
    patches = [Rectangle(tuple(corner), 1 / squares, 1 / squares) for corner in corners]
    axes.add_collection(PatchCollection(patches, facecolors=colors, lw=0, zorder=0))


def _rooks(axes: Axes, points: np.ndarray, color: str) -> None:
    """A rook at each point."""
    # As a marker, the sign is centred on the point; as text it would sit on a line of text.
    axes.scatter(*points.T, s=480, marker=f"${_ROOK}$", color=color, lw=0, zorder=6, clip_on=False)


def chess_board(seed: int = 0, n: int = 8) -> Figure:
    """The chess-board analogy: LHS rooks, RSA rooks with growing circles, Penrose tiles.

    Parameters
    ----------
    seed : int
        Seed of all three.
    n : int
        Number of rooks and of the board's rows, 2 to 16. The tiling has n^2 / 2 points.

    Raises
    ------
    ValueError
        If `n` is not an int from 2 to 16.

    Examples
    --------
    >>> len(chess_board(seed=1).axes)
    3
    """
    check_count(n)
    if not 2 <= n <= 16:
        raise ValueError(f"n is {n}, it must be from 2 to 16")
    with style.apply():
        figure = style.new_figure(13.5, 5.2)
        left, middle, right = figure.subplots(1, 3)

        _board(left, n)
        # Of a few boards the one whose rooks stand best apart: one of all may stand on a diagonal.
        drawn = [LHS(2, rng=rng_for(seed, "chess", "lhs", k)).random(n) for k in range(20)]
        centres = max(((np.floor(points * n) + 0.5) / n for points in drawn), key=separation)
        color = style.look("lhs").color
        rows = [[(0, y), (1, y)] for y in centres[:, 1]]
        columns = [[(x, 0), (x, 1)] for x in centres[:, 0]]
        left.add_collection(LineCollection(rows + columns, colors=color, lw=1.2, alpha=0.35))
        _rooks(left, centres, color)
        _unit_square(left, "LHS")
        left.set_xlabel("rooks that may not capture one another")

        _board(middle, n)
        sampler = RSA(2, rng=rng_for(seed, "chess", "rsa"))
        points = sampler.random(n)
        for growth in (0.4, 0.7, 1.0):
            _discs(middle, points, growth * sampler.radius, alpha=0.1)
        _rooks(middle, points, style.look("rsa").color)
        _unit_square(middle, "RSA")
        middle.set_xlabel("circles grow while all rooks fit")

        tiling = Hypertiling(2, rng=rng_for(seed, "chess", "hypertiling")).tiling(n * n // 2)
        _rhombs(right, tiling)
        _dots(right, tiling.points, "hypertiling", 60.0)
        _unit_square(right, "hypertiling")
        right.set_xlabel("Penrose tiles and where they meet")
    return figure


def hypertiling_3d(seed: int = 0, n: int = 250) -> Figure:
    """A hypertiling in space: the rhombohedra whose corners are all in the unit cube.

    Parameters
    ----------
    seed : int
        Seed of the tiling.
    n : int
        Number of points (corners) in the cube, at least 1. With few, no tile may lie within.

    Raises
    ------
    ValueError
        If `n` is not an int of at least 1.

    Examples
    --------
    >>> len(hypertiling_3d(seed=1, n=60).axes)
    1
    """
    check_count(n)
    tiling = Hypertiling(3, rng=rng_for(seed, "hypertiling", 3)).tiling(n)
    whole = ((tiling.tiles >= 0) & (tiling.tiles <= 1)).all((1, 2))
    faces, owner = _outer_faces(tiling.tiles[whole])
    shades = np.array([style.SKY, style.YELLOW])
    names = ("oblate rhombohedron", "prolate rhombohedron")
    with style.apply():
        figure = style.new_figure(7.5, 7.0)
        axes = figure.add_subplot(projection="3d")
        if len(faces):
            # One collection of all faces, so that near ones hide far ones.
            colors = shades[tiling.kind[whole]][owner]
            solids = Poly3DCollection(
                faces, facecolors=colors, edgecolors=style.BLACK, lw=0.6, shade=True
            )
            axes.add_collection3d(solids)
        axes.set(xlim=(0, 1), ylim=(0, 1), zlim=(0, 1), xticks=[], yticks=[], zticks=[])
        axes.set_box_aspect((1, 1, 1), zoom=1.1)
        axes.set_title(f"hypertiling (Ammann) with {n} corners in the cube")
        pairs = zip(shades, names, strict=True)
        keys = [Rectangle((0, 0), 1, 1, color=color, label=name) for color, name in pairs]
        axes.legend(handles=keys, loc="upper left", bbox_to_anchor=(0.0, 0.98))
    return figure


def _outer_faces(tiles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The faces of a heap of (t, 8, 3) tiles that no two tiles share.

    Returns the faces as rings of corners that turn left seen from outside, (f, 4, 3), and the
    number of each face's tile, (f,).
    """
    # Corner numbers of the six faces of a tile, each in a ring.
    rings = [[0, 1, 3, 2], [4, 5, 7, 6], [0, 1, 5, 4], [2, 3, 7, 6], [0, 2, 6, 4], [1, 3, 7, 5]]
    faces = tiles[:, rings].reshape(-1, 4, 3)
    owner = np.repeat(np.arange(len(tiles)), len(rings))
    if not len(faces):
        return faces, owner
    # Faces are the same where their centres are.
    keys = np.round(faces.mean(1), 9)
    _, which, counts = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    alone = counts[which.ravel()] == 1
    faces, owner = faces[alone], owner[alone]
    normals = np.cross(faces[:, 1] - faces[:, 0], faces[:, 3] - faces[:, 0])
    outward = faces.mean(1) - tiles.mean(1)[owner]
    inside_out = (normals * outward).sum(1) < 0
    faces[inside_out] = faces[inside_out][:, ::-1]
    return faces, owner
