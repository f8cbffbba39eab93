# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A vault opens with what its user has typed and with nothing else: the commands as they are printed, at a terminal.

In the checkout, whose ansible.cfg everybody can read, and beside an installed collection, which has none.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleError
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.waent.fleet.tests.support import valid_variables
from ansible_collections.waent.fleet.tests.support.checkout import ROOT, tracked
from ansible_collections.waent.fleet.tests.support.playbook_runs import (
    FAILED,
    environment,
    play,
    write_inventory,
    write_variables,
)
from ansible_collections.waent.fleet.tests.support.terminal import run_at_terminal

TYPED, KEY_PASSWORD = "typed-by-its-user-1", "passphrase-of-the-key"
NEW = [("New Vault password", TYPED), ("Confirm New Vault password", TYPED)]
TEXT = '{"facts": {"name": "B\\u00e4cker"}}'
MAKES = re.compile(r"\bansible-vault (?:create|encrypt|encrypt_string|rekey)\b(?=.*\S)")
FENCE = re.compile(r"^ *```[a-z]*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(ansible-vault \w+ [^`]*)`")
COMMENT = re.compile(r"^#.*?\b(ansible-vault \w+ .*)$", re.MULTILINE)
CLOSED = {"ansible_host": "127.0.0.1", "ansible_port": 9, "wa_address": "one.example.com"}


def printed() -> list[str]:
    """Every command that makes a vault file, once, as documentation and inventories have it."""
    found: dict[str, None] = {}
    for page in tracked("README.md", "docs/*.md"):
        text = page.read_text()
        blocks = [block.rstrip() for block in FENCE.findall(text) if MAKES.search(block)]
        found.update(dict.fromkeys(blocks + INLINE.findall(text)))
    for path in tracked("inventories", "roles/*/defaults"):
        found.update(dict.fromkeys(COMMENT.findall(path.read_text())))
    return [command for command in found if MAKES.search(command)]


@pytest.fixture(params=["checkout", "installed"])
def surroundings(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """Where commands are run, and with which environment: with the checkout's ansible.cfg, or with none."""
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nprintf %s '{0}' >\"$1\"\n".format(TEXT))
    editor.chmod(0o755)
    variables = {**environment(), "EDITOR": str(editor)}
    del variables["ANSIBLE_CONFIG"]
    if request.param == "checkout":
        return ROOT, variables
    return tmp_path, {**variables, "HOME": str(tmp_path)}


def backup_of_a_host(home: Path) -> None:
    """A backup as a host makes it, and the key that opens it."""
    key = ["-newkey", "rsa:2048", "-keyout", "backup-key.pem", "-passout", "pass:" + KEY_PASSWORD]
    words = ["openssl", "req", "-x509", "-days", "2", "-subj", "/CN=backup", *key, "-out", "backup.pem"]
    subprocess.run(words, cwd=home, check=True, capture_output=True)
    words = ["openssl", "cms", "-encrypt", "-binary", "-aes-256-cbc", "-outform", "PEM", "-out", "FILE.cms"]
    subprocess.run([*words, "backup.pem"], cwd=home, check=True, capture_output=True, input=TEXT.encode())


def test_there_are_such_commands() -> None:
    """Else the next test would show nothing."""
    found = printed()
    assert len(found) >= 3 and any("create INVENTORY" in one for one in found)
    assert any("openssl" in one for one in found)


@pytest.mark.parametrize("command", printed())
def test_a_printed_command_encrypts_with_what_is_typed(
    surroundings: tuple[Path, dict[str, str]], tmp_path: Path, command: str
) -> None:
    directory, variables = surroundings
    (tmp_path / "inventory" / "group_vars" / "all").mkdir(parents=True)
    backup_of_a_host(tmp_path)
    places = {"INVENTORY": "inventory", "my-inventory": "inventory", "FILE.vault": "FILE.vault"}
    places.update({name: name for name in ("FILE.cms", "backup-key.pem")})
    for name, place in places.items():
        command = re.sub(r"(?<![\w/-]){0}(?![\w-])".format(re.escape(name)), str(tmp_path / place), command)
    asked = [("pass phrase", KEY_PASSWORD)] if "openssl" in command else []
    run = run_at_terminal(command, *asked, *NEW, directory=directory, environment=variables)
    assert run.code == 0, run.output
    assert TYPED not in run.output
    contents = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    (made,) = [path for path, content in contents.items() if content.startswith(b"$ANSIBLE_VAULT;")]
    assert opened(made, TYPED) == TEXT
    for other in known_passwords():
        with pytest.raises(AnsibleError):
            opened(made, other)
    if "openssl" in command:
        plain = [path.name for path, content in contents.items() if b"facts" in content]
        assert plain == ["editor"], "the plain text of a backup is never on a disk"


def opened(path: Path, password: str) -> str:
    """The text of a vault file. Raises AnsibleError where the password is another one."""
    found: bytes = VaultLib([("default", VaultSecret(password.encode()))]).decrypt(path.read_bytes())
    return found.decode()


