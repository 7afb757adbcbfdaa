"""The figures as PNG pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.bench.exceptions.contest import Contest

INK, OURS, PALE = "#22302f", "#0b7a75", "#b9c4c2"


def draw(directory: Path, contests: Sequence[Contest], figures: dict[str, Any]) -> None:
    """All pictures, as far as there are figures for them."""
    import matplotlib as mpl  # noqa: PLC0415 - installed only for this bench

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    plt.rcParams.update({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False})
    directory.mkdir(parents=True, exist_ok=True)
    if contests:
        _peers(plt, directory / "peers.png", contests)
    _calibration(plt, directory / "calibration.png", figures)
    _claims(plt, directory / "claims.png", figures)
    _chain(plt, directory / "chain.png", figures)


def _save(plt: Any, figure: Any, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _peers(plt: Any, path: Path, contests: Sequence[Contest]) -> None:
    figure, axes = plt.subplots(1, len(contests), figsize=(4.8 * len(contests), 3.4), squeeze=False)
    for axis, one in zip(axes[0], contests, strict=True):
        order = one.auc.mean(axis=0).argsort()
        names = [one.methods[place] for place in order]
        values = one.auc.mean(axis=0)[order]
        bars = axis.barh(names, values, color=[OURS if name == one.methods[0] else PALE for name in names])
        axis.bar_label(bars, fmt="%.3f", padding=3)
        axis.set_xlim(0.5, 0.9)
        axis.set_xlabel("mean ROC AUC (0.5 is chance)")
        axis.set_title(f"{one.title}, {len(one.names)} sets")
    _save(plt, figure, path)


def _calibration(plt: Any, path: Path, figures: dict[str, Any]) -> None:
    nominal = {float(key): value for key, value in figures["nominal"].items()}
    figure, axis = plt.subplots(figsize=(4.8, 3.8))
    axis.plot([5e-4, 0.2], [5e-4, 0.2], color=INK, linewidth=1, label="as promised")
    axis.fill_between([5e-4, 0.2], [4e-4, 0.16], [6e-4, 0.24], color=PALE, alpha=0.5, label="within 20 %")
    axis.plot(list(nominal), list(nominal.values()), "o", color=OURS, label="ordinary day")
    axis.plot([0.01], [figures["days"]["rain"]], "^", color="#c0582b", label="first rainy day")
    axis.plot([0.01], [figures["days"]["fair"]], "s", color="#7a4fa3", label="a fair's day")
    axis.set(xscale="log", yscale="log", xlabel="nominal share of people flagged", ylabel="observed share")
    axis.legend(frameon=False)
    _save(plt, figure, path)


def _claims(plt: Any, path: Path, figures: dict[str, Any]) -> None:
    claims = figures["claims"]
    figure, axis = plt.subplots(figsize=(4.8, 3.8))
    axis.plot(claims["true"], claims["said"], ".", color=OURS, markersize=3, alpha=0.4)
    axis.plot([1, 2000], [1, 2000], color=INK, linewidth=1, label="the truth")
    axis.plot([1, 2000], [2, 4000], color="#c0582b", linewidth=1, linestyle="--", label="twice too rare")
    axis.set(xscale="log", yscale="log", xlabel="true: 1 in N", ylabel="said: 1 in N or fewer")
    axis.set_title(f"{claims['number']:,} claims, {claims['twice']} more than twice too rare", fontsize=10)
    axis.legend(frameon=False)
    _save(plt, figure, path)


def _chain(plt: Any, path: Path, figures: dict[str, Any]) -> None:
    names = list(figures["chain"])
    figure, axis = plt.subplots(figsize=(7.6, 4.2))
    places = range(len(names))
    good = axis.barh(
        [place + 0.2 for place in places], [figures["chain"][name][0] for name in names], 0.38, color=OURS
    )
    bad = axis.barh(
        [place - 0.2 for place in places],
        [figures["chain"][name][1] for name in names],
        0.38,
        color="#c0582b",
    )
    axis.bar_label(good, fmt="%.2f", padding=3)
    axis.bar_label(bad, fmt="%.2f", padding=3)
    axis.set_yticks(list(places), names)
    axis.invert_yaxis()
    axis.set_xlim(0, 1.1)
    axis.set_xlabel("share of the 40 highest alerts")
    axis.legend(
        [good, bad],
        ["truly in the top 1 %", "truly outside the top 5 %"],
        frameon=False,
        loc="lower center",
        bbox_to_anchor=(0.4, 1.0),
        ncols=2,
    )
    _save(plt, figure, path)
