"""Snapshots as rows: the baseline and its histograms, with all cameras and without each of them.

Invariants:
    * A snapshot is written whole, within its caller's transaction, and replaces what was there.
    * What comes back is checked as strictly as what comes in: ValueError where it cannot be.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

import numpy as np

from appliance.hub.statistics.baseline.lineage import Span
from appliance.hub.statistics.baseline.state import BaselineState
from appliance.hub.statistics.conformal import BINS, HISTOGRAMS
from appliance.hub.statistics.layout import BANDS, LEVELS, FloatArray
from appliance.hub.storage import row_codec
from appliance.hub.storage.database import Database
from appliance.hub.storage.state import Snapshot
from appliance.protocol.values import Seconds, UnitId
from appliance.protocol.vocabulary import ATTRIBUTES

_HOUR: Final = 3600.0


def write(database: Database, snapshot: Snapshot) -> None:
    """Replace the stored snapshot."""
    state = snapshot.baseline
    database.connection.execute("REPLACE INTO baseline VALUES (1, ?, ?, ?, ?, ?, ?)", _counts(state))
    database.many("REPLACE INTO camera VALUES", ((unit, row_codec.blob(row)) for unit, row in state.cameras))
    database.many("REPLACE INTO score VALUES", _histograms(snapshot.bins))
    for table in ("changed", "lineage", "left_out", "left_out_score"):
        database.connection.execute(f"DELETE FROM {table}")  # noqa: S608 - names of our own
    database.many(
        "INSERT INTO lineage VALUES",
        ((span.hub, span.unit, span.first, span.last) for span in state.lineage),
    )
    marks = (("", snapshot.changed_at), *((unit, other.changed_at) for unit, other in snapshot.without))
    database.many("INSERT INTO changed VALUES", ((unit, at // _HOUR * _HOUR) for unit, at in marks if at))
    for unit, other in snapshot.without:
        database.many("INSERT INTO left_out VALUES", [(unit, *_counts(other.baseline))])
        database.many("INSERT INTO left_out_score VALUES", ((unit, *row) for row in _histograms(other.bins)))


def _counts(state: BaselineState) -> tuple[Any, ...]:
    return (
        state.anchor,
        state.latest,
        state.people,
        state.weight,
        row_codec.blob(state.pairs),
        row_codec.blob(state.known),
    )


def _histograms(bins: FloatArray) -> Iterable[tuple[int, int, bytes]]:
    return (
        (band, lens, row_codec.blob(bins[band, lens])) for band in range(BANDS) for lens in range(HISTOGRAMS)
    )


def read(db: sqlite3.Connection) -> Snapshot | None:
    """The stored snapshot, if there is one."""
    row = db.execute(
        "SELECT anchor, latest, people, weight, pairs, known FROM baseline WHERE id = 1"
    ).fetchone()
    if row is None:
        return None
    cameras = tuple(
        (UnitId(unit), row_codec.array(blob, LEVELS))
        for unit, blob in db.execute("SELECT unit, counts FROM camera ORDER BY unit")
    )
    lineage = tuple(
        Span(hub=hub, unit=unit, first=first, last=last)
        for hub, unit, first, last in db.execute("SELECT * FROM lineage ORDER BY hub, unit, first")
    )
    changed = dict(db.execute("SELECT unit, at FROM changed").fetchall())
    return Snapshot(
        changed_at=changed.get("", 0.0),
        baseline=replace(_state(row, cameras), lineage=lineage),
        bins=_bins(db.execute("SELECT band, lens, bins FROM score")),
        without=tuple(
            (
                UnitId(unit),
                Snapshot(
                    changed_at=changed.get(unit, 0.0),
                    baseline=_state(tuple(counts), ()),
                    bins=_bins(
                        db.execute("SELECT band, lens, bins FROM left_out_score WHERE unit = ?", (unit,))
                    ),
                ),
            )
            for unit, *counts in db.execute("SELECT * FROM left_out ORDER BY unit").fetchall()
        ),
    )


def _state(row: tuple[Any, ...], cameras: tuple[tuple[UnitId, FloatArray], ...]) -> BaselineState:
    anchor, latest, people, weight, pairs, known = row
    return BaselineState(
        anchor=Seconds(anchor),
        latest=Seconds(latest),
        people=people,
        weight=weight,
        pairs=row_codec.array(pairs, LEVELS, LEVELS),
        known=row_codec.array(known, len(ATTRIBUTES), len(ATTRIBUTES)),
        cameras=cameras,
    )


def _bins(rows: Iterable[tuple[int, int, bytes]]) -> FloatArray:
    bins = np.zeros((BANDS, HISTOGRAMS, BINS))
    for band, lens, blob in rows:
        bins[band, lens] = row_codec.array(blob, BINS)
    return bins
