"""What a link takes and gives: a message as it came, and the will."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message as it came: nothing in it is believed."""

    untrusted_topic: str
    untrusted_payload: bytes
    untrusted_response_topic: str
    untrusted_correlation: bytes
    retained: bool
    qos: int
    ticket: int
    """What ``Link.acknowledge`` takes; says nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Will:
    """What the broker says, retained, when we vanish."""

    topic: str
    payload: bytes
