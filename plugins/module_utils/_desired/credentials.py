# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pure: what passwords, PINs and codes have to look like. Internal to waent.fleet: may change in any release.

None of the sentences holds the secret itself.
"""

from __future__ import annotations

import re

from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal

#: Name and password every new installation starts with (reference 4.2).
PASSWORD_SPECIALS = "!\"#$%&\\'()*+,-./:;<=>?@[]^_{|}~`"
"""Characters of which an API user's password needs one (reference 4.2)."""

FIRST_USER = "admin"
FIRST_PASSWORD = "secret"


def password_lacks(password: str) -> list[str]:
    """What the password policy misses in C(password) (reference 4.2); empty when it is good."""
    rules = (
        ("8 to 64 characters", 8 <= len(password) <= 64),
        ("a digit", re.search(r"[0-9]", password)),
        ("an upper-case letter", re.search(r"[A-Z]", password)),
        ("a lower-case letter", re.search(r"[a-z]", password)),
        ("a special character out of " + PASSWORD_SPECIALS, set(password) & set(PASSWORD_SPECIALS)),
    )
    return [what for what, there in rules if not there]


def check_password(password: str) -> None:
    """Raises a Refusal that says what the password lacks."""
    lacks = password_lacks(password)
    if lacks:
        raise Refusal("PASSWORD_POLICY", "The password lacks {0}.".format(" and ".join(lacks)), {"lacks": lacks})


def check_username(username: str) -> None:
    """Raises a Refusal for a name the API does not take: 4 to 32 characters (reference 4.2)."""
    if not 4 <= len(username) <= 32:
        text = "username is {0!r}, which has {1} characters; allowed are 4 to 32."
        raise Refusal("USERNAME_INVALID", text.format(username, len(username)))


def check_pin(pin: str | None) -> None:
    """Raises a Refusal for a PIN that is not exactly six digits; None is a number without two-step verification."""
    if pin is not None and not re.match(r"^[0-9]{6}\Z", pin):
        raise Refusal("PIN_INVALID", "wa_pin has to be exactly 6 digits.")


def check_number(cc: str, phone_number: str) -> None:
    """Raises a Refusal for anything but digits without a plus sign (reference 4.3)."""
    for name, value, longest in (("cc", cc, 3), ("phone_number", phone_number, 14)):
        if not re.match(r"^[0-9]{{1,{0}}}\Z".format(longest), value):
            text = "{0} is {1!r}; allowed are 1 to {2} digits, without + or blanks."
            raise Refusal("PHONE_NUMBER_INVALID", text.format(name, value, longest))


def plain_code(code: str) -> str:
    """A registration code without the dash people copy along (reference 4.3). Raises a Refusal for anything else."""
    digits = code.replace("-", "").replace(" ", "")
    if not re.match(r"^[0-9]{3,10}\Z", digits):
        text = "wa_registration_code has to be the digits that were received, with or without a dash."
        raise Refusal("CODE_INVALID", text)
    return digits
