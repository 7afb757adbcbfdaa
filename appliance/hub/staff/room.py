"""What the big screen is told: the past hours once a minute (``hub/trends``), the moment (``hub/live``) oftener.

And what the public page is told.

Invariants:
    * No outfit, no camera beside a person, no alert's words: people are counts of crowds (``trends``) or dots.
    * Every number of people is a whole five; what the booth itself did (alerts, gifts, refusals) is exact.
    * Each message fits into a packet of the broker (32 KiB), however busy the day and however many the units.
    * Pure: no I/O, no clock; ``now`` is an argument.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Final

import numpy as np

from appliance.hub.pacing.outlook import Outlook
from appliance.hub.records.audit import fives, wilson
from appliance.hub.records.trends import ENDS, LEAST, QUARTER, SHOWN, STRIP_SECONDS, Trends, TrendSpan, cell
from appliance.hub.staff.messages import VERSION, json_of
from appliance.hub.staff.status import SILENT_SECONDS, UnitRow, unit_row
from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.change.drift import Change
from appliance.hub.statistics.layout import STREET
from appliance.protocol.health import UnitState
from appliance.protocol.values import TIME_STEP, BoothId, Seconds
from appliance.protocol.vocabulary import ATTRIBUTES, INDEX

MOST_UNITS: Final = 48
"""More units than these are not listed."""
MOST_MOVERS: Final = 4
"""Words told to rise, and to fall, at most."""
LEAST_MOVE: Final = 3
"""Per cent by which a share must have moved to be told."""
_RECENT: Final = 4 * QUARTER + 300
"""What ended in this time is the last hour."""
_Z95: Final = NormalDist().inv_cdf(0.975)
_LEVELS: Final = sum(len(ATTRIBUTES[INDEX[name]].levels) for name in SHOWN)
_Z_MANY: Final = NormalDist().inv_cdf(1 - 0.025 / _LEVELS)
"""The same for whoever looks at every word at once (Bonferroni)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Share:
    """``hits`` of ``of`` people, beside whom ``hidden`` more at most are in cells too small to be told."""

    hits: int
    of: int
    hidden: int = 0

    def ends(self, z: float) -> tuple[float, float]:
        """Wilson's interval, whatever the number of the hidden."""
        return wilson(self.hits, self.of + self.hidden, z)[0], wilson(self.hits, self.of, z)[1]

    def told(self) -> list[int]:
        """Share, lower and upper end of its 95 % interval, in whole per cent."""
        low, high = self.ends(_Z95)
        share = self.hits / (self.of + self.hidden / 2)
        return [round(100 * share), round(100 * low), round(100 * high)]

    def apart(self, other: _Share) -> bool:
        """Whether the two differ for certain, seen among all words."""
        low, high = self.ends(_Z_MANY)
        least, most = other.ends(_Z_MANY)
        return high < least or low > most


_Shares = dict[tuple[str, str], _Share]


def _usual(baseline: Baseline, now: Seconds) -> _Shares:
    """What is usual, of cells as they may be told."""
    counts, weights = baseline.singles(now)
    found: _Shares = {}
    for name in SHOWN:
        block = STREET.block(INDEX[name])
        of = cell(int(np.max(weights[block], initial=0.0)))
        for word, count in zip(ATTRIBUTES[INDEX[name]].levels, counts[block].tolist(), strict=True):
            if of and cell(int(count)):
                found[name, word] = _Share(hits=min(of, cell(int(count))), of=of)
    return found


def _recent(spans: Iterable[TrendSpan], now: Seconds) -> _Shares:
    """Shares of the last hour."""
    late = [one for one in spans if one.start + one.quarters * QUARTER > now - _RECENT]
    found: _Shares = {}
    for place, name in enumerate(SHOWN):
        sums = [sum(numbers) for numbers in zip(*(one.cells[place] for one in late), strict=True)]
        # Where a span has words that it does not tell, and no rest, fewer than LEAST people wore them.
        hidden = sum(LEAST - 1 for one in late if 0 in one.cells[place][:-1] and not one.cells[place][-1])
        for word, hits in zip(ATTRIBUTES[INDEX[name]].levels, sums, strict=False):
            if hits:
                found[name, word] = _Share(hits=hits, of=sum(sums), hidden=hidden)
    return found


def _movers(recent: _Shares, usual: _Shares) -> list[list[Any]]:
    """Words whose share moved for certain: [attribute, word, now, usual], the risers first, the largest first."""
    moved = []
    for (name, word), now in recent.items():
        was = usual.get((name, word))
        if was is None or not now.apart(was):
            continue
        by = now.told()[0] - was.told()[0]
        if abs(by) >= LEAST_MOVE:
            moved.append((by, [name, word, now.told()[0], was.told()[0]]))
    moved.sort(key=lambda one: -abs(one[0]))
    rise = [row for by, row in moved if by > 0][:MOST_MOVERS]
    return rise + [row for by, row in moved if by < 0][:MOST_MOVERS]


def _nested(shares: _Shares) -> dict[str, dict[str, list[int]]]:
    found: dict[str, dict[str, list[int]]] = {}
    for (name, word), share in shares.items():
        found.setdefault(name, {})[word] = share.told()
    return found


