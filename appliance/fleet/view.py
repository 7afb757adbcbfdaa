"""What the fleet's page and commands say: booths, totals, what people wear here and there, who is unlike the rest.

Formula: a share is counts over those in whom the attribute could be told, with Wilson's interval (1927, JASA 22:
209-212); a booth differs from all others where the intervals lie apart, at a level shared by every word and booth
(Bonferroni).

Invariants:
    * Cells of fewer than ``LEAST`` people are not told.
    * Baselines are added up exactly; one whose people are counted already, by its lineage, is left out and named.
    * Pure: no database, no clock; ``now`` is an argument.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from statistics import NormalDist
from typing import Final

import numpy as np

from appliance.fleet.store import BoothRow
from appliance.hub.exchange import baseline_file
from appliance.hub.records.audit import wilson
from appliance.hub.records.trends import LEAST, SHOWN
from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.baseline.lineage import first_overlap
from appliance.hub.statistics.baseline.state import BaselineState, merged
from appliance.hub.statistics.layout import STREET, FloatArray
from appliance.protocol.values import BoothId, Seconds
from appliance.protocol.vocabulary import ATTRIBUTES, INDEX

SILENT_SECONDS: Final = 300.0
"""A booth that has said nothing for so long is silent."""
SPARK_DAYS: Final = 14
MOST_WORDS: Final = 8
MOST_DRIFTS: Final = 12
LEAST_MOVE: Final = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class BoothView:
    """One booth on the page. ``days`` are people on each of the last days, the newest last."""

    booth: BoothId
    state: str
    """``watching``, ``learning``, ``silent`` or ``withdrawn``."""
    heard_ago: float | None
    people: int
    needs: int
    cameras: int
    cameras_on: int
    alerts: int
    gifts: int
    days: tuple[int, ...]
    refused: int
    troubles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareRow:
    """One word's share of all booths and of each, in [0, 1]; None where too few people stand behind it."""

    attribute: str
    word: str
    everywhere: float
    low: float
    high: float
    by_booth: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftRow:
    """A word that is worn at ``booth`` more or less than at all others."""

    booth: BoothId
    attribute: str
    word: str
    here: float
    elsewhere: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetPage:
    """Everything on the page at ``at`` (unix seconds)."""

    fleet: str
    at: Seconds
    booths: tuple[BoothView, ...]
    counted: tuple[BoothId, ...]
    """Booths whose baseline is in the shares, in the order of ``ShareRow.by_booth``."""
    left_out: tuple[tuple[BoothId, str], ...]
    shares: tuple[ShareRow, ...]
    drifts: tuple[DriftRow, ...]


def page_of(fleet: str, rows: Sequence[BoothRow], now: Seconds) -> FleetPage:
    """The page from what the database holds."""
    states, left_out = baselines(rows)
    counts = {booth: _singles(state, now) for booth, state in states.items()}
    return FleetPage(
        fleet=fleet,
        at=now,
        booths=tuple(_booth(row, now) for row in rows),
        counted=tuple(counts),
        left_out=left_out,
        shares=tuple(_shares(counts)),
        drifts=tuple(_drifts(counts)),
    )


def baselines(
    rows: Iterable[BoothRow],
) -> tuple[dict[BoothId, BaselineState], tuple[tuple[BoothId, str], ...]]:
    """The baseline of each booth, its cameras left at home; and whose is left out, and why."""
    found: dict[BoothId, BaselineState] = {}
    left_out: list[tuple[BoothId, str]] = []
    opened = [
        (row.booth, baseline_file.decode(row.baseline, public_key=row.public_key, where=row.booth).state)
        for row in rows
        if row.baseline and not row.withdrawn
    ]
    # Whoever holds nobody but its own comes first: who took in others' people is the one left out.
    opened.sort(
        key=lambda one: (any(not span.hub.startswith(f"{one[0]}/") for span in one[1].lineage), one[0])
    )
    for booth, state in opened:
        clash = next(
            (other for other, kept in found.items() if first_overlap(kept.lineage, state.lineage)), None
        )
        if clash:
            left_out.append((booth, f"it holds people who are counted at {clash}"))
        else:
            found[booth] = state
    return dict(sorted(found.items())), tuple(sorted(left_out))


