import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tilesearch import batches
from tilesearch.errors import InputError

FRACTIONS = {"train": 0.6, "validation": 0.2, "test": 0.2}


def section(size="normal(50, 5)", number=4, overlap=False, fractions=None):
    return {
        "number": number,
        "size": size,
        "overlap": overlap,
        "fractions": fractions or FRACTIONS,
    }


sizes = st.one_of(
    st.builds("normal({}, {})".format, st.integers(20, 60), st.integers(0, 8)),
    st.builds(lambda a, b: f"uniform({a}, {a + b})", st.integers(10, 60), st.integers(0, 20)),
    st.builds("equal({})".format, st.integers(10, 60)),
    st.just("equal"),
)


@given(sizes, st.integers(1, 6), st.booleans(), st.integers(0, 2**53))
@settings(max_examples=50, deadline=None)
def test_every_batch_has_its_size_and_its_rows_once(size, number, overlap, seed):
    rows = 700
    chosen = section(size, number, overlap)
    table = batches.split(chosen, rows, seed, "p")
    wanted = batches.check(chosen, rows, seed, "p")
    assert table.groupby("batch").size().tolist() == wanted.tolist()
    assert table["row"].between(0, rows - 1).all()
    assert not table.duplicated(["batch", "row"]).any()
    if not overlap:
        assert table["row"].is_unique
    for batch, part in table.groupby("batch"):
        counts = batches.part_counts(int(wanted[batch]), FRACTIONS)
        assert part["part"].value_counts().to_dict() == counts


@given(st.integers(3, 5000), st.floats(0.01, 0.98), st.floats(0.0, 1.0))
def test_parts_add_up_and_keep_their_shares(size, test, share):
    validation = share * (1 - test)
    assume(validation < 0.99 - test)
    fractions = {"train": 1 - test - validation, "validation": validation, "test": test}
    counts = batches.part_counts(size, fractions)
    assert sum(counts.values()) == size
    assert min(counts.values()) >= 0
    for part, fraction in fractions.items():
        assert abs(counts[part] - size * fraction) <= 1 + 1e-9


def test_a_part_that_is_not_named_is_empty():
    table = batches.split(section(fractions={"train": 0.8, "test": 0.2}), 500, 1, "p")
    assert set(table["part"]) == {"train", "test"}


def test_overlapping_batches_may_take_more_rows_than_there_are():
    table = batches.split(section("equal(80)", 5, overlap=True), 100, 1, "p")
    assert len(table) == 400
    assert table["row"].duplicated().any()


def test_sizes_follow_their_distribution():
    normal = batches.sizes("normal(1000, 100)", 400, 10**6, 7, "p")
    assert abs(normal.mean() - 1000) < 25
    assert 85 < normal.std() < 115
    uniform = batches.sizes("uniform(10, 12)", 200, 10**6, 7, "p")
    assert set(uniform.tolist()) == {10, 11, 12}


def test_more_batches_keep_the_first_ones():
    few, many = (batches.split(section(number=n), 2000, 3, "p") for n in (3, 6))
    assert few.equals(many[many["batch"] < 3].assign(batch=lambda t: t["batch"].astype("int32")))


def test_seed_and_problem_change_the_rows():
    first = batches.split(section(), 500, 1, "p")
    assert first.equals(batches.split(section(), 500, 1, "p"))
    assert not first["row"].equals(batches.split(section(), 500, 2, "p")["row"])
    assert not first["row"].equals(batches.split(section(), 500, 1, "q")["row"])


def test_more_rows_than_there_are_states_both_numbers():
    with pytest.raises(InputError, match=r"problems\.p\.batches.* ask for 400 rows .* has 300,"):
        batches.split(section("equal(100)"), 300, 1, "p")
    with pytest.raises(InputError, match=r"a batch of size equal\(400\) ask for 400 .* has 300,"):
        batches.split(section("equal(400)", overlap=True), 300, 1, "p")


def test_more_equal_batches_than_rows_says_so():
    with pytest.raises(InputError, match=r"number is 10, but the data has 5 rows"):
        batches.check(section("equal", number=10), 5, 1, "p")


@pytest.mark.parametrize(
    ("size", "fractions", "part"),
    [
        ("equal(2)", FRACTIONS, "validation"),
        # Rounding is not monotone: batches of 3 rows are fine, batches of 4 rows are not.
        ("uniform(3, 4)", {"train": 0.1, "validation": 0.45, "test": 0.45}, "train"),
    ],
)
def test_a_part_without_rows_is_refused(size, fractions, part):
    with pytest.raises(InputError, match=f"leaves no row for the {part} part"):
        batches.check(section(size, 30, fractions=fractions), 1000, 1, "p")


@pytest.mark.parametrize(
    "text",
    [
        "normal",
        "normal(1000)",
        "normal(1000, 100, 1)",
        "normal(a, b)",
        "normal(nan, 1)",
        "normal(0, 1)",
        "normal(100, -1)",
        "normal(1e30, 1)",
        "uniform(20, 10)",
        "uniform(0, 10)",
        "uniform(10.5, 20)",
        "uniform(1, 1e30)",
        "equal(0)",
        "equal(10.5)",
        "equal(1e30)",
        "equal(inf)",
        "gauss(1, 2)",
        "",
        "equal(5",
        "1000",
    ],
)
def test_a_size_that_cannot_be_read_is_refused_with_its_text(text):
    with pytest.raises(InputError) as caught:
        batches.parse_size(text)
    assert f"batches.size is '{text}'" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_spaces_and_powers_of_ten_are_read():
    assert batches.parse_size(" normal( 1e3 , 1.5 ) ") == ("normal", [1000.0, 1.5])
    assert batches.parse_size("equal") == ("equal", [])
    assert np.array_equal(batches.sizes("equal(7)", 3, 100, 0), [7, 7, 7])
