# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every refusal of a password, a name, a number, a PIN and a code."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal
from ansible_collections.waent.fleet.plugins.module_utils._desired.credentials import (
    PASSWORD_SPECIALS,
    check_number,
    check_password,
    check_pin,
    check_username,
    plain_code,
)

SPECIALS = "a special character out of " + PASSWORD_SPECIALS


@pytest.mark.parametrize(
    "password, lacks",
    [
        ("Aa1!567", "8 to 64 characters"),
        ("Aa1!" + "x" * 61, "8 to 64 characters"),
        ("Aabcdef!", "a digit"),
        ("aa1!5678", "an upper-case letter"),
        ("AA1!5678", "a lower-case letter"),
        ("Aa145678", SPECIALS),
        ("secret", "8 to 64 characters and a digit and an upper-case letter and " + SPECIALS),
    ],
)
def test_password_policy(password, lacks):
    with pytest.raises(Refusal) as caught:
        check_password(password)
    assert (caught.value.code, caught.value.message) == ("PASSWORD_POLICY", "The password lacks {0}.".format(lacks))
    assert password not in caught.value.message


@pytest.mark.parametrize("special", sorted(PASSWORD_SPECIALS))
def test_every_special_character_counts(special):
    check_password("Aa145678" + special)
    check_password("Aa1" + special * 61)


@pytest.mark.parametrize("name, length", [("abc", 3), ("x" * 33, 33), ("", 0)])
def test_user_names(name, length):
    with pytest.raises(Refusal) as caught:
        check_username(name)
    expected = "username is {0!r}, which has {1} characters; allowed are 4 to 32.".format(name, length)
    assert (caught.value.code, caught.value.message) == ("USERNAME_INVALID", expected)


def test_user_names_that_are_fine():
    check_username("abcd")
    check_username("x" * 32)


@pytest.mark.parametrize("pin", ["", "12345", "1234567", "12345a", "123456\n", "١٢٣٤٥٦"])
def test_pins(pin):
    with pytest.raises(Refusal) as caught:
        check_pin(pin)
    assert (caught.value.code, caught.value.message) == ("PIN_INVALID", "wa_pin has to be exactly 6 digits.")


def test_pins_that_are_fine():
    check_pin(None)
    check_pin("012345")


@pytest.mark.parametrize(
    "cc, number, message",
    [
        ("+1", "5550100", "cc is '+1'; allowed are 1 to 3 digits, without + or blanks."),
        ("", "5550100", "cc is ''; allowed are 1 to 3 digits, without + or blanks."),
        ("1", "555-0100", "phone_number is '555-0100'; allowed are 1 to 14 digits, without + or blanks."),
    ],
)
def test_numbers(cc, number, message):
    with pytest.raises(Refusal) as caught:
        check_number(cc, number)
    assert (caught.value.code, caught.value.message) == ("PHONE_NUMBER_INVALID", message)


def test_codes():
    assert plain_code("123-456") == plain_code(" 123 456") == "123456"
    for wrong in ("", "12", "abc-def", "123456\n"):
        with pytest.raises(Refusal) as caught:
            plain_code(wrong)
        assert caught.value.code == "CODE_INVALID"
