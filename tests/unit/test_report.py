"""The report's text and tables; the page in a browser is tested with the workflow."""

import base64
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tilesearch import report
from tilesearch.errors import InputError

CAPTIONS = Path(__file__).parents[2] / "workflow/report"


def frames(better="rsa", p_holm=0.01):
    key = {"problem": "own", "space": "d2", "d": 2, "n": 9}
    advice = {**key, "batches": 10, "best": "rsa", "better": better, "worse": ""}
    advice |= {"decided": bool(better), "advice": "With 9 points …", "stand_in": ""}
    row = {**key, "sampler": "rsa", "batches": 10, "note": ""}
    return {
        "advice": pd.DataFrame([advice]),
        "uncertainty": pd.DataFrame([{**row, "mean": 1.05, "chosen_error": 0.01}]),
        "budgets": pd.DataFrame([{**row, "ratio": 2.0, "text": "18", "interval": "12 to 30"}]),
        "comparisons": pd.DataFrame([{**row, "p_holm": p_holm, "baseline": "random"}]),
    }


def answer(**changes):
    made = frames(**changes)
    compared = (made[name] for name in ("uncertainty", "budgets", "comparisons"))
    return report.answers(made["advice"], *compared).iloc[0]


def test_a_decided_answer_names_the_sampler_and_its_worth():
    row = answer()
    assert row["answer"] == "take rsa"
    assert row["normalised minimum"] == "1.0500 ± 0.0100"
    assert row["worth in random points"] == "18 (12 to 30)"
    assert row["corrected p"] == "p = 0.01"


def test_an_undecided_answer_does_not_recommend():
    row = answer(better="", p_holm=np.nan)
    assert row["answer"] == "not decided"
    assert row["smallest mean"] == "rsa"
    assert row["corrected p"] == "–"


def test_every_figure_of_the_workflow_has_a_caption():
    captions = {path.stem: path.read_text() for path in CAPTIONS.glob("*.rst")}
    names = [
        ("housing", "d2-result-plot"), ("housing", "d2-unimportant-edge-effects"),
        ("housing", "shap-beeswarm"), ("housing", "loss-landscapes"), ("cifar10",
        "example-images-per-class"), ("icecube", "example-event"), ("diagrams", "protocol"),
        ("diagrams", "odd-polynomial"), ("samplers", "three-tilings"),
        ("study", "trainings-by-dimension-and-resolution"),
    ]  # fmt: skip
    found = [report.caption_of(group, name, captions) for group, name in names]
    assert len(set(found)) == len(names)
    assert all(len(text) > 30 and "{" not in text for text in found)
    with pytest.raises(InputError, match="has no caption"):
        report.caption_of("housing", "unheard-of", captions)


def test_an_embedded_picture_is_the_picture(tmp_path):
    pixels = np.zeros((20, 30, 3), np.uint8)
    pixels[:, 15:] = (213, 94, 0)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    head, data = report.embedded(tmp_path / "a.png").split(",")
    assert head == "data:image/png;base64"
    again = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))
    np.testing.assert_array_equal(again, pixels)


def test_run_times_add_up(tmp_path):
    for path, seconds in (("train/a/0.tsv", 2.0), ("train/b/0.tsv", 3.0), ("compare.tsv", 1.0)):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"s\th:m:s\tmax_rss\n{seconds}\t0:00:02\t-\n")
    table = report.run_times(tmp_path).set_index("rule")
    assert table.loc["train", "jobs"] == 2
    assert table.loc["train", "seconds"] == 5.0
    assert table.loc["compare", "longest (s)"] == 1.0
    assert report.run_times(tmp_path / "nothing").empty


def test_the_page_escapes_and_says_stand_in():
    made = frames()
    made["advice"].loc[0, "advice"] = "a < b & c"
    made |= {
        "ranks": pd.DataFrame(),
        "correlations": pd.DataFrame(),
        "counts": pd.DataFrame([{"trainings": 1234}]),
    }
    html = report.render(
        (CAPTIONS / "report.html.j2").read_text(),
        tables=made,
        shown=[report.Picture("own", "a title", "a caption", "data:image/png;base64,AA==", 9)],
        facts={"own": {"source": "<script>", "stand_in": "drawn", "rows": 3}},
        screens={"own": {"kept": [0], "dropped": [], "domain": {"x": [0.0, 1.0]}}},
        times=pd.DataFrame(columns=["rule", "jobs"]),
        config_text="seed: 1",
        seed=1,
        baseline="random",
    )
    assert "a &lt; b &amp; c" in html
    assert '<td data-key="&lt;script&gt;">&lt;script&gt;</td>' in html
    assert "runs on stand-in data: drawn" in html
    assert "1,234 trainings" in html
    assert "http" not in html.replace("http-equiv", "")
