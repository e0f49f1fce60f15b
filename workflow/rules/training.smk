"""Designs, and the training of a model at every point."""


rule make_designs:
    "Place the points of every sampler, size and batch of one space."
    output:
        "<results>/{problem}/{space}/designs.parquet",
    log:
        "<logs>/make_designs/{problem}/{space}.log",
    benchmark:
        "<benchmarks>/make_designs/{problem}/{space}.tsv"
    conda:
        "../../envs/sampling.yaml"
    params:
        config=design_config,
    script:
        "../../scripts/make_designs.py"


rule train:
    "Train the models of one batch and chunk of points."
    input:
        **BATCH_FILES,
        screen="<results>/{problem}/screen.json",
        designs="<results>/{problem}/{space}/designs.parquet",
    output:
        "<results>/{problem}/{space}/evaluations/{batch}/{chunk}.parquet",
    log:
        "<logs>/train/{problem}/{space}/{batch}/{chunk}.log",
    benchmark:
        "<benchmarks>/train/{problem}/{space}/{batch}/{chunk}.tsv"
    wildcard_constraints:
        problem=one_of(p.name for p in BOOSTED if p not in TABULATED),
    conda:
        "../../envs/boosting.yaml"
    params:
        parameters=lambda wildcards: [
            asdict(p) for p in space_of(wildcards).space.parameters
        ],
        unimportant=lambda wildcards: list(space_of(wildcards).unimportant),
        settings=job_settings,
        journal=journal_folder,
    script:
        "../../scripts/train.py"


rule collect_evaluations:
    "Collect the evaluations of one space, and check that none is missing."
    input:
        evaluations=chunk_files,
        screen="<results>/{problem}/screen.json",
    output:
        "<results>/{problem}/{space}/evaluations.parquet",
    log:
        "<logs>/collect_evaluations/{problem}/{space}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        points=lambda wildcards: space_of(wildcards).points,
        batches=lambda wildcards: len(kept_batches(wildcards.problem)),
    script:
        "../../scripts/collect_evaluations.py"
