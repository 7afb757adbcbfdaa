"""The fleet's page as HTML: no script, no font, no address but its own; light and dark.

Invariants:
    * Every text is escaped. The one style sheet is allowed by its hash (Content-Security-Policy level 3).
    * Pure.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from html import escape
from itertools import groupby
from typing import Final

from appliance.fleet.view import BoothView, DriftRow, FleetPage, ShareRow

REFRESH_SECONDS: Final = 15
_STYLE: Final = """
:root{color-scheme:light dark;--ground:#f6f5f2;--card:#fff;--ink:#1c1d1f;--soft:#5d6065;--line:#dedcd6;
--good:#1d6b45;--wait:#8a5a00;--bad:#a3262a;--bar:#2f5d8a;--cell:47 93 138}
@media(prefers-color-scheme:dark){:root{--ground:#141517;--card:#1d1f22;--ink:#ecebe7;--soft:#a3a6ab;--line:#34373c;
--good:#6fcf9b;--wait:#e6b450;--bad:#f08a8a;--bar:#7fb2e5;--cell:127 178 229}}
*{box-sizing:border-box}body{margin:0;padding:1.5rem;background:var(--ground);color:var(--ink);
font:1rem/1.45 system-ui,sans-serif}main{max-width:76rem;margin:auto}h1{font-size:1.6rem;margin:0 0 1rem}
h2{font-size:1.15rem;margin:2rem 0 .6rem}.totals{display:grid;gap:.8rem;
grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));margin:0}.totals div{background:var(--card);
border:1px solid var(--line);border-radius:.6rem;padding:.7rem .9rem}dt{color:var(--soft);font-size:.85rem}
dd{margin:0;font-size:1.7rem;font-variant-numeric:tabular-nums}.wide{overflow-x:auto;background:var(--card);
border:1px solid var(--line);border-radius:.6rem}table{border-collapse:collapse;width:100%}
th,td{padding:.5rem .75rem;text-align:right;white-space:nowrap;border-top:1px solid var(--line);
font-variant-numeric:tabular-nums}thead th{border-top:0;color:var(--soft);font-weight:600;font-size:.85rem}
th:first-child,td:first-child,.text,.left,.state{text-align:left}.text{white-space:normal;min-width:12rem}
.state{font-weight:600}.watching{color:var(--good)}.learning{color:var(--wait)}.silent{color:var(--bad)}
.withdrawn,small,caption{color:var(--soft)}caption{text-align:left;padding:.7rem .75rem .2rem;font-weight:600}
svg{display:block}svg rect{fill:var(--bar)}ul{padding-left:1.2rem}p{max-width:60rem}
"""
_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode("ascii")
POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The page's Content-Security-Policy. No style stands in an attribute."""
_LEFT: Final = frozenset({"state", "two weeks", "to look at", "all booths"})
"""Columns of words and drawings."""
_MOST_COLUMNS: Final = 8
_NOTHING: Final = "&ndash;"
_WORDS: Final = {"top.colour": "tops", "bottom.colour": "trousers and skirts", "top.pattern": "patterns of tops",
                 "bottom.pattern": "patterns below", "lower.kind": "worn below", "sleeves": "sleeves",
                 "outer": "outer wear"}  # fmt: skip


def page(one: FleetPage) -> str:
    """The whole page."""
    live = [booth for booth in one.booths if booth.state != "withdrawn"]
    totals = {
        "booths": f"{len(live)}",
        "watching": f"{sum(booth.state == 'watching' for booth in live)}",
        "people": f"{sum(booth.people for booth in live):,}",
        "alerts today": f"{sum(booth.alerts for booth in live):,}",
        "gifts today": f"{sum(booth.gifts for booth in live):,}",
    }
    figures = "".join(f"<div><dt>{escape(name)}</dt><dd>{value}</dd></div>" for name, value in totals.items())
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="refresh" content="{REFRESH_SECONDS}">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>Fleet {escape(one.fleet)}</title><style>{_STYLE}</style></head><body><main>"
        f'<h1>Fleet {escape(one.fleet)}</h1><dl class="totals">{figures}</dl>'
        f"<h2>Booths</h2>{_booths(one.booths)}"
        f"<h2>What people wear</h2>{_shares(one)}"
        f"<h2>Unlike all other booths</h2>{_drifts(one.drifts)}"
        "<p><small>Counts of crowds in whole fives; shares of fewer than 20 people are not told. "
        "No person, no picture, no outfit comes here.</small></p></main></body></html>"
    )


