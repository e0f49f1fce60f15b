"""How well points lie, and what the samplers look like: needs no training."""


rule geometry:
    "Table and figure of the geometry of all samplers, for every (d, N) of the study."
    input:
        geometry_files(),


rule measure_geometry:
    "Measure the designs of all registered samplers for one dimension and number of points."
    output:
        csv="<results>/tables/geometry-d{d}-n{n}.csv",
        parquet="<results>/tables/geometry-d{d}-n{n}.parquet",
        png=report(
            "<results>/figures/geometry/geometry-d{d}-n{n}.png",
            caption="../report/geometry.rst",
            category="geometry",
            labels={"problem": "none", "figure": "d = {d}, N = {n}"},
        ),
        svg="<results>/figures/geometry/geometry-d{d}-n{n}.svg",
    log:
        "<logs>/measure_geometry/d{d}-n{n}.log",
    benchmark:
        "<benchmarks>/measure_geometry/d{d}-n{n}.tsv"
    wildcard_constraints:
        d=r"\d+",
        n=r"\d+",
    conda:
        "../../envs/analysis.yaml"
    params:
        samplers=list(SAMPLERS),
        seeds=10,
        seed=config["seed"],
        dpi=config["figures"]["dpi"],
    script:
        "../../scripts/measure_geometry.py"


rule draw_tilings:
    "The three tilings in two dimensions, the chess-board analogy, and a tiling in three."
    output:
        png=report(
            "<results>/figures/samplers/{name}.png",
            caption="../report/tilings.rst",
            category="designs",
            labels={"problem": "none", "figure": "{name}"},
        ),
        svg="<results>/figures/samplers/{name}.svg",
    log:
        "<logs>/draw_tilings/{name}.log",
    wildcard_constraints:
        name="three-tilings|chess-board-analogy|hypertiling-3d",
    conda:
        "../../envs/analysis.yaml"
    params:
        seed=config["seed"],
        dpi=config["figures"]["dpi"],
    script:
        "../../scripts/draw_tilings.py"
