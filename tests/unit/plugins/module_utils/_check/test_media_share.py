# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of a media share that is not one, not there or not writable."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.media_share import (
    NO_ANSWER,
    OPENS,
    Limits,
    change_problems,
    host_problems,
    in_the_way,
    islands,
    mount_failed,
    mount_not_ended,
    proof_problem,
    same_source,
    share_problems,
    token_name,
    token_text,
)
from ansible_collections.waent.fleet.plugins.module_utils._desired.media_share import MediaShare
from hypothesis import given
from hypothesis import strategies as st

SHARE = MediaShare("nas-1", "/media", "/srv/media")
LIMITS = Limits(free_mb=1024, free_inodes=1000)
MOUNT = {
    "source": "nas-1:/media", "fstype": "nfs4", "opts": ["rw", "vers=4.2", "hard"], "read_only": False,
}  # fmt: skip


def answer(**more):
    return {
        "mount": MOUNT, "exists": True, "directory": True, "empty": None, "hidden": [], "error": None, "unseen": {},
        "free_mb": 5000, "free_inodes": 100000, "clock_offset_seconds": 0.1, "apart": [], "inside": {}, **more,
    }  # fmt: skip


def error(name, step="write", **more):
    return {"name": name, "step": step, "message": name.lower(), **more}


def mount(**more):
    return {**MOUNT, **more}


TMPFS = {"source": "tmpfs", "fstype": "tmpfs", "opts": ["rw"], "read_only": False}
LATE = error(NO_ANSWER, "stat", seconds=5.0, left_behind=0)

REFUSALS = [
    ("NOT_MOUNTED", answer(mount=None), "is a directory of the host itself"),
    ("NOT_MOUNTED", answer(mount=None, exists=False, directory=False), "does not exist"),
    ("NOT_MOUNTED", answer(mount=None, directory=False), "is no directory"),
    ("NOT_MOUNTED", answer(mount=None, empty=True), "is an empty directory"),
    ("OTHER", answer(mount=mount(source="nas-2:/media")), "nas-2:/media is mounted at /srv/media in place of"),
    ("OTHER", answer(mount=mount(source="nas-1:/other")), "nas-1:/other is mounted"),
    ("OTHER", answer(mount=TMPFS), "tmpfs is mounted"),
    ("READ_ONLY", answer(mount=mount(read_only=True)), "mounted read-only"),
    ("READ_ONLY", answer(error=error("EROFS")), "exported read-only"),
    ("NOT_WRITABLE", answer(error=error("EACCES")), "user id 1000 of the containers may not write"),
    ("NOT_WRITABLE", answer(error=error("EPERM", "rename")), "may not rename"),
    ("STALE", answer(error=error("ESTALE", "stat")), "is stale (step stat)"),
    ("STALE", answer(error=error("ESTALE", "stat"), exists=False, directory=False), "is stale"),
    ("FULL", answer(error=error("ENOSPC")), "no space is left"),
    ("FULL", answer(error=error("EDQUOT")), "the quota of user id 1000"),
    ("FULL", answer(free_mb=1023), "has 1023 MB free, and 1024 MB are asked for"),
    ("NO_INODES", answer(error=error("ENOSPC"), free_inodes=0), "has 0 inodes free"),
    ("NO_INODES", answer(free_inodes=999), "has 999 inodes free, and 1000 are asked for"),
    ("NO_ANSWER", answer(error=LATE), "stat at /srv/media did not end within 5 s;"),
    ("NO_ANSWER", answer(error={**LATE, "left_behind": 1}), "within 5 s, and its process cannot be ended;"),
    ("NO_ANSWER", answer(error={**LATE, "seconds": 0.0, "left_behind": 1}), "a process of an earlier run still waits"),
    ("NO_ANSWER", answer(error=error("ETIMEDOUT", "rename")), "rename failed at /srv/media: etimedout"),
    ("NO_ANSWER", answer(mount=None, error=LATE), "does not answer"),
    ("NO_ANSWER", answer(mount=None, error=error("ECONNREFUSED", "connect")), "connect failed: econnrefused"),
    ("VERSION", answer(mount=mount(opts=["rw", "vers=3"])), "with NFS version 3, and wa_media_share.opts asks for 4"),
    ("HIDDEN", answer(mount=None, hidden=[MOUNT]), "hidden under another mount"),
    ("HIDDEN", answer(mount=TMPFS, hidden=[MOUNT]), "hidden under tmpfs"),
    ("CLOCK", answer(clock_offset_seconds=5.2), "the clock of nas-1 is 5.2 s ahead of"),
    ("CLOCK", answer(clock_offset_seconds=-60.0), "60.0 s behind"),
    ("APART", answer(apart=["java in 3fa43fa43fa4"]), "containers were started that use this path (java in 3fa4"),
    (
        "INSIDE",
        answer(inside={"java": error("EROFS"), "nginx": None}),
        "in containers that have it (java: write, erofs)",
    ),
    ("FAILED", answer(error=error("EIO", "read back")), "read back failed at /srv/media: eio"),
]


