"""The command ``leftfield rehearse``: a day at the booth, played beforehand.

Invariants:
    * It reads the hub's hours and outcomes and writes nothing; a running hub is not disturbed.
    * The same question and seed give the same answer.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from appliance.base.errors import Unfit
from appliance.hub.pacing.forecast import Forecast, HourCount, PlannedDay
from appliance.hub.pacing.local_day import local_day
from appliance.hub.pacing.plan import Plan, warning
from appliance.hub.pacing.rehearsal import HOURS, Expected, Interval, Rehearsal, rehearse
from appliance.hub.records.daily_counts import DailyCounts
from appliance.hub.storage.store import Store
from appliance.protocol.values import Seconds
from appliance.settings import config as configs
from appliance.settings.cli_arguments import Subparsers, clock, command, config_option, seconds, share, whole
from appliance.settings.config import CONFIG_DIRECTORY, HubConfig, PacingConfig
from appliance.settings.streams import STANDARD, text_input, text_output
from appliance.settings.toml_table import time_of_day

RUNS: Final = 100
_BUSYNESS: Final = 0.2
"""How much a whole day differs from what is expected, where the hub has not seen enough days."""
_LEAST_DAYS: Final = 5
_MOST_PEOPLE: Final = 10_000_000


def add_parsers(subparsers: Subparsers) -> None:
    """Add ``rehearse``."""
    parser = command(
        subparsers,
        "rehearse",
        "play a day beforehand: alerts, gifts, waiting and what is left over, by hour",
        "leftfield rehearse --people 9000 --opens 10:00 --closes 20:00 --stock 40 --staff 2",
        _rehearse,
    )
    config_option(parser, "hub.toml")
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--day",
        type=_day,
        metavar="DATE",
        help="a day such as 2026-12-05: one that was is replayed, else forecast",
    )
    source.add_argument(
        "--table",
        type=Path,
        metavar="FILE",
        help="people by hour: CSV lines such as 10,420; - is standard input",
    )
    source.add_argument("--people", type=whole, help="so many people between opening and closing")
    parser.add_argument("--stock", type=whole, help="gifts (default: as configured)")
    parser.add_argument("--staff", type=whole, help="staff (default: as configured)")
    parser.add_argument("--opens", type=clock, metavar="TIME", help="opening time (default: as configured)")
    parser.add_argument("--closes", type=clock, metavar="TIME", help="closing time (default: as configured)")
    parser.add_argument(
        "--acceptance", type=share, help="share of those asked who accept (default: as learnt)"
    )
    parser.add_argument("--visit", type=seconds, help="seconds that a visit takes (default: as learnt)")
    parser.add_argument("--max-p", type=share, help="floor, 0 for a derived one (default: as configured)")
    parser.add_argument(
        "--runs", type=whole, default=RUNS, help="how often it is played (default: %(default)s)"
    )
    parser.add_argument("--seed", type=whole, default=1, help="another number, another chance (default: 1)")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date such as 2026-12-05") from None


def _rehearse(given: argparse.Namespace) -> int:
    hub, now = _hub(given), Seconds(time.time())
    expected = _known(hub, now) if hub else Expected(people=(), began=local_day(now).midnight)
    config = _config(hub.pacing if hub else PacingConfig(), given)
    expected = _expected(expected, config, given)
    if not sum(expected.people):
        raise Unfit(
            "nobody is expected: the hub has counted nobody at such hours",
            where="rehearse",
            fix="give the day with --people or --table",
        )
    if given.acceptance is not None or given.visit is not None:
        expected = replace(
            expected,
            acceptance=given.acceptance,
            visit_seconds=given.visit or expected.visit_seconds,
        )
    found = rehearse(config, expected, runs=given.runs, seed=given.seed)
    said = warning(_plan(config, expected))
    text = json.dumps(_told(found, config, said)) if given.json else _text(found, config, said)
    with text_output(STANDARD) as out:
        out.write(text + "\n")
    return 0


def _hub(given: argparse.Namespace) -> HubConfig | None:
    """The hub whose history counts; none where the day is given and there is no hub here."""
    elsewhere = given.people is not None or given.table is not None
    if elsewhere and given.config == CONFIG_DIRECTORY / "hub.toml" and not given.config.exists():
        return None
    return configs.hub_config(given.config)


def _known(hub: HubConfig, now: Seconds) -> Expected:
    """What the hub has learnt: hours, acceptance, visits."""
    began = local_day(now).midnight
    if not hub.database.exists():
        return Expected(people=(), began=began)
    store = Store(hub.database, hub.booth, alone=False)
    try:
        stored = store.load()
    finally:
        store.close()
    today = DailyCounts(stored.tallies, service_seconds=hub.pacing.service_seconds, now=now).today()
    return Expected(
        people=(),
        began=began,
        gifted=today.gifted_before,
        asked=today.ended_before,
        visit_seconds=today.visit_seconds,
        history=stored.hours,
        busyness=_busyness(stored.hours),
    )


def _busyness(history: Iterable[HourCount]) -> float:
    """How much days differ from the mean of their weekday's kind, as a share; ``_BUSYNESS`` where few are known."""
    days: dict[str, float] = {}
    for one in history:
        days[one.day] = days.get(one.day, 0.0) + one.people
    sums = np.array([people for people in days.values() if people])
    if len(sums) < _LEAST_DAYS:
        return _BUSYNESS
    return float(np.clip(sums.std(ddof=1) / sums.mean(), 0.05, 1.0))


