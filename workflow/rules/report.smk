"""The report: one self-contained HTML file, and the words of Snakemake's own report."""

from pathlib import Path

CAPTIONS = Path(workflow.basedir) / "workflow/report"


report: "../report/workflow.rst"


rule make_report:
    "The report of the study: question, answer, data, protocol, figures, tables, provenance."
    input:
        template=str(CAPTIONS / "report.html.j2"),
        captions=sorted(map(str, CAPTIONS.glob("*.rst"))),
        tables=[path for path in tables() if path.endswith(".parquet")],
        tabulated=[p for p in tabulated() if p.endswith(".csv")] if TABULATED else [],
        figures=report_figures(),
        facts=[f"{RESULTS}/{problem}/data.json" for problem in PROBLEMS],
        screens=[f"{RESULTS}/{problem}/screen.json" for problem in PROBLEMS],
    output:
        "<results>/report.html",
    log:
        "<logs>/make_report.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        benchmarks=f"{RESULTS}/benchmarks",
        config=config,
    script:
        "../../scripts/make_report.py"
