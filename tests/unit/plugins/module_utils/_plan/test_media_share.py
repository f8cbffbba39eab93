# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done for a media share, and that nothing is left to do afterwards."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.media_share import Limits
from ansible_collections.waent.fleet.plugins.module_utils._desired.media_share import (
    BEFORE_ENGINE,
    STATES,
    MediaShare,
    read_media_share,
)
from ansible_collections.waent.fleet.plugins.module_utils._plan.media_share import (
    Change,
    call_of,
    media_share_change,
    mount_arguments,
    seen_share,
    shown_state,
    state_after,
    unit_of,
)
from ansible_collections.waent.fleet.plugins.module_utils._state.mounts import FstabLine, read_fstab
from hypothesis import given
from hypothesis import strategies as st

SHARE = MediaShare("2001:db8::1", "/media", "/srv/media")
OPTS = ["rw", "relatime", "vers=4.2", "hard", "timeo=150", "retrans=2"]
LINE = FstabLine(SHARE.source, SHARE.path, "nfs4", SHARE.fstab_opts)
OTHER = FstabLine("/dev/sda1", "/", "ext4", "errors=remount-ro")


@pytest.mark.parametrize(
    ("state", "opts", "fstab", "steps", "stops"),
    [
        ("mounted", OPTS, [LINE], (), False),
        ("mounted", None, [LINE], ("mounted",), False),
        ("mounted", None, [], ("mounted",), False),
        ("mounted", OPTS, [], ("present",), False),
        ("mounted", OPTS, [LINE, LINE], ("absent_from_fstab", "present"), False),
        ("mounted", None, [LINE, LINE], ("absent_from_fstab", "mounted"), False),
        ("mounted", OPTS, [LINE._replace(opts="defaults")], ("present",), False),
        ("mounted", OPTS, [LINE._replace(source="nas:/media")], ("present",), False),
        ("mounted", OPTS, [LINE._replace(fstype="nfs")], ("present",), False),
        ("mounted", [*OPTS[:4], "timeo=600", "retrans=2"], [LINE], ("unmounted", "mounted"), True),
        ("unmounted", OPTS, [LINE], ("unmounted",), True),
        ("unmounted", None, [LINE], (), False),
        ("absent", OPTS, [LINE], ("unmounted", "absent_from_fstab"), True),
        ("absent", OPTS, [], ("unmounted",), True),
        ("absent", None, [LINE], ("absent_from_fstab",), False),
        ("absent", None, [], (), False),
        ("probed", None, [], (), False),
        ("probed", [*OPTS[:3], "soft"], [], (), False),
    ],
)
def test_steps(state, opts, fstab, steps, stops):
    change = media_share_change(replace(SHARE, state=state), opts, [OTHER, *fstab])
    assert (change.steps, change.stops_nodes) == (steps, stops)
    assert bool(change.reasons) == bool(steps)


def test_what_differs_is_named():
    change = media_share_change(SHARE, ["hard", "timeo=600", "vers=4.2"], [LINE._replace(opts="vers=4,hard")])
    assert change.reasons == ("timeo=150 instead of 600", "fstab has options vers=4,hard")


LINES = st.builds(
    FstabLine,
    st.sampled_from([SHARE.source, "nas:/other"]),
    st.sampled_from([SHARE.path, "/srv"]),
    st.sampled_from(["nfs4", "nfs"]),
    st.sampled_from([SHARE.fstab_opts, "defaults", "vers=4"]),
)
LIVE = st.none() | st.sampled_from([OPTS, [*OPTS[:3], "soft"], ["rw", "vers=4.1", "hard", "timeo=600"]])


