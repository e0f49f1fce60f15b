"""The common style of figures, and the figures of the tilings."""

import subprocess
import sys

import numpy as np
import pytest
from matplotlib.image import imread
from matplotlib.markers import MarkerStyle

from tilesearch.figures import style, tilings
from tilesearch.samplers import SAMPLERS, Hypertiling


def test_every_registered_sampler_has_a_look_of_its_own():
    assert set(SAMPLERS) <= set(style.LOOKS)
    looks = [(look.color, look.marker) for look in style.LOOKS.values()]
    assert len(set(looks)) == len(looks)
    assert len({look.label for look in style.LOOKS.values()}) == len(looks)


def test_unknown_samplers_get_a_stable_look_under_their_own_name():
    assert style.look("mine") == style.look("mine")
    assert style.line_style("mine")["label"] == "mine"


@pytest.mark.parametrize("marker", style._SPARE_MARKERS)
def test_markers_of_unknown_samplers_are_filled_and_seen_on_an_error_bar(marker):
    assert MarkerStyle(marker).is_filled()
    assert marker not in {look.marker for look in style.LOOKS.values()}


def test_saved_files_are_the_same_bytes_and_large_enough(tmp_path):
    for stem in ("a", "b"):
        figure = tilings.chess_board(seed=3)
        style.stand_in_note(figure, "rooks of wood")
        paths = style.save(figure, tmp_path / "new" / stem)
        assert [path.name for path in paths] == [f"{stem}.png", f"{stem}.svg"]
    for suffix in ("png", "svg"):
        one, other = (tmp_path / "new" / f"{stem}.{suffix}" for stem in "ab")
        assert one.read_bytes() == other.read_bytes()
    assert imread(tmp_path / "new" / "a.png").shape[1] == 13.5 * 150


def test_save_takes_off_a_suffix_and_refuses_a_coarse_picture(tmp_path):
    png, _ = style.save(style.new_figure(1, 1), tmp_path / "a.b.png")
    assert png == tmp_path / "a.b.png"
    with pytest.raises(ValueError, match="dpi is 72"):
        style.save(style.new_figure(), tmp_path / "a", dpi=72)


def test_stand_in_note_is_visible_only_for_stand_ins():
    figure = style.new_figure()
    style.stand_in_note(figure, "")
    assert figure.get_supxlabel() == ""
    style.stand_in_note(figure, "generated jets")
    assert figure.get_supxlabel() == "stand-in data: generated jets"


def test_figures_leave_pyplot_and_settings_alone():
    code = (
        "import sys, matplotlib\n"
        # Asking for the backend would itself import pyplot.
        "keys = sorted(set(matplotlib.rcParams) - {'backend'})\n"
        "before = [matplotlib.rcParams[key] for key in keys]\n"
        "from tilesearch.figures import tilings\n"
        "tilings.three_tilings(n=4)\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
        "assert [matplotlib.rcParams[key] for key in keys] == before\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_three_tilings_draw_what_they_say():
    left, middle, right = tilings.three_tilings(seed=2, n=12).axes
    for axes in (left, middle, right):
        dots = axes.collections[-1].get_offsets()
        assert len(dots) == 12
    # 12 filled cells; 12 discs whose centres are two radii apart.
    assert len(left.collections[0].get_paths()) == 12
    radius = np.ptp(right.collections[0].get_paths()[0].vertices[:, 0]) / 2
    gaps = np.linalg.norm(dots[:, None] - dots[None], axis=-1)[np.triu_indices(12, 1)]
    assert gaps.min() >= 2 * radius * (1 - 1e-6)
    # The dots of the tiling are corners of its tiles.
    corners = np.vstack([path.vertices for path in middle.collections[0].get_paths()])
    dots = middle.collections[-1].get_offsets()
    assert np.linalg.norm(dots[:, None] - corners[None], axis=-1).min(1).max() < 1e-9


def test_outer_faces_are_not_shared_and_look_outward():
    tiles = Hypertiling(3, rng=2).tiling(200).tiles
    faces, owner = tilings._outer_faces(tiles)
    centres = np.round(faces.mean(1), 9)
    assert len(np.unique(centres, axis=0)) == len(faces)
    assert len(faces) < 3 * len(tiles)
    normals = np.cross(faces[:, 1] - faces[:, 0], faces[:, 2] - faces[:, 1])
    assert ((normals * (faces.mean(1) - tiles.mean(1)[owner])).sum(1) > 0).all()
    # A closed surface that turns outward holds the volume of its tiles (divergence theorem).
    sides = tiles[:, [1, 2, 4]] - tiles[:, [0]]
    flow = (normals * faces.mean(1)).sum() / 3
    assert flow == pytest.approx(np.abs(np.linalg.det(sides)).sum())


@pytest.mark.parametrize("n", [1, 250])
def test_hypertiling_3d_draws_with_few_and_many_tiles(n):
    figure = tilings.hypertiling_3d(seed=1, n=n)
    figure.draw_without_rendering()
    assert len(figure.axes[0].collections) == (n > 1)


def test_bad_counts():
    for make in (tilings.three_tilings, tilings.chess_board, tilings.hypertiling_3d):
        with pytest.raises(ValueError, match="n is 0"):
            make(n=0)
    with pytest.raises(ValueError, match="n is 17, it must be from 2 to 16"):
        tilings.chess_board(n=17)
