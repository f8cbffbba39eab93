# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel says of mounts, and which of them a path leads to."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.waent.fleet.plugins.module_utils._state.mounts import has_mounted, place_of, read_mounts
from hypothesis import given
from hypothesis import strategies as st

ROOT = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro\n"
SRV = "30 22 8:2 / /srv rw - xfs /dev/sda2 rw\n"
SHARE = (
    "41 {0} 0:45 / /srv/media rw,relatime shared:20 - nfs4 [2001:db8::1]:/media rw,vers=4.2,hard,timeo=150,sec=sys\n"
)
AUTOFS = "40 22 0:39 / /srv/media rw shared:19 - autofs systemd-1 rw,fd=51\n"


def place(text, path="/srv/media"):
    return place_of(path, read_mounts(text))


def test_a_share():
    found = place(ROOT + SHARE.format(22))
    assert found.mount is not None
    assert (found.mount.source, found.mount.fstype, found.mount.read_only) == ("[2001:db8::1]:/media", "nfs4", False)
    assert found.mount.opts == ("rw", "relatime", "vers=4.2", "hard", "timeo=150", "sec=sys")
    assert found.hidden == ()


def test_a_directory_of_the_host_itself():
    found = place(ROOT)
    assert found.mount is None
    assert found.on is not None
    assert found.on.fstype == "ext4"


def test_hidden_under_a_mount_above_it():
    """Mounted first, and then /srv over it."""
    found = place(ROOT + SHARE.format(22) + SRV)
    assert found.mount is None
    assert [mount.fstype for mount in found.hidden] == ["nfs4"]
    assert found.on is not None
    assert found.on.path == "/srv"


def test_mounted_in_the_mount_above_it():
    assert place(ROOT + SRV + SHARE.format(30)).mount is not None


def test_hidden_under_a_mount_at_the_same_path():
    found = place(ROOT + SHARE.format(22) + "50 41 0:60 / /srv/media rw - tmpfs tmpfs rw\n")
    assert found.mount is not None
    assert found.mount.fstype == "tmpfs"
    assert [mount.fstype for mount in found.hidden] == ["nfs4"]


def test_an_automount_is_not_what_hides_or_is_hidden():
    waiting = place(ROOT + AUTOFS)
    assert waiting.mount is not None
    assert waiting.mount.fstype == "autofs"
    mounted = place(ROOT + AUTOFS + SHARE.format(40))
    assert mounted.mount is not None
    assert mounted.mount.fstype == "nfs4"
    assert mounted.hidden == ()


def test_read_only_by_the_mount_or_by_the_file_system():
    for line in (
        SHARE.format(22).replace("rw,relatime", "ro,relatime"),
        SHARE.format(22).replace("rw,vers", "ro,vers"),
    ):
        found = place(ROOT + line)
        assert found.mount is not None
        assert found.mount.read_only


def test_blanks_in_a_path():
    found = place(ROOT + "9 22 0:1 / /srv/my\\040media rw - nfs4 a:/b\\134c rw\n", "/srv/my media")
    assert found.mount is not None
    assert found.mount.source == "a:/b\\c"


@given(st.text())
def test_no_text_breaks_the_reading(text):
    place(text)


@given(st.lists(st.sampled_from(["/a", "/a/b", "/a/b/c"]), min_size=1, max_size=8), st.data())
def test_the_path_leads_to_what_was_mounted_last_on_the_way(paths, data):
    """An independent model: a mount is reachable until one over it, or over a directory above it, comes."""
    lines, number = ["1 0 8:1 / / rw - ext4 root rw"], 1
    last: dict[str, int] = {"/": 1}
    for path in paths:
        number += 1
        above = max((p for p in last if path == p or path.startswith(p.rstrip("/") + "/")), key=len)
        lines.append("{0} {1} 0:{0} / {2} rw - tmpfs m{0} rw".format(number, last[above], path))
        last = {p: n for p, n in last.items() if not p.startswith(path + "/")}
        last[path] = number
    asked = data.draw(st.sampled_from(["/a", "/a/b", "/a/b/c", "/z"]))
    found = place("\n".join(lines), asked)
    assert (found.mount.number if found.mount else None) == last.get(asked)


def test_who_has_one_of_two_mounts_of_one_export():
    """As with nosharecache: another file system, so who has the one keeps nobody from unmounting the other."""
    container = read_mounts("1 0 0:46 / /usr/local/wamedia rw - nfs4 nas-1:/media rw\n")
    assert has_mounted("0:46", container) and not has_mounted("0:45", container)
    # What follows the host is no container's own.
    service = read_mounts("1 0 0:46 / /srv/media rw shared:20 - nfs4 nas-1:/media rw\n")
    assert not has_mounted("0:46", service)


def test_the_mounts_of_this_machine():
    """No line of a real kernel is left out, and each mount is found at its path or known as hidden there."""
    text = Path("/proc/self/mountinfo").read_text(encoding="utf-8")
    mounts = read_mounts(text)
    assert len(mounts) == len(text.splitlines())
    for mount in mounts:
        at = place_of(mount.path, mounts)
        assert mount in (at.mount, *at.hidden) or mount.fstype == "autofs"
    proc = place_of("/proc", mounts)
    assert proc.mount is not None
    assert proc.mount.fstype == "proc"