def done(share, step, opts, fstab, waits):
    """What ansible.posix.mount leaves with this state, of several lines for a path it changes each; or systemd."""
    if step == "daemon-reload":
        return opts, fstab, waits
    if step == "start":
        # It refuses to wait where something is mounted; the proof comes for the share then.
        assert opts is None
        return OPTS, fstab, True
    if step == "stop":
        # What it has mounted goes with it.
        return None, fstab, False
    if step == "unmounted":
        assert not waits, "whoever comes next would have it mounted again"
        return None, fstab, waits
    others = [one for one in fstab if one.path != SHARE.path]
    line = LINE._replace(opts=share.fstab_opts)
    if step == "absent_from_fstab":
        return opts, others, waits
    lines = [line] * max(1, len(fstab) - len(others))
    return (OPTS if step == "mounted" and opts is None else opts), [*others, *lines], waits


AUTO = read_media_share({"server": "2001:db8::1", "export": "/media", "path": "/srv/media", "automount": True})[0]
SHARES = st.builds(
    lambda share, state: replace(share, state=state), st.sampled_from([SHARE, AUTO]), st.sampled_from(STATES)
)


@given(SHARES, LIVE, st.lists(LINES, max_size=4), st.booleans())
def test_after_its_steps_nothing_is_left_to_do(share, opts, fstab, waits):
    change = media_share_change(share, opts, fstab, waits)
    was_mounted, went = opts is not None, False
    for step in change.steps:
        opts, fstab, waits = done(share, step, opts, fstab, waits)
        went = went or (was_mounted and opts is None)
    assert media_share_change(share, opts, fstab, waits) == Change()
    assert change.stops_nodes == went
    if share.state in ("unmounted", "absent"):
        assert not waits


@given(SHARES, LIVE, st.lists(LINES, max_size=4), st.booleans())
def test_a_diff_shows_what_is_there_afterwards(share, opts, fstab, waits):
    change = media_share_change(share, opts, fstab, waits)
    before = shown_state(share, opts, fstab)
    shown = state_after(share, change, before)
    for step in change.steps:
        opts, fstab, waits = done(share, step, opts, fstab, waits)

    def plain(text):
        # The kernel adds options of its own, which nobody can know before.
        return [line.rpartition(" ")[0] if line.startswith("mounted") else line for line in sorted(text.splitlines())]

    assert plain(shown) == plain(shown_state(share, opts, fstab))
    assert (shown == before) or change.steps


@pytest.mark.parametrize(
    ("state", "opts", "lines", "waits", "steps", "stops"),
    [
        ("mounted", None, [], False, ("present", "daemon-reload", "start"), False),
        ("mounted", None, ["own"], True, ("stop", "present", "daemon-reload", "start"), False),
        ("mounted", OPTS, ["own"], True, (), False),
        # Switched on while it is mounted: from the next boot on, and no node stops for it.
        ("mounted", OPTS, ["plain"], False, ("present", "daemon-reload"), False),
        (
            "mounted", [*OPTS[:4], "timeo=600"], ["own"], True,
            ("stop", "unmounted", "present", "daemon-reload", "start"), True,
        ),
        ("absent", OPTS, ["own"], True, ("stop", "unmounted", "absent_from_fstab", "daemon-reload"), True),
        ("absent", None, [], True, ("stop",), False),
        ("unmounted", OPTS, ["own"], True, ("stop", "unmounted"), True),
        ("probed", OPTS, [], True, (), False),
    ],
)  # fmt: skip
def test_what_systemd_mounts(state, opts, lines, waits, steps, stops):
    fstab = [LINE if one == "plain" else LINE._replace(opts=AUTO.fstab_opts) for one in lines]
    change = media_share_change(replace(AUTO, state=state), opts, fstab, waits)
    assert (change.steps, change.stops_nodes) == (steps, stops)
    assert bool(change.reasons) == bool(steps)


