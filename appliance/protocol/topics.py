"""The topics of the booth: one table, so that broker ACL, unit, hub and tablet cannot disagree.

Invariants:
    * Topic form: ``leftfield/1/<booth>/…``; 1 is the version of this table. One more is Home Assistant's own.
    * Whoever may write a topic is named in it; the ACL is generated from these patterns.
"""

from __future__ import annotations

from typing import Final

from appliance.base.errors import Refused, Rule
from appliance.protocol.values import NAME_FORM, AlertId, BoothId, TabletId, UnitId

ROOT: Final = "leftfield/1"
UNIT_LEAVES: Final = ("observation", "status")
STAFF_LEAVES: Final = ("claim", "release", "outcome", "forget", "shift")
PAIR_LEAF: Final = "pair"
"""An installer's request to pair a camera; the pairing desk answers it, not WATCH."""
SETUP_LEAF: Final = "setup"
"""An installer's request to aim, to test or to lock a camera; WATCH answers it."""


def observation(booth: BoothId, unit: UnitId) -> str:
    """Sealed statements of a unit, QoS 1."""
    return f"{ROOT}/{booth}/unit/{unit}/observation"


def unit_status(booth: BoothId, unit: UnitId) -> str:
    """Birth, death (last will) and spool state of a unit's RELAY, retained."""
    return f"{ROOT}/{booth}/unit/{unit}/status"


def receipt(booth: BoothId, unit: UnitId) -> str:
    """Which of a unit's statements the hub has for good, signed by the hub, retained; for that unit alone."""
    return f"{ROOT}/{booth}/unit/{unit}/receipt"


def setup(booth: BoothId, unit: UnitId) -> str:
    """What the hub asks a unit to do (``protocol/setup_order.py``), signed, not retained; for that unit alone."""
    return f"{ROOT}/{booth}/unit/{unit}/setup"


def aim(booth: BoothId, unit: UnitId) -> str:
    """Stick figures of a unit that is aimed (``protocol/aim.py``), not retained; for installers' tablets alone."""
    return f"{ROOT}/{booth}/unit/{unit}/aim"


def setups(booth: BoothId) -> str:
    """Which units are aimed, tested or locked, and what tests have shown, retained; for installers' tablets."""
    return f"{ROOT}/{booth}/hub/setup"


def board(booth: BoothId) -> str:
    """What the booth shows its staff, retained."""
    return f"{ROOT}/{booth}/hub/board"


def trends(booth: BoothId) -> str:
    """What people wore in the past hours, as counts of crowds, retained; for the big screen."""
    return f"{ROOT}/{booth}/hub/trends"


def lead(booth: BoothId) -> str:
    """What needs the lead, and how often each tablet acted, retained; for the lead's tablets."""
    return f"{ROOT}/{booth}/hub/lead"


def live(booth: BoothId) -> str:
    """How the booth is at this moment, retained for minutes; for the big screen."""
    return f"{ROOT}/{booth}/hub/live"


def hub_status(booth: BoothId) -> str:
    """Birth and death (last will) of WATCH, retained."""
    return f"{ROOT}/{booth}/hub/status"


def prior(booth: BoothId) -> str:
    """How common each word is here, signed by the hub (``protocol/prior.py``), retained; for units alone."""
    return f"{ROOT}/{booth}/hub/prior"


def encryption(booth: BoothId) -> str:
    """The key that units encrypt to, signed by the hub (``protocol/encryption.py``), retained; for units alone."""
    return f"{ROOT}/{booth}/hub/encryption"


def acts(booth: BoothId) -> str:
    """Who did what with the booth and when, the newest, retained; for the lead's tablets alone."""
    return f"{ROOT}/{booth}/hub/acts"


def pairing(booth: BoothId) -> str:
    """Which cameras wait to be paired, retained; for installers' tablets."""
    return f"{ROOT}/{booth}/hub/pairing"


def home_assistant(booth: BoothId, unit: UnitId | None = None) -> str:
    """Where Home Assistant looks for a description of the booth, or of one of its units, retained.

    The topic is Home Assistant's (MQTT discovery, device form); names have no underscores, so no two meet.
    """
    return f"homeassistant/device/leftfield_{booth}{f'_{unit}' if unit else ''}/config"


def fleet(booth: BoothId, kind: str) -> str:
    """A report to the booth's fleet (``protocol/fleet_report.py``); the broker's bridge passes on these alone."""
    return f"{ROOT}/{booth}/fleet/{kind}"


def alert(booth: BoothId, name: AlertId) -> str:
    """One alert, retained until it ends."""
    return f"{ROOT}/{booth}/alert/{name}"


def staff(booth: BoothId, tablet: TabletId, leaf: str) -> str:
    """A tablet's request, one of ``STAFF_LEAVES``; or ``answer``, where the hub answers it."""
    return f"{ROOT}/{booth}/staff/{tablet}/{leaf}"


def named_in(untrusted_topic: str, booth: BoothId, group: str) -> tuple[str, str]:
    """Name and leaf of ``leftfield/1/<booth>/<group>/<name>/<leaf>``.

    Refused (WRONG_TOPIC) for any other topic.
    """
    parts = untrusted_topic.split("/")
    well_formed = len(parts) == 6 and parts[:4] == [*ROOT.split("/"), booth, group]
    if not well_formed or not NAME_FORM.fullmatch(parts[4]):
        raise Refused(Rule.WRONG_TOPIC, "the topic belongs to another booth", where="broker")
    return parts[4], parts[5]
