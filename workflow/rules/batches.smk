"""Batches, the scan of each on a grid, and the screen: the one checkpoint."""

BATCH_FILES = {
    "data": "<results>/{problem}/data.parquet",
    "facts": "<results>/{problem}/data.json",
    "selected": "<results>/{problem}/features/selected.json",
    "tuned": "<results>/{problem}/features/tuned.json",
    "batches": "<results>/{problem}/batches.parquet",
}


rule split_batches:
    "Assign the rows of the data to batches and parts."
    input:
        facts="<results>/{problem}/data.json",
    output:
        "<results>/{problem}/batches.parquet",
    log:
        "<logs>/split_batches/{problem}.log",
    conda:
        "../../envs/boosting.yaml"
    params:
        settings=setting("batches"),
        seed=config["seed"],
    script:
        "../../scripts/split_batches.py"


rule scan_batch:
    "Scan one batch on a grid of the domain."
    input:
        **BATCH_FILES,
    output:
        "<results>/{problem}/scan/{batch}.parquet",
    log:
        "<logs>/scan_batch/{problem}/{batch}.log",
    benchmark:
        "<benchmarks>/scan_batch/{problem}/{batch}.tsv"
    wildcard_constraints:
        problem=one_of(p.name for p in BOOSTED),
    conda:
        "../../envs/boosting.yaml"
    params:
        parameters=scan_parameters,
        resolution=lambda wildcards: PROBLEMS[wildcards.problem].settings["scan"][
            "resolution"
        ],
        settings=job_settings,
        journal=journal_folder,
    script:
        "../../scripts/scan_batch.py"


checkpoint screen:
    "Choose the domain, and the batches whose minimum lies inside it."
    input:
        scans,
    output:
        "<results>/{problem}/screen.json",
    log:
        "<logs>/screen/{problem}.log",
    conda:
        "../../envs/boosting.yaml"
    params:
        domain=lambda wildcards: PROBLEMS[wildcards.problem].domain,
        on_edge=lambda wildcards: PROBLEMS[wildcards.problem].settings["scan"][
            "on_edge"
        ],
    script:
        "../../scripts/screen_batches.py"