def found(one, limits=LIMITS):
    return host_problems(SHARE, "rack-a-1", one, 1000, limits)


@pytest.mark.parametrize("one", [one for code, one, _part in REFUSALS if code == "NOT_MOUNTED" and one["directory"]])
def test_beside_nodes_of_compose_files_nothing_is_mounted(one):
    """site.yml, which mounts it else, refuses there; and the directory may be the one that they use."""
    (problem,) = found({**one, "adopts": True})
    assert problem.message.endswith("; leave wa_media_share out of the inventory until all nodes are adopted.")
    assert "site.yml" in found(one)[0].message and "site.yml" not in problem.message


@pytest.mark.parametrize(("code", "one", "part"), REFUSALS)
def test_each_refusal_has_its_code_and_sentence(code, one, part):
    problems = found(one)
    assert [problem.code for problem in problems] == ["MEDIA_SHARE_" + code]
    assert part in problems[0].message
    assert (problems[0].host, problems[0].variable) == ("rack-a-1", "wa_media_share")
    assert problems[0].message.endswith(".")
    assert "nas-1" in problems[0].message
    what_is_so, _semicolon, what_to_do = problems[0].message.partition("; ")
    assert what_is_so and what_to_do, "a refusal says what to do"


@pytest.mark.parametrize("step", ["connect to port 2049", "stat", "statvfs", "rename", "delete", *sorted(OPENS)])
def test_a_server_in_its_grace_period_may_only_be_waited_for(step):
    """It answers all but what opens a file: so a silence there is the one that passes by itself."""
    (problem,) = found(answer(error={**LATE, "step": step}))
    assert ("If it has just started" in problem.message) == (step in OPENS)
    assert "bring the server or the way to it back." in problem.message
    (refused,) = found(answer(error=error("ETIMEDOUT", step)))
    assert "just started" not in refused.message


def test_a_sound_host_has_no_problem():
    assert found(answer()) == []
    assert found(answer(free_mb=None, free_inodes=None, clock_offset_seconds=None)) == []
    assert found(answer(mount=mount(source="NAS-1:/media/"))) == []
    assert found(answer(hidden=[TMPFS])) == []


@pytest.mark.parametrize(
    ("one", "code"),
    [
        (answer(mount=None, empty=False), "MEDIA_SHARE_IN_THE_WAY"),
        (answer(mount=None, directory=False), "MEDIA_SHARE_NO_DIRECTORY"),
        (answer(mount=None, empty=True), None),
        (answer(mount=None, exists=False, directory=False), None),
        (answer(), None),
    ],
)
def test_what_keeps_a_share_from_being_mounted(one, code):
    assert [problem.code for problem in in_the_way(SHARE, "rack-a-1", one)] == [code] * bool(code)


UNFIT_MOUNT = mount(opts=["rw", "vers=3"], read_only=True)


@pytest.mark.parametrize(
    ("state", "one", "users", "stops", "code"),
    [
        ("mounted", answer(), [], False, None),
        ("mounted", answer(), ["java"], False, None),
        ("mounted", answer(), ["java"], True, "IN_USE"),
        ("absent", answer(), ["java"], True, "IN_USE"),
        ("absent", answer(), [], True, None),
        # What the change is for.
        ("mounted", answer(mount=UNFIT_MOUNT), [], True, None),
        ("mounted", answer(mount=None, empty=True), [], False, None),
        ("mounted", answer(mount=None, empty=False), [], False, "IN_THE_WAY"),
        ("absent", answer(mount=None, empty=False), [], False, None),
        # What somebody has to correct.
        ("mounted", answer(mount=mount(source="nas-2:/media")), [], False, "OTHER"),
        ("unmounted", answer(mount=TMPFS), [], False, "OTHER"),
        ("mounted", answer(mount=TMPFS, hidden=[MOUNT]), [], False, "HIDDEN"),
        ("mounted", answer(error=error("ESTALE", "stat")), [], False, "STALE"),
        ("unmounted", answer(error=LATE), ["java"], True, "NO_ANSWER"),
        ("mounted", answer(mount=None, error=LATE), [], False, "NO_ANSWER"),
    ],
)
def test_what_keeps_a_host_from_being_changed(state, one, users, stops, code):
    problems = change_problems(replace(SHARE, state=state), "rack-a-1", one, users, stops)
    assert [problem.code for problem in problems] == (["MEDIA_SHARE_" + code] if code else [])
    assert all(problem.host == "rack-a-1" and problem.message.endswith(".") for problem in problems)


