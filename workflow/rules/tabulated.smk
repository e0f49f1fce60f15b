"""Tabulated landscapes: many designs, and adaptive searches, on one lattice of trainings a batch."""


rule tabulated:
    "Scores on tabulated landscapes, with adaptive references, and their agreement with direct trainings."
    input:
        [
            f"{RESULTS}/tables/tabulated/{s.problem}-{s.name}-{name}.csv"
            for s in tabulated_spaces()
            for name in ("scores", "agreement")
        ],


rule tabulate_batch:
    "Train one batch at every cell of a fine lattice of the domain."
    input:
        **BATCH_FILES,
        screen="<results>/{problem}/screen.json",
    output:
        "<results>/{problem}/tabulated/{batch}.parquet",
    log:
        "<logs>/tabulate_batch/{problem}/{batch}.log",
    benchmark:
        "<benchmarks>/tabulate_batch/{problem}/{batch}.tsv"
    wildcard_constraints:
        problem=one_of(p.name for p in BOOSTED),
    conda:
        "../../envs/boosting.yaml"
    params:
        parameters=own_parameters,
        levels=config["tabulated"]["levels"],
        settings=job_settings,
        journal=journal_folder,
    script:
        "../../scripts/tabulate_batch.py"


rule compare_tabulated:
    "Compare samplers on the tabulated landscapes, and with direct trainings of the same batches."
    input:
        tables=tabulated_batches,
        screen="<results>/{problem}/screen.json",
        minima="<results>/tables/minima.parquet",
    output:
        scores="<results>/tables/tabulated/{problem}-{space}-scores.csv",
        agreement="<results>/tables/tabulated/{problem}-{space}-agreement.csv",
    log:
        "<logs>/compare_tabulated/{problem}/{space}.log",
    benchmark:
        "<benchmarks>/compare_tabulated/{problem}/{space}.tsv"
    conda:
        "../../envs/analysis.yaml"
    params:
        parameters=own_parameters,
        samplers=config["samplers"],
        settings=config["tabulated"],
        trained=lambda wildcards: space_of(wildcards).points,
        seed=config["seed"],
        baseline=config["statistics"]["baseline"],
    script:
        "../../scripts/compare_tabulated.py"