@pytest.mark.parametrize(
    ("path", "unit"),
    [
        ("/srv/media", "srv-media.automount"),
        ("/srv/whatsapp-media", r"srv-whatsapp\x2dmedia.automount"),
        ("/.m/\u00e9_1", r"\x2em-\xc3\xa9_1.automount"),
    ],
)
def test_the_unit_that_waits(path, unit):
    """As systemd-escape --path has it."""
    assert unit_of(path) == unit
    assert call_of(replace(SHARE, path=path), "start")["arguments"] == {"argv": ["systemctl", "start", unit]}
    assert call_of(SHARE, "daemon-reload")["arguments"] == {"argv": ["systemctl", "daemon-reload"]}


@pytest.mark.parametrize("step", ["unmounted", "absent_from_fstab"])
def test_what_takes_away_names_the_path_alone(step):
    assert mount_arguments(SHARE, step) == {"path": SHARE.path, "state": step}


@pytest.mark.parametrize("step", ["mounted", "present"])
def test_what_mounts_says_all(step):
    assert mount_arguments(SHARE, step) == {
        "path": "/srv/media", "src": "[2001:db8::1]:/media", "fstype": "nfs4", "opts": SHARE.fstab_opts, "state": step,
    }  # fmt: skip


def test_reading_fstab():
    text = (
        "# /dev/x /srv/media ext4\n\n  UUID=1 / ext4\nbroken\n"
        "{0}\t/srv//media/ nfs4 vers=4,hard 0 0\na:/b\\040c /d nfs4 rw\n"
    )
    assert read_fstab(text.format(SHARE.source)) == [
        FstabLine("UUID=1", "/", "ext4", "defaults"),
        FstabLine(SHARE.source, "/srv/media", "nfs4", "vers=4,hard"),
        FstabLine("a:/b c", "/d", "nfs4", "rw"),
    ]


# --- what follows from what a host has ------------------------------------------------------------------------------

MOUNT = {"source": SHARE.source, "fstype": "nfs4", "opts": OPTS, "read_only": False}
THERE = {
    "mount": MOUNT, "hidden": [], "exists": True, "directory": True, "empty": None, "error": None, "free_mb": 5000,
    "free_inodes": None, "fstab": [list(LINE)], "users": ["containerd"], "containers": [""], "proof": None,
}  # fmt: skip
SILENT = {"name": "NO_ANSWER", "step": "ask", "message": "", "seconds": 2.0, "left_behind": False}


@pytest.mark.parametrize(
    ("changes", "reasons", "codes"),
    [
        ({}, (), []),
        ({"mount": None, "empty": True}, ("is not mounted",), []),
        ({"mount": None, "empty": False}, ("is not mounted",), ["IN_THE_WAY"]),
        ({"error": SILENT}, (), ["NO_ANSWER"]),
        ({"mount": None, "error": SILENT, "exists": None}, ("is not mounted",), ["NO_ANSWER"]),
        ({"mount": {**MOUNT, "source": "nas-2:/media"}}, ("is not mounted",), ["OTHER"]),
        ({"mount": {**MOUNT, "read_only": True}}, (), ["READ_ONLY"]),
        ({"free_mb": 100}, (), ["FULL"]),
        ({"mount": {**MOUNT, "opts": [*OPTS[:4], "timeo=600"]}}, ("timeo=150 instead of 600",), ["IN_USE"]),
        ({"mount": {**MOUNT, "opts": [*OPTS[:4], "timeo=600"]}, "users": []}, ("timeo=150 instead of 600",), []),
    ],
)
def test_what_follows(changes, reasons, codes):
    seen = seen_share(SHARE, "a", {**THERE, **changes}, 0, Limits(free_mb=1000))
    assert seen.change.reasons == reasons
    assert [problem.code for problem in seen.problems] == ["MEDIA_SHARE_" + code for code in codes]


NODES = {"users": ["java in 3fa43fa43fa4", "java in abababababab"], "containers": ["3fa43fa43fa4", "abababababab"]}
OTHER_OPTS = {"mount": {**MOUNT, "opts": [*OPTS[:4], "timeo=600"]}, **NODES}


