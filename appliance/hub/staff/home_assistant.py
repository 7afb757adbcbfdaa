"""What Home Assistant is told of a booth: which figures there are, by MQTT discovery in its device form.

The figures themselves are not told again: Home Assistant reads them out of ``hub/live``, ``hub/trends`` and
``hub/status``, which the big screen hears too. Source of the form: Home Assistant, MQTT integration, "MQTT discovery"
(device discovery, release 2024.11 and later), keys spelled out.

Invariants:
    * Health and crowds only: no alert, no outfit, no number of people that is not a whole five.
    * What is no longer told is taken back: an empty message in its place, also after the switch was turned off.
    * Pure: no I/O, no clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from appliance import __version__
from appliance.hub.messages import OutgoingMessage
from appliance.hub.staff.messages import json_of
from appliance.hub.staff.status import UnitRow
from appliance.protocol import topics
from appliance.protocol.health import UnitState
from appliance.protocol.values import BoothId, UnitId

EXPIRES_AFTER: Final = 60
"""A figure that nobody has said for so many seconds is unknown; the moment is told every three."""
_ORIGIN: Final = {"name": "Leftfield", "sw_version": __version__}
_COUNT: Final = {"state_class": "measurement"}
_TOTAL: Final = {"state_class": "total_increasing"}
_DIAGNOSTIC: Final = {"entity_category": "diagnostic"}

_BOOTH: Final[dict[str, dict[str, Any]]] = {
    "people": {"name": "People today", "of": "people", "icon": "mdi:walk", "unit": "people"} | _TOTAL,
    "alerts": {"name": "Alerts today", "of": "alerts.today", "icon": "mdi:bell"} | _TOTAL,
    "waiting": {"name": "Alerts waiting", "of": "alerts.waiting", "icon": "mdi:bell-ring"} | _COUNT,
    "gifted": {"name": "Gifts today", "of": "alerts.gifted", "icon": "mdi:gift"} | _TOTAL,
    "stock": {"name": "Gifts left", "of": "pacing.stock", "icon": "mdi:gift-outline"} | _COUNT,
    "staff_free": {"name": "Staff free", "of": "pacing.staff_free", "icon": "mdi:account-check"} | _COUNT,
    "learning": {"name": "People still to learn from", "of": "baseline.needs", "icon": "mdi:school"}
    | _COUNT
    | _DIAGNOSTIC,
    "finish": {
        "name": "Gifts run out",
        "template": "{{ (value_json.pacing.finish | timestamp_local) if value_json.pacing.finish else None }}",
        "device_class": "timestamp",
    },
}
"""Sensors that read ``hub/live``: ``of`` is the way to the figure."""
_UNIT: Final[dict[str, dict[str, Any]]] = {
    "state": {
        "name": "State",
        "of": "state",
        "device_class": "enum",
        "options": [*(state.name.lower() for state in UnitState), "silent"],
    },
    "fps": {"name": "Frame rate", "of": "fps", "unit": "fps", "icon": "mdi:speedometer"}
    | _COUNT
    | _DIAGNOSTIC,
    "accelerator": {"name": "Accelerator", "of": "accelerator", "icon": "mdi:chip"} | _DIAGNOSTIC,
    "spooled": {"name": "Waiting on its disk", "of": "spooled", "icon": "mdi:tray-full"}
    | _COUNT
    | _DIAGNOSTIC,
    "refused": {"name": "Refused", "of": "refused", "icon": "mdi:cancel"} | _TOTAL | _DIAGNOSTIC,
}
"""Sensors of one unit, which read its row in ``hub/live``."""
_UNIT_SWITCHES: Final[dict[str, dict[str, Any]]] = {
    "online": {"name": "Connected", "is": "link == 'online'", "device_class": "connectivity"},
    "watching": {"name": "Watching", "is": "state == 'watching'", "device_class": "running"},
    "boxed": {"name": "Behind its walls", "is": "boxed is true", "icon": "mdi:shield-check"},
}


def discovery(
    booth: BoothId, units: Iterable[UnitRow], former: Iterable[UnitId], *, enabled: bool
) -> tuple[OutgoingMessage, ...]:
    """Descriptions of the booth and its ``units``; of ``former`` ones, and of all where not ``enabled``, nothing."""
    rows = tuple(units)
    told = {topics.home_assistant(booth): _booth_device(booth)}
    told |= {topics.home_assistant(booth, row.unit): _unit_device(booth, row) for row in rows}
    if not enabled:
        told = dict.fromkeys(told, b"")
    told |= {topics.home_assistant(booth, unit): b"" for unit in former}
    return tuple(OutgoingMessage(topic=topic, payload=payload) for topic, payload in told.items())


def _booth_device(booth: BoothId) -> bytes:
    identity, live = f"leftfield_{booth}", topics.live(booth)
    parts = {
        key: _sensor(one, live, f"{identity}_{key}", f"{{{{ value_json.{one.get('of', '')} }}}}")
        for key, one in _BOOTH.items()
    }
    parts["online"] = {
        "platform": "binary_sensor",
        "unique_id": f"{identity}_online",
        "name": "Hub",
        "device_class": "connectivity",
        "entity_category": "diagnostic",
        "state_topic": topics.hub_status(booth),
        "value_template": "{{ 'ON' if value_json.state == 'online' else 'OFF' }}",
    }
    best = "value_json.recent.get('top.colour', {}).items() | sort(attribute='1.0') | last"
    parts["colour"] = {
        "platform": "sensor",
        "unique_id": f"{identity}_colour",
        "name": "Commonest colour of tops",
        "icon": "mdi:tshirt-crew",
        "state_topic": topics.trends(booth),
        "value_template": f"{{{{ ({best} | default(['unknown'])) | first }}}}",
    }
    device = {"identifiers": [identity], "name": f"Leftfield {booth}", "model": "Hub"}
    return _device(booth, device, parts, shared=False)


def _unit_device(booth: BoothId, row: UnitRow) -> bytes:
    identity, live = f"leftfield_{booth}_{row.unit}", topics.live(booth)
    own = f"(value_json.units | selectattr('unit', 'eq', '{row.unit}') | first | default({{}}))"
    parts = {
        key: _sensor(
            one,
            live,
            f"{identity}_{key}",
            f"{{{{ {own}.{one['of']} | default('silent' if {key == 'state'} else None) }}}}",
        )
        for key, one in _UNIT.items()
    }
    for key, one in _UNIT_SWITCHES.items():
        parts[key] = {
            "platform": "binary_sensor",
            "unique_id": f"{identity}_{key}",
            "state_topic": live,
            "value_template": f"{{% set row = {own} %}}{{{{ 'ON' if row.{one['is']} else 'OFF' }}}}",
            "expire_after": EXPIRES_AFTER,
            "entity_category": "diagnostic",
        } | {name: text for name, text in one.items() if name != "is"}
    device = {
        "identifiers": [identity],
        "name": f"Leftfield {booth}: {row.place}",
        "model": "Camera unit",
        "via_device": f"leftfield_{booth}",
    }
    return _device(booth, device, parts, shared=True)


def _sensor(one: dict[str, Any], topic: str, unique: str, template: str) -> dict[str, Any]:
    made: dict[str, Any] = {"platform": "sensor", "unique_id": unique, "state_topic": topic}
    made |= {"value_template": one.get("template", template), "expire_after": EXPIRES_AFTER}
    names = {"unit": "unit_of_measurement"}
    return made | {names.get(name, name): it for name, it in one.items() if name not in {"of", "template"}}


def _device(booth: BoothId, device: dict[str, Any], parts: dict[str, Any], *, shared: bool) -> bytes:
    """The message; ``shared``: all of its entities are unknown while the hub is away."""
    told: dict[str, Any] = {
        "device": device | {"manufacturer": "Leftfield", "sw_version": __version__},
        "origin": _ORIGIN,
        "components": parts,
        "qos": 1,
    }
    if shared:
        told |= {
            "availability_topic": topics.hub_status(booth),
            "availability_template": "{{ value_json.state }}",
        }
    return json_of(told)
