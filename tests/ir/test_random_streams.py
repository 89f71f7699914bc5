"""Random streams: the generator's published vectors, TensorFlow's recorded numbers, what must hold of any stream."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessile.ir import philox, random_streams
from sessile.ir.random_streams import State, advance, draw, initial_state, stateless_state

Case = dict[str, Any]

RECORDED: list[Case] = json.loads(
    (Path(__file__).parents[1] / "data" / "random_streams.json").read_text(encoding="utf-8")
)
THROUGH_LIBM = {("normal", "float64"), ("truncated_normal", "float64"), ("gamma", "float64")}


def label(case: Case) -> str:
    seeds = case.get("seeds") or case["stateless_seed"]
    return "-".join(map(str, (case["kind"], case["dtype"], case.get("parameter_dtype", ""), *case["shape"], *seeds)))


def parameters_of(case: Case) -> dict[str, Any]:
    given_parameters = case.get("parameters", {})
    if "parameter_dtype" not in case:
        return given_parameters
    return {name: np.array(value, case["parameter_dtype"]) for name, value in given_parameters.items()}


def distance_in_ulps(found: np.ndarray, expected_bits: list[int]) -> int:
    signed = np.dtype(f"i{found.itemsize}")
    expected = np.array(expected_bits, f"u{found.itemsize}").view(signed).tolist()
    return max(abs(a - b) for a, b in zip(found.view(signed).tolist(), expected, strict=True))


@pytest.mark.parametrize("case", RECORDED, ids=label)
def test_draws_what_tensorflow_draws(case: Case) -> None:
    state = initial_state(*case["seeds"]) if "seeds" in case else stateless_state(case["stateless_seed"])
    for run in case["runs"]:
        samples, state = draw(case["kind"], state, case["shape"], case["dtype"], **parameters_of(case))
        assert list(samples.shape) == run["shape"]
        flat = np.ascontiguousarray(samples).reshape(-1)
        kept = flat[run["positions"]]
        if (case["kind"], case["dtype"]) in THROUGH_LIBM:
            assert distance_in_ulps(kept, run["bits"]) <= 4
        else:
            assert kept.view(f"u{kept.itemsize}").tolist() == run["bits"]
            assert hashlib.sha256(flat.tobytes()).hexdigest()[:16] == run["sha256"]


@pytest.mark.parametrize(
    "counter, key, words",
    [  # the known answers published with Random123
        ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            [0xA4093822, 0x299F31D0],
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ],
)
def test_philox_known_answers(counter: list[int], key: list[int], words: list[int]) -> None:
    low, high = (counter[i] | counter[i + 1] << 32 for i in (0, 2))
    state = np.array([low, high, key[0] | key[1] << 32], np.uint64)
    assert philox.blocks(state, 1).tolist() == [words]


STATES = st.builds(
    lambda *numbers: np.array(numbers, np.uint64),
    st.one_of(st.integers(0, 2**64 - 1), st.integers(2**64 - 20, 2**64 - 1)),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**64 - 1),
)


@given(STATES, st.integers(0, 40), st.integers(0, 40))
def test_a_stream_may_be_entered_anywhere(state: State, skipped: int, count: int) -> None:
    whole = philox.blocks(state, skipped + count)
    assert np.array_equal(whole[skipped:], philox.blocks(advance(state, skipped), count))


def test_a_long_stream_is_made_in_pieces_that_fit() -> None:
    state = initial_state(1, 2)
    whole = philox.blocks(state, 3 * philox._CHUNK + 5)
    far = philox.blocks_at(state, np.array([philox._CHUNK, 3 * philox._CHUNK + 4], np.uint64))
    assert np.array_equal(whole[[philox._CHUNK, -1]], far)


@pytest.mark.parametrize("kind", ["uniform", "normal", "truncated_normal"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_shorter_draw_is_the_start_of_a_longer_one(kind: str, dtype: str) -> None:
    state = initial_state(5, 6)
    longer = draw(kind, state, [50], dtype)[0]
    for size in range(12):
        assert np.array_equal(draw(kind, state, [size], dtype)[0], longer[:size])


def test_a_draw_leaves_its_state_alone() -> None:
    state = initial_state(3, 4)
    before = state.copy()
    _, after = draw("uniform", state, [10], "float32")
    assert np.array_equal(state, before)
    assert after.tolist() == [10 * 256, 4, 3]


def test_zero_seeds_take_entropy() -> None:
    assert initial_state(0, 0).tolist() != initial_state(0, 0).tolist()
    assert initial_state(0, 7).tolist() == [0, 7, 0]


@given(st.integers(-(2**63), 2**63 - 2), st.integers(1, 2**64), st.sampled_from(["int32", "int64"]))
def test_integers_stay_in_their_interval(low: int, width: int, dtype: str) -> None:
    limits = np.iinfo(dtype)
    low = max(int(low), int(limits.min)) if low < limits.max else int(limits.max) - 1
    high = min(low + width, int(limits.max))
    samples = draw("uniform_int", initial_state(1, 2), [100], dtype, minval=low, maxval=high)[0]
    assert samples.dtype == dtype
    assert low <= int(samples.min()) and int(samples.max()) < high


def test_an_empty_interval_of_integers_is_an_error() -> None:
    with pytest.raises(ValueError, match="Need minval < maxval, got 3 >= 3"):
        draw("uniform_int", initial_state(1, 2), [4], "int32", minval=3, maxval=3)


@pytest.mark.parametrize("kind", ["uniform", "normal", "truncated_normal"])
def test_other_dtypes_are_an_error(kind: str) -> None:
    with pytest.raises(TypeError, match="f16, f32 or f64, not int32"):
        draw(kind, initial_state(1, 2), [4], "int32")


@given(st.integers(0, 200))
def test_shuffle_is_a_permutation(rows: int) -> None:
    order, _ = draw("shuffle", initial_state(1, 2), [rows, 3], "int64")
    assert sorted(order.tolist()) == list(range(rows))


@pytest.mark.parametrize("shape", [[0], [1], [1, 5], [4, 0]])
def test_shuffling_nothing_draws_nothing(shape: list[int]) -> None:
    state = initial_state(1, 2)
    order, after = draw("shuffle", state, shape, "int64")
    assert order.tolist() == list(range(shape[0]))
    assert np.array_equal(after, state)


def test_normal_numbers_have_their_moments() -> None:
    for dtype in ("float32", "float64"):
        samples = draw("normal", initial_state(1, 2), [200_000], dtype)[0].astype("float64")
        assert abs(samples.mean()) < 0.01
        assert abs(samples.std() - 1) < 0.01
        assert abs((samples**4).mean() - 3) < 0.1


def test_truncated_normal_numbers_are_small_and_not_cut_short() -> None:
    samples = draw("truncated_normal", initial_state(1, 2), [100_001], "float32")[0]
    assert np.abs(samples).max() < 2
    assert np.abs(samples).max() > 1.999


def test_classes_without_weight_are_never_drawn() -> None:
    logits = [[0.0, -np.inf, 1.0, np.nan], [-np.inf, 5.0, -np.inf, -np.inf]]
    classes = draw("categorical", initial_state(1, 2), [2, 1000], "int32", logits=logits)[0]
    assert set(classes[0]) == {0, 2}
    assert set(classes[1]) == {1}


def test_classes_there_must_be() -> None:
    with pytest.raises(ValueError, match="num_classes should be positive"):
        draw("categorical", initial_state(1, 2), [2, 5], "int32", logits=np.zeros((2, 0)))


@pytest.mark.parametrize("alpha", [0.2, 1.0, 7.5])
def test_gamma_has_its_moments(alpha: float) -> None:
    samples = draw("gamma", initial_state(1, 2), [50_000], "float64", alpha=alpha)[0]
    assert samples.mean() == pytest.approx(alpha, rel=0.03)
    assert samples.var() == pytest.approx(alpha, rel=0.06)


@pytest.mark.parametrize("rate", [0.5, 9.0, 10.0, 300.0])
def test_poisson_has_its_moments(rate: float) -> None:
    samples = draw("poisson", initial_state(1, 2), [50_000], "int64", rate=rate)[0]
    assert samples.mean() == pytest.approx(rate, rel=0.02)
    assert samples.var() == pytest.approx(rate, rel=0.05)


@pytest.mark.filterwarnings("error")
def test_parameters_at_the_edge_give_an_answer() -> None:
    alpha = np.array([np.inf, np.nan, 0.0, -1.0])
    samples = draw("gamma", initial_state(1, 2), [2], "float32", alpha=alpha)[0]
    np.testing.assert_array_equal(samples, [[np.inf, np.nan, 0.0, np.nan]] * 2)
    rate = np.array([np.inf, np.nan, 0.0, -1000.0])
    samples = draw("poisson", initial_state(1, 2), [2], "float32", rate=rate)[0]
    np.testing.assert_array_equal(samples, [[np.inf, np.nan, 0.0, 0.0]] * 2)


def test_a_stateless_seed_has_two_parts() -> None:
    with pytest.raises(ValueError, match=r"shape \[2\], not \[3\]"):
        stateless_state([1, 2, 3])


def test_every_distribution_is_reachable() -> None:
    assert set(random_streams.DISTRIBUTIONS) == {case["kind"] for case in RECORDED}