def _table(head: Iterable[str], body: str, caption: str = "") -> str:
    left = ' class="left"'
    cells = "".join(f'<th scope="col"{left * (name in _LEFT)}>{escape(name)}</th>' for name in head)
    titled = f"<caption>{escape(caption)}</caption>" if caption else ""
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{escape(caption or "booths")}">'
        f"<table>{titled}<thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _booths(booths: tuple[BoothView, ...]) -> str:
    if not booths:
        return "<p>No booth has joined yet. Let one in: leftfield fleet add REQUEST</p>"
    head = (
        "booth",
        "state",
        "cameras",
        "people",
        "two weeks",
        "alerts today",
        "gifts today",
        "refused",
        "to look at",
    )
    return _table(head, "".join(_booth(one) for one in booths))


def _booth(one: BoothView) -> str:
    state = escape(one.state)
    if one.state == "learning":
        state += f"<br><small>{one.needs:,} people more</small>"
    elif one.state == "silent":
        state += f"<br><small>{_ago(one.heard_ago)}</small>"
    cells = (
        f'<td class="state {escape(one.state)}">{state}</td>',
        f"<td>{one.cameras_on} of {one.cameras}</td>",
        f"<td>{one.people:,}</td>",
        f"<td>{_spark(one.days)}</td>",
        f"<td>{one.alerts:,}</td>",
        f"<td>{one.gifts:,}</td>",
        f"<td>{one.refused:,}</td>",
        f'<td class="text">{escape("; ".join(one.troubles)) or _NOTHING}</td>',
    )
    return f'<tr><th scope="row">{escape(one.booth)}</th>{"".join(cells)}</tr>'


def _ago(seconds: float | None) -> str:
    if seconds is None:
        return "has never reported"
    minutes = int(seconds // 60)
    return f"for {minutes} min" if minutes < 120 else f"for {minutes // 60} h"


def _spark(days: tuple[int, ...]) -> str:
    most, step = max((*days, 1)), 7
    bars = "".join(
        f'<rect x="{place * step}" y="{24 - height}" width="{step - 2}" height="{height}"/>'
        for place, height in enumerate(round(24 * number / most) for number in days)
    )
    label = f"people a day: {', '.join(f'{number:,}' for number in days)}"
    width = step * len(days)
    return f'<svg role="img" aria-label="{label}" width="{width}" height="24" viewBox="0 0 {width} 24">{bars}</svg>'


def _shares(one: FleetPage) -> str:
    if not one.shares:
        return "<p>No baseline has come yet; booths send theirs once an hour.</p>"
    parts = []
    shown = one.counted[:_MOST_COLUMNS]
    head = ("word", "all booths", "95 % from, to", *shown)
    for attribute, rows in groupby(one.shares, key=lambda row: row.attribute):
        told = tuple(rows)
        most = max(row.everywhere for row in told)
        body = "".join(_share(row, most) for row in told)
        parts.append(_table(head, body, _WORDS.get(attribute, attribute)))
    out = "".join(f"<li>{escape(booth)} is not counted: {escape(why)}</li>" for booth, why in one.left_out)
    more = len(one.counted) - len(shown)
    out += f"<li>{more:,} more booths are in the shares and have no column</li>" if more else ""
    return "<br>".join(parts) + (f"<ul>{out}</ul>" if out else "")


def _share(row: ShareRow, most: float) -> str:
    cells = "".join(
        f"<td>{_NOTHING if share is None else _percent(share)}</td>" for share in row.by_booth[:_MOST_COLUMNS]
    )
    return (
        f'<tr><th scope="row">{escape(row.word)}</th><td>{_bar(row.everywhere, most)}</td>'
        f"<td>{100 * row.low:.1f} to {100 * row.high:.1f}</td>{cells}</tr>"
    )


def _bar(share: float, most: float) -> str:
    width = round(80 * share / most)
    return (
        f'<svg role="img" aria-label="{_percent(share)}" width="130" height="16" viewBox="0 0 130 16">'
        f'<rect x="0" y="2" width="{width}" height="12"/>'
        f'<text x="{width + 6}" y="13" font-size="13" fill="currentColor">{_percent(share)}</text></svg>'
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else f"{100 * share:.1f} %"


def _drifts(rows: tuple[DriftRow, ...]) -> str:
    if not rows:
        return "<p>No booth differs from all others for certain.</p>"
    lines = "".join(
        f"<li><strong>{escape(row.booth)}</strong>: {escape(row.word)} "
        f"({escape(_WORDS.get(row.attribute, row.attribute))}) "
        f"{_percent(row.here)}, elsewhere {_percent(row.elsewhere)}</li>"
        for row in rows
    )
    return f"<ul>{lines}</ul>"
