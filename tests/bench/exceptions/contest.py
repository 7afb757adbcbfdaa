"""The hub's statistics beside the peers on public outlier sets, in one run, each with one setting."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from appliance.hub.batch.stream import Stream
from appliance.hub.statistics.layout import Layout
from tests.bench.exceptions import numeric, peers, sets
from tests.bench.exceptions.measures import Friedman, auc, average_precision, friedman

OURS = "leftfield"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """Mean AUC and AP of each method over seeds, by set: two (sets, methods) tables."""

    title: str
    names: tuple[str, ...]
    methods: tuple[str, ...]
    auc: np.ndarray[tuple[int, int], np.dtype[np.float64]]
    ap: np.ndarray[tuple[int, int], np.dtype[np.float64]]

    @property
    def test(self) -> Friedman | None:
        """Mean ranks by AUC; None without peers or sets."""
        return friedman(self.auc) if len(self.methods) > 1 and len(self.names) > 1 else None


def methods() -> tuple[str, ...]:
    """Ours, and those peers that are installed."""
    installed = {
        name: importlib.util.find_spec("river" if name == "HST" else "pyod") is not None
        for name in peers.NAMES
    }
    return (OURS, *(name for name in peers.NAMES if installed[name]))


def on_numbers(directory: Path, seeds: Sequence[int], most: int = sets.MOST) -> Contest:
    """ADBench's numeric sets."""
    paths = sorted(directory.glob("*.npz"))
    who = methods()
    table = np.zeros((2, len(paths), len(who)))
    for place, path in enumerate(paths):
        for seed in seeds:
            one = sets.numeric(path, seed)
            learn = one.learn[:most]
            for column, name in enumerate(who):
                found = (
                    numeric.scores(learn, one.rows, seed)
                    if name == OURS
                    else peers.scores(name, learn, one.rows, seed)
                )
                table[0, place, column] += auc(found, one.odd) / len(seeds)
                table[1, place, column] += average_precision(found, one.odd) / len(seeds)
        _say(path.stem, who, table[0, place])
    return Contest(
        title="ADBench", names=tuple(path.stem for path in paths), methods=who, auc=table[0], ap=table[1]
    )


def on_categories(directory: Path, seeds: Sequence[int], most: int = sets.MOST) -> Contest:
    """Categorical sets, learnt and scored as a whole, as the peers do; the peers get one column a level.

    Ours is what ``leftfield score --table FILE --baseline FILE`` gives.
    """
    paths = sorted(path for path in directory.iterdir() if ".arff" in path.name)
    who = methods()
    table = np.zeros((2, len(paths), len(who)))
    for place, path in enumerate(paths):
        for seed in seeds:
            one = sets.categorical(path, seed, most)
            numbers = peers.one_hot(one.rows, one.sizes)
            for column, name in enumerate(who):
                if name == OURS:
                    stream = Stream(Layout.of(one.sizes))
                    stream.score_and_learn(one.rows)
                    found = stream.score(one.rows).strength
                else:
                    found = peers.scores(name, numbers, numbers, seed)
                table[0, place, column] += auc(found, one.odd) / len(seeds)
                table[1, place, column] += average_precision(found, one.odd) / len(seeds)
        _say(path.name, who, table[0, place])
    return Contest(
        title="categorical",
        names=tuple(path.name.split(".")[0] for path in paths),
        methods=who,
        auc=table[0],
        ap=table[1],
    )


def _say(name: str, who: Sequence[str], row: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    line = "  ".join(f"{method} {value:.3f}" for method, value in zip(who, row, strict=True))
    print(f"  {name:32} {line}", flush=True)


def summary(contest: Contest) -> list[str]:
    """The contest in lines of text, with what may be said of the ranks."""
    test = contest.test
    lines = [f"{contest.title}: {len(contest.names)} sets", f"  {'':12} {'AUC':>6} {'AP':>6} {'rank':>6}"]
    for column, name in enumerate(contest.methods):
        rank = f"{test.mean_ranks[column]:6.2f}" if test else ""
        lines.append(
            f"  {name:12} {contest.auc[:, column].mean():6.3f} {contest.ap[:, column].mean():6.3f} {rank}"
        )
    if test:
        behind = [
            name
            for name, rank in zip(contest.methods, test.mean_ranks, strict=True)
            if rank - test.mean_ranks[0] > test.critical
        ]
        ahead = [
            name
            for name, rank in zip(contest.methods, test.mean_ranks, strict=True)
            if test.mean_ranks[0] - rank > test.critical
        ]
        lines.append(
            f"  Friedman {test.statistic:.1f}; Nemenyi critical difference {test.critical:.2f} (.05): "
            f"significantly behind ours: {', '.join(behind) or 'nobody'}; ahead: {', '.join(ahead) or 'nobody'}"
        )
    return lines
