# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the media share is read from the inventory, and compared with what is mounted."""

from __future__ import annotations

import random

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._desired.media_share import (
    BEFORE_ENGINE,
    DEFAULT_OPTS,
    KEYS,
    mount_differences,
    option_name,
    read_media_share,
    same_fstab_opts,
    version_fits,
    version_of,
)
from hypothesis import given
from hypothesis import strategies as st

RAW = {"server": "nas-1.example.com", "export": "/media", "path": "/srv/media"}

TEXT = (
    "rw,noatime,vers=4.2,rsize=1048576,wsize=524288,namlen=255,hard,proto=tcp,timeo=150,retrans=2,sec=sys,"
    "clientaddr=192.0.2.7,local_lock=none,addr=192.0.2.1"
)
SHOWN = TEXT.split(",")


def share_of(**more):
    share, problems = read_media_share({**RAW, **more})
    assert share is not None, problems
    return share


def test_the_defaults_for_this_use():
    share = share_of()
    assert share.opts == DEFAULT_OPTS
    assert (share.source, share.version, share.state) == ("nas-1.example.com:/media", "4", "mounted")
    assert (share.owner, share.group, share.mode) == (None, None, None)


@pytest.mark.parametrize(
    ("server", "source"),
    [("192.0.2.1", "192.0.2.1:/media"), ("2001:db8::1", "[2001:db8::1]:/media"), ("nas", "nas:/media")],
)
def test_source(server, source):
    assert share_of(server=server).source == source


@pytest.mark.parametrize(
    ("opts", "expected"),
    [
        ("vers=4.1", "vers=4.1,hard,timeo=150,retrans=2,_netdev,nofail," + BEFORE_ENGINE),
        (["nfsvers=4.0", "timeo=600"], "nfsvers=4.0,timeo=600,hard,retrans=2,_netdev,nofail," + BEFORE_ENGINE),
        # The engine waits whatever else does.
        (
            "x-systemd.before=a.service,x-systemd.before=b.service",
            "x-systemd.before=a.service,x-systemd.before=b.service," + ",".join(DEFAULT_OPTS),
        ),
        ([], ",".join(DEFAULT_OPTS)),
        ("", ",".join(DEFAULT_OPTS)),
        ("noatime", "noatime," + ",".join(DEFAULT_OPTS)),
    ],
)
def test_own_options_stand_in_place_of_the_defaults(opts, expected):
    assert share_of(opts=opts).fstab_opts == expected


def test_automount_leaves_mounting_to_systemd():
    assert share_of(automount=True).opts == (*DEFAULT_OPTS, "noauto", "x-systemd.automount")


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("server", (None, "", "[2001:db8::1]", "nas:2049", "fe80::1%eth0", "10.0.0.300", "localhost", "127.0.0.1", 7)),
        ("export", (None, "", "media", "/a b", "/a:b", "/a\n", 7)),
        ("path", (None, "", "srv/media", "/", "//", "/./", "/srv/../etc", "/srv/my media", "/a:b", 7)),
        ("opts", ({"vers": 4}, [4], ["a b"], "a,,b", ["a,b"], 7)),
        ("opts", ("vers=3", "nfsvers=2", "vers=4.3", "ro", "soft", "softerr", "bg", "timeo=1,timeo=2", "hard,soft")),
        ("state", ("present", "Mounted", "", True)),
        ("owner", (-1, "www", "07", True, "")),
        ("group", (-1, "www", "07", True, "")),
        ("mode", (770, "rwx", "77", "0888", 0o770, "")),
        ("automount", ("yes", 1, "")),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(key, values):
    for value in values:
        share, problems = read_media_share({**RAW, key: value})
        assert share is None, value
        assert [problem.code for problem in problems] == ["WA_MEDIA_SHARE_INVALID"], value
        assert problems[0].message.startswith("wa_media_share.{0} is ".format(key)), problems
        assert problems[0].message.count("\n") == 0


@pytest.mark.parametrize("raw", [None, "nas:/media", [], 7])
def test_something_else_than_a_map_is_refused(raw):
    assert read_media_share(raw)[1][0].code == "WA_MEDIA_SHARE_INVALID"


def test_a_slip_of_a_key_is_named():
    _share, problems = read_media_share({**RAW, "exports": "/b"})
    assert problems[0].message == "wa_media_share.exports is not known; did you mean export?"


def test_all_that_is_wrong_is_said_at_once():
    _share, problems = read_media_share({"server": "a b", "export": "x", "path": "y", "mode": 7})
    assert len(problems) == 4


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.dictionaries(st.sampled_from(KEYS) | st.text(), ANYTHING))
def test_no_input_breaks_the_reading(raw):
    share, problems = read_media_share(raw)
    assert (share is None) == bool(problems)


OPTIONS = ("noatime", "rsize=65536", "nconnect=4", "sec=sys", "proto=tcp", "timeo=600", "vers=4.1", "hard", "nosuid")


@given(st.lists(st.sampled_from(OPTIONS), unique=True), st.randoms())
def test_each_option_stands_once_and_the_order_says_nothing(opts, chance: random.Random):
    share = share_of(opts=opts)
    names = [option_name(option) for option in share.opts]
    assert len(names) == len(set(names))
    assert set(opts) <= set(share.opts)
    mixed = list(share.opts)
    chance.shuffle(mixed)
    assert same_fstab_opts(",".join(mixed), share.fstab_opts)
    assert share_of(opts=list(share.opts)).opts == share.opts


def test_other_options_in_fstab_differ():
    assert not same_fstab_opts("vers=4,hard", "vers=4.2,hard")
    assert same_fstab_opts("defaults,nfsvers=4", "vers=4")


@pytest.mark.parametrize(
    ("opts", "expected"),
    [
        ("", []),
        ("noatime,nosuid", []),
        ("vers=4.2,proto=tcp6", []),
        ("wsize=1048576", []),
        ("rsize=65536", ["rsize=65536 instead of 1048576"]),
        ("timeo=600", ["timeo=600 instead of 150"]),
        ("sec=krb5", ["sec=krb5 instead of sys"]),
        ("vers=4.1", ["vers=4.1 instead of 4.2"]),
        ("vers=4,minorversion=1", ["vers=4.1 instead of 4.2"]),
    ],
)
def test_options_that_what_is_mounted_does_not_have(opts, expected):
    assert mount_differences(share_of(opts=opts), SHOWN) == expected


def test_a_soft_mount_differs():
    shown = ["soft" if option == "hard" else option for option in SHOWN]
    assert mount_differences(share_of(), shown) == ["hard instead of soft"]


@pytest.mark.parametrize(
    ("asked", "found", "fits"),
    [
        ("4", "4.2", True),
        ("4", "4", True),
        ("4.1", "4.2", False),
        ("4.0", "4", True),
        ("4", "3", False),
        ("4.2", "4", False),
    ],
)
def test_versions(asked, found, fits):
    assert version_fits(asked, found) is fits


def test_a_version_in_two_options():
    assert version_of(["vers=4", "minorversion=1"]) == "4.1"
    assert version_of(["rw"]) is None
