"""The code on a unit's label, as it is made, typed and read."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from appliance.base.errors import Refused, Rule
from appliance.protocol.pairing_code import SIGNS, new_code, parse


def test_a_code_reads_back_as_it_is_written() -> None:
    """What the label shows is what was made."""
    code = new_code()
    assert parse(str(code)) == code
    assert len(code.number) + len(code.secret) == 12


def test_what_a_hurried_hand_types_is_read_as_it_was_meant() -> None:
    """Small letters, O for 0, I and L for 1, spaces, dashes or none."""
    assert str(parse(" o1il abcd-zzzz\n")) == "0111-ABCD-ZZZZ"


def test_a_code_does_not_show_its_secret_in_a_log() -> None:
    """Its repr has the public group alone."""
    code = parse("7K3M-9PQX-2HTD")
    assert "9PQX" not in repr(code)
    assert "2HTD" not in repr(code)


@given(st.text(max_size=80))
def test_any_text_is_a_code_or_refused(text: str) -> None:
    """Nothing else comes of it."""
    try:
        signs = str(parse(text)).replace("-", "")
    except Refused as refusal:
        signs = "" if refusal.rule is Rule.MALFORMED_REQUEST else "!"
    assert set(signs) <= set(SIGNS)
