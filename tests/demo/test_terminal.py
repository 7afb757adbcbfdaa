from __future__ import annotations

import io
from dataclasses import replace

import pytest

from appliance.demo.terminal import DemoView, Screen, draw, qr_lines, status_line

VIEW = DemoView(
    running=75.0,
    local_link="http://127.0.0.1:8080/tablet#tablet-1:" + "p" * 24,
    here_link="http://127.0.0.1:8080/here",
    room_link="http://127.0.0.1:8080/room#room-1:" + "p" * 24,
    network_link="https://192.168.100.100:8443/tablet#tablet-1:" + "p" * 24,
    starting="",
    unit="corner-north",
    unit_state="watching",
    unit_boxed=True,
    unit_source="recording",
    fps=10,
    real_observations=1234,
    first_real_after=6.3,
    simulated_units=3,
    simulated_rate=5.0,
    people=123456,
    needs=0,
    flags=1234,
    alerts=123,
    alerts_real=7,
    claims=41,
    refused=0,
    missing=0,
    last_alert="printed trousers with a yellow top: 1 in 640 people here or fewer, and the second reason as well",
    last_alert_where="south corner (simulated)",
    last_alert_age=12.0,
    notes=("port 8080 is taken: the tablet page is on 41234",),
)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (100, 30), (200, 60), (40, 10), (1, 1)])
def test_the_picture_fills_the_terminal_exactly(width: int, height: int) -> None:
    """The picture is exactly as wide and high as the terminal, so that nothing scrolls or is left over."""
    lines = draw(VIEW, width, height, colour=False)
    assert len(lines) == height
    assert {len(line) for line in lines} == {width}


def test_a_small_terminal_shows_the_code_and_says_simulated() -> None:
    """At 80 x 24 the QR code, the links, the last alert and the word SIMULATED are all there, none of them cut."""
    text = "\n".join(draw(VIEW, 80, 24, colour=False))
    for line in qr_lines(VIEW.network_link):
        assert line in text
    assert "SIMULATED street" in text
    assert VIEW.local_link in text
    assert VIEW.room_link in text
    assert VIEW.here_link in text
    assert "first after 6.3 s" in text
    assert "12 s ago, south corner (simulated)" in text
    assert "printed trousers" in text


def test_an_unboxed_unit_is_said() -> None:
    """A unit without its walls is NOT BOXED on the picture and in the line."""
    view = replace(VIEW, unit_boxed=False)
    assert "NOT BOXED" in "\n".join(draw(view, 80, 24, colour=False))
    assert "NOT BOXED" in status_line(view)


def test_a_unit_that_has_not_spoken_is_not_called_unboxed() -> None:
    """Before its first heartbeat nobody knows whether the unit is boxed, and nothing is claimed."""
    view = replace(VIEW, unit_boxed=None)
    assert "boxed" not in "\n".join([*draw(view, 80, 24, colour=False), status_line(view)]).lower()


def test_the_alerts_of_the_real_unit_are_counted_apart() -> None:
    """Picture and line say how many alerts came from the real unit, and the picture how many people it read."""
    assert "7 from the real unit (1234 read)" in "\n".join(draw(VIEW, 80, 24, colour=False))
    assert "123 alerts, 7 from the real unit" in status_line(VIEW)


def test_without_a_network_there_is_no_code() -> None:
    """A code that a tablet could not open is not shown."""
    text = "\n".join(draw(replace(VIEW, network_link=""), 80, 24, colour=False))
    assert "▀▀▀▀▀▀▀" not in text
    assert "No network" in text


def test_where_there_is_no_terminal_there_is_a_line_now_and_then() -> None:
    """Output that is no terminal gets one plain line every five seconds, without escape sequences."""
    output = io.StringIO()
    screen = Screen(output)
    for tenth in range(200):
        screen.show(replace(VIEW, running=tenth / 10))
    screen.close()
    lines = output.getvalue().splitlines()
    assert len(lines) == 4
    assert "\x1b" not in output.getvalue()
    assert "SIMULATED" in lines[0]
