"""A copy of the project (by links) in which Snakemake runs without touching the real one."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
SNAKEMAKE = Path(sys.executable).with_name("snakemake")

#: A study of seconds: the smoke study with fewer, smaller trainings.
SMALL = {
    "results": "results/small",
    "run": ["housing"],
    "samplers": ["grid", "random", "lhs"],
    "boosting": {
        "features": "none",
        "batches": {"number": 3, "size": "equal(400)"},
        "scan": {"resolution": 4, "on_edge": "expand"},
        "model": {"rounds": 60, "patience": 10},
        "spaces": {"d2": {"resolutions": [2, 3]}},
    },
}

#: Dense networks, small, with the minimum of each batch inside the domain.
NETWORKS = {
    "results": "results/small",
    "run": ["bjet"],
    "samplers": ["grid", "random", "lhs"],
    "problems": {
        "bjet": {
            "data": {"stand_in": {"rows": 400}},
            "tuning": {"rows": 200, "trials": 1, "together": 1, "epochs": 1},
            "batches": {"number": 2, "size": "equal(200)"},
            "parameters": {"epochs": {"low": 4, "high": 40}},
            "scan": {"resolution": 5, "domain": {"epochs": [1, 80]}},
            "model": {"hidden": [32, 16], "xla": False},
            "spaces": {"d2": {"resolutions": [2]}},
        }
    },
}


class Project:
    """A working folder with links to the project's files."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("Snakefile", "config.yaml", "workflow", "scripts", "envs", "resources"):
            (folder / name).symlink_to(ROOT / name)
        (folder / "profiles").symlink_to("workflow/profiles")

    def write(self, name: str, config: object) -> Path:
        path = self.folder / name
        path.write_text(config if isinstance(config, str) else yaml.safe_dump(config))
        return path

    def start(self, *arguments: object) -> subprocess.Popen:
        """Start Snakemake in a process group of its own."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
        # The scripts run with the same interpreter, wherever the tests were started.
        environment["PATH"] = f"{SNAKEMAKE.parent}{os.pathsep}{environment['PATH']}"
        return subprocess.Popen(
            [SNAKEMAKE, "--cores", "2", *map(str, arguments)],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: object, code: int | None = 0, seconds: float = 900) -> str:
        """Run Snakemake to its end; return what it printed."""
        process = self.start(*arguments)
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            kill(process)
            raise
        if code is not None:
            assert process.returncode == code, output[-6000:]
        return output

    def copy(self, folder: Path) -> "Project":
        """The same project in another folder, results and Snakemake's memory included."""
        other = Project(folder)
        for name in ("results", ".snakemake"):
            if (self.folder / name).exists():
                shutil.copytree(self.folder / name, folder / name, symlinks=True)
        for path in self.folder.glob("*.yaml"):
            if not path.is_symlink():
                shutil.copy2(path, folder)
        return other

    def journal_rows(self, results: str = "results/small", problem: str = "housing") -> list[dict]:
        files = sorted((self.folder / results / problem / "journal").rglob("*.jsonl"))
        rows = []
        for path in files:
            for line in path.read_text().splitlines():
                rows.append({**json.loads(line), "batch": path.parts[-3]})
        return rows


def kill(process: subprocess.Popen) -> None:
    """kill -9 of Snakemake and all its children."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
