"""A stand-in for the `conda` executable: its environments are venvs, filled by pip's packages.

It answers what Snakemake 9.27 asks of conda and nothing else. What it proves: the packages that an
environment names, as PyPI has them, install together and run the scripts of that environment's
rules. What it cannot prove: that conda-forge has them.
"""

import json
import subprocess
import sys
from pathlib import Path

import yaml

UV = Path(sys.executable).with_name("uv")


def packages(path: Path) -> tuple[str, list[str]]:
    """Version of Python, and all other packages of an environment as pip writes them."""
    python, found = "", []
    for entry in yaml.safe_load(path.read_text())["dependencies"]:
        if isinstance(entry, dict):
            found += entry["pip"]
        elif entry.startswith("python="):
            python = entry.removeprefix("python=")
        elif entry != "pip":
            found.append(entry.replace("=", "==", 1))
    return python, found


def create(path: Path, prefix: Path) -> None:
    """Make an empty venv and install the packages of an environment, and nothing else, into it."""
    python, found = packages(path)
    subprocess.run([UV, "venv", "--quiet", "--python", python, prefix], check=True)
    install = [UV, "pip", "install", "--quiet", "--python", prefix / "bin/python"]
    subprocess.run([*install, *found], check=True)


def install(folder: Path) -> Path:
    """Put `conda` and `activate` into ``folder/bin``; returns that folder."""
    own = folder / "bin"
    own.mkdir(parents=True)
    (own / "conda").write_text(f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" "$@"\n')
    (own / "conda").chmod(0o755)
    (own / "activate").write_text('export CONDA_PREFIX="$1" PATH="$1/bin:$PATH"\n')
    return own


def main(*arguments: str) -> None:
    """Answer as conda does."""
    match arguments:
        case ("--version",):
            print("conda 24.7.1")
        case ("info", "--json"):
            base = Path(subprocess.check_output(["which", "conda"], text=True).strip()).parents[1]
            print(json.dumps({"conda_prefix": str(base), "platform": "linux-64"}))
        case ("config", "--get", "channel_priority", "--json"):
            print(json.dumps({"get": {"channel_priority": "strict"}}))
        case ("env", "create", "--quiet", "--no-default-packages", "--file", file, "--prefix", to):
            create(Path(file), Path(to))
        case ("clean", *_):
            pass  # there are no tarballs
        case _:
            raise SystemExit(f"the stand-in for conda does not know: {' '.join(arguments)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
