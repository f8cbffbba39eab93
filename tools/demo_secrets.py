# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the demo's secrets: random values in a secrets.yml beside the demo's other variables.

Readable by its owner only, and never committed. Not encrypted: whoever reads it would read the password beside it as
well, and a vault password that the checkout knows is one that ansible-vault encrypts other files with, unasked.
Values that exist are kept, so a second run changes nothing. Nothing is passed in arguments.
"""

from __future__ import annotations

import os
import secrets
import string
import subprocess
import sys
import typing as t
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
SECRETS = ROOT / "inventories/local/group_vars/all/secrets.yml"
FORMER = SECRETS.with_name("vault.yml")
"""Where demos were made before this file: encrypted, with the password in the other one."""
FORMER_PASSWORD = ROOT / ".demo-vault-password"
ANSIBLE_VAULT = Path(sys.executable).with_name("ansible-vault")

LETTERS_AND_DIGITS = string.ascii_letters + string.digits


class Refused(Exception):
    """The demo's secrets cannot be made; the text is one sentence for the user."""


def word(length: int, alphabet: str = LETTERS_AND_DIGITS) -> str:
    """A random word: letters and digits are allowed in every secret of the product."""
    return "".join(secrets.choice(alphabet) for _ in range(length))


def admin_password() -> str:
    """A password that the product's policy accepts: lower case, upper case, a digit and a special character."""
    return word(20) + secrets.choice("-_.") + word(1, string.digits) + word(1, string.ascii_uppercase) + "x"


GENERATED: dict[str, t.Callable[[], str]] = {
    "wa_db_password": lambda: word(32),
    "wa_admin_password": admin_password,
    "wa_api_key": lambda: word(40),
    "wa_jwt_key": lambda: word(64),
    "wa_pin": lambda: word(6, string.digits),
}


def former() -> dict[str, str]:
    """The secrets of a demo that was made when they were encrypted; empty where there is none. Raises Refused."""
    if not FORMER.exists():
        return {}
    command = [str(ANSIBLE_VAULT), "view", "--vault-password-file", str(FORMER_PASSWORD), str(FORMER)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[0]
        raise Refused(
            f"{FORMER.relative_to(ROOT)} cannot be read with the password in {FORMER_PASSWORD.name} "
            f"({reason}): restore both, or run make clean, which removes the demo and its secrets."
        )
    return yaml.safe_load(done.stdout) or {}


def write(values: dict[str, str]) -> None:
    """The file as a whole, mode 0600 from its first byte on."""
    new = SECRETS.with_name(".secrets.yml.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write("# Made by make demo for the demo alone.\n" + yaml.safe_dump(values))
    new.replace(SECRETS)


def main() -> int:
    """Write the secrets that are missing; returns the process's exit code."""
    try:
        have = (yaml.safe_load(SECRETS.read_text()) or {}) if SECRETS.exists() else former()
    except Refused as reason:
        print(reason, file=sys.stderr)
        return 1
    missing = [name for name in GENERATED if name not in have]
    if missing or not SECRETS.exists():
        write({**have, **{name: GENERATED[name]() for name in missing}})
        print(f"made {', '.join(missing) or 'no new value'} in {SECRETS.relative_to(ROOT)}")
    # Only now: a run that was killed before has lost nothing.
    for old in (FORMER, FORMER_PASSWORD):
        old.unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