@pytest.mark.parametrize(
    ("changes", "stoppable", "remount", "codes"),
    [
        (OTHER_OPTS, {"3fa43fa43fa4", "abababababab"}, True, []),
        (OTHER_OPTS, {"3fa43fa43fa4"}, False, ["IN_USE"]),
        (OTHER_OPTS, (), False, ["IN_USE"]),
        # Nobody has it: it is mounted again at once.
        ({**OTHER_OPTS, "users": [], "containers": []}, {"3fa43fa43fa4"}, False, []),
        # Of another version than is asked for, which is what the change is for.
        (
            {**OTHER_OPTS, "mount": {**MOUNT, "opts": ["rw", "vers=3", "hard", "timeo=150"]}},
            {"3fa43fa43fa4", "abababababab"}, True, [],
        ),
        # What is wrong besides keeps the nodes where they are.
        ({**OTHER_OPTS, "free_mb": 5}, {"3fa43fa43fa4", "abababababab"}, True, ["FULL"]),
        (NODES, {"3fa43fa43fa4", "abababababab"}, False, []),
    ],
)  # fmt: skip
def test_nodes_that_have_it_stop_for_it_and_nobody_else(changes, stoppable, remount, codes):
    seen = seen_share(SHARE, "a", {**THERE, **changes}, 0, Limits(free_mb=1000), stoppable)
    assert seen.remount is remount
    assert [problem.code for problem in seen.problems] == ["MEDIA_SHARE_" + code for code in codes]


def test_an_option_for_systemd_alone_leaves_what_is_mounted_as_it_is():
    """As on hosts whose line is of a time when it was no default: fstab changes, and no node stops for it."""
    before = LINE._replace(opts=",".join(option for option in SHARE.opts if option != BEFORE_ENGINE))
    change = media_share_change(SHARE, OPTS, [before])
    assert change == Change(("present",), ("fstab has options {0}".format(before.opts),), stops_nodes=False)


@given(st.lists(st.sampled_from(("x-systemd.mount-timeout=300", "x-systemd.requires=a.service", "x-mount.mkdir"))))
def test_no_option_for_programs_alone_does(opts):
    share, problems = read_media_share({"server": "nas", "export": "/media", "path": "/srv/media", "opts": opts})
    assert share is not None, problems
    line = FstabLine(share.source, share.path, "nfs4", "vers=4,hard,timeo=150,retrans=2,_netdev,nofail")
    assert not media_share_change(share, OPTS, [line]).stops_nodes


APART = {"apart": ["coreapp in 3fa43fa43fa4", "sh"], "apart_containers": ["3fa43fa43fa4", ""]}


@pytest.mark.parametrize(
    ("stoppable", "named"),
    [
        ((), ["coreapp in 3fa43fa43fa4", "sh"]),
        (("3fa43fa43fa4",), ["sh"]),
        (("abababababab",), ["coreapp in 3fa43fa43fa4", "sh"]),
    ],
)
def test_who_is_started_again_may_have_the_directory_under_it_until_then(stoppable, named):
    (problem,) = seen_share(SHARE, "a", {**THERE, **APART}, 0, Limits(free_mb=1000), stoppable).problems
    assert problem.code == "MEDIA_SHARE_APART"
    assert [name for name in APART["apart"] if name in problem.message] == named
    only = {name: values[:1] for name, values in APART.items()}
    assert bool(seen_share(SHARE, "a", {**THERE, **only}, 0, Limits(free_mb=1000), stoppable).problems) is (
        len(named) == 2
    )


@pytest.mark.parametrize("changes", [{}, OTHER_OPTS])
def test_a_share_is_not_unmounted_while_nobody_knows_who_has_it(changes):
    hidden = {"unread": ["wa-master-1"], "reader": 1000, "users": [], "containers": []}
    seen = seen_share(SHARE, "a", {**THERE, **changes, **hidden}, 0, Limits(free_mb=1000))
    assert [problem.code for problem in seen.problems] == (["MEDIA_SHARE_DENIED"] if changes else [])
    assert not seen.remount
