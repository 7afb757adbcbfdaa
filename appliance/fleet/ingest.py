"""From a message to a report that may be stored: whose it is, whether its key signed it, whether it can be counts.

Invariants:
    * Pure: no database, no clock of its own. Nothing untrusted raises anything but ``Refused``.
    * A baseline is decoded before it is stored: what does not add up never enters the database.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from appliance.base.errors import Refused, Rule
from appliance.hub.exchange import baseline_file
from appliance.protocol.fleet_report import FleetReport, ReportKind, baseline_of, booth_in, report_in
from appliance.protocol.values import BoothId, Seconds

AHEAD_SECONDS: Final = 86_400.0
"""A report dated this far ahead of the fleet's clock is refused: it would be the newest for a day."""
OLD_SECONDS: Final = 62 * 86_400.0
"""Longer than any broker keeps a report; days far back would fill the table with partitions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoothKey:
    """A booth of the fleet: its public key (32 bytes), and whether it is withdrawn."""

    public_key: bytes
    withdrawn: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedReport:
    """A report that its booth signed; ``people`` and ``file`` are those of a baseline, else 0 and nothing."""

    report: FleetReport
    digest: bytes
    people: int = 0
    file: bytes = b""

    @property
    def order(self) -> tuple[str, str, int, int]:
        """Workers that write in this order never wait for one another in a circle."""
        return self.report.booth, self.report.kind.value, self.report.epoch, self.report.seq


def checked(
    untrusted_topic: str, untrusted: bytes, keys: Mapping[BoothId, BoothKey], now: Seconds
) -> CheckedReport:
    """The report in a message at ``now`` (unix seconds).

    Refused: WRONG_TOPIC, UNKNOWN_KEY, REVOKED, FUTURE, EXPIRED, and what ``report_in`` and ``baseline_file.decode``
    refuse.
    """
    booth = booth_in(untrusted_topic)
    known = keys.get(booth)
    if known is None:
        raise Refused(Rule.UNKNOWN_KEY, "the booth is in no register of this fleet", where=booth)
    if known.withdrawn:
        raise Refused(Rule.REVOKED, "the booth is withdrawn", where=booth)
    report = report_in(untrusted_topic, untrusted, public_key=known.public_key)
    if report.made_at - now > AHEAD_SECONDS:
        raise Refused(
            Rule.FUTURE, "it is dated a day ahead or more", where=booth, fix="set the booth's clock"
        )
    if now - report.made_at > OLD_SECONDS:
        raise Refused(Rule.EXPIRED, "it is older than two months", where=booth, fix="set the booth's clock")
    digest = hashlib.sha256(untrusted).digest()
    if report.kind is not ReportKind.BASELINE:
        return CheckedReport(report=report, digest=digest)
    file = baseline_of(report)
    found = baseline_file.decode(file, public_key=known.public_key, where=booth)
    if found.booth != booth:
        raise Refused(Rule.MALFORMED, "the baseline is another booth's", where=booth)
    return CheckedReport(report=report, digest=digest, people=found.state.people, file=file)
