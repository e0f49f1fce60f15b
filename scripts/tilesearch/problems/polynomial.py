"""More dimensions for a regression: coefficients of an odd polynomial of the target.

A polynomial P_c(y) = Σ_{k=1..m} c_k y^{2k−1} of odd powers with positive coefficients is strictly
increasing, hence a bijection of the real line. A model is trained on the mangled target
y* = P_{c*}(y), where the true coefficients c* belong to the batch; its predictions are unmangled
with the *searched* coefficients, ŷ = P_c⁻¹(ŷ*). The loss compares ŷ with y, so that its minimum
lies near c = c*, and every c_k adds a dimension without another training: c does not influence
the model.

The odd powers 1, 3, 5, … are the fewest that make P odd and monotone for every positive c. The
target is divided by its largest size first, so that |y| ≤ 1 on the rows that are trained on:
otherwise the highest power (y^11 for six coefficients) would be ruled by outliers, and the other
coefficients would not matter. On [−1, 1] every power lies within [−1, 1], so each coefficient has
an influence of the same order.
"""

import numpy as np

from tilesearch.seeds import rng_for
from tilesearch.study import COEFFICIENT_RANGE

#: The true coefficients are drawn from this middle part of their range.
MIDDLE = 0.8

MOST_ITERATIONS = 100


def true_coefficients(count: int, seed: int, *names: object) -> np.ndarray:
    """Coefficients of a batch, uniform in the middle 80 % of the searched range.

    Parameters
    ----------
    count : int
        Number of coefficients.
    seed : int
        Study seed.
    *names : object
        What they belong to: problem, space, batch.

    Returns
    -------
    ndarray, shape (count,)

    Examples
    --------
    >>> c = true_coefficients(6, 1, "housing", "d8", 0)
    >>> bool((c >= 0.6).all() and (c <= 1.4).all())
    True
    """
    low, high = COEFFICIENT_RANGE
    margin = (high - low) * (1 - MIDDLE) / 2
    return rng_for(seed, *names, "coefficients").uniform(low + margin, high - margin, count)


def mangle(y, coefficients) -> np.ndarray:
    """P_c(y) = Σ c_k y^{2k−1}.

    Parameters
    ----------
    y : array_like
        Any shape.
    coefficients : array_like, shape (m,) or (..., m)
        Positive; leading axes are broadcast against `y`.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> mangle([-1.0, 0.0, 2.0], [1.0, 0.5]).tolist()
    [-1.5, 0.0, 6.0]
    """
    return _horner(np.asarray(y, dtype=float), np.asarray(coefficients, dtype=float))[0]


def unmangle(values, coefficients) -> np.ndarray:
    """The inverse of `mangle`: y with P_c(y) = `values`.

    P is odd, so it is enough to solve for |values|. For y ≥ 0 every term c_k y^{2k−1} is
    at most P(y), hence y ≤ (v / c_k)^{1/(2k−1)} for each k: the smallest of these bounds is the
    start. P is convex there, and Newton's method from the right of the root of a convex
    increasing function falls monotonically towards it, with quadratic convergence; it stops
    when no value moves by more than a few units in the last place.

    Parameters
    ----------
    values : array_like
        Any shape; any finite size.
    coefficients : array_like, shape (m,) or (..., m)
        Positive; leading axes are broadcast against `values`.

    Returns
    -------
    ndarray
        |y − ŷ| ≤ 1e-10 for |y| ≤ 10 (in fact a few times 1e-16 relative).

    Raises
    ------
    ValueError
        If a coefficient is not positive.

    Examples
    --------
    >>> y = np.linspace(-3, 3, 7)
    >>> bool(np.abs(unmangle(mangle(y, [1, 0.5, 1.5]), [1, 0.5, 1.5]) - y).max() < 1e-12)
    True
    """
    coefficients = np.asarray(coefficients, dtype=float)
    if not (coefficients > 0).all():
        raise ValueError(f"coefficients are {coefficients.tolist()}, they must be positive")
    values = np.asarray(values, dtype=float)
    size = np.abs(values)
    powers = 1.0 / (2.0 * np.arange(coefficients.shape[-1]) + 1.0)
    y = np.min((size[..., None] / coefficients) ** powers, axis=-1)
    for _ in range(MOST_ITERATIONS):
        value, slope = _horner(y, coefficients)
        step = (value - size) / slope
        y = np.maximum(y - step, 0.0)
        if not (np.abs(step) > 4e-16 * y + 1e-300).any():
            break
    return np.copysign(y, values)


def _horner(y: np.ndarray, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """P(y) and P'(y), in powers of y²."""
    square = y * y
    value = slope = np.zeros(())
    for k in reversed(range(coefficients.shape[-1])):
        value = value * square + coefficients[..., k]
        slope = slope * square + (2 * k + 1) * coefficients[..., k]
    return value * y, slope
