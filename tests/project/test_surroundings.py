# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands around the code: pinned packages, scripts, links between pages, the published artifact."""

from __future__ import annotations

import re
import tarfile
from importlib import metadata
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.checkout import ROOT, load, name_of, run, tracked
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)\s]*)?\)")
SHELL = re.compile(r"^#!.*\b(?:ba|da)?sh\b")


def locked(name: str) -> dict[str, str]:
    """Versions of a lock file by package."""
    return pinned(ROOT / "requirements" / f"{name}.txt")


def pinned(file: Path) -> dict[str, str]:
    """Versions of a requirements file in which every package has one."""
    pairs = [line.split("==") for line in file.read_text().splitlines() if line and not line.startswith("#")]
    return {canonicalize_name(package): version for package, version in pairs}


def asked_for(name: str) -> list[Requirement]:
    """Direct requirements of a set."""
    lines = (ROOT / "requirements" / f"{name}.in").read_text().splitlines()
    needed = [line.partition("#")[0].strip() for line in lines if not line.startswith(("-r", "#"))]
    return [Requirement(line) for line in needed if line]


@pytest.mark.parametrize("name", ["demo", "test"])
def test_the_lock_holds_what_is_asked_for(name: str) -> None:
    lock = locked(name)
    loose = [str(r) for r in asked_for(name) if f"=={lock.get(canonicalize_name(r.name))}" != str(r.specifier)]
    assert loose == []


def test_the_test_set_contains_the_demo_set() -> None:
    assert locked("demo").items() <= locked("test").items()


def test_the_emulator_is_tested_with_the_packages_of_its_images() -> None:
    assert pinned(ROOT / "emulator" / "requirements.txt").items() <= locked("test").items()


def test_what_is_installed_is_what_is_locked() -> None:
    wrong = {name: version for name, version in locked("test").items() if metadata.version(name) != version}
    assert wrong == {}


def test_dependencies_admit_the_collections_that_the_tests_run_with() -> None:
    site = Path(str(metadata.distribution("ansible").locate_file("ansible_collections")))
    for dependency, versions in load(ROOT / "galaxy.yml")["dependencies"].items():
        namespace, _, name = dependency.partition(".")
        manifest = load(site / namespace / name / "MANIFEST.json")
        assert manifest["collection_info"]["version"] in SpecifierSet(versions), dependency


def shell_scripts() -> list[Path]:
    """Files of the tree whose first line asks for a shell."""
    return [path for path in tracked() if SHELL.match(path.read_bytes()[:80].decode("utf-8", "replace"))]


@pytest.mark.parametrize("path", shell_scripts(), ids=name_of)
def test_a_shell_script_is_clean(path: Path) -> None:
    done = run("shellcheck", "--external-sources", str(path))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", tracked("*.md"), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(path: Path) -> None:
    targets = [link for link in LINK.findall(path.read_text()) if "://" not in link]
    assert [link for link in targets if not (path.parent / link).exists()] == []


def test_the_artifact_holds_what_users_need_and_nothing_else(tmp_path: Path) -> None:
    done = run("ansible-galaxy", "collection", "build", "--output-path", str(tmp_path))
    assert done.returncode == 0, done.stderr
    (artifact,) = tmp_path.glob("waent-fleet-*.tar.gz")
    with tarfile.open(artifact) as archive:
        names = set(archive.getnames())
    top = {name.partition("/")[0] for name in names}
    needed = {"README.md", "LICENSE", "MANIFEST.json", "FILES.json"}
    needed |= {"inventories", "meta", "playbooks", "plugins", "roles"}
    also_welcome = {"CHANGELOG.rst", "CONTRIBUTING.md", "changelogs", "docs"}
    assert needed <= top <= needed | also_welcome
    assert {
        "inventories/racks/hosts.yml",
        "inventories/racks/group_vars/all/main.yml",
        "docs/guides/install.md",
        "meta/execution-environment.yml",
        "meta/ee-requirements.txt",
        "meta/runtime.yml",
    } <= names
    # The demo's inventory holds secrets that it makes for itself.
    assert [name for name in names if name.startswith("inventories/local") or "vault" in name] == []


SECRETS = [
    "inventories/racks/group_vars/all/vault.yml",
    "inventories/mine/hosts.yml",
    "inventories/racks/host_vars/one/my-vault.yml",
    "inventories/local/group_vars/all/secrets.yml",
    "files/api.key",
    "playbooks/files/global-bundle.pem",
    "backup-key.pem",
    "waent-registration-20261130T120000Z.vault",
    "waent-registration-20261130T120000Z.cms",
    ".vault-password",
]
"""Where somebody who works in a checkout has them, as the guides say it."""


def test_the_artifact_takes_no_secrets_along(tmp_path: Path) -> None:
    checkout, built = tmp_path / "checkout", tmp_path / "built"
    for path in tracked("*"):
        if path.relative_to(ROOT).parts[0] not in ("emulator", "tests"):
            there = checkout / path.relative_to(ROOT)
            there.parent.mkdir(parents=True, exist_ok=True)
            there.write_bytes(path.read_bytes())
    for name in SECRETS:
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text("A secret")
    done = run("ansible-galaxy", "collection", "build", str(checkout), "--output-path", str(built))
    assert done.returncode == 0, done.stderr
    (artifact,) = built.glob("waent-fleet-*.tar.gz")
    with tarfile.open(artifact) as archive:
        assert {*archive.getnames()} & {*SECRETS} == set()
