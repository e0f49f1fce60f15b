"""Load, validate and constrain: what exists is computed in tilesearch.study."""

import json
import sys

sys.path.insert(0, os.path.join(workflow.basedir, "scripts"))

from snakemake.exceptions import WorkflowError

from tilesearch.adaptive import check_adaptive
from tilesearch.config import check, check_data
from tilesearch.errors import InputError
from tilesearch.samplers import SAMPLERS

try:
    STUDY = check(
        config, os.path.join(workflow.basedir, "workflow/schemas/config.schema.yaml")
    )
    if workflow.is_main_process:
        check_data(STUDY)
        check_adaptive(config["tabulated"]["adaptive"])
except InputError as error:
    raise WorkflowError(str(error)) from None

# OpenMP threads that wait must sleep (jobs inherit the environment). By default they spin: where
# other programs want the cores, too, two threads of LightGBM took > 100 s for 2 s of work.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

RESULTS = config["results"].rstrip("/")
PROBLEMS = STUDY.problems


BOOSTED = [p for p in PROBLEMS.values() if p.kind.engine == "boosting"]
TABULATED = BOOSTED if config["training"]["mode"] == "tabulated" else []
NETWORKS = [p for p in PROBLEMS.values() if p.kind.engine == "networks"]


def one_of(names):
    """A wildcard's constraint; without a name it matches nothing."""
    return "|".join(sorted(map(re.escape, names))) or "(?!)"


wildcard_constraints:
    problem=one_of(PROBLEMS),
    space=one_of({space.name for space in STUDY.space_studies}),
    batch=r"\d+",
    chunk=r"\d+",


def setting(key):
    """A section of the problem's config, so that a change reruns only what it touches."""
    return lambda wildcards: PROBLEMS[wildcards.problem].settings[key]


def data_file(wildcards):
    return PROBLEMS[wildcards.problem].settings["data"].get("path") or []


def kept_batches(problem):
    """Batches that passed the screen: known when the checkpoint has run."""
    path = checkpoints.screen.get(problem=problem).output[0]
    try:
        with open(path, encoding="utf-8") as stream:
            return json.load(stream)["kept"]
    except (ValueError, KeyError) as error:
        raise WorkflowError(
            f"screen '{path}' cannot be read ({error}), delete it and start again: it is made anew"
        ) from None
