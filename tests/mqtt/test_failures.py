"""What a failed connection is called, where no broker of ours can be made to fail that way."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from appliance.mqtt import failures
from appliance.settings.config import BrokerAddress

NOWHERE = Path("none.pem")
BROKER = BrokerAddress(host="booth.local", port=8883, ca=NOWHERE, certificate=NOWHERE, key=NOWHERE)


def test_a_web_server_is_no_broker() -> None:
    """Whoever answers the greeting of TLS with plain text is said to speak no TLS."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname=BROKER.host)
    incoming.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with pytest.raises(ssl.SSLError) as refused:
        client.do_handshake()
    said = failures.not_connected(refused.value, BROKER)
    assert (said.what, said.where) == (
        "no TLS on this port (wrong version number)",
        "broker booth.local:8883",
    )


@pytest.mark.parametrize(
    ("code", "what"),
    [
        (9, "not valid at this machine's time"),
        (10, "not valid at this machine's time"),
        (20, "not signed by this booth's CA"),
        (62, "not valid for booth.local"),
        (64, "not valid for booth.local"),
        (79, "not accepted (so it is)"),
    ],
)
def test_what_is_wrong_with_the_brokers_certificate_is_named(code: int, what: str) -> None:
    """Each verdict of the TLS library on the broker's certificate has its own words and its own fix."""
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = code, "so it is"
    said = failures.not_connected(error, BROKER)
    assert what in said.what
    assert said.fix


@pytest.mark.parametrize(
    ("error", "what"),
    [
        (TimeoutError("timed out"), "unreachable (timed out)"),
        (OSError(101, "Network is unreachable"), "unreachable (Network is unreachable)"),
        (
            ConnectionResetError(104, "Connection reset by peer"),
            "connection closed by the broker before it was accepted",
        ),
        (None, "not reachable"),
    ],
)
def test_a_network_that_fails_is_named(error: OSError | None, what: str) -> None:
    """What the system says of a connection that did not come about is passed on."""
    assert failures.not_connected(error, BROKER).what == what


def test_the_brokers_own_words_are_passed_on() -> None:
    """A broker that says no, and a link that is lost, are told with MQTT's reason."""
    assert failures.not_let_in("Not authorized", BROKER).what.endswith(
        "connection not accepted (not authorized)"
    )
    assert failures.lost("Keep alive timeout", BROKER).what == "connection lost (keep alive timeout)"
