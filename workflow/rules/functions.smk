"""Input functions and lists of targets, by the file of the rules that use them."""

from dataclasses import asdict

# batches.smk


def journal_folder(wildcards):
    """Journals are no declared output: Snakemake would delete them with a job that was cut off."""
    return f"{RESULTS}/{wildcards.problem}/journal/{wildcards.batch}"


def job_settings(wildcards):
    problem = PROBLEMS[wildcards.problem]
    space = problem.spaces.get(wildcards.get("space"))
    return {
        "problem": problem.name,
        "space": space.name if space else "scan",
        "coefficients": len(space.coefficients) if space else 0,
        "seed": STUDY.seed,
        "model": problem.settings["model"],
        "kind": problem.settings["kind"],
        "engine": problem.kind.engine,
        "trained": list(problem.kind.trained),
    }


def scan_parameters(wildcards):
    problem = PROBLEMS[wildcards.problem]
    expand_domain = problem.settings["scan"]["on_edge"] == "expand"
    parameters = problem.scan_space.parameters if expand_domain else problem.parameters
    return [asdict(p) for p in parameters]


def scans(wildcards):
    batches = PROBLEMS[wildcards.problem].batches
    return [f"{RESULTS}/{wildcards.problem}/scan/{batch}.parquet" for batch in batches]


# training.smk


def space_of(wildcards):
    return PROBLEMS[wildcards.problem].spaces[wildcards.space]


def design_config(wildcards):
    """What determines the designs of one space, and nothing else."""
    name = wildcards.problem
    own = {"run": [name], "problems": {name: config["problems"][name]}}
    own["training"] = {"points_per_job": config["training"]["points_per_job"]}
    return {key: config[key] for key in ("seed", "samplers", "boosting")} | own


def chunk_files(wildcards):
    folder = f"{RESULTS}/{wildcards.problem}/{wildcards.space}/evaluations"
    chunks = range(space_of(wildcards).chunks)
    batches = kept_batches(wildcards.problem)
    return [
        f"{folder}/{batch}/{chunk}.parquet" for batch in batches for chunk in chunks
    ]


# networks.smk


def network_files(wildcards):
    """Inputs of a job that trains networks: embedded data and tuned settings where a kind has them."""
    folder = f"{RESULTS}/{wildcards.problem}"
    kind = PROBLEMS[wildcards.problem].kind
    files = {"data": "data.npz", "facts": "data.json", "batches": "batches.parquet"}
    files |= {"embedded": "embedded.npz"} if kind.embeds else {}
    files |= {"tuned": "tuned.json"} if kind.tunes else {}
    return {name: f"{folder}/{file}" for name, file in files.items()}


# geometry.smk


def geometry_files():
    sizes = sorted({(s.d, size.n) for s in STUDY.space_studies for size in s.sizes})
    return [
        f"{RESULTS}/{folder}/geometry-d{d}-n{n}.{ending}"
        for d, n in sizes
        if n >= 4
        for folder, ending in (("tables", "csv"), ("figures/geometry", "png"))
    ]


def tilings():
    names = ("three-tilings", "chess-board-analogy", "hypertiling-3d")
    return [
        f"{RESULTS}/figures/samplers/{name}.{ending}"
        for name in names
        for ending in ("png", "svg")
    ]


# scores.smk


def evaluations():
    return [
        f"{RESULTS}/{s.problem}/{s.name}/evaluations.parquet"
        for s in STUDY.space_studies
    ]


def tables():
    return [
        f"{RESULTS}/tables/{name}.{ending}"
        for name in ("minima", "scores", "counts", *STATISTICS)
        for ending in ("csv", "parquet")
    ]


# figures.smk


def example_of(problem):
    return EXAMPLES.get(problem.settings["kind"])


def figure_stems():
    """Every figure of the study, without its ending."""
    stems = [f"diagrams/{name}" for name in DIAGRAMS]
    stems += ["study/trainings-by-dimension-and-resolution"]
    for problem in PROBLEMS.values():
        names = [example_of(problem)] if example_of(problem) else []
        if problem.settings.get("features", "none") != "none":
            names += ["shap-bars", "shap-beeswarm"]
        if len(problem.parameters) == 2:
            names += ["loss-landscapes", "moving-minimum"]
        for space in problem.spaces.values():
            names += [f"{space.name}-designs"] if space.d == 2 else []
            names += [f"{space.name}-{figure}" for figure in SPACE_FIGURES]
        stems += [f"{problem.name}/{name}" for name in names]
    return stems


def figures():
    return [
        f"{RESULTS}/figures/{stem}.{ending}"
        for stem in figure_stems()
        for ending in ("png", "svg")
    ]


# report.smk


def report_figures():
    """The figures of the report: why first, then what was done, then what came out."""
    shown = [*tilings(), *figures(), *(tabulated() if TABULATED else [])]
    return [path for path in shown if path.endswith(".png")]


# tabulated.smk


def tabulated():
    """Tables and figures of all spaces whose losses can be tabulated: those of boosting."""
    return [
        path
        for problem in BOOSTED
        for space in problem.spaces.values()
        for path in (
            f"{RESULTS}/tables/tabulated/{problem.name}-{space.name}-scores.csv",
            f"{RESULTS}/tables/tabulated/{problem.name}-{space.name}-agreement.csv",
            f"{RESULTS}/figures/{problem.name}/{space.name}-tabulated-result-plot.png",
        )
    ]


def tabulated_batches(wildcards):
    folder = f"{RESULTS}/{wildcards.problem}/{wildcards.space}/tabulated"
    return [f"{folder}/{batch}.parquet" for batch in kept_batches(wildcards.problem)]


def table_parameters(wildcards):
    return [asdict(p) for p in space_of(wildcards).table_space.parameters]