def test_a_share_in_use_names_who_uses_it():
    (problem,) = change_problems(SHARE, "rack-a-1", answer(), ["java", "nginx"], True)
    assert "containers use it (java and nginx); stop them first" in problem.message


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("Error unmounting /srv/media: umount.nfs4: /srv/media: device is busy", "IN_USE"),
        ("Error unmounting /srv/media: umount: /srv/media: target is busy.", "IN_USE"),
        (
            "Error mounting /srv/media: mount.nfs4: mounting nas-1:/gone failed, reason given by server: No such file"
            " or directory",
            "NOT_EXPORTED",
        ),
        ("Error mounting /srv/media: mount.nfs4: access denied by server while mounting nas-1:/media", "NOT_EXPORTED"),
        ("Error mounting /srv/media: mount.nfs4: Operation not permitted", "NOT_EXPORTED"),
        ("Error mounting /srv/media: mount.nfs4: Protocol not supported", "VERSION"),
        ("mount.nfs4: requested NFS version or transport protocol is not supported", "VERSION"),
        ("Error mounting /srv/media: mount.nfs4: an incorrect mount option was specified", "VERSION"),
        ("mount: /srv/media: unknown filesystem type 'nfs4'.", "NO_CLIENT"),
        (
            "mount: bad option; for several filesystems (e.g. nfs, cifs) you might need a /sbin/mount.<type> helper"
            " program.",
            "NO_CLIENT",
        ),
        ("Error mounting /srv/media: mount.nfs4: Connection timed out", "MOUNT_FAILED"),
    ],
)
def test_why_a_mount_failed(said, code):
    problem = mount_failed(SHARE, "rack-a-1", "mounted", said)
    assert problem.code == "MEDIA_SHARE_" + code
    assert problem.host == "rack-a-1"
    assert said.rstrip(".") in problem.message


def test_a_host_that_was_refused_is_no_part_of_the_comparison():
    hosts = ["a", "b", "c"]
    refused = {"c": change_problems(SHARE, "c", answer(mount=TMPFS), [], False)}
    answers = {"a": answer(unseen={"c": "missing"}), "b": answer(unseen={"c": "missing"}), "c": answer(mount=TMPFS)}
    problems = share_problems(SHARE, hosts, answers, 0, LIMITS, refused)
    assert [(problem.code, problem.host) for problem in problems] == [("MEDIA_SHARE_OTHER", "c")]


def test_room_and_clock_are_said_together():
    codes = [one.code for one in found(answer(free_mb=1, free_inodes=1, clock_offset_seconds=9.0))]
    assert codes == ["MEDIA_SHARE_FULL", "MEDIA_SHARE_NO_INODES", "MEDIA_SHARE_CLOCK"]


@given(st.sampled_from(REFUSALS), st.sampled_from(REFUSALS))
def test_a_host_where_two_things_are_wrong_is_never_taken_for_sound(one, other):
    changed = {key: value for key, value in other[1].items() if value != answer()[key]}
    assert found({**one[1], **changed})


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("nas:/a", "NAS.:/a/", True), ("nas:/a", "nas:/b", False), ("[2001:db8::1]:/a", "[2001:db8::1]:/a", True),
        ("nas:/", "nas:/", True), ("nas:/A", "nas:/a", False),
    ],
)  # fmt: skip
def test_same_source(one, other, same):
    assert same_source(one, other) is same


# --- all hosts


HOSTS = ["rack-a-1", "rack-a-2", "rack-b-1"]


def of_all(answers, hosts=HOSTS):
    return share_problems(SHARE, hosts, answers, 1000, LIMITS)


def test_one_share_on_all_hosts():
    assert of_all({host: answer() for host in HOSTS}) == []


