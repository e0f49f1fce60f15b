"""insolubles: loader, drawn particles, and fused members against lone Keras networks."""

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.special import log_softmax

from tilesearch.errors import InputError
from tilesearch.problems import insolubles
from tilesearch.problems.base import Batch
from tilesearch.problems.particles import CLASSES, particle_images

DATA = Path(os.environ.get("TILESEARCH_DATA", Path(__file__).parents[3] / "shared" / "data"))
SETTINGS = {**insolubles.DEFAULTS["training"], "channels": [3, 4], "units": 6, "epochs": 5}


# -- drawn images ------------------------------------------------------------------------------


def test_drawn_images_are_seeded_balanced_and_grey():
    images, labels = particle_images(53, 24, seed=3)
    again, same = particle_images(53, 24, seed=3)
    other, _ = particle_images(53, 24, seed=4)
    np.testing.assert_array_equal(images, again)
    np.testing.assert_array_equal(labels, same)
    assert not np.array_equal(images, other)
    counts = np.bincount(labels)
    assert len(counts) == len(CLASSES)
    assert counts.max() - counts.min() <= 1
    assert images.min() >= 0
    assert images.max() <= 1


def test_particles_are_darker_than_the_field():
    images, _ = particle_images(200, 32, seed=1)
    rim = np.concatenate([images[:, 0], images[:, -1]], axis=1)
    assert (images[:, 8:24, 8:24].mean(axis=(1, 2)) < rim.mean(axis=1)).mean() > 0.95


def test_classes_can_be_told_apart_by_simple_means():
    images, labels = particle_images(500, 24, seed=1)
    from sklearn.linear_model import LogisticRegression

    size = np.stack([(images < level).mean(axis=(1, 2)) for level in (0.3, 0.5, 0.7)], axis=1)
    spectrum = np.abs(np.fft.rfft2(images))[:, :8, :8].reshape(len(images), -1)
    x = np.column_stack([size, np.log(spectrum)])
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    fit = LogisticRegression(max_iter=300).fit(x[:400], labels[:400])
    assert fit.score(x[400:], labels[400:]) > 0.35  # chance is 0.2


def test_mislabelled_share():
    _, sure = particle_images(2000, 8, seed=1)
    _, unsure = particle_images(2000, 8, seed=1, mislabelled=0.5)
    assert 0.35 < (sure != unsure).mean() < 0.45  # a fifth of the new labels is right again


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"stand_in": {"rows": 0}}, "rows is 0"),
        ({"image_size": 4}, "image_size is 4"),
        ({"stand_in": {"rows": 5, "mislabelled": 1.0}}, "mislabelled is 1.0"),
    ],
)
def test_bad_stand_in(settings, says):
    with pytest.raises(InputError, match=says):
        insolubles.load(settings, seed=1)


# -- the public layout -------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    from PIL import Image

    (tmp_path / "train").mkdir()
    lines = [",Particle ID,imgpaths,class"]
    for i in range(6):
        grey = np.full((20, 20), 40 * i, np.uint8)
        Image.fromarray(grey).save(tmp_path / "train" / f"p{i}.png")
        lines.append(f"{i},{i},train/p{i}.png,{i % 3}")
    (tmp_path / insolubles.TABLE).write_text("\n".join(lines) + "\n")
    return tmp_path


def edit(folder, old, new):
    table = folder / insolubles.TABLE
    table.write_text(table.read_text().replace(old, new))


@pytest.mark.parametrize("whole", [True, False])
def test_public_layout(folder, whole):
    path = folder if whole else folder / insolubles.TABLE
    data = insolubles.load({"path": str(path), "image_size": 10}, seed=1)
    assert data.arrays["x"].shape == (6, 10, 10, 1)
    np.testing.assert_allclose(data.arrays["x"][:, 5, 5, 0], 40 * np.arange(6) / 255, atol=1e-6)
    assert data.arrays["y"].tolist() == [0, 1, 2, 0, 1, 2]
    assert data.facts["classes"] == ["0", "1", "2"]
    assert data.facts["stand_in"] is None


def test_classes_are_ordered_as_numbers(folder):
    edit(folder, "p2.png,2", "p2.png,10")
    assert insolubles.load({"path": folder}, 1).facts["classes"] == ["0", "1", "2", "10"]


def test_classes_of_the_settings(folder):
    data = insolubles.load({"path": folder, "classes": [2, 1, 0, "dust"]}, seed=1)
    assert data.arrays["y"].tolist() == [2, 1, 0, 2, 1, 0]
    with pytest.raises(InputError, match=r"row 3 has the class '2', which is none of 0, 1"):
        insolubles.load({"path": folder, "classes": [0, 1]}, seed=1)


def test_missing_image_is_named(folder):
    (folder / "train" / "p4.png").unlink()
    with pytest.raises(InputError, match=r"p4\.png does not exist"):
        insolubles.load({"path": folder}, seed=1)


def test_broken_image_is_named(folder):
    image = folder / "train" / "p4.png"
    image.write_bytes(image.read_bytes()[:40])
    with pytest.raises(InputError, match=r"p4\.png cannot be read"):
        insolubles.load({"path": folder}, seed=1)


@pytest.mark.parametrize("name", ["../p1.png", "/etc/passwd", "train/../../p1.png"])
def test_image_outside_the_folder(folder, name):
    (folder.parent / "p1.png").write_bytes((folder / "train" / "p1.png").read_bytes())
    edit(folder, "train/p1.png", name)
    with pytest.raises(InputError, match="outside"):
        insolubles.load({"path": folder}, seed=1)


def test_link_out_of_the_folder(folder):
    outside = folder.parent / "secret.png"
    outside.write_bytes((folder / "train" / "p1.png").read_bytes())
    (folder / "train" / "p1.png").unlink()
    (folder / "train" / "p1.png").symlink_to(outside)
    with pytest.raises(InputError, match="outside"):
        insolubles.load({"path": folder}, seed=1)


