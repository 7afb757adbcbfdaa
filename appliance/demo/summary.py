"""How the demo went: the figures, whether it did what it promises, and both as text and JSON.

Law: it went well only if the real unit's own observations were admitted *and* an alert reached a subscribed client.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The figures of one demo. Times are seconds since the command was started; None for what never came."""

    seconds: float
    ready_after: float | None
    first_real_after: float | None
    baseline_after: float | None
    first_alert_after: float | None
    real_observations: int
    real_boxed: bool | None
    """None where the unit never said how it is."""
    people: int
    alerts: int
    alerts_real: int
    claims: int
    refused: int
    missing: int
    example: str
    example_bytes: int
    last_alert: str
    troubles: tuple[str, ...]

    @property
    def well(self) -> bool:
        """Whether the demo did what it promises."""
        return bool(self.real_observations and self.alerts and not self.troubles)

    def as_json(self) -> str:
        """The figures as one JSON object."""
        return json.dumps({"well": self.well, **asdict(self)})

    def as_text(self) -> str:
        """The figures for people."""
        boxed = {True: "boxed", False: "NOT BOXED", None: "never reported"}[self.real_boxed]
        lines = [
            f"Leftfield demo: {self.seconds:.0f} s, {'all well' if self.well else 'NOT WELL'}",
            (
                f"  real unit ({boxed}): {self.real_observations} observations admitted; "
                f"first real observation admitted after {_after(self.first_real_after)}"
            ),
            (
                f"  hub: {self.people} people known, {self.refused} refused, {self.missing} missing; "
                f"up after {_after(self.ready_after)}, baseline ready after {_after(self.baseline_after)}"
            ),
            (
                f"  alerts that reached a subscribed tablet: {self.alerts}, {self.alerts_real} from the real unit "
                f"({self.real_observations} read), {self.claims} claimed; "
                f"first after {_after(self.first_alert_after)}"
            ),
        ]
        if self.last_alert:
            lines.append(f"  last alert: {self.last_alert}")
        if self.example:
            lines.append(f"  one real observation, {self.example_bytes} bytes as sealed and sent:")
            lines.append(f"    {self.example}")
        lines.extend(f"  trouble: {trouble}" for trouble in self.troubles)
        if not self.well and not self.troubles:
            missing = [
                what
                for what, there in (
                    ("no observation of the real unit was admitted", self.real_observations),
                    ("no alert reached the tablet", self.alerts),
                )
                if not there
            ]
            lines.append(f"  {'; '.join(missing)}: give it more time, or look at the unit's source")
        return "\n".join(lines)


def _after(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.1f} s"
