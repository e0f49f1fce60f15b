"""The cifar10 problem: binary layout, frozen features, heads of different width."""

import gzip
import io
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from lone_keras import float64, lone  # noqa: E402, F401

from tilesearch.errors import InputError  # noqa: E402
from tilesearch.problems import cifar10  # noqa: E402
from tilesearch.problems.base import Batch, Data  # noqa: E402
from tilesearch.training import fused  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("TILESEARCH_DATA", ROOT.parent / "shared" / "data"))
SUBSET = SHARED / "cifar10_test_2000.bin.gz"
NAMES = [f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"]


def records(rows, seed):
    rng = np.random.default_rng(seed)
    table = rng.integers(0, 256, (rows, cifar10.RECORD), dtype=np.uint8)
    table[:, 0] %= 10
    return table


def packed(path, parts):
    with tarfile.open(path, "w:gz") as tar:
        for name, content in parts.items():
            info = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


@pytest.fixture
def archive(tmp_path):
    """The official archive's layout, three images a file, files in another order."""
    parts = {name: records(3, i).tobytes() for i, name in enumerate(NAMES)}
    return packed(tmp_path / "cifar.tar.gz", {"readme.html": b"x", **dict(reversed(parts.items()))})


def test_the_archive_is_read_in_the_order_of_its_names(archive):
    data = cifar10.load({"path": archive}, seed=1)
    expected = np.concatenate([records(3, i) for i in range(6)])
    np.testing.assert_array_equal(data.arrays["y"], expected[:, 0])
    image = data.arrays["x"][4]
    # Row 2, column 5: planes of 1,024 bytes, row by row.
    assert image[2, 5].tolist() == [expected[4, 1 + c * 1024 + 2 * 32 + 5] for c in range(3)]
    assert data.facts["classes"] == list(cifar10.CLASSES)
    assert data.facts["stand_in"] is None


def test_files_folders_and_lists_are_the_same(tmp_path):
    content = [records(2, i).tobytes() for i in range(2)]
    (tmp_path / "a.bin").write_bytes(content[0])
    (tmp_path / "b.bin.gz").write_bytes(gzip.compress(content[1]))
    (tmp_path / "notes.txt").write_text("not data")
    folder = cifar10.load({"path": tmp_path}, seed=1)
    files = cifar10.load({"path": [tmp_path / "a.bin", tmp_path / "b.bin.gz"]}, seed=1)
    assert folder.rows == 4
    np.testing.assert_array_equal(folder.arrays["x"], files.arrays["x"])


def refused(path, *parts, **settings):
    with pytest.raises(InputError) as error:
        cifar10.load({"path": path, **settings}, seed=1)
    for part in parts:
        assert part in str(error.value)
    assert "\n" not in str(error.value)


def test_files_that_are_refused(tmp_path, archive):
    whole = archive.read_bytes()
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(whole[: len(whole) // 2])
    refused(cut, "cut.tar.gz", "truncated", "fetch it again")
    refused(tmp_path / "none.tar.gz", "none.tar.gz", "does not exist", "data.path")
    refused(archive, "has SHA-256", "fetch it again", sha256="0" * 64)
    empty = packed(tmp_path / "empty.tar.gz", {"readme.html": b"x"})
    refused(empty, "empty.tar.gz", "holds no .bin file")
    escaping = packed(tmp_path / "escaping.tar.gz", {"../../x.bin": records(1, 0).tobytes()})
    refused(escaping, "escaping.tar.gz", "would leave its folder", "publisher")
    short = tmp_path / "short.bin"
    short.write_bytes(records(2, 0).tobytes()[:-1])
    refused(short, "short.bin", "6145 bytes", "truncated")
    table = records(3, 0)
    table[1, 0] = 10
    wrong = tmp_path / "wrong.bin"
    wrong.write_bytes(table.tobytes())
    refused(wrong, "wrong.bin", "label 10 in record 1", "0 to 9")
    half = tmp_path / "half.bin.gz"
    half.write_bytes(gzip.compress(records(3, 0).tobytes())[:-100])
    refused(half, "half.bin.gz", "truncated", "fetch it again")


def test_digits_stand_in():
    data = cifar10.load({"stand_in": {"rows": 40}, "weights": "random"}, seed=1)
    assert data.arrays["x"].shape == (40, 32, 32, 3)
    assert data.arrays["x"].max() == 255
    assert data.facts["stand_in"] == "scikit-learn digits, ResNet50 with random weights"
    with pytest.raises(InputError, match="rows is 2000"):
        cifar10.load({"stand_in": {"rows": 2000}}, seed=1)


@pytest.mark.slow
def test_random_features_are_seeded_and_centred_as_the_deck_says(monkeypatch):
    data = cifar10.load({"stand_in": {"rows": 6}}, seed=1)
    settings = {"weights": "random", "embed_rows": 4}
    first = cifar10.embed(data, settings, seed=2)["features"]
    assert first.shape == (6, cifar10.FEATURES)
    assert first.dtype == np.float16
    assert np.unique(first, axis=0).shape[0] == 6
    # By hand: BGR, ImageNet's mean taken off, through the same network.
    model = cifar10._resnet("random", 32)
    cifar10._draw_weights(model, seed=2)
    bgr = data.arrays["x"][..., ::-1].astype(np.float32) - [103.939, 116.779, 123.68]
    np.testing.assert_allclose(first, model.predict(bgr, verbose=0), rtol=2e-3, atol=1e-3)


@pytest.fixture
def no_network(monkeypatch):
    """Keras' downloader as it is without a network."""

    def fails(*args, **kwargs):
        raise Exception("URL fetch failure on https://storage.googleapis.com/x: None -- no route")

    monkeypatch.setattr("keras.src.applications.resnet.file_utils.get_file", fails)


@pytest.mark.usefixtures("no_network")
def test_imagenet_weights_without_a_network():
    data = cifar10.load({"stand_in": {"rows": 2}}, seed=1)
    with pytest.raises(InputError, match="cannot be downloaded") as error:
        cifar10.embed(data, {"weights": "imagenet"}, seed=1)
    assert "weights: random" in str(error.value)
    assert "notop.h5" in str(error.value)


def test_weights_that_are_no_weights(tmp_path):
    data = cifar10.load({"stand_in": {"rows": 2}}, seed=1)
    wrong = tmp_path / "resnet.weights.h5"
    wrong.write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"resnet\.weights\.h5.*does not fit"):
        cifar10.embed(data, {"weights": str(wrong)}, seed=1)
    with pytest.raises(InputError, match=r"missing\.h5' does not exist"):
        cifar10.embed(data, {"weights": str(tmp_path / "missing.h5")}, seed=1)
    with pytest.raises(InputError, match="image_size is 16"):
        cifar10.embed(data, {"weights": "random", "image_size": 16}, seed=1)


def features(rows=120, width=20, seed=0):
    """Features of ten classes with some overlap, float16."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 10, rows).astype(np.uint8)
    centres = rng.normal(size=(10, width))
    x = (centres[y] + 0.8 * rng.normal(size=(rows, width))).astype(np.float16)
    return Data({"features": x, "y": y}, {"classes": list(cifar10.CLASSES)})


def trainer(data, **settings):
    cut = data.rows * 4 // 5
    train, test = (
        {k: a[part] for k, a in data.arrays.items()} for part in (slice(cut), slice(cut, None))
    )
    settings = {"xla": False, "epochs": 4, "batch_size": 16, **settings}
    return cifar10.trainer(Batch(train, {}, test), data.facts, {}, settings, seed=1, threads=1)


def losses(points, data=None, **settings):
    outcomes = trainer(data or features(), **settings).evaluate(points)
    return [o.loss for o in sorted(outcomes, key=lambda o: o.point)]


def test_groups_and_chunks_give_what_one_program_gives():
    points = [{"learning_rate": r, "units": u} for u in (3, 24, 4, 16) for r in (0.01, 0.1)]
    one = losses(points, group_overhead=1e9)
    groups = losses(points, group_overhead=0)
    chunks = losses(points, group_overhead=1e9, memory_mb=1.2)
    np.testing.assert_allclose(groups, one, rtol=1e-4)
    np.testing.assert_allclose(chunks, one, rtol=1e-4)


def test_a_diverged_point_fails_alone():
    points = [{"learning_rate": r, "units": 5} for r in (0.01, 1e30)]
    outcomes = sorted(trainer(features()).evaluate(points), key=lambda o: o.point)
    assert [o.status for o in outcomes] == ["ok", "failed"]


def test_no_points_no_outcomes():
    assert losses([]) == []


def test_the_head_learns():
    (loss,) = losses([{"learning_rate": 0.05, "units": 32}], features(600), epochs=15)
    assert loss < 0.5 * np.log(10)


def test_features_that_are_no_numbers_and_labels_outside_the_classes():
    data = features()
    data.arrays["features"][7, 3] = np.nan
    with pytest.raises(InputError, match=r"train part's table of features.*row 7.*made anew"):
        trainer(data)
    data = features()
    data.arrays["y"][3] = 10
    with pytest.raises(InputError, match="train part has label 10, labels are 0 to 9"):
        trainer(data)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_a_member_equals_the_lone_keras_network(optimiser):
    parts = trainer(features())
    train, test = ({**part, "x": part["x"].astype(float)} for part in (parts.train, parts.test))
    fused_losses = fused.train(
        cifar10.network([6, 3, 8], 8, 10, seed=1),
        *(train, test),
        loss=fused.cross_entropy,
        rates=[0.01, 0.05, 0.2],
        epochs=6,
        batch_size=16,
        seed=1,
        xla=False,
        optimiser=fused.OPTIMISERS[optimiser](),
    )
    alone = lone(
        (("hidden", 3, "relu"), ("classes", 10, None)),
        *(train, test),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        optimiser=optimiser,
        rates=[0.05] * 6,
        epochs=6,
        batch_size=16,
        seed=1,
    )
    np.testing.assert_allclose(fused_losses[1], alone, rtol=1e-8)


@pytest.mark.slow
@pytest.mark.skipif(not SUBSET.is_file(), reason=f"{SUBSET.name} is not at hand (TILESEARCH_DATA)")
def test_learns_real_images_on_random_features():
    """Cross-entropy clearly below ln 10 = 2.303, which is what guessing gives."""
    data = cifar10.load({"path": SUBSET, "weights": "random"}, seed=1)
    assert np.bincount(data.arrays["y"]).tolist() == [200] * 10
    few = Data(
        {k: a[np.random.default_rng(0).permutation(2000)[:800]] for k, a in data.arrays.items()},
        data.facts,
    )
    found = cifar10.embed(few, {"weights": "random"}, seed=1)
    embedded = Data({**found, "y": few.arrays["y"]}, few.facts)
    (loss,) = losses([{"learning_rate": 0.01, "units": 32}], embedded, epochs=6, batch_size=32)
    assert loss < 0.95 * np.log(10)
