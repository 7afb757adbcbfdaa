"""The one room that knows the MQTT client: the link to the broker, why there is none, and what is told of it."""

from appliance.mqtt.link import Link
from appliance.mqtt.message import Message, Will
from appliance.mqtt.report import LinkReport

__all__ = ["Link", "LinkReport", "Message", "Will"]