def test_hosts_that_do_not_see_the_same_share():
    answers = {
        "rack-a-1": answer(unseen={"rack-b-1": "missing"}),
        "rack-a-2": answer(unseen={"rack-b-1": "missing"}),
        "rack-b-1": answer(unseen={"rack-a-1": "missing", "rack-a-2": "missing"}),
    }
    problems = of_all(answers)
    assert [(one.code, one.host) for one in problems] == [("MEDIA_SHARE_SPLIT", None)]
    assert "rack-a-1 and rack-a-2 | rack-b-1" in problems[0].message


def test_a_host_that_left_no_token_is_not_called_a_split():
    answers = {host: answer(unseen={"rack-b-1": "missing"}) for host in HOSTS[:2]}
    answers["rack-b-1"] = answer(error=error("EACCES"))
    assert [one.code for one in of_all(answers)] == ["MEDIA_SHARE_NOT_WRITABLE"]


def test_a_host_without_an_answer():
    problems = of_all({"rack-a-1": answer(), "rack-a-2": {"msg": "MODULE FAILURE"}})
    assert [(one.code, one.host) for one in problems] == [
        ("MEDIA_SHARE_NOT_PROBED", "rack-a-2"),
        ("MEDIA_SHARE_NOT_PROBED", "rack-b-1"),
    ]
    assert problems[0].message.endswith("is not known: MODULE FAILURE; see what Ansible says of the host.")


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12))
def test_islands_are_the_directories_that_hosts_really_have(directories):
    hosts = ["h{0}".format(number) for number in range(len(directories))]
    where = dict(zip(hosts, directories))
    unseen = {host: {other for other in hosts if where[other] != where[host]} for host in hosts}
    expected = {tuple(host for host in hosts if where[host] == directory) for directory in set(directories)}
    groups = islands(hosts, unseen)
    assert {tuple(group) for group in groups} == expected
    assert [len(group) for group in groups] == sorted(map(len, groups), reverse=True)
    answers = {host: answer(unseen=dict.fromkeys(unseen[host], "missing")) for host in hosts}
    assert [one.code for one in of_all(answers, hosts)] == ["MEDIA_SHARE_SPLIT"] * (len(groups) > 1)


@given(st.sets(st.tuples(st.integers(0, 4), st.integers(0, 4)).filter(lambda pair: pair[0] != pair[1]), min_size=1))
def test_any_token_that_is_not_seen_is_a_split(pairs):
    hosts = ["h{0}".format(number) for number in range(5)]
    unseen = {host: {hosts[b] for a, b in pairs if hosts[a] == host} for host in hosts}
    assert len(islands(hosts, unseen)) > 1


def test_many_hosts_stay_one_line():
    hosts = ["h{0}".format(number) for number in range(40)]
    answers = {host: answer(unseen={} if host != "h39" else dict.fromkeys(hosts[:39], "missing")) for host in hosts}
    assert "h0, h1, h2, h3, h4 and 34 more | h39" in of_all(answers, hosts)[0].message


# --- proof and tokens


def test_a_host_that_was_no_part_of_the_last_proof():
    proof = {"age_seconds": 10.0, "run": "5f", "hosts": ["rack-a-1"]}
    assert proof_problem(SHARE, "rack-a-1", {"proof": proof}) is None
    for last in (proof, None):
        found = proof_problem(SHARE, "rack-b-1", {"proof": last})
        assert (found.code, found.host) == ("MEDIA_SHARE_NOT_PROVED", "rack-b-1")


def test_a_proof_that_ansible_may_not_read_is_not_one_that_was_never_made():
    found = proof_problem(SHARE, "rack-b-1", {"proof": None, "denied": 1000})
    assert (found.code, found.host) == ("MEDIA_SHARE_DENIED", "rack-b-1")
    assert "user id 1000" in found.message and "never" not in found.message


def test_a_mount_that_was_ended_at_its_deadline():
    found = mount_not_ended(SHARE, "rack-b-1", "mounted", 30)
    assert (found.code, found.host) == ("MEDIA_SHARE_NO_ANSWER", "rack-b-1")
    assert "did not end within 30 s" in found.message


@given(st.lists(st.text(min_size=1), min_size=2, unique=True), st.sampled_from(["0a1b", "ffff"]))
def test_no_two_hosts_and_no_two_runs_have_one_token(hosts, run):
    names = {token_name(run, host) for host in hosts}
    assert len(names) == len(hosts)
    assert all("/" not in name and len(name) < 100 for name in names)
    assert names.isdisjoint(token_name(run + "1", host) for host in hosts)
    assert len({token_text(run, host) for host in hosts}) == len(hosts)
