"""Holds what Home Assistant is told against Home Assistant's own code, in an environment that has it.

    python -m venv /tmp/ha && /tmp/ha/bin/pip install homeassistant==2024.3.3 paho-mqtt==1.6.1
    .venv/bin/python -m tests.bench.home_assistant_schema > /tmp/told.json
    /tmp/ha/bin/python tests/bench/home_assistant_schema.py --check < /tmp/told.json

That release is the last for Python 3.11. It has the schema of every entity, not yet that of the device form, which
came with 2024.11 and joins what stands here beside the entities to each of them: so does this script.
"""

from __future__ import annotations

import json
import sys
from typing import Any


def tell() -> None:
    """Print what a hub with two units tells."""
    from tests.hub.corner import NOON  # noqa: PLC0415
    from tests.hub.staff.test_home_assistant import CAMERAS, described, engine  # noqa: PLC0415

    json.dump(described(engine(on=True, cameras=CAMERAS).retained(NOON)), sys.stdout)


def check(told: dict[str, Any]) -> None:
    """Every entity with the device's own keys, by the real schema; a key that it drops is an error too."""
    import voluptuous  # noqa: PLC0415
    from homeassistant.components.mqtt import binary_sensor, sensor  # noqa: PLC0415

    schemas = {"sensor": sensor.DISCOVERY_SCHEMA, "binary_sensor": binary_sensor.DISCOVERY_SCHEMA}
    later = {"options"}  # a key of later releases
    number = 0
    for topic, message in told.items():
        shared = {key: it for key, it in message.items() if key != "components"}
        for name, component in message["components"].items():
            given = shared | {key: it for key, it in component.items() if key != "platform"}
            try:
                taken = schemas[component["platform"]](given)
            except voluptuous.Invalid as error:
                sys.exit(f"{topic} {name}: {error}")
            dropped = set(given) - set(taken) - later
            if dropped:
                sys.exit(f"{topic} {name}: dropped {sorted(dropped)}")
            number += 1
    print(f"{number} entities of {len(told)} devices are valid")


if __name__ == "__main__":
    check(json.load(sys.stdin)) if "--check" in sys.argv else tell()
