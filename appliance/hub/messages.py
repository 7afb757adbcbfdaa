"""What goes in and out of the booth's mind: arrivals, of which nothing is believed, and tellings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingMessage:
    """A message as the broker gave it; nothing in it is believed."""

    untrusted_topic: str
    untrusted_payload: bytes
    untrusted_correlation: bytes = b""
    retained: bool = False
    unacknowledged: bool = False
    """It came with QoS 0: nobody would have noticed its loss."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMessage:
    """A message to publish, QoS 1. ``expires_after`` is in seconds, 0 for never."""

    topic: str
    payload: bytes
    retain: bool = True
    expires_after: int = 0
    correlation: bytes = b""
