"""The script of the target `geometry`: one table and one figure per (d, n)."""

import pandas as pd

import measure_geometry


def test_table_and_figure_are_written(tmp_path):
    outputs = {
        "csv": str(tmp_path / "tables" / "geometry.csv"),
        "parquet": str(tmp_path / "tables" / "geometry.parquet"),
        "png": str(tmp_path / "figures" / "geometry.png"),
        "svg": str(tmp_path / "figures" / "geometry.svg"),
    }
    measure_geometry.main(["random", "rsa"], 2, 9, seeds=2, seed=1, outputs=outputs, dpi=150)
    table = pd.read_csv(outputs["csv"])
    assert set(table["sampler"]) == {"random", "rsa"}
    assert set(table["seeds"]) == {2}
    assert {"covering_radius", "separation", "mesh_ratio"} <= set(table["measure"])
    assert len(pd.read_parquet(outputs["parquet"])) == len(table)
    assert all(
        (tmp_path / "figures" / f"geometry.{kind}").stat().st_size for kind in ("png", "svg")
    )