def _config(config: PacingConfig, given: argparse.Namespace) -> PacingConfig:
    changes: dict[str, Any] = {
        "stock": given.stock,
        "staff": given.staff,
        "opens": time_of_day(given.opens) if given.opens else None,
        "closes": time_of_day(given.closes) if given.closes else None,
    }
    config = replace(config, **{name: value for name, value in changes.items() if value is not None})
    if given.max_p is not None:
        config = replace(config, max_p=given.max_p or None)
    if given.people is not None:
        config = replace(config, people=given.people)
    if (config.opens is None) != (config.closes is None) or (config.opens or 0) >= (config.closes or 86_400):
        raise Unfit("opening must come before closing", where="rehearse", fix="give --opens and --closes")
    return config


def _expected(known: Expected, config: PacingConfig, given: argparse.Namespace) -> Expected:
    """The day that is asked for, on top of what is known."""
    if given.table is not None:
        return replace(known, people=_table(given.table), exact=False)
    if given.day is not None:
        began = Seconds(datetime(given.day.year, given.day.month, given.day.day).timestamp())  # noqa: DTZ001 - here
        counted = [0.0] * HOURS
        for one in known.history:
            if one.day == given.day.isoformat():
                counted[one.hour] += one.people
        if any(counted):
            earlier = tuple(one for one in known.history if one.day < given.day.isoformat())
            return replace(known, people=counted, began=began, exact=True, history=earlier)
        known = replace(known, began=began)
    return replace(known, people=_forecast(known, config))


def _forecast(known: Expected, config: PacingConfig) -> list[float]:
    """People by hour as the hub expects them, or spread evenly where it has seen nobody."""
    planned = None
    if config.people is not None:
        opens, closes = config.opens or 10 * 3600.0, config.closes or 20 * 3600.0
        planned = PlannedDay(people=config.people, opens=opens, closes=closes)
    forecast = Forecast(known.history, known.began, planned=planned)
    marks = [Seconds(known.began + hour * 3600.0) for hour in range(HOURS + 1)]
    people = [forecast.remaining(marks[hour], marks[hour + 1]) for hour in range(HOURS)]
    if planned is None:
        return people
    # Outside the hours that were planned for nobody counts.
    inside = range(int(planned.opens // 3600), -int(-planned.closes // 3600))
    return [one if hour in inside else 0.0 for hour, one in enumerate(people)]


def _table(path: Path) -> list[float]:
    """People by hour in a CSV file; a first line that is no numbers is a heading. Unfit where it cannot be read."""
    people, where = [0.0] * HOURS, "standard input" if path == STANDARD else str(path)
    try:
        with text_input(path) as lines:
            rows = [row for row in csv.reader(lines) if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Unfit(f"cannot read the table: {error}", where=where, fix="give lines such as 10,420") from None
    for number, row in enumerate(rows, 1):
        try:
            hour, count = int(row[0]), float(row[1])
            good = 0 <= hour < HOURS and 0 <= count <= _MOST_PEOPLE
        except (ValueError, IndexError):
            if number == 1:
                continue
            good = False
        if not good:
            raise Unfit(
                "an hour from 0 to 23 and how many people are needed",
                where=f"{where}, line {number}",
                fix="write lines such as 10,420",
            )
        people[hour] += count
    return people


def _plan(config: PacingConfig, expected: Expected) -> Plan:
    busy = [hour for hour, people in enumerate(expected.people) if people]
    opens = config.opens if config.opens is not None else busy[0] * 3600.0
    closes = config.closes if config.closes is not None else (busy[-1] + 1) * 3600.0
    inside = sum(
        people * max(0.0, min(closes, (hour + 1) * 3600.0) - max(opens, hour * 3600.0)) / 3600.0
        for hour, people in enumerate(expected.people)
    )
    learnt = (expected.gifted + 2.0) / (expected.asked + 4.0)
    return Plan(
        people=inside,
        seconds=closes - opens,
        stock=config.stock,
        staff=config.staff,
        visit_seconds=expected.visit_seconds or config.service_seconds,
        acceptance=learnt if expected.acceptance is None else expected.acceptance,
        max_p=config.max_p,
    )


def _told(found: Rehearsal, config: PacingConfig, said: str) -> dict[str, Any]:
    return {"v": 1, "stock": config.stock, "staff": config.staff, "warning": said, **asdict(found)}


def _text(found: Rehearsal, config: PacingConfig, said: str) -> str:
    head = ("hour", "people", "alerts", "gifts", "waiting, min", "gifts left")
    rows = [head] + [
        (f"{hour.hour:02}", *map(_cell, (hour.people, hour.alerts, hour.gifts, hour.waiting, hour.left)))
        for hour in found.hours
    ]
    widths = [max(len(row[place]) for row in rows) for place in range(len(head))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    lines += [
        "",
        f"{config.stock} gifts, {config.staff} staff; {found.runs} rehearsals: mean, and where nine of ten lie",
        f"gifts {_cell(found.gifts)}, left over {_cell(found.left)}; all given in {found.emptied:.0%} of rehearsals",
        f"alerts {_cell(found.alerts)}, longest time without one {_cell(found.waiting)} min",
    ]
    return "\n".join([*lines, f"warning: {said}"] if said else lines)


def _cell(of: Interval) -> str:
    if of.low == of.high == of.mean:
        return f"{of.mean:.0f}"
    mean = f"{of.mean:.0f}" if abs(of.mean) >= 10 else f"{of.mean:.1f}"
    return f"{mean} ({of.low:.0f} to {of.high:.0f})"
