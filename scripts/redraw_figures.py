"""Redraw the figures of all reference studies from the tables that were kept of them.

    python scripts/redraw_figures.py

No training and no data: the scripts of the workflow's rules draw from `resources/reference/`, all
in a few processes, since a job of its own for each of a hundred figures would mostly import.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import yaml

import plot_designs
import plot_landscapes
import plot_moving_minimum
import plot_normalisation
import plot_results
import plot_statistics
from keep_reference import REFERENCES
from tilesearch.errors import InputError
from tilesearch.figures import style
from tilesearch.figures.study import coverage
from tilesearch.problems.trainers import read_table
from tilesearch.study import ProblemStudy, SpaceStudy, read

#: figure of a space -> its tables, which `plot_statistics` calls by these names
STATISTICS = {
    "scaled-minima-histograms": ("minima", "uncertainties"),
    "equivalent-random-budget": ("budgets",),
    "critical-difference": ("minima",),
    "geometry-against-loss": ("geometry", "minima", "correlations"),
    "edge-effects": ("designs",),
}


def draw_coverage(path_to_counts: str, dpi: int, path_to_figure: str) -> None:
    """Draw what the study asked for, from the table of its counts."""
    style.save(coverage(read_table(path_to_counts, "table of counts")), path_to_figure, dpi=dpi)


def drawings(kept: Path, figures: Path) -> Iterator[Callable[[], None]]:
    """Calls that draw one figure each: all figures that the kept tables of a study allow.

    Parameters
    ----------
    kept : Path
        Folder that `keep_reference` wrote.
    figures : Path
        Folder of the figures; below it they have the names that the workflow gives them.
    """
    config = yaml.safe_load((kept / "config.yaml").read_text(encoding="utf-8"))
    dpi = config["figures"]["dpi"]
    name = "study/trainings-by-dimension-and-resolution.png"
    yield partial(draw_coverage, str(kept / "tables/counts.parquet"), dpi, str(figures / name))
    for problem in read(config).problems.values():
        if len(problem.parameters) == 2:
            yield from _of_problem(problem, kept / problem.name, dpi, figures / problem.name)
        for space in problem.spaces.values():
            yield from _of_space(space, kept, dpi, figures / problem.name)


def _of_problem(
    problem: ProblemStudy, kept: Path, dpi: int, figures: Path
) -> Iterator[Callable[[], None]]:
    parameters, screen = problem.settings["parameters"], str(kept / "screen.json")
    scans = [str(kept / f"scan/{batch}.parquet") for batch in problem.batches]
    where = str(figures / "loss-landscapes.png")
    yield partial(plot_landscapes.main, scans, screen, parameters, problem.name, dpi, where)
    facts, where = str(kept / "data.json"), str(figures / "moving-minimum.png")
    yield partial(plot_moving_minimum.main, screen, facts, parameters, problem.name, dpi, where)


def _of_space(
    space: SpaceStudy, kept: Path, dpi: int, figures: Path
) -> Iterator[Callable[[], None]]:
    tables = {
        name: str(kept / f"tables/{file}.parquet")
        for name, file in (
            *((name, name) for name in ("scores", "minima", "budgets", "correlations")),
            ("uncertainties", "uncertainty"),
        )
    }
    for name in ("geometry", "designs"):
        path = kept / space.problem / space.name / f"{name}.parquet"
        tables |= {name: str(path)} if path.exists() else {}
    stem = str(figures / space.name)
    names = (space.problem, space.name)
    yield partial(plot_results.main, tables["scores"], *names, dpi, f"{stem}-result-plot.png")
    where = f"{stem}-losses-before-and-after-normalisation.png"
    yield partial(plot_normalisation.main, tables["minima"], *names, dpi, where)
    if "designs" in tables:
        where = f"{stem}-designs.png"
        yield partial(plot_designs.main, tables["designs"], space.problem, dpi, where)
    for figure, inputs in STATISTICS.items():
        if all(name in tables for name in inputs):
            paths = {name: tables[name] for name in inputs}
            where = f"{stem}-{figure}.png"
            yield partial(plot_statistics.main, figure, paths, *names, dpi, where)


def redraw(references: Path, results: Path, processes: int | None = None) -> list[Path]:
    """Redraw the figures of every study under `references`; return the folders of the figures.

    Raises
    ------
    InputError
        If a table cannot be read.
    """
    folders, calls = [], []
    for path in sorted(references.glob("*/config.yaml")):
        folders.append(results / path.parent.name / "figures")
        calls += drawings(path.parent, folders[-1])
    with ProcessPoolExecutor(processes) as pool:
        for done in [pool.submit(call) for call in calls]:
            done.result()
    return folders


def main(arguments: Sequence[str] | None = None) -> None:
    """Redraw all, and say where."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--references", type=Path, default=REFERENCES, help=f"({REFERENCES})")
    parser.add_argument("--results", type=Path, default=Path("results/reference"))
    args = parser.parse_args(arguments)
    start = time.monotonic()
    try:
        folders = redraw(args.references, args.results)
    except InputError as error:
        sys.exit(str(error))
    if not folders:
        sys.exit(f"'{args.references}' holds no study, keep one with scripts/keep_reference.py")
    for folder in folders:
        print(f"{folder}: {len(list(folder.rglob('*.png')))} figures")
    print(f"{time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
