# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the demo's secrets: random values in an encrypted vault.yml beside the demo's other variables.

The vault's password is random too and stands in .demo-vault-password, readable by its owner only; neither file is
ever committed. Values that exist are kept, so a second run changes nothing. Nothing is passed in arguments.
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
VAULT = ROOT / "inventories/local/group_vars/all/vault.yml"
PASSWORD_FILE = ROOT / ".demo-vault-password"
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


def ensure_password() -> None:
    """Make the vault's password file where it is missing, mode 0600 from its first byte on."""
    if PASSWORD_FILE.exists():
        return
    if VAULT.exists():
        raise Refused(
            f"{VAULT.relative_to(ROOT)} is there but its password file {PASSWORD_FILE.name} is not: restore it, "
            "or run make clean, which removes the demo and its secrets."
        )
    with os.fdopen(os.open(PASSWORD_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(word(48) + "\n")


def ansible_vault(*arguments: str, text: str | None = None) -> str:
    """What ansible-vault prints, run with the demo's password."""
    # In place of the one that ansible.cfg names, not beside it: with two passwords ansible-vault asks which to take.
    environment = {**os.environ, "ANSIBLE_VAULT_PASSWORD_FILE": str(PASSWORD_FILE)}
    command = [str(ANSIBLE_VAULT), *arguments]
    done = subprocess.run(command, input=text, capture_output=True, text=True, env=environment, check=False)
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[0]
        raise Refused(
            f"{VAULT.relative_to(ROOT)} cannot be read or written with the password in {PASSWORD_FILE.name} "
            f"({reason}): make clean removes the demo and its secrets."
        )
    return done.stdout


def main() -> int:
    """Write the secrets that are missing; returns the process's exit code."""
    try:
        ensure_password()
        have = yaml.safe_load(ansible_vault("view", str(VAULT))) if VAULT.exists() else {}
        missing = [name for name in GENERATED if name not in have]
        if not missing:
            return 0
        values = {**have, **{name: GENERATED[name]() for name in missing}}
        encrypted = ansible_vault("encrypt", "--output", "-", text=yaml.safe_dump(values))
    except Refused as reason:
        print(reason, file=sys.stderr)
        return 1
    new = VAULT.with_name(".vault.yml.new")
    new.write_text(encrypted)
    new.replace(VAULT)
    print(f"made {', '.join(missing)} in {VAULT.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
