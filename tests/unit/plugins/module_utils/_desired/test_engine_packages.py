# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which packages make an engine with its command, from the records of the releases of Debian."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._desired.engine_packages import COMMANDS, engine_packages
from hypothesis import given
from hypothesis import strategies as st

DESIRED = ["docker.io", "python3-requests"]
REQUESTS = "\nPackage: python3-requests\nRecommends: ca-certificates\nDepends: python3:any, python3-urllib3\n"
# Parts of what apt-cache show says there.
RELEASES = {
    "Debian 11": """Package: docker.io
Version: 20.10.5+dfsg1-1+deb11u4
Depends: adduser, containerd (>= 1.4~), iptables, lsb-base, runc (>= 1.0.0~rc8~), tini, libc6 (>= 2.28)
Recommends: apparmor, ca-certificates, cgroupfs-mount, git, needrestart (>= 3.1~), xz-utils
Suggests: aufs-tools, btrfs-progs, debootstrap, docker-doc, e2fsprogs, rinse, xfsprogs, zfs-fuse | zfsutils-linux
""",
    "Debian 12": """Package: docker.io
Version: 20.10.24+dfsg1-1+deb12u1+b6
Recommends: apparmor, ca-certificates, cgroupfs-mount, git, needrestart (>= 3.1~), xz-utils
""",
    "Debian 13": """Package: docker.io
Version: 26.1.5+dfsg1-9+deb13u1+b1
Depends: libc6 (>= 2.34), libsystemd0, adduser, containerd (>= 1.4~), iptables, runc (>= 1.0.0~rc8~), tini
Recommends: apparmor, ca-certificates, dbus-user-session, docker-cli, git, needrestart (>= 3.1~), xz-utils
Conflicts: docker-ce, docker-ce-rootless-extras
""",
}


@pytest.mark.parametrize(("release", "more"), [("Debian 11", []), ("Debian 12", []), ("Debian 13", ["docker-cli"])])
def test_the_command_is_added_where_the_release_has_it_apart(release, more):
    assert engine_packages(DESIRED, RELEASES[release] + REQUESTS) == DESIRED + more


@pytest.mark.parametrize("given_already", ["docker-cli", "docker-cli=26.1.5+dfsg1-9", "docker-cli:amd64"])
def test_what_is_desired_already_is_not_added(given_already):
    desired = [*DESIRED, given_already]
    assert engine_packages(desired, RELEASES["Debian 13"]) == desired


def test_the_command_of_another_engine_is_not_put_beside_it():
    """On Debian 13 docker-cli exists and conflicts with docker-ce-cli, which docker-ce brings along."""
    desired = ["docker-ce", "docker-ce-cli", "python3-requests"]
    records = (
        "Package: docker-ce\nDepends: containerd.io (>= 1.7.27), docker-ce-cli, iptables\nRecommends: apparmor, git\n"
    )
    assert engine_packages(desired, records + REQUESTS) == desired


@pytest.mark.parametrize("value", ["docker-cli:any (>= 26)", "git, docker-cli | docker-ce-cli", " docker-cli"])
def test_every_form_of_a_relation_is_read(value):
    assert engine_packages(DESIRED, "Package: docker.io\nRecommends: " + value) == [*DESIRED, "docker-cli"]


def test_suggested_and_described_is_not_recommended():
    records = "Package: docker.io\nSuggests: docker-cli\nDescription-en: engine\n Recommends: docker-cli\n"
    assert engine_packages(DESIRED, records) == DESIRED


@given(st.lists(st.sampled_from([*DESIRED, *COMMANDS]), unique=True), st.text())
def test_nothing_desired_is_lost_whatever_apt_says(desired, records):
    found = engine_packages(desired, records)
    assert found[: len(desired)] == desired
    assert set(found[len(desired) :]) <= COMMANDS
