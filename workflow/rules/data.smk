"""From the data to a table of features and target, and the features that are kept."""


rule load_data:
    "Load a boosting problem's data and derive its features."
    input:
        data_file,
    output:
        data="<results>/{problem}/data.parquet",
        facts="<results>/{problem}/data.json",
    log:
        "<logs>/load_data/{problem}.log",
    benchmark:
        "<benchmarks>/load_data/{problem}.tsv"
    wildcard_constraints:
        problem=one_of(p.name for p in BOOSTED),
    conda:
        "../../envs/boosting.yaml"
    params:
        kind=setting("kind"),
        data=setting("data"),
        seed=config["seed"],
    script:
        "../../scripts/load_data.py"


rule select_features:
    "Tune LightGBM on all the data and keep the features with the largest mean |SHAP|."
    input:
        data="<results>/{problem}/data.parquet",
        facts="<results>/{problem}/data.json",
    output:
        selected="<results>/{problem}/features/selected.json",
        tuned="<results>/{problem}/features/tuned.json",
        ranking="<results>/{problem}/features/ranking.csv",
        values="<results>/{problem}/features/shap.parquet",
    log:
        "<logs>/select_features/{problem}.log",
    benchmark:
        "<benchmarks>/select_features/{problem}.tsv"
    wildcard_constraints:
        problem=one_of(p.name for p in BOOSTED if p.settings["features"] != "none"),
    conda:
        "../../envs/boosting.yaml"
    threads: 2
    params:
        settings=setting("features"),
        model=setting("model"),
        seed=config["seed"],
    script:
        "../../scripts/select_features.py"


rule keep_all_features:
    "Keep all features and LightGBM's own settings (features: none)."
    input:
        facts="<results>/{problem}/data.json",
    output:
        selected="<results>/{problem}/features/selected.json",
        tuned="<results>/{problem}/features/tuned.json",
    log:
        "<logs>/select_features/{problem}.log",
    wildcard_constraints:
        problem=one_of(p.name for p in BOOSTED if p.settings["features"] == "none"),
    conda:
        "../../envs/boosting.yaml"
    params:
        settings="none",
    script:
        "../../scripts/select_features.py"
