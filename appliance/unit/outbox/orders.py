"""What the hub orders while a unit is set up, as RELAY takes it: checked, put down for root, and told to the gate.

Invariants:
    * Only what the hub signed for this unit and its key reaches the disk: one file, replaced whole.
    * A recording opens nothing: an order must be newer than the last one put down and, by a clock that is set, good.
    * RELAY carries nothing out; root checks the order again, with the epoch and the lock, which RELAY cannot read.
"""

from __future__ import annotations

from appliance.base import atomic_files
from appliance.base.errors import Refused, Rule
from appliance.base.systemd import log
from appliance.mqtt import Message
from appliance.protocol.setup_order import GOOD_SECONDS, Do, SetupOrder, check_now, order_in
from appliance.protocol.sign import key_id
from appliance.settings.config import UnitConfig
from appliance.unit.outbox.aim_gate import AimGate


def put_down(
    settings: UnitConfig, message: Message, gate: AimGate, now: float, *, wall: float | None
) -> SetupOrder:
    """Put the order in ``message`` where root finds it.

    ``now`` is monotonic seconds, ``wall`` unix seconds, or None where the clock is not set. Refused as ``order_in``,
    (REPLAYED) where the message was retained or is not newer than the last, (EXPIRED) where it is of another time;
    Unfit where the disk does not take it.
    """
    if message.retained:
        raise Refused(Rule.REPLAYED, "a retained order may be a recording", where="setup order")
    order = _order_in(message.untrusted_payload, settings)
    check_now(order, epoch=order.epoch, now=wall)  # the epoch is for root, who can read it
    _check_newer(order, settings, wall)
    if not settings.order.parent.is_dir():
        atomic_files.make_directory(settings.order.parent, mode=atomic_files.SECRET_DIRECTORY)
    atomic_files.write_durably(settings.order, message.untrusted_payload, mode=atomic_files.SECRET)
    gate.ordered(order.minutes if order.do is Do.AIM else 0, now)
    log(f"relay: the hub orders: {order.do.value}")
    return order


def _order_in(untrusted: bytes, settings: UnitConfig) -> SetupOrder:
    return order_in(
        untrusted,
        public_key=settings.hub_key or b"",
        booth=settings.booth,
        unit=settings.unit,
        key=key_id(settings.public_key or b""),
    )


def _check_newer(order: SetupOrder, settings: UnitConfig, wall: float | None) -> None:
    """Refused (REPLAYED) unless it was made after the last one put down; one from the future binds nobody."""
    try:
        last = _order_in(settings.order.read_bytes(), settings).made_at
    except (OSError, Refused):
        return
    if order.made_at <= last and (wall is None or last <= wall + GOOD_SECONDS):
        fix = f"ask again on the tablet; where the hub's clock was ahead, remove {settings.order}"
        raise Refused(Rule.REPLAYED, "it is not newer than the last order", where="setup order", fix=fix)
