"""What the hub orders while a unit is set up, as RELAY takes it: checked, put down for root, and told to the gate.

Invariants:
    * Only what the hub signed for this unit and its key reaches the disk: one file, replaced whole.
    * RELAY carries nothing out; root checks the order again, with the epoch and the lock, which RELAY cannot read.
"""

from __future__ import annotations

from appliance.base import atomic_files
from appliance.base.errors import Refused, Rule
from appliance.base.systemd import log
from appliance.mqtt import Message
from appliance.protocol.setup_order import Do, SetupOrder, order_in
from appliance.protocol.sign import key_id
from appliance.settings.config import UnitConfig
from appliance.unit.outbox.aim_gate import AimGate


def put_down(settings: UnitConfig, message: Message, gate: AimGate, now: float) -> SetupOrder:
    """Put the order in ``message`` where root finds it; ``now`` is monotonic seconds.

    Refused as ``order_in``, or (REPLAYED) where the message was retained; Unfit where the disk does not take it.
    """
    if message.retained:
        raise Refused(Rule.REPLAYED, "a retained order may be a recording", where="setup order")
    order = order_in(
        message.untrusted_payload,
        public_key=settings.hub_key or b"",
        booth=settings.booth,
        unit=settings.unit,
        key=key_id(settings.public_key or b""),
    )
    if not settings.order.parent.is_dir():
        atomic_files.make_directory(settings.order.parent, mode=atomic_files.SECRET_DIRECTORY)
    atomic_files.write_durably(settings.order, message.untrusted_payload, mode=atomic_files.SECRET)
    gate.ordered(order.minutes if order.do is Do.AIM else 0, now)
    log(f"relay: the hub orders: {order.do.value}")
    return order