def merged_baseline(rows: Iterable[BoothRow]) -> tuple[BaselineState, tuple[tuple[BoothId, str], ...]]:
    """All booths' baselines added up, exactly; and whose is left out, and why."""
    states, left_out = baselines(rows)
    whole = Baseline().state()
    for state in states.values():
        whole = merged(whole, replace(state, cameras=()))
    return whole, left_out


def _booth(row: BoothRow, now: Seconds) -> BoothView:
    moment = row.moment or {}
    units = moment.get("units", [])
    cameras = units if isinstance(units, list) else []
    ago = max(0.0, now - row.moment_at) if row.moment else None
    needs = _number(moment.get("needs"))
    silent = ago is None or ago > SILENT_SECONDS
    state = "withdrawn" if row.withdrawn else "silent" if silent else "learning" if needs else "watching"
    today = datetime.fromtimestamp(now, tz=UTC).date()
    spark = [str(today - timedelta(days=back)) for back in reversed(range(SPARK_DAYS))]
    newest = row.counts.get(str(today), {})
    on = [unit for unit in cameras if unit[1] == "watching"]
    return BoothView(
        booth=row.booth,
        state=state,
        heard_ago=ago,
        people=_number(moment.get("people")),
        needs=needs,
        cameras=len(cameras),
        cameras_on=0 if silent else len(on),
        alerts=newest.get("alerts", 0),
        gifts=newest.get("gifted", 0),
        days=tuple(row.counts.get(day, {}).get("people", 0) for day in spark),
        refused=row.refused,
        troubles=tuple(
            f"{unit[0]}: {unit[1].replace('_', ' ')}" for unit in cameras if unit[1] != "watching"
        ),
    )


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


_Counts = dict[BoothId, tuple[FloatArray, FloatArray]]


def _singles(state: BaselineState, now: Seconds) -> tuple[FloatArray, FloatArray]:
    return Baseline(state).singles(now)


def _shares(counts: _Counts) -> Iterable[ShareRow]:
    """The commonest words of each shown attribute, all booths together."""
    if not counts:
        return
    hits = np.sum([one for one, _ in counts.values()], axis=0)
    of = np.sum([one for _, one in counts.values()], axis=0)
    z = NormalDist().inv_cdf(0.975)
    for name in SHOWN:
        block = STREET.block(INDEX[name])
        ranked = sorted(range(block.start, block.stop), key=lambda place: -hits[place])[:MOST_WORDS]
        for place in ranked:
            if hits[place] < LEAST:
                continue
            low, high = wilson(int(hits[place]), int(of[place]), z)
            yield ShareRow(
                attribute=name,
                word=ATTRIBUTES[INDEX[name]].levels[place - block.start],
                everywhere=float(hits[place] / of[place]),
                low=low,
                high=high,
                by_booth=tuple(
                    float(mine[place] / known[place])
                    if known[place] >= LEAST and mine[place] >= LEAST
                    else None
                    for mine, known in counts.values()
                ),
            )


def _drifts(counts: _Counts) -> list[DriftRow]:
    """Words on which a booth is unlike all others for certain, the largest difference first."""
    if len(counts) < 2:
        return []
    places = [place for name in SHOWN for place in range(*STREET.block(INDEX[name]).indices(10**6))]
    z = NormalDist().inv_cdf(1 - 0.025 / (len(places) * len(counts)))
    all_hits = np.sum([one for one, _ in counts.values()], axis=0)
    all_of = np.sum([one for _, one in counts.values()], axis=0)
    found = []
    for booth, (hits, of) in counts.items():
        for place in places:
            others, known = all_hits[place] - hits[place], all_of[place] - of[place]
            if min(of[place], known) < LEAST or max(hits[place], others) < LEAST:
                continue
            here, elsewhere = (
                wilson(int(hits[place]), int(of[place]), z),
                wilson(int(others), int(known), z),
            )
            mine, theirs = hits[place] / of[place], others / known
            if (here[0] > elsewhere[1] or elsewhere[0] > here[1]) and abs(mine - theirs) >= LEAST_MOVE:
                attribute = int(STREET.attribute_of[place])
                found.append(
                    DriftRow(
                        booth=booth,
                        attribute=ATTRIBUTES[attribute].name,
                        word=ATTRIBUTES[attribute].levels[place - STREET.block(attribute).start],
                        here=float(mine),
                        elsewhere=float(theirs),
                    )
                )
    found.sort(key=lambda row: -abs(row.here - row.elsewhere))
    return found[:MOST_DRIFTS]
