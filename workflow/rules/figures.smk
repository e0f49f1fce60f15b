"""Figures: PNG and SVG, drawn from tables only."""

#: Figures of every space.
SPACE_FIGURES = (
    "result-plot",
    "losses-before-and-after-normalisation",
    "scaled-minima-histograms",
    "equivalent-random-budget",
    "critical-difference",
    "geometry-against-loss",
    "edge-effects",
)

DIAGRAMS = ("important-and-unimportant-parameter", "protocol", "odd-polynomial")

#: Kinds whose data can be looked at, and what is seen.
EXAMPLES = {
    "cifar10": "example-images-per-class",
    "insolubles": "example-images-per-class",
    "icecube": "example-event",
}


rule plot_results:
    "Normalised minimum against resolution, a line with error bars per sampler."
    input:
        scores="<results>/tables/scores.parquet",
    output:
        png=report(
            "<results>/figures/{problem}/{space}-result-plot.png",
            caption="../report/result-plot.rst",
            category="results",
            labels={"problem": "{problem}", "figure": "{space}: result plot"},
        ),
        svg="<results>/figures/{problem}/{space}-result-plot.svg",
    log:
        "<logs>/plot_results/{problem}/{space}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        dpi=config["figures"]["dpi"],
    script:
        "../../scripts/plot_results.py"


rule plot_normalisation:
    "Minimum losses of the batches before and after normalisation."
    input:
        minima="<results>/tables/minima.parquet",
    output:
        png=report(
            "<results>/figures/{problem}/{space}-losses-before-and-after-normalisation.png",
            caption="../report/losses-before-and-after-normalisation.rst",
            category="results",
            labels={"problem": "{problem}", "figure": "{space}: normalisation"},
        ),
        svg="<results>/figures/{problem}/{space}-losses-before-and-after-normalisation.svg",
    log:
        "<logs>/plot_normalisation/{problem}/{space}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        dpi=config["figures"]["dpi"],
    script:
        "../../scripts/plot_normalisation.py"


rule plot_shap:
    "Which features matter: bars of the mean |SHAP|, and the beeswarm."
    input:
        ranking="<results>/{problem}/features/ranking.csv",
        shap="<results>/{problem}/features/shap.parquet",
        facts="<results>/{problem}/data.json",
    output:
        bars=report(
            "<results>/figures/{problem}/shap-bars.png",
            caption="../report/shap.rst",
            category="data",
            labels={"problem": "{problem}", "figure": "features that matter"},
        ),
        bars_svg="<results>/figures/{problem}/shap-bars.svg",
        beeswarm=report(
            "<results>/figures/{problem}/shap-beeswarm.png",
            caption="../report/shap.rst",
            category="data",
            labels={"problem": "{problem}", "figure": "SHAP values"},
        ),
        beeswarm_svg="<results>/figures/{problem}/shap-beeswarm.svg",
    log:
        "<logs>/plot_shap/{problem}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        dpi=config["figures"]["dpi"],
    script:
        "../../scripts/plot_shap.py"


rule plot_landscapes:
    "Scanned loss of the batches, with their minima and the domain."
    input:
        scans=scans,
        screen="<results>/{problem}/screen.json",
    output:
        png=report(
            "<results>/figures/{problem}/loss-landscapes.png",
            caption="../report/loss-landscapes.rst",
            category="data",
            labels={"problem": "{problem}", "figure": "loss landscapes"},
        ),
        svg="<results>/figures/{problem}/loss-landscapes.svg",
    log:
        "<logs>/plot_landscapes/{problem}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        parameters=setting("parameters"),
        dpi=config["figures"]["dpi"],
    script:
        "../../scripts/plot_landscapes.py"


rule plot_designs:
    "The designs of one batch in two dimensions."
    input:
        designs="<results>/{problem}/{space}/designs.parquet",
    output:
        png=report(
            "<results>/figures/{problem}/{space}-designs.png",
            caption="../report/designs.rst",
            category="designs",
            labels={"problem": "{problem}", "figure": "{space}: designs"},
        ),
        svg="<results>/figures/{problem}/{space}-designs.svg",
    log:
        "<logs>/plot_designs/{problem}/{space}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        dpi=config["figures"]["dpi"],
    script:
        "../../scripts/plot_designs.py"


rule plot_histograms:
    "Histograms of the scaled minima with their exponential fits, samplers by resolutions."
    input:
        minima="<results>/tables/minima.parquet",
        uncertainties="<results>/tables/uncertainty.parquet",
    output:
        png=report(
            "<results>/figures/{problem}/{space}-scaled-minima-histograms.png",
            caption="../report/scaled-minima-histograms.rst",
            category="results",
            labels={"problem": "{problem}", "figure": "{space}: scaled minima"},
        ),
        svg="<results>/figures/{problem}/{space}-scaled-minima-histograms.svg",
    log:
        "<logs>/plot_histograms/{problem}/{space}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        name="scaled-minima-histograms",
        dpi=config["figures"]["dpi"],
    script:
        "../../scripts/plot_statistics.py"


rule plot_budgets:
    "Equivalent random budget: how many random points reach the same expected minimum."
    input:
        budgets="<results>/tables/budgets.parquet",
    output:
        png=report(
            "<results>/figures/{problem}/{space}-equivalent-random-budget.png",
            caption="../report/equivalent-random-budget.rst",
            category="results",
            labels={
                "problem": "{problem}",
                "figure": "{space}: equivalent random budget",
            },
        ),
        svg="<results>/figures/{problem}/{space}-equivalent-random-budget.svg",
    log:
        "<logs>/plot_budgets/{problem}/{space}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        name="equivalent-random-budget",
        dpi=config["figures"]["dpi"],
    script:
        "../../scripts/plot_statistics.py"


