"""Enrolment: the booth's authority, its register and broker, and how a unit or a tablet gets in.

Everything a booth needs before its processes start is made here, the demo's booth and a real one alike. The names
below are the whole of it for callers.
"""

from appliance.enrol.booth import (
    accept_request,
    add_tablet,
    create_booth,
    enrol_unit,
    open_booth,
    remove_tablet,
    renew,
    revoke_unit,
)
from appliance.enrol.broker import Listeners, mosquitto
from appliance.enrol.files import write_hub_config, write_unit_config
from appliance.enrol.home import UnitHome, install_answer, make_request
from appliance.enrol.layout import BoothDirectory

__all__ = [
    "BoothDirectory",
    "Listeners",
    "UnitHome",
    "accept_request",
    "add_tablet",
    "create_booth",
    "enrol_unit",
    "install_answer",
    "make_request",
    "mosquitto",
    "open_booth",
    "remove_tablet",
    "renew",
    "revoke_unit",
    "write_hub_config",
    "write_unit_config",
]
