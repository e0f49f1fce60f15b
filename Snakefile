# tilesearch: where should the N points of a parallel hyperparameter search lie?
#
#   snakemake --cores all                                              the demo study
#   snakemake --cores all --configfile workflow/studies/smoke.yaml     everything, small
#   snakemake --cores all figures                                      the figures alone
#   snakemake --cores all geometry                                     how well points lie

from snakemake.utils import min_version

min_version("9.20")


configfile: "config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/functions.smk"


pathvars:
    results=RESULTS,
    logs="<results>/logs",
    benchmarks="<results>/benchmarks",


include: "workflow/rules/data.smk"
include: "workflow/rules/batches.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/networks.smk"
include: "workflow/rules/geometry.smk"
include: "workflow/rules/scores.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/tabulated.smk"
include: "workflow/rules/local.smk"


rule all:
    "Tables, figures and report of the study."
    default_target: True
    input:
        tables(),
        figures(),
        tilings(),
        tabulated() if TABULATED else [],
        f"{RESULTS}/report.html",


rule figures:
    "All figures of the study."
    input:
        figures(),
        tilings(),


rule report:
    "The report alone (and all that it shows)."
    input:
        f"{RESULTS}/report.html",


rule evaluations:
    "All trainings of the study, collected."
    input:
        evaluations(),