def known_passwords() -> set[str]:
    """The word by which a checkout said that it has none, in former releases, and that of a demo made by those."""
    demo = ROOT / ".demo-vault-password"
    return {"none", demo.read_text().strip()} if demo.exists() else {"none"}


@pytest.mark.parametrize(("typed", "right"), [(TYPED, True), ("something-else", False)])
def test_the_next_command_of_the_guide_takes_that_password_only(tmp_path: Path, typed: str, right: bool) -> None:
    inventory = tmp_path / "inventory"
    given = inventory / "group_vars" / "all"
    given.mkdir(parents=True)
    write_inventory(inventory / "hosts.yml", {"one": CLOSED})
    write_variables(given / "main.yml", valid_variables.but(wa_db_check_host="", wa_admin_password=...))
    secret = yaml.safe_dump({"wa_admin_password": valid_variables.SECRETS["wa_admin_password"]})
    (given / "vault.yml").write_bytes(VaultLib().encrypt(secret, secret=VaultSecret(TYPED.encode())))
    (command,) = [
        line.strip()
        for line in (ROOT / "docs" / "guides" / "install.md").read_text().splitlines()
        if line.strip().startswith("ansible-playbook") and "--check" in line
    ]
    command = command.replace("INVENTORY", str(inventory))
    run = run_at_terminal(command, ("Vault password", typed), directory=ROOT, environment=environment())
    assert run.code not in (0, None), run.output
    # The host is nobody's; without the password nothing gets so far.
    assert run.codes == (["HOST_NOT_READ"] if right else []), run.output
    if not right:
        assert "Decryption failed" in run.text


def test_a_vault_without_a_password_is_refused_in_the_checkout(tmp_path: Path) -> None:
    """Not opened with one that the checkout knows."""
    (tmp_path / "group_vars" / "all").mkdir(parents=True)
    write_inventory(tmp_path / "hosts.yml", {"one": CLOSED})
    for known in known_passwords():
        content = VaultLib().encrypt("wa_pin: '123456'\n", secret=VaultSecret(known.encode()))
        (tmp_path / "group_vars" / "all" / "vault.yml").write_bytes(content)
        run = play("playbooks/site.yml", "-i", str(tmp_path))
        assert run.code not in (0, FAILED) and "no vault secrets" in run.text, run.output


class Demo(t.NamedTuple):
    """A copy of what makes the demo's secrets, and what it made."""

    home: Path

    @property
    def directory(self) -> Path:
        """Where the secrets are."""
        return self.home / "inventories" / "local" / "group_vars" / "all"

    def make(self) -> subprocess.CompletedProcess[str]:
        """As make demo does it."""
        words = [sys.executable, str(self.home / "tools" / "demo_secrets.py")]
        return subprocess.run(words, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


@pytest.fixture
def demo(tmp_path: Path) -> Demo:
    """In a directory of its own: that of the checkout may be in use."""
    made = Demo(tmp_path)
    made.directory.mkdir(parents=True)
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "demo_secrets.py", tmp_path / "tools")
    return made


def test_the_demo_has_secrets_of_its_own_and_needs_no_password(demo: Demo) -> None:
    for _count in (1, 2):
        done = demo.make()
        assert done.returncode == 0, done.stderr
    (file,) = demo.directory.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    before = file.read_bytes()
    found = yaml.safe_load(before)
    assert len(set(found.values())) == len(found) == 5 and all(found.values())
    assert demo.make().stdout == "" and file.read_bytes() == before
    assert list(demo.home.glob(".demo*")) == []


def test_a_demo_whose_secrets_were_encrypted_keeps_them(demo: Demo) -> None:
    """A number of a cluster that runs goes on with its database's password."""
    password = demo.home / ".demo-vault-password"
    password.write_text("of-the-demo\n")
    content = VaultLib().encrypt("wa_db_password: kept\n", secret=VaultSecret(b"of-the-demo"))
    (demo.directory / "vault.yml").write_bytes(content)
    done = demo.make()
    assert done.returncode == 0, done.stderr
    (file,) = demo.directory.iterdir()
    assert yaml.safe_load(file.read_text())["wa_db_password"] == "kept" and not password.exists()


def test_former_secrets_that_cannot_be_read_are_left_alone(demo: Demo) -> None:
    (demo.directory / "vault.yml").write_bytes(VaultLib().encrypt("a: b\n", secret=VaultSecret(b"lost")))
    done = demo.make()
    assert done.returncode == 1 and "make clean" in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr
    assert [path.name for path in demo.directory.iterdir()] == ["vault.yml"]


def test_no_setting_of_the_checkout_names_a_vault_password() -> None:
    """In whatever way Ansible has for that."""
    words = ["ansible-config", "dump", "--only-changed"]
    done = subprocess.run(words, cwd=ROOT, env=environment(), capture_output=True, text=True, check=True)
    assert "VAULT" not in done.stdout, done.stdout
