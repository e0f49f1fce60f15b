"""Which features matter: bars of mean |SHAP|, and the beeswarm."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tilesearch.figures import style

#: What SHAP values of a task are measured in.
UNITS = {"regression": "standard deviations of the target", "classification": "log-odds"}


def bar_chart(
    ranking: pd.DataFrame, keep: int, stand_in: str | None = None, task: str = "regression"
) -> Figure:
    """Bars of the mean |SHAP| of the features that are kept, the largest on top.

    Parameters
    ----------
    ranking : DataFrame
        Columns ``feature``, ``importance``, ``error`` and ``rows``, by falling importance.
    keep : int
        Number of features that are drawn.
    stand_in : str, optional
        Label of stand-in data.
    task : {"regression", "classification"}
        Gives the unit of the values.
    """
    shown = ranking.head(keep)[::-1]
    with style.apply():
        figure = style.new_figure(8, 1.4 + 0.3 * len(shown))
        axes = figure.subplots()
        axes.barh(
            [_plain(name) for name in shown["feature"]],
            shown["importance"],
            xerr=shown["error"],
            color=style.BLUE,
            ecolor=style.BLACK,
            capsize=2,
        )
        axes.margins(y=0.01)
        axes.set_xlabel(f"mean |SHAP| ({UNITS[task]})")
        axes.set_title(
            f"The {len(shown)} of {len(ranking)} features that matter most\n"
            f"(mean and standard error over {int(shown['rows'].iloc[0]):,} rows)"
        )
        style.stand_in_note(figure, stand_in or "")
    return figure


def beeswarm(
    values: np.ndarray,
    features: np.ndarray,
    names: list[str],
    stand_in: str | None = None,
    task: str = "regression",
    classes: int = 0,
) -> Figure:
    """SHAP value of every row and feature, coloured by the feature's rank among the rows.

    Parameters
    ----------
    values, features : ndarray, shape (rows, features)
        SHAP values, and the values of the features (NaN drawn grey).
    names : list of str
    stand_in : str, optional
        Label of stand-in data.
    task : {"regression", "classification"}
        Gives the unit of the values.
    classes : int
        Number of classes of a classification. Of three or more the values are mean absolute ones.
    """
    value, title = "SHAP value", "What each feature does to the prediction"
    if classes > 2:
        value, title = "mean |SHAP| over classes", "How much each feature moves the prediction"
    with style.apply():
        figure = style.new_figure(9, 1.8 + 0.32 * len(names))
        axes = figure.subplots()
        rng = np.random.default_rng(0)  # the height inside a row of the swarm carries no meaning
        drawn = None
        for row, (shap, feature) in enumerate(zip(values.T, features.T, strict=True)):
            missing = np.isnan(feature)
            order = np.argsort(np.argsort(np.where(missing, np.inf, feature)))
            rank = order / max(np.count_nonzero(~missing) - 1, 1)
            height = len(names) - 1 - row + _spread(shap, rng)
            axes.scatter(shap[missing], height[missing], s=5, color="#BBBBBB", rasterized=True)
            drawn = axes.scatter(
                shap[~missing],
                height[~missing],
                s=5,
                c=np.clip(rank[~missing], 0, 1),
                cmap="cividis",
                rasterized=True,
            )
        axes.axvline(0, color=style.GREY, linewidth=0.8, zorder=0)
        axes.set_yticks(range(len(names)), [_plain(name) for name in names[::-1]])
        axes.set_ylim(-0.7, len(names) - 0.3)
        axes.set_xlabel(f"{value} ({UNITS[task]})")
        axes.set_title(f"{title} ({len(values):,} rows)")
        bar = figure.colorbar(drawn, ax=axes, ticks=[0, 1], aspect=40, pad=0.02)
        bar.set_ticklabels(["low", "high"])
        grey = "; grey: missing" if np.isnan(features).any() else ""
        bar.set_label(f"value of the feature (by rank{grey})")
        style.stand_in_note(figure, stand_in or "")
    return figure


def _plain(name: str) -> str:
    """A column's name as matplotlib must get it, lest a pair of $ be taken for a formula."""
    return name.replace("$", r"\$")


def _spread(shap: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Heights within ±0.4 that grow with the local density of the values."""
    counts, edges = np.histogram(shap, bins=80)
    bins = np.clip(np.digitize(shap, edges) - 1, 0, 79)
    return rng.uniform(-0.4, 0.4, len(shap)) * counts[bins] / counts.max()
