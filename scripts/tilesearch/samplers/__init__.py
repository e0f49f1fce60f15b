"""Samplers: algorithms that place n points in the unit cube [0, 1)^d.

Each is a `scipy.stats.qmc.QMCEngine`. The registry `SAMPLERS` knows names; the module behind a
name is imported when it is first used::

    >>> from tilesearch.samplers import make
    >>> make("random", 2, rng=1).random(5).shape
    (5, 2)

To add a sampler, write a file with a subclass of `tilesearch.samplers.base.Sampler` and put its
name into `SAMPLERS`.
"""

from importlib import import_module

#: name in a config -> (module, class, fixed options)
SAMPLERS: dict[str, tuple[str, str, dict]] = {
    "grid": ("grid", "Grid", {}),
    "grid-centred": ("grid", "Grid", {"ends": False}),
    "random": ("independent", "Random", {}),
    "lhs": ("lhs", "LHS", {}),
    "rsa": ("rsa", "RSA", {}),
    "rsa-periodic": ("rsa", "RSA", {"boundary": "periodic"}),
    "lhs-rsa": ("lhs_rsa", "LHSRSA", {}),
    "blue-noise": ("blue_noise", "BlueNoise", {}),
    "lhs-optimised": ("lhs", "LHS", {"optimization": "random-cd"}),
    "lhs-maximin": ("lhs", "MaximinLHS", {}),
    "sobol": ("lowdiscrepancy", "Sobol", {}),
    "halton": ("lowdiscrepancy", "Halton", {}),
    "hammersley": ("lowdiscrepancy", "Hammersley", {}),
    "rd": ("lowdiscrepancy", "Rd", {}),
    "hypertiling": ("hypertiling", "Hypertiling", {}),
    "hypertiling-intersections": ("hypertiling", "Hypertiling", {"points": "intersections"}),
}


def sampler_class(name: str) -> type:
    """The class registered as `name`.

    Raises
    ------
    ValueError
        If no sampler has that name; the message lists the names.
    """
    if name not in SAMPLERS:
        raise ValueError(f"sampler '{name}' is unknown, take one of {', '.join(SAMPLERS)}")
    module, cls, _ = SAMPLERS[name]
    return getattr(import_module(f"{__name__}.{module}"), cls)


def make(name: str, d: int, *, rng=None):
    """Make the sampler registered as `name` for `d` dimensions.

    Parameters
    ----------
    name : str
        A key of `SAMPLERS`.
    d : int
        Dimension.
    rng : None, int or numpy.random.Generator
        Source of randomness.

    Returns
    -------
    scipy.stats.qmc.QMCEngine

    Raises
    ------
    ValueError
        If the name is unknown or `d` is out of the sampler's range.
    """
    return sampler_class(name)(d, rng=rng, **SAMPLERS[name][2])


def __getattr__(name: str):
    # `from tilesearch.samplers import RSA` imports only the module that holds RSA.
    for module, cls, _ in SAMPLERS.values():
        if cls == name:
            return getattr(import_module(f"{__name__}.{module}"), cls)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
