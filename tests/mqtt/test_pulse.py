"""A network thread that ended or hangs is told from one that only waits."""

from __future__ import annotations

import threading
import time

from appliance.mqtt.pulse import SILENT_SECONDS, Pulse


def test_a_thread_that_ends_is_dead_and_one_that_is_silent_hangs() -> None:
    """Before it starts it lives; its own callbacks are signs of life, those of other threads are not."""
    pulse, go, end = Pulse(), threading.Event(), threading.Event()
    assert pulse.lives(time.monotonic())

    def network() -> None:
        go.wait()
        pulse.beat()
        end.wait()

    before = set(threading.enumerate())
    thread = threading.Thread(target=network)
    thread.start()
    pulse.started(before)
    now = time.monotonic()
    assert pulse.lives(now + SILENT_SECONDS - 1)
    assert not pulse.lives(now + SILENT_SECONDS + 1)
    pulse.beat()
    pulse._beat_at -= SILENT_SECONDS
    assert not pulse.lives(now)
    go.set()
    while not pulse.lives(time.monotonic()):
        time.sleep(0.01)
    end.set()
    thread.join()
    assert not pulse.lives(time.monotonic())