def test_images_of_different_sizes(folder):
    from PIL import Image

    Image.fromarray(np.zeros((10, 30), np.uint8)).save(folder / "train" / "p3.png")
    with pytest.raises(InputError, match=r"p3\.png has 30x10 pixels .*same_size to false"):
        insolubles.load({"path": folder}, seed=1)
    data = insolubles.load({"path": folder, "same_size": False}, seed=1)
    assert data.arrays["x"].shape == (6, 32, 32, 1)


def test_images_of_16_bits_are_refused(folder):
    from PIL import Image

    Image.fromarray(np.full((20, 20), 40000, np.uint16)).save(folder / "train" / "p0.png")
    with pytest.raises(InputError, match=r"p0\.png .* 8 bits"):
        insolubles.load({"path": folder}, seed=1)


def test_bad_tables(folder, tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        insolubles.load({"path": tmp_path / "nowhere"}, seed=1)
    edit(folder, "p2.png,2", "p2.png,")
    with pytest.raises(InputError, match="row 3 lacks"):
        insolubles.load({"path": folder}, seed=1)
    edit(folder, "imgpaths", "files")
    with pytest.raises(InputError, match="columns imgpaths and class"):
        insolubles.load({"path": folder}, seed=1)
    (folder / insolubles.TABLE).write_text("imgpaths,class\n")
    with pytest.raises(InputError, match="no rows"):
        insolubles.load({"path": folder}, seed=1)
    (folder / insolubles.TABLE).write_text("imgpaths,class\ntrain/p1.png,0\n")
    with pytest.raises(InputError, match="1 class"):
        insolubles.load({"path": folder}, seed=1)


@pytest.mark.skipif(
    not (DATA / insolubles.TABLE).is_file(), reason=f"{insolubles.TABLE} is not in {DATA}"
)
def test_real_table_is_understood():
    _, names, labels = insolubles._table(DATA)
    assert len(names) == 10_000
    assert names[0].startswith("train/")
    assert insolubles._class_order(labels) == ["0", "1"]
    with pytest.raises(InputError, match=r"\.png does not exist"):
        insolubles.load({"path": DATA}, seed=1)


# -- training ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def batch():
    arrays = insolubles.load({"stand_in": {"rows": 100}, "image_size": 12}, seed=1).arrays
    parts = [{n: a[s] for n, a in arrays.items()} for s in (slice(0, 70), slice(70, 100))]
    return Batch(parts[0], {}, parts[1])


def lone_losses(batch, rate, decay, dtype, epochs):
    """Test loss after each epoch of one network, by `model.fit`."""
    import keras

    from tilesearch.training.fused import row_order

    train, test = insolubles.standardised(batch.train, batch.test)
    model = insolubles.lone_network(12, 5, SETTINGS, seed=7, dtype=dtype)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, dtype=dtype)
    model.compile(keras.optimizers.Adam(rate), loss)
    losses = []
    for epoch in range(epochs):
        model.optimizer.learning_rate = rate * decay**epoch
        order = row_order(70, 7, epoch)
        x, y = (train[name][order] for name in "xy")
        model.fit(x.astype(dtype), y, batch_size=32, shuffle=False, verbose=0)
        # Keras keeps the mean of its losses in float32, so it is taken here.
        logits = model.predict(test["x"].astype(dtype), verbose=0).astype(float)
        losses.append(-log_softmax(logits, axis=1)[np.arange(30), test["y"]].mean())
    return losses


@pytest.mark.parametrize(
    ("dtype", "epochs", "tolerance"), [("float64", 5, 1e-8), ("float32", 3, 1e-3)]
)
def test_a_member_is_the_lone_network(batch, dtype, epochs, tolerance):
    from tilesearch.training import fused

    rates, decays = [1e-3, 2e-2, 5e-3], [1.0, 0.8, 0.9]
    train, test = insolubles.standardised(batch.train, batch.test)
    losses = fused.train(
        insolubles.network(3, 5, SETTINGS, seed=7, dtype=dtype),
        train,
        test,
        loss=fused.cross_entropy,
        rates=fused.decayed(rates, decays, epochs),
        epochs=epochs,
        batch_size=32,
        seed=7,
        xla=dtype == "float32",  # compiling takes longer than training: once is enough
    )
    for member in (0, 1) if dtype == "float64" else (1,):
        alone = lone_losses(batch, rates[member], decays[member], dtype, epochs)
        np.testing.assert_allclose(losses[member], alone, rtol=tolerance)


def test_trainer_gives_each_point_its_loss_and_survives_divergence(batch):
    settings = {**SETTINGS, "epochs": 2, "members": 2, "optimiser": "sgd", "xla": False}
    trainer = insolubles.trainer(batch, {"classes": list(CLASSES)}, {}, settings, 7, 1)
    points = [{"learning_rate": r, "decay": 0.9} for r in (1e-3, 1e30, 1e-2)]
    outcomes = {o.point: o for o in trainer.evaluate(points)}
    assert sorted(outcomes) == [0, 1, 2]
    assert [outcomes[i].status for i in range(3)] == ["ok", "failed", "ok"]
    assert "1e+30" in outcomes[1].reason
    alone = list(trainer.evaluate(points[2:]))
    np.testing.assert_allclose(outcomes[2].loss, alone[0].loss, rtol=1e-5)
    assert list(trainer.evaluate([])) == []


def test_parameters_make_a_space():
    from tilesearch.space import Parameter

    names = [Parameter(name, **p).name for name, p in insolubles.PARAMETERS.items()]
    assert tuple(names) == insolubles.TRAINED
