"""The form of message ids (reference 4.10)."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waemu import messageids


def parts(message_id: str) -> tuple[int, str, int, bytes]:
    """First byte, number, byte before the own part, and own part; fails for another form."""
    raw = base64.urlsafe_b64decode(message_id + "=" * (-len(message_id) % 4))
    direction, mark, length = raw[:3]
    assert mark == 0x11
    count = length & 0x7F
    digits, rest = raw[3 : 3 + count].hex(), raw[3 + count :]
    assert digits.endswith("f") == bool(length & 0x80)
    assert rest[0] == 2
    return direction, digits.rstrip("f"), rest[1], rest[2:]


def test_published_ids_have_this_form() -> None:
    assert parts("gBEGkYiEB1VXAglK1ZEqA1YKPrU")[:3] == (0x80, "918884075557", 9)
    assert parts("gBGGFlA5FpafAgkOuJbRq54qwbM")[:3] == (0x80, "16503916969", 9)
    assert parts("ABGGFlA5FpafAgo6tHcNmNjXmuSf")[:3] == (0x00, "16503916969", 10)
    assert messageids.own_part("gBEGkYiEB1VXAglK1ZEqA1YKPrU") == "4AD5912A03560A3EB5"


@given(st.text("0123456789", min_size=1, max_size=20))
def test_new_ids_have_it_too(number: str) -> None:
    sent, received = messageids.new(number), messageids.new(number, messageids.RECEIVED)
    assert parts(sent)[:3] == (0x80, number, 9)
    assert parts(received)[:3] == (0x00, number, 10)
    assert messageids.own_part(sent) == parts(sent)[3].hex().upper()
    assert len(parts(sent)[3]) == 9
    assert len(parts(received)[3]) == 10


def test_no_two_are_the_same() -> None:
    assert len({messageids.new("4917000001") for _ in range(1000)}) == 1000


@pytest.mark.parametrize("wa_id", ["", "abc", "+4917", "٣"])
def test_what_is_no_whatsapp_id_is_refused(wa_id: str) -> None:
    with pytest.raises(ValueError, match="digits only"):
        messageids.new(wa_id)
