"""What is different for the problems that are trained as fused networks."""

# A network's job uses all its threads; only its device and its environment tell it from boosting.
GPU = {"gpu": 1} if config["training"]["gpu"] else {}


rule load_arrays:
    "Load the data of a problem that is trained as networks."
    input:
        data_file,
    output:
        data="<results>/{problem}/data.npz",
        facts="<results>/{problem}/data.json",
    log:
        "<logs>/load_arrays/{problem}.log",
    benchmark:
        "<benchmarks>/load_arrays/{problem}.tsv"
    wildcard_constraints:
        problem=one_of(p.name for p in NETWORKS),
    conda:
        "../../envs/networks.yaml"
    params:
        kind=setting("kind"),
        data=setting("data"),
        seed=config["seed"],
    script:
        "../../scripts/load_arrays.py"


rule embed_data:
    "Compute once per data set what no hyperparameter changes."
    input:
        data="<results>/{problem}/data.npz",
        facts="<results>/{problem}/data.json",
    output:
        "<results>/{problem}/embedded.npz",
    log:
        "<logs>/embed_data/{problem}.log",
    benchmark:
        "<benchmarks>/embed_data/{problem}.tsv"
    conda:
        "../../envs/networks.yaml"
    threads: 2
    resources:
        **GPU,
    params:
        kind=setting("kind"),
        settings=setting("data"),
        seed=config["seed"],
    script:
        "../../scripts/embed_data.py"


rule tune_network:
    "Tune what is not searched of a problem's network."
    input:
        data="<results>/{problem}/data.npz",
        facts="<results>/{problem}/data.json",
    output:
        "<results>/{problem}/tuned.json",
    log:
        "<logs>/tune_network/{problem}.log",
    benchmark:
        "<benchmarks>/tune_network/{problem}.tsv"
    conda:
        "../../envs/networks.yaml"
    threads: 2
    resources:
        **GPU,
    params:
        kind=setting("kind"),
        settings=setting("tuning"),
        seed=config["seed"],
    script:
        "../../scripts/tune_network.py"


use rule scan_batch as scan_network_batch with:
    input:
        unpack(network_files),
    wildcard_constraints:
        problem=one_of(p.name for p in NETWORKS),
    conda:
        "../../envs/networks.yaml"
    threads: 1
    resources:
        **GPU,


use rule train as train_network with:
    input:
        unpack(network_files),
        screen="<results>/{problem}/screen.json",
        designs="<results>/{problem}/{space}/designs.parquet",
    wildcard_constraints:
        problem=one_of(p.name for p in NETWORKS),
    conda:
        "../../envs/networks.yaml"
    threads: 1
    resources:
        **GPU,
