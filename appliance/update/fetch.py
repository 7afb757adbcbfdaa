"""Fetch: a unit asks its hub for an update, and takes what is signed for it; and asks whether it is heard.

Invariants:
    * The signed document is checked, and judged, before one byte of a bundle is asked for.
    * Never more bytes than that document says (endless data), never longer than ``SECONDS`` (slow retrieval).
    * It puts a file on the state partition and nothing else: whoever applies it checks everything again.
"""

from __future__ import annotations

import http.client
import json
import os
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.base.errors import Refused, Rule, Unavailable
from appliance.settings.config import BrokerAddress
from appliance.update import release as releases
from appliance.update.release import Machine, Release

SECONDS: Final = 3600.0
ANSWER_SECONDS: Final = 20.0
_CHUNK: Final = 2**18
_MOST_JSON: Final = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """Where a unit's hub offers updates, and how both prove who they are (PEM files)."""

    host: str
    port: int
    ca: Path
    certificate: Path
    key: Path

    @staticmethod
    def of(broker: BrokerAddress, port: int, key: Path) -> Hub:
        """The hub of a unit, as its settings have the broker; ``key`` is where the TLS key was handed in."""
        return Hub(host=broker.host, port=port, ca=broker.ca, certificate=broker.certificate, key=key)

    def connect(self) -> http.client.HTTPSConnection:
        """A connection. Unavailable where the TLS files cannot be used."""
        try:
            context = ssl.create_default_context(cafile=str(self.ca))
            context.minimum_version = ssl.TLSVersion.TLSv1_3
            context.load_cert_chain(self.certificate, self.key)
        except (OSError, ssl.SSLError) as error:
            raise Unavailable(
                f"cannot use the TLS files: {error}", where="update", fix="pair this unit"
            ) from None
        return http.client.HTTPSConnection(self.host, self.port, timeout=ANSWER_SECONDS, context=context)


def ask(
    hub: Hub, machine: Machine, *, on_trial: bool, public_key: bytes, now: float
) -> tuple[bytes, Release] | None:
    """The release that the hub offers this unit now, signed and for it; None where there is none or not its turn.

    Refused as by ``release.opened`` and ``release.judge``; Unavailable where the hub is away.
    """
    untrusted = _get(hub, f"/release?{_query(machine, on_trial=on_trial)}", releases.MAX_DOCUMENT)
    if untrusted is None:
        return None
    found = releases.opened(untrusted, public_key)
    releases.judge(found, machine, now)
    return untrusted, found


def take(hub: Hub, machine: Machine, length: int, target: Path, heard: Callable[[int], None]) -> None:
    """The bundle of ``length`` bytes at ``target``; what an earlier try has is kept. Unavailable where it breaks off.

    Refused: TOO_LONG where the hub would give more.
    """
    partial = target.with_name(f".{target.name}.partial")
    begun = time.monotonic()
    have = partial.stat().st_size if partial.exists() else 0
    if have > length:
        partial.unlink()
        have = 0
    connection = hub.connect()
    try:
        headers = {"Range": f"bytes={have}-"} if have else {}
        connection.request("GET", f"/bundle?{_query(machine, on_trial=False)}", headers=headers)
        answer = connection.getresponse()
        if answer.status not in {200, 206}:
            raise _away(f"the hub answers {answer.status}")
        if answer.status == 200:
            have = 0
        with partial.open("r+b" if have else "wb") as out:
            out.seek(have)
            out.truncate()
            while chunk := answer.read(_CHUNK):
                have += len(chunk)
                if have > length:
                    raise _too_long(length)
                if time.monotonic() - begun > SECONDS:
                    raise _away("the bundle comes too slowly; what is here is kept")
                out.write(chunk)
                heard(have)
            out.flush()
            os.fsync(out.fileno())
    except Refused:
        partial.unlink(missing_ok=True)
        raise
    except (OSError, http.client.HTTPException) as error:
        raise _away(f"the hub broke off: {error}") from None
    finally:
        connection.close()
    if have != length:
        raise _away(f"{have:,} of {length:,} bytes came")
    partial.rename(target)


def admitted(hub: Hub, epoch: int) -> int:
    """How many statements of this unit's ``epoch`` or later the hub has admitted. Unavailable where it is away."""
    untrusted = _get(hub, "/admitted", _MOST_JSON) or b"{}"
    try:
        found = json.loads(untrusted)
        return sum(int(count) for number, count in found.items() if int(number) >= epoch)
    except (ValueError, AttributeError, TypeError, RecursionError, OverflowError):
        raise _away("the hub's answer is none") from None


def _get(hub: Hub, path: str, most: int) -> bytes | None:
    """At most ``most`` bytes of an answer; None where there is nothing."""
    connection = hub.connect()
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        content = answer.read(most + 1)
    except (OSError, http.client.HTTPException) as error:
        raise _away(f"cannot ask it: {error}") from None
    finally:
        connection.close()
    if answer.status == 204:
        return None
    if answer.status != 200:
        raise _away(f"it answers {answer.status}")
    if len(content) > most:
        raise _too_long(most)
    return content


def _query(machine: Machine, *, on_trial: bool) -> str:
    return f"arch={machine.arch}&version={machine.version}&failed={machine.failed}&trial={int(on_trial)}"


def _too_long(length: int) -> Refused:
    return Refused(
        Rule.TOO_LONG, f"more than {length:,} bytes", where="update", fix="look at what answers there"
    )


def _away(what: str) -> Unavailable:
    return Unavailable(
        what, where="update server of the hub", fix="systemctl status leftfield-offer on the hub"
    )