rule plot_ranks:
    "Average ranks of the samplers, with the critical difference."
    input:
        minima="<results>/tables/minima.parquet",
    output:
        png=report(
            "<results>/figures/{problem}/{space}-critical-difference.png",
            caption="../report/critical-difference.rst",
            category="results",
            labels={"problem": "{problem}", "figure": "{space}: average ranks"},
        ),
        svg="<results>/figures/{problem}/{space}-critical-difference.svg",
    log:
        "<logs>/plot_ranks/{problem}/{space}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        name="critical-difference",
        dpi=config["figures"]["dpi"],
    script:
        "../../scripts/plot_statistics.py"


rule plot_geometry_against_loss:
    "Geometry of each design against its normalised minimum."
    input:
        geometry="<results>/{problem}/{space}/geometry.parquet",
        minima="<results>/tables/minima.parquet",
        correlations="<results>/tables/correlations.parquet",
    output:
        png=report(
            "<results>/figures/{problem}/{space}-geometry-against-loss.png",
            caption="../report/geometry-against-loss.rst",
            category="geometry",
            labels={
                "problem": "{problem}",
                "figure": "{space}: geometry against loss",
            },
        ),
        svg="<results>/figures/{problem}/{space}-geometry-against-loss.svg",
    log:
        "<logs>/plot_geometry_against_loss/{problem}/{space}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        name="geometry-against-loss",
        dpi=config["figures"]["dpi"],
    script:
        "../../scripts/plot_statistics.py"


rule plot_edge_effects:
    "Density of the samplers' points from the edge of the cube to its middle."
    input:
        designs="<results>/{problem}/{space}/designs.parquet",
    output:
        png=report(
            "<results>/figures/{problem}/{space}-edge-effects.png",
            caption="../report/edge-effects.rst",
            category="designs",
            labels={"problem": "{problem}", "figure": "{space}: edge effects"},
        ),
        svg="<results>/figures/{problem}/{space}-edge-effects.svg",
    log:
        "<logs>/plot_edge_effects/{problem}/{space}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        name="edge-effects",
        dpi=config["figures"]["dpi"],
    script:
        "../../scripts/plot_statistics.py"


rule plot_moving_minimum:
    "Where the minimum of each batch lies, in the domain or on its edge."
    input:
        screen="<results>/{problem}/screen.json",
        facts="<results>/{problem}/data.json",
    output:
        png=report(
            "<results>/figures/{problem}/moving-minimum.png",
            caption="../report/moving-minimum.rst",
            category="data",
            labels={"problem": "{problem}", "figure": "moving minimum"},
        ),
        svg="<results>/figures/{problem}/moving-minimum.svg",
    log:
        "<logs>/plot_moving_minimum/{problem}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        parameters=setting("parameters"),
        dpi=config["figures"]["dpi"],
    script:
        "../../scripts/plot_moving_minimum.py"


rule draw_examples:
    "What the data of a problem look like."
    input:
        data="<results>/{problem}/data.npz",
        facts="<results>/{problem}/data.json",
    output:
        png=report(
            "<results>/figures/{problem}/{example}.png",
            caption="../report/examples.rst",
            category="data",
            labels={"problem": "{problem}", "figure": "{example}"},
        ),
        svg="<results>/figures/{problem}/{example}.svg",
    log:
        "<logs>/draw_examples/{problem}-{example}.log",
    wildcard_constraints:
        problem=one_of(p.name for p in PROBLEMS.values() if example_of(p)),
        example=one_of(set(EXAMPLES.values())),
    conda:
        "../../envs/analysis.yaml"
    params:
        seed=config["seed"],
        dpi=config["figures"]["dpi"],
    script:
        "../../scripts/draw_examples.py"


rule draw_diagrams:
    "Diagrams that need no results: important parameter, protocol, odd polynomial."
    output:
        png=report(
            "<results>/figures/diagrams/{name}.png",
            caption="../report/diagrams.rst",
            category="study",
            labels={"problem": "none", "figure": "{name}"},
        ),
        svg="<results>/figures/diagrams/{name}.svg",
    log:
        "<logs>/draw_diagrams/{name}.log",
    wildcard_constraints:
        name=one_of(DIAGRAMS),
    conda:
        "../../envs/analysis.yaml"
    params:
        seed=config["seed"],
        dpi=config["figures"]["dpi"],
    script:
        "../../scripts/draw_diagrams.py"


rule count_trainings:
    "Count what the study asks for: a table, and a figure of dimension against resolution."
    output:
        csv="<results>/tables/counts.csv",
        parquet="<results>/tables/counts.parquet",
        png=report(
            "<results>/figures/study/trainings-by-dimension-and-resolution.png",
            caption="../report/trainings-by-dimension-and-resolution.rst",
            category="study",
            labels={
                "problem": "all",
                "figure": "trainings by dimension and resolution",
            },
        ),
        svg="<results>/figures/study/trainings-by-dimension-and-resolution.svg",
    log:
        "<logs>/count_trainings.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        config={
            key: config[key]
            for key in (
                "seed",
                "run",
                "samplers",
                "training",
                "tabulated",
                "boosting",
                "problems",
            )
        },
        dpi=config["figures"]["dpi"],
    script:
        "../../scripts/count_trainings.py"
