"""A release as files: JSON that can be read again, CSV, Parquet, and one self-contained page.

Invariants: a file holds the release and nothing else; the page loads nothing.
"""

from __future__ import annotations

import csv
import io
import json
from html import escape
from typing import Any, Final

from appliance.base.errors import Refused, Rule
from appliance.hub.releases.release import REST, Cell, Mover, Release
from appliance.protocol.values import BoothId

LIMITS: Final = (
    "Protected is one sighting: somebody who was seen twice counts twice, and is protected half as much.",
    "The counts fade, half in a week: a release shows recent weeks more than earlier ones.",
    "What the hub sets aside (a day unlike others, a camera that errs) is not counted; that choice is not covered.",
    "A word is what a camera read, not what was worn.",
)
_STYLE: Final = """
:root{color-scheme:light dark;--ink:#14181d;--soft:#5a6472;--ground:#fff;--bar:#0b5f55;--range:#9cc7bf;--rule:#dde1e6}
@media(prefers-color-scheme:dark){:root{--ink:#f2f4f7;--soft:#a9b3bf;--ground:#14181d;--bar:#46d3b0;
--range:#2c6f62;--rule:#333b45}}
@media print{:root{--ink:#000;--soft:#444;--ground:#fff;--bar:#0b5f55;--range:#9cc7bf;--rule:#ccc}
section{break-inside:avoid}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:62rem;padding:2rem 1.2rem;background:var(--ground);color:var(--ink);
font:16px/1.45 system-ui,sans-serif}h1{font-size:2rem;margin:0}h2{font-size:1.15rem;margin:2rem 0 .5rem}
.soft{color:var(--soft)}.grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(19rem,1fr));gap:0 2.5rem}
table{width:100%;border-collapse:collapse}th{font-weight:500;text-align:left}
td,th{padding:.22rem 0;vertical-align:middle}
td.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap;padding-left:.6rem}
.track{position:relative;height:.7rem;min-width:6rem;background:var(--rule);border-radius:.35rem}
.track i,.track b{position:absolute;top:0;bottom:0;border-radius:.35rem}.track b{background:var(--range)}
.track i{width:.45rem;margin-left:-.22rem;background:var(--bar)}li{margin:.2rem 0}
"""


def _row(cell: Cell) -> dict[str, Any]:
    return {
        "attribute": "+".join(cell.attributes), "word": "+".join(cell.words), "people": cell.people,
        "share": round(cell.share, 4), "low": round(cell.low, 4), "high": round(cell.high, 4),
    }  # fmt: skip


def as_json(release: Release) -> bytes:
    """One JSON object, which ``read`` reads again."""
    told = {"v": 1, "booth": release.booth, "month": release.month, "epsilon": release.epsilon, "least": 20}
    rows = [_row(cell) for cell in release.cells]
    return (
        json.dumps(told | {"cells": rows, "limits": LIMITS}, ensure_ascii=False, indent=1) + "\n"
    ).encode()


def read(untrusted: bytes, where: str) -> Release:
    """The release in a JSON file of ours. Refused (MALFORMED) where it is none."""
    try:
        told = json.loads(untrusted)
        cells = tuple(
            Cell(
                attributes=tuple(row["attribute"].split("+")), words=tuple(row["word"].split("+")),
                people=int(row["people"]), share=float(row["share"]), low=float(row["low"]), high=float(row["high"]),
            )
            for row in told["cells"]
        )  # fmt: skip
        return Release(
            booth=BoothId(str(told["booth"])),
            month=str(told["month"]),
            epsilon=float(told["epsilon"]),
            cells=cells,
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        fix = "give the .json file of an earlier release"
        raise Refused(Rule.MALFORMED, "it is no release", where=where, fix=fix) from None


def as_csv(release: Release) -> bytes:
    """Comma-separated values with a head (RFC 4180)."""
    out = io.StringIO(newline="")
    rows = [_row(cell) for cell in release.cells]
    head = ["booth", "month", *(rows[0] if rows else _row(_NOTHING))]
    writer = csv.DictWriter(out, head)
    writer.writeheader()
    writer.writerows({"booth": release.booth, "month": release.month} | row for row in rows)
    return out.getvalue().encode()


def as_parquet(release: Release) -> bytes:
    """The same table as a Parquet file."""
    import pyarrow as pa  # noqa: PLC0415 - a large library, for those who release
    import pyarrow.parquet as pq  # noqa: PLC0415

    rows = [{"booth": release.booth, "month": release.month} | _row(cell) for cell in release.cells]
    text, number = pa.string(), pa.float64()
    kinds = {"booth": text, "month": text, "attribute": text, "word": text, "people": pa.int64()}
    kinds |= dict.fromkeys(("share", "low", "high"), number)
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows, schema=pa.schema(list(kinds.items()))), sink)
    content: bytes = sink.getvalue().to_pybytes()
    return content


_NOTHING: Final = Cell(attributes=(), words=(), people=0, share=0.0, low=0.0, high=0.0)


def as_page(release: Release, moved: tuple[Mover, ...], against: str) -> bytes:
    """The page that is forwarded: shares with their intervals, what moved, and what it cannot tell."""
    blocks: dict[tuple[str, ...], list[Cell]] = {}
    for cell in release.cells:
        blocks.setdefault(cell.attributes, []).append(cell)
    parts = [_section(group, cells) for group, cells in blocks.items()]
    changes = "".join(
        f"<li>{'▲' if one.cell.share > one.before.share else '▼'} <strong>{_named(one.cell)}</strong> "
        f"{_percent(one.cell.share)}, was {_percent(one.before.share)}</li>"
        for one in moved
    )
    about = (
        f"<h2>What changed since {escape(against)}</h2><ul>{changes or '<li>Nothing for certain.</li>'}</ul>"
    )
    limits = "".join(f"<li>{escape(limit)}</li>" for limit in LIMITS)
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>What people wore: {escape(release.booth)}, {release.month}</title><style>{_STYLE}</style><main>"
        f'<h1>What people wore</h1><p class="soft">Booth {escape(release.booth)}, {release.month}. Crowds only: '
        f"counts with noise (differential privacy, ε = {release.epsilon:g}), nothing below 20 people. A bar is a "
        f'95 % interval.</p>{about if against else ""}<div class="grid">{"".join(parts)}</div>'
        f'<section class="soft"><h2>What this cannot tell</h2><ul>{limits}</ul></section></main></html>\n'
    )
    return page.encode()


def _said(cell: Cell) -> str:
    return escape(" with ".join(word.replace("_or_", " or ") for word in cell.words).replace(REST, "others"))


def _named(cell: Cell) -> str:
    return f"{escape(' with '.join(name.replace('.', ' ') for name in cell.attributes))}: {_said(cell)}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _section(group: tuple[str, ...], cells: list[Cell]) -> str:
    shown = sorted((one for one in cells if one.words[0] != REST), key=lambda one: -one.share)
    top = max((one.high for one in shown), default=1.0)
    rows = "".join(
        f'<tr><th scope="row">{_said(one)}</th><td><div class="track"><b style="left:{100 * one.low / top:.1f}%;'
        f'right:{100 - 100 * one.high / top:.1f}%"></b><i style="left:{100 * one.share / top:.1f}%"></i></div></td>'
        f'<td class="number">{_percent(one.share)}</td></tr>'
        for one in shown[:12]
    )
    title = escape(" with ".join(name.replace(".", " ") for name in group))
    return f"<section><h2>{title[0].upper()}{title[1:]}</h2><table>{rows}</table></section>"
