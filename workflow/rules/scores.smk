"""From evaluations to scores, and to the statistics that compare the samplers."""

#: Tables that compare the samplers; each says the number of batches.
STATISTICS = (
    "uncertainty",
    "comparisons",
    "ranks",
    "budgets",
    "correlations",
    "advice",
)


rule score:
    "Normalise the smallest loss of every design, and average over batches."
    input:
        evaluations(),
    output:
        minima="<results>/tables/minima.parquet",
        minima_csv="<results>/tables/minima.csv",
        scores="<results>/tables/scores.parquet",
        scores_csv=report(
            "<results>/tables/scores.csv",
            caption="../report/scores.rst",
            category="results",
            labels={"problem": "all", "figure": "table of scores"},
        ),
    log:
        "<logs>/score.log",
    conda:
        "../../envs/analysis.yaml"
    script:
        "../../scripts/score.py"


rule measure_designs:
    "Measure how well the points of every design lie."
    input:
        designs="<results>/{problem}/{space}/designs.parquet",
        screen="<results>/{problem}/screen.json",
    output:
        "<results>/{problem}/{space}/geometry.parquet",
    log:
        "<logs>/measure_designs/{problem}/{space}.log",
    benchmark:
        "<benchmarks>/measure_designs/{problem}/{space}.tsv"
    conda:
        "../../envs/analysis.yaml"
    params:
        d=lambda wildcards: space_of(wildcards).d,
    script:
        "../../scripts/measure_designs.py"


rule compare:
    "Uncertainties, paired tests, ranks, equivalent random budgets, correlations and advice."
    input:
        minima="<results>/tables/minima.parquet",
        evaluations=evaluations(),
        geometry=[
            f"{RESULTS}/{s.problem}/{s.name}/geometry.parquet"
            for s in STUDY.space_studies
        ],
    output:
        expand(
            "<results>/tables/{name}.{ending}",
            name=STATISTICS,
            ending=("csv", "parquet"),
        ),
    log:
        "<logs>/compare.log",
    benchmark:
        "<benchmarks>/compare.tsv"
    conda:
        "../../envs/analysis.yaml"
    params:
        settings=config["statistics"],
        seed=config["seed"],
    script:
        "../../scripts/compare.py"
