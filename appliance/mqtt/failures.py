"""Why there is no broker, in words: what happened, where, and how to fix it.

Invariants:
    * Pure: an exception or the broker's own words in, ``Unavailable`` out. All of these are tried again.
    * The fix is for whoever reads the journal of a unit or of the hub, and may be on neither machine often.
"""

from __future__ import annotations

import socket
import ssl
from typing import Final

from appliance.base.errors import Unavailable
from appliance.settings.config import BrokerAddress

# Codes of openssl/x509_vfy.h (X509_V_ERR_*), which Python gives as ``verify_code``
_OTHER_AUTHORITY: Final = frozenset({2, 7, 18, 19, 20, 21, 24, 30})
_OTHER_NAME: Final = frozenset({62, 64})
_OTHER_TIME: Final = frozenset({9, 10})
_ENROL: Final = (
    "enrol again (leftfield enrol), or on the hub: leftfield booth renew, then systemctl restart mosquitto"
)
_ALERTS: Final = {
    "unknown ca": ("it is another booth's", "enrol this unit in this booth (leftfield enrol)"),
    "revoked": (
        "it is revoked",
        "enrol anew under another name (leftfield enrol), if it was revoked by mistake",
    ),
    "expired": ("it has ended", "set the hub's clock; else enrol again (leftfield enrol)"),
}
"""The broker's word for why it rejects a certificate (RFC 8446 section 6.2), what that means here, and the fix."""


def not_connected(error: BaseException | None, broker: BrokerAddress) -> Unavailable:
    """No connection came about: ``error`` is what the system or the TLS library says of it."""
    match error:
        case ssl.SSLCertVerificationError():
            what, fix = _certificate(error, broker.host)
        case ssl.SSLEOFError() | ConnectionResetError() | ConnectionAbortedError():
            return hung_up(broker)
        case ssl.SSLError():
            return refused_in_tls(error, broker)
        case socket.gaierror():
            what = f"host name not found: {broker.host}"
            fix = "write the hub's IP address as host under [broker], or add the name to DNS or mDNS"
        case ConnectionRefusedError():
            what = "connection refused, nothing listens on this port"
            fix = "start the broker on the hub: systemctl restart mosquitto"
        case OSError():
            what = f"unreachable ({error.strerror or 'timed out'})"
            fix = f"check that the hub is on, the network, and that no firewall closes port {broker.port}"
        case _:
            what, fix = "not reachable", "check the hub and the network"
    return Unavailable(what, where=_where(broker), fix=fix)


def _certificate(error: ssl.SSLCertVerificationError, host: str) -> tuple[str, str]:
    if error.verify_code in _OTHER_AUTHORITY:
        return (
            "server certificate not signed by this booth's CA",
            "enrol again (leftfield enrol) if the booth was created anew; else check host and port under [broker]",
        )
    if error.verify_code in _OTHER_NAME:
        return (
            f"server certificate not valid for {host}",
            f"on the hub: leftfield booth renew --host {host}, then systemctl restart mosquitto",
        )
    if error.verify_code in _OTHER_TIME:
        return (
            f"server certificate not valid at this machine's time ({error.verify_message})",
            "set this machine's clock, or on the hub: leftfield booth renew, then systemctl restart mosquitto",
        )
    return f"server certificate not accepted ({error.verify_message})", "on the hub: leftfield booth renew"


def refused_in_tls(error: ssl.SSLError, broker: BrokerAddress) -> Unavailable:
    """The other side refuses our certificate, or speaks no TLS."""
    reason = (error.reason or "no reason given").lower().replace("_", " ")
    if "alert" in reason or "certificate" in reason:
        meant, fix = next((told for word, told in _ALERTS.items() if word in reason), (reason, _ENROL))
        what = f"client certificate rejected by the broker ({meant})"
    else:
        what = f"no TLS on this port ({reason})"
        fix = "write the broker's TLS port as port under [broker]"
    return Unavailable(what, where=_where(broker), fix=fix)


def hung_up(broker: BrokerAddress) -> Unavailable:
    """The other side ended the connection before it answered."""
    what = "connection closed by the broker before it was accepted"
    fix = "read its journal on the hub (journalctl -u mosquitto), and see that this is its port for TLS"
    return Unavailable(what, where=_where(broker), fix=fix)


def not_let_in(reason: str, broker: BrokerAddress) -> Unavailable:
    """The broker's answer to our name was no; ``reason`` is its word for it (MQTT 5 section 3.2.2.2)."""
    what = f"connection not accepted ({reason.lower()})"
    fix = "enrol again (leftfield enrol), and reload the broker: systemctl restart mosquitto"
    return Unavailable(what, where=_where(broker), fix=fix)


def taken_over(broker: BrokerAddress, wait: float) -> Unavailable:
    """Somebody else connected under our name with our certificate (MQTT 5 section 3.14.2.1, reason 0x8E)."""
    return Unavailable(
        f"session taken over: another device connects under this name; next try in {wait:.0f} s",
        where=_where(broker),
        fix="switch off the copy of this card or the second hub; if none is yours, revoke this unit and enrol anew",
    )


def lost(reason: str, broker: BrokerAddress) -> Unavailable:
    """A link that stood is gone; ``reason`` is MQTT's word for it."""
    fix = "none if it comes back by itself; else check the hub and the network"
    return Unavailable(f"connection lost ({reason.lower()})", where=_where(broker), fix=fix)


def _where(broker: BrokerAddress) -> str:
    return f"broker {broker.host}:{broker.port}"
