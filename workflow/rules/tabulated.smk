"""Tabulated landscapes: many designs, and adaptive searches, on one lattice of trainings a batch."""


rule tabulated:
    "Scores on tabulated landscapes, with adaptive references, and their agreement with direct trainings."
    input:
        tabulated(),


rule tabulate_batch:
    "Train one batch at every cell of a fine lattice of the domain."
    input:
        **BATCH_FILES,
        screen="<results>/{problem}/screen.json",
    output:
        "<results>/{problem}/{space}/tabulated/{batch}.parquet",
    log:
        "<logs>/tabulate_batch/{problem}/{space}/{batch}.log",
    benchmark:
        "<benchmarks>/tabulate_batch/{problem}/{space}/{batch}.tsv"
    wildcard_constraints:
        problem=one_of(p.name for p in BOOSTED),
    conda:
        "../../envs/boosting.yaml"
    params:
        parameters=table_parameters,
        levels=config["tabulated"]["levels"],
        settings=job_settings,
        journal=journal_folder,
    script:
        "../../scripts/tabulate_batch.py"


rule read_designs:
    "Read the losses of one batch and chunk of points from the batch's table (training.mode: tabulated)."
    input:
        table="<results>/{problem}/{space}/tabulated/{batch}.parquet",
        data="<results>/{problem}/data.parquet",
        batches="<results>/{problem}/batches.parquet",
        screen="<results>/{problem}/screen.json",
        designs="<results>/{problem}/{space}/designs.parquet",
    output:
        "<results>/{problem}/{space}/evaluations/{batch}/{chunk}.parquet",
    log:
        "<logs>/read_designs/{problem}/{space}/{batch}/{chunk}.log",
    wildcard_constraints:
        problem=one_of(p.name for p in TABULATED),
    conda:
        "../../envs/boosting.yaml"
    params:
        parameters=lambda wildcards: [
            asdict(p) for p in space_of(wildcards).space.parameters
        ],
        searched=lambda wildcards: list(space_of(wildcards).searched),
        levels=config["tabulated"]["levels"],
        settings=job_settings,
    script:
        "../../scripts/read_designs.py"


rule compare_tabulated:
    "Compare samplers on the tabulated landscapes, and with the designs of the study in the same batches."
    input:
        tables=tabulated_batches,
        data="<results>/{problem}/data.parquet",
        batches="<results>/{problem}/batches.parquet",
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
        "../../envs/boosting.yaml"
    params:
        parameters=table_parameters,
        coefficients=lambda wildcards: len(space_of(wildcards).coefficients),
        samplers=config["samplers"],
        settings=config["tabulated"],
        mode=config["training"]["mode"],
        d=lambda wildcards: space_of(wildcards).d,
        trained=lambda wildcards: space_of(wildcards).points,
        seed=config["seed"],
        baseline=config["statistics"]["baseline"],
    script:
        "../../scripts/compare_tabulated.py"


rule plot_tabulated:
    "Samplers on the tabulated landscapes, with adaptive searches as reference lines."
    input:
        "<results>/tables/tabulated/{problem}-{space}-scores.csv",
    output:
        png=report(
            "<results>/figures/{problem}/{space}-tabulated-result-plot.png",
            caption="../report/tabulated-result-plot.rst",
            category="results",
            labels={"problem": "{problem}", "figure": "{space}: tabulated landscapes"},
        ),
        svg="<results>/figures/{problem}/{space}-tabulated-result-plot.svg",
    log:
        "<logs>/plot_tabulated/{problem}/{space}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        baseline=config["statistics"]["baseline"],
        dpi=config["figures"]["dpi"],
    script:
        "../../scripts/plot_tabulated.py"
