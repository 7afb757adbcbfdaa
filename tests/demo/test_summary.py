from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.demo.summary import Summary

SUMMARY = Summary(
    seconds=60.0,
    ready_after=4.0,
    first_real_after=9.0,
    baseline_after=5.0,
    first_alert_after=6.0,
    real_observations=206,
    real_boxed=True,
    people=2300,
    alerts=9,
    alerts_real=0,
    claims=3,
    refused=0,
    missing=0,
    example="{}",
    example_bytes=104,
    last_alert="",
    troubles=(),
)


def test_the_alerts_of_the_real_unit_are_told_apart() -> None:
    """The summary says how many alerts came from the real unit and how many people that unit read."""
    assert "0 from the real unit (206 read)" in SUMMARY.as_text()


@pytest.mark.parametrize(
    ("boxed", "said"), [(True, "(boxed)"), (False, "(NOT BOXED)"), (None, "(never reported)")]
)
def test_a_unit_that_never_spoke_is_not_called_unboxed(boxed: bool | None, said: str) -> None:
    """Boxed, not boxed, or nobody knows: three answers."""
    assert f"real unit {said}" in replace(SUMMARY, real_boxed=boxed).as_text()
