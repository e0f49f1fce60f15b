"""Keep of a finished study what its figures are drawn from: small enough to be committed.

    python scripts/keep_reference.py --configfile workflow/studies/king-county.yaml

Run it where the study ran: the versions and the machine that it writes down are those it finds.
"""

import argparse
import os
import platform
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from tilesearch import config
from tilesearch.errors import InputError
from tilesearch.files import write_json
from tilesearch.report import run_times, versions
from tilesearch.study import Study, read

#: Tables of a study, all kept; `scores` as CSV too, for who reads it without a program.
TABLES = (
    *("minima", "scores", "counts", "uncertainty", "comparisons", "ranks", "budgets"),
    *("correlations", "advice"),
)

#: Where the references lie, a folder a study.
REFERENCES = Path("resources/reference")


def kept_files(study: Study, evaluations: bool) -> Iterator[str]:
    """Files to keep, below the folder of the study's results.

    Designs are kept in two dimensions only, where a figure shows them: in more they are millions
    of numbers, which `make_designs` makes again without any data.
    """
    yield from (f"tables/{name}.parquet" for name in TABLES)
    yield "tables/scores.csv"
    for problem in study.problems.values():
        yield from (f"{problem.name}/{name}" for name in ("data.json", "screen.json"))
        if len(problem.parameters) == 2:  # the scans are drawn as landscapes
            yield from (f"{problem.name}/scan/{batch}.parquet" for batch in problem.batches)
        for space in problem.spaces.values():
            yield f"{problem.name}/{space.name}/geometry.parquet"
            if space.d == 2:
                yield f"{problem.name}/{space.name}/designs.parquet"
            if evaluations:
                yield f"{problem.name}/{space.name}/evaluations.parquet"


def machine() -> dict:
    """Processor, number of cores, memory and system of this computer."""
    facts = dict(line.split(":", 1) for line in _lines("/proc/cpuinfo") + _lines("/proc/meminfo"))
    facts = {key.strip(): value.strip() for key, value in facts.items()}
    memory = facts.get("MemTotal", "unknown").split()[0]
    return {
        "processor": facts.get("model name", platform.machine()),
        "cores": os.cpu_count(),
        "memory_gb": round(int(memory) / 1024**2) if memory.isdigit() else None,
        "system": f"{platform.system()} {platform.release()}",
    }


def _lines(path: str) -> list[str]:
    if not Path(path).exists():
        return []
    return [line for line in Path(path).read_text(encoding="utf-8").splitlines() if ":" in line]


def keep(configs: Sequence[str], results: Path | None, target: Path, evaluations: bool) -> Path:
    """Copy what is kept of a study, with its config, run times, versions and machine.

    Parameters
    ----------
    configs : sequence of str
        Config files, each laid over those before it.
    results : Path or None
        Folder of the finished study; None takes the config's.
    target : Path
        The study's folder is made (anew) in it, named like that of the results.
    evaluations : bool
        Whether all evaluations are kept as well.

    Returns
    -------
    Path
        The study's folder.

    Raises
    ------
    InputError
        If a file of the study is missing.
    """
    content = config.load(configs)
    results = results or Path(content["results"])
    names = list(kept_files(read(content), evaluations))
    missing = [name for name in names if not (results / name).is_file()]
    if missing:
        raise InputError(
            f"'{results / missing[0]}' is missing, run the study to its end before it is kept"
        )
    folder = target / results.name
    if folder.exists():
        shutil.rmtree(folder)
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(results / name, folder / name)
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    (folder / "config.yaml").write_text(text, encoding="utf-8")
    run_times(results / "benchmarks").round(1).to_csv(folder / "run-times.csv", index=False)
    write_json(folder / "made-with.json", {"machine": machine(), "versions": versions()})
    return folder


def main(arguments: Sequence[str] | None = None) -> None:
    """Keep the study that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--configfile", nargs="+", required=True, help="as it was run")
    parser.add_argument("--results", type=Path, help="folder of the results, if not the config's")
    parser.add_argument("--evaluations", action="store_true", help="keep all evaluations, too")
    args = parser.parse_args(arguments)
    try:
        folder = keep(["config.yaml", *args.configfile], args.results, REFERENCES, args.evaluations)
    except InputError as error:
        sys.exit(str(error))
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{folder}: {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
