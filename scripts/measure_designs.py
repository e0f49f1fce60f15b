"""Measure how well the points of every design of one space lie."""

from tilesearch.analysis.design_geometry import measure_designs
from tilesearch.files import read_json, write_table
from tilesearch.logs import job_log
from tilesearch.problems.trainers import read_table


def main(
    path_to_designs: str, path_to_screen: str, problem: str, space: str, d: int, path: str
) -> None:
    """Write the measures of the designs in the batches that are kept."""
    designs = read_table(path_to_designs, "design table")
    table = measure_designs(designs[designs["batch"].isin(read_json(path_to_screen)["kept"])])
    for at, (name, value) in enumerate({"problem": problem, "space": space, "d": d}.items()):
        table.insert(at, name, value)
    write_table(table, path)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.input.designs,
            snakemake.input.screen,
            snakemake.wildcards.problem,
            snakemake.wildcards.space,
            snakemake.params.d,
            snakemake.output[0],
        )
