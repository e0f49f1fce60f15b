# `make help` lists the targets. Whoever has an environment of his own needs none of this:
# `snakemake --cores all` and `pytest` do the same.

PYTHON ?= python3
CORES ?= all
BIN := .venv/bin
UV := uv==0.13.9

.DEFAULT_GOAL := help
.PHONY: help env demo smoke figures test test-slurm test-conda test-faults lint lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

env: .venv/.installed ## set up .venv with the locked packages

.venv/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
	  { echo "The lock is for Python 3.11: make env PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "venv is missing: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(UV)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@$(BIN)/python -c 'import lightgbm' || \
	  { echo "LightGBM needs the OpenMP runtime: apt-get install libgomp1"; exit 1; }
	@touch $@

demo: env ## run the demo study (config.yaml) to figures and tables in results/
	PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --cores $(CORES)

smoke: env ## run the whole pipeline, small
	PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --cores $(CORES) --configfile workflow/studies/smoke.yaml

figures: env ## redraw the figures of the reference studies: no training, no data
	$(BIN)/python scripts/redraw_figures.py

test: env ## run all tests, a process per core
	PATH="$(CURDIR)/$(BIN):$$PATH" pytest -n logical --maxprocesses 4 --dist loadfile \
	  --no-loadscope-reorder

test-slurm: env ## run the study on a one-node SLURM on this machine (root; installs slurm-wlm)
	TILESEARCH_SLURM=1 PATH="$(CURDIR)/$(BIN):$$PATH" timeout -k 30 1800 pytest tests/slurm

test-conda: env ## run small studies in the environments of envs/, made by pip in place of conda
	PATH="$(CURDIR)/$(BIN):$$PATH" pytest tests/conda

test-faults: env ## kill, fill and corrupt a small study (root for some; many minutes)
	PATH="$(CURDIR)/$(BIN):$$PATH" pytest tests/faults

lint: env ## ruff, snakefmt and snakemake --lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --lint

lock: env ## resolve the packages of pyproject.toml anew into requirements.lock
	$(BIN)/uv pip compile --quiet pyproject.toml --all-extras --generate-hashes --no-annotate \
	  --python-version 3.11 --python-platform x86_64-manylinux_2_36 \
	  --custom-compile-command "make lock" --output-file requirements.lock --upgrade

clean: ## delete all results (the journals too) and what Snakemake remembers
	find results -mindepth 1 -not -name README.md -delete
	rm -rf .snakemake
