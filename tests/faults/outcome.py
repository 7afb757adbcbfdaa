"""What came of one kind of trouble: one row of the fault matrix."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """``strikes`` times it happened; ``lost`` of ``sealed`` were neither admitted, refused by a rule, nor dropped.

    ``repeated`` came twice and were known; ``doubled`` were counted twice. ``alone``: it worked again without a hand,
    but for the restart that systemd does; ``seconds`` from the end of the trouble until all was admitted.
    """

    name: str
    strikes: int
    sealed: int
    admitted: int
    repeated: int = 0
    refused: int = 0
    dropped: int = 0
    lost: int = 0
    doubled: int = 0
    alone: bool = True
    seconds: float = 0.0

    @property
    def kept(self) -> bool:
        """Whether nothing was lost or doubled, and nobody had to come."""
        return not self.lost and not self.doubled and self.alone

    def json(self) -> dict[str, Any]:
        """As ``--json`` prints it."""
        return asdict(self)


HEADS = (
    "trouble", "strikes", "sealed", "admitted", "repeated", "refused by rule", "dropped by policy",
    "**lost**", "doubled", "recovered alone", "seconds",
)  # fmt: skip


def table(rows: Iterable[Outcome]) -> str:
    """The rows in Markdown."""
    lines = [f"| {' | '.join(HEADS)} |", f"|{'---|' * len(HEADS)}"]
    for one in rows:
        cells = (
            one.name, f"{one.strikes:,}", f"{one.sealed:,}", f"{one.admitted:,}", f"{one.repeated:,}",
            f"{one.refused:,}", f"{one.dropped:,}", f"**{one.lost:,}**", f"{one.doubled:,}",
            "yes" if one.alone else "**no**", f"{one.seconds:.0f}",
        )  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
