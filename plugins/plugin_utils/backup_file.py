# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of backups, encrypted as ansible-vault does. Internal to waent.fleet: may change any time."""

from __future__ import annotations

import contextlib
import os
import tempfile

from ansible.errors import AnsibleError
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.waent.fleet.plugins.module_utils._check.backup import password_problems
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal, refusal_for


def check_password(password: str) -> None:
    """Raises Refusal for a password that encrypts nothing."""
    problems = password_problems(password)
    if problems:
        raise refusal_for("WA_BACKUP_REFUSED", problems)


def write_encrypted(path: str, text: str, password: str) -> None:
    """A new file that its owner alone can read, there as a whole or not at all, and read again. Raises Refusal."""
    secret = VaultSecret(password.encode("utf-8"))
    content = VaultLib().encrypt(text, secret=secret)
    full = os.path.expanduser(path)
    directory = os.path.dirname(os.path.abspath(full))
    try:
        os.makedirs(directory, mode=0o700, exist_ok=True)
        # Its owner alone can read what mkstemp makes.
        handle, beside = tempfile.mkstemp(dir=directory, prefix=".waent-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            _name(beside, full, path)
        finally:
            with contextlib.suppress(OSError):
                os.unlink(beside)
    except OSError as error:
        said = "The backup could not be written to {0} ({1}).".format(path, error.strerror or error)
        raise Refusal("BACKUP_NOT_WRITTEN", said) from error
    if read_encrypted(path, password) != text:
        raise Refusal("BACKUP_NOT_PROVED", "{0} does not hold what was written to it; do not rely on it.".format(path))


def _name(beside: str, full: str, path: str) -> None:
    """Give a file its name, where nothing has it. Raises Refusal and OSError."""
    try:
        os.link(beside, full)
    except FileExistsError as error:
        said = "{0} is there already, and no backup is overwritten.".format(path)
        raise Refusal("BACKUP_EXISTS", said) from error


def read_encrypted(path: str, password: str) -> str:
    """The text of a file. Raises Refusal."""
    try:
        with open(os.path.expanduser(path), "rb") as file:
            content = file.read()
    except OSError as error:
        text = "The backup {0} cannot be read ({1}).".format(path, error.strerror or error)
        raise Refusal("BACKUP_NOT_READ", text) from error
    if not content.startswith(b"$ANSIBLE_VAULT;"):
        raise Refusal("BACKUP_INVALID", "{0} is not encrypted as ansible-vault does it.".format(path))
    try:
        return VaultLib([("default", VaultSecret(password.encode("utf-8")))]).decrypt(content).decode("utf-8")
    except (AnsibleError, UnicodeDecodeError) as error:
        text = "{0} cannot be decrypted with wa_backup_password: it was made with another one, or it is damaged."
        raise Refusal("BACKUP_PASSWORD_WRONG", text.format(path)) from error