def trends_telling(
    booth: BoothId, trends: Trends, baseline: Baseline, changes: Iterable[Change], now: Seconds
) -> bytes:
    """The past hours as the screen reads them."""
    spans = trends.spans()
    recent, usual = _recent(spans, now), _usual(baseline, now)
    return json_of(
        {
            "v": VERSION,
            "booth": booth,
            "at": int(now),
            "quarter": QUARTER,
            "least": LEAST,
            "starts": [one.start for one in spans],
            "quarters": [one.quarters for one in spans],
            "people": [one.people for one in spans],
            "cells": {
                name: _columns(name, [one.cells[place] for one in spans]) for place, name in enumerate(SHOWN)
            },
            "usual": _nested(usual),
            "recent": _nested(recent),
            "movers": _movers(recent, usual),
            "changes": [
                [
                    ATTRIBUTES[one.attribute].name,
                    ATTRIBUTES[one.attribute].label(one.level),
                    round(100 * one.now),
                    round(100 * one.usual),
                    int(one.since // 3600) * 3600,
                ]
                for one in changes
            ],
            "ends": ENDS,
            "alerts": trends.alerts(),
        }
    )


def _columns(name: str, spans: list[tuple[int, ...]]) -> dict[str, list[int]]:
    """By word, its number in each span; words that no span tells are left out. The rest is called ``*``."""
    words = (*ATTRIBUTES[INDEX[name]].levels, "*")
    columns = zip(words, zip(*spans, strict=True), strict=True) if spans else ()
    return {word: list(numbers) for word, numbers in columns if any(numbers)}


def public_telling(
    trends: Trends,
    units: tuple[UnitRow, ...],
    people: int,
    needs: int,
    now: Seconds,
    *,
    running: Mapping[str, float],
) -> bytes:
    """How the booth is, for the public page: a state, cameras, crowds of today.

    ``running`` are the times in force, in seconds: a file that was changed since the hub started is not.

    ``share`` is the commonest colour of tops of the last hours that are told, with its per cent; null where none is.
    """
    seen = [row for row in units if row.online and row.heard_at and now - row.heard_at <= SILENT_SECONDS]
    watching = sum(row.health is not None and row.health.state is UnitState.WATCHING for row in seen)
    paused = sum(row.health is not None and row.health.state is UnitState.PAUSED for row in seen)
    aimed = sum(row.health is not None and row.health.state is UnitState.AIMING for row in seen)
    locked = sum(row.health is not None and row.health.locked for row in seen)
    state = "watching" if watching else "aiming" if aimed else "paused" if paused else "off"
    sums = [sum(numbers) for numbers in zip(*(one.cells[0] for one in trends.spans()), strict=True)]
    share = None
    if sums and any(sums[:-1]):
        best = max(range(len(sums) - 1), key=sums.__getitem__)
        share = [ATTRIBUTES[INDEX[SHOWN[0]]].levels[best], round(100 * sums[best] / sum(sums))]
    told = {"v": VERSION, "at": int(now), "state": "learning" if watching and needs else state}
    told |= {
        "watching": watching,
        "units": len(units),
        "aimed": aimed,
        "locked": locked,
        "people": fives(people, nearest=False),
        "share": share,
    }
    told["running"] = {name: int(seconds) for name, seconds in running.items()}
    return json_of(told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """How the booth is now, beside its dots: counts of today, the baseline, pacing, staff and units."""

    people_today: int
    alerts_today: int
    alerts_open: int
    claimed: int
    gifted: int
    stock: int
    staff: int
    staff_free: int
    weight: float
    needs: int
    outlook: Outlook
    units: tuple[UnitRow, ...]
    strangers: Counter[int]
    """Refusals by rule of senders that are no unit."""


def live_telling(booth: BoothId, trends: Trends, moment: Moment, now: Seconds) -> bytes:
    """The moment as the screen reads it."""
    outlook, rows = moment.outlook, moment.units[:MOST_UNITS]
    refused = moment.strangers + sum((Counter(dict(row.rules)) for row in moment.units), Counter())
    return json_of(
        {
            "v": VERSION,
            "booth": booth,
            "at": int(now),
            "step": TIME_STEP,
            "window": STRIP_SECONDS,
            "dots": [[one.steps, one.kind, int(one.simulated), one.number] for one in trends.strip(now)],
            "simulated": any(row.simulated for row in moment.units),
            "people": fives(moment.people_today, nearest=False),
            "alerts": {
                "today": moment.alerts_today,
                "waiting": moment.alerts_open - moment.claimed,
                "claimed": moment.claimed,
                "gifted": moment.gifted,
            },
            "baseline": {"people": fives(int(moment.weight), nearest=False), "needs": moment.needs},
            "pacing": {
                "stock": moment.stock,
                "staff": moment.staff,
                "staff_free": moment.staff_free,
                "opens": int(outlook.opens),
                "closes": int(outlook.closes),
                "people": fives(int(outlook.people), nearest=True),
                "gifts": None if outlook.gifts is None else round(outlook.gifts),
                "finish": None if outlook.finish is None else int(outlook.finish // 60) * 60,
            },
            "units": [
                unit_row(row, now) | {"spooled": row.spooled, "dropped": row.dropped, "clock": row.synced}
                for row in rows
            ],
            "refused": sorted([rule, number] for rule, number in refused.items() if number),
        }
    )
