# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_nfs_media where no server is needed: what it refuses and concludes. The rest is in tests/integration/media."""

from __future__ import annotations

from functools import partial
from unittest.mock import Mock

import pytest
from ansible_collections.waent.fleet.plugins.action import wa_nfs_media as action_file
from ansible_collections.waent.fleet.plugins.action.wa_nfs_media import ActionModule
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._desired.media_share import STATES, MediaShare
from ansible_collections.waent.fleet.plugins.module_utils._io.containers_mounts import Space
from ansible_collections.waent.fleet.plugins.module_utils._state.mounts import read_mounts
from ansible_collections.waent.fleet.plugins.modules import wa_nfs_media
from ansible_collections.waent.fleet.plugins.plugin_utils import bounded_module
from ansible_collections.waent.fleet.tests.support.scripted_api import run_module

SHARE = {"server": "nas-1", "export": "/media", "path": "/srv/waent-no-such-directory"}
MOUNT = {"source": "nas-1:/media", "fstype": "nfs4", "opts": ["vers=4.2"], "read_only": False}
ANSWER = {
    "mount": MOUNT, "exists": True, "directory": True, "empty": None, "hidden": [], "error": None, "token": True,
    "free_mb": 5000, "free_inodes": 5000, "clock_offset_seconds": 0.0, "unseen": {},
}  # fmt: skip
UNREAD = {"mount": None, "error": {"step": "connect", "name": "ECONNREFUSED", "message": "no"}}
HOSTS = ["a", "b"]


def codes(result):
    return [problem["code"] for problem in result["problems"]]


def compared(name, **more):
    return {"name": name, "answer": {**ANSWER, **more}, "refused": []}


def module(capfd, **options):
    return run_module(wa_nfs_media, capfd, **{**SHARE, "name": "a", **options})


def concluded(capfd, *results, **options):
    return module(capfd, step="conclude", hosts=HOSTS, compared=list(results), **options)


def test_hosts_that_see_one_share(capfd):
    result = concluded(capfd, compared("a"), compared("b"))
    assert (result["proved"], result["problems"], result["changed"]) == (True, [], False)


@pytest.mark.parametrize(
    ("results", "found"),
    [
        ([compared("a", unseen={"b": "missing"}), compared("b", unseen={"a": "missing"})], "MEDIA_SHARE_SPLIT"),
        ([compared("a", mount=None, token=False), compared("b", unseen={"a": "missing"})], "MEDIA_SHARE_NOT_MOUNTED"),
        ([compared("a")], "MEDIA_SHARE_NOT_PROBED"),
        ([compared("a"), {"msg": "UNREACHABLE"}], "MEDIA_SHARE_NOT_PROBED"),
        (
            [compared("a"), {**compared("b"), "refused": [{"code": "MEDIA_SHARE_IN_USE", "message": "It is."}]}],
            "MEDIA_SHARE_IN_USE",
        ),
    ],
)
def test_what_is_wrong_on_any_host_fails(capfd, results, found):
    result = concluded(capfd, *results)
    assert result["failed"] and not result["proved"]
    assert codes(result) == [found]
    assert result["failure"]["code"] == "MEDIA_SHARE_UNFIT"
    assert "[{0}]".format(found) in result["msg"]


def test_nothing_is_proved_in_check_mode(capfd):
    assert concluded(capfd, compared("a"), compared("b"), check=True)["proved"] is False


@pytest.mark.parametrize("state", STATES)
def test_a_state_for_a_host_that_has_nothing_yet(capfd, state):
    result = module(capfd, server="nas-1.invalid", state=state, step="read")
    refused = [problem["code"] for problem in result["refused"]]
    assert refused == (["MEDIA_SHARE_NO_ANSWER"] if state == "mounted" else [])
    assert result["changed"] is False


@pytest.mark.parametrize("left", [{}, {"answer": {"token": True}}, {"answer": ANSWER}])
def test_a_token_is_taken_back_where_one_may_be(capfd, monkeypatch, left):
    asked = []
    monkeypatch.setattr(wa_nfs_media.share_io, "look_if_reached", lambda *given, **more: asked.append(1) or UNREAD)
    module(capfd, step="take_back", run="5f3a", left=left)
    assert asked == [1]


@pytest.mark.parametrize("answer", [{"token": False}, {**ANSWER, "token": False}, {"mount": None, "error": None}])
def test_where_none_was_left_no_server_is_queried(capfd, monkeypatch, answer):
    """One that is gone would cost its deadline once more."""
    monkeypatch.setattr(wa_nfs_media.share_io, "look_if_reached", None)
    assert module(capfd, step="take_back", run="5f3a", left={"answer": answer})["problems"] == []


def test_bad_options_are_refused_before_anything_is_read(capfd):
    result = module(capfd, step="read", opts=["soft"], path="srv")
    assert codes(result) == ["WA_MEDIA_SHARE_INVALID"] * 2
    assert "path" in result["msg"] and "soft" in result["msg"]


def test_without_its_action_it_does_nothing(capfd):
    assert module(capfd)["failure"]["code"] == "MEDIA_SHARE_NO_ACTION"


# --- the action, with a host that answers as the test says


class Host:
    """Answers of the modules that the action calls, in order; what they were called with is kept.

    An answer that is None is that of a module which does not end.
    """

    def __init__(self, *answers):
        self.answers, self.calls, self.job = list(answers), [], None

    def __call__(self, module_name=None, module_args=None, task_vars=None, wrap_async=False):
        if module_name == "ansible.legacy.async_status":
            return {"finished": False} if self.job is None else {**self.job, "finished": True}
        self.calls.append((module_name or module_args["step"], module_args))
        answer = self.answers.pop(0)
        if not wrap_async:
            return answer
        self.job = answer
        return {"ansible_job_id": "j1", "started": True, "changed": True}


FOUND = {
    "changed": False, "answer": ANSWER, "reasons": [], "stops_nodes": False, "calls": [], "refused": [], "problems": [],
    "diff": {"before": "", "after": ""},
}  # fmt: skip
PROVED = {"changed": False, "answer": ANSWER, "problems": []}
CALL = {
    "module": "ansible.posix.mount", "step": "mounted", "arguments": {"path": SHARE["path"], "state": "mounted"},
}  # fmt: skip
TO_MOUNT = {**FOUND, "changed": True, "calls": [CALL]}
PROBLEM = {"code": "MEDIA_SHARE_OTHER", "message": "It is another.", "host": "a"}


@pytest.fixture(autouse=True)
def _no_time_passes(monkeypatch):
    now = [0.0]
    quick = {"clock": lambda: now[0], "sleep": lambda seconds: now.__setitem__(0, now[0] + seconds)}
    monkeypatch.setattr(action_file, "execute_bounded", partial(bounded_module.execute_bounded, **quick))


def act(host, *, check_mode=False, **options):
    task = Mock(args={**SHARE, **options}, async_val=0, check_mode=check_mode, action="waent.fleet.wa_nfs_media")
    action = ActionModule(task, Mock(), Mock(), Mock(), Mock(), Mock())
    action._execute_module = host
    return action.run(task_vars={"inventory_hostname": "a"})


def test_a_share_that_is_mounted_is_proved():
    host = Host(FOUND, PROVED)
    result = act(host)
    assert not result.get("failed") and result["changed"] is False
    assert [name for name, _arguments in host.calls] == ["read", "prove"]
    assert {arguments["name"] for _name, arguments in host.calls} == {"a"}


def test_a_share_is_mounted_by_ansible_posix_and_proved_then():
    host = Host(TO_MOUNT, {"changed": True}, PROVED)
    assert act(host)["changed"] is True
    assert host.calls[1] == ("ansible.posix.mount", CALL["arguments"])
    assert host.calls[2][0] == "prove"


def test_check_mode_mounts_nothing():
    host = Host(TO_MOUNT)
    result = act(host, check_mode=True, run="5f3a")
    assert result["changed"] is True
    assert len(host.calls) == 1
    found = {"name": "a", "answer": result["answer"], "refused": result["refused"]}
    whole = act(Host(), check_mode=True, step="conclude", hosts=["a"], compared=[found])
    assert whole["problems"] == [] and not whole["proved"]


@pytest.mark.parametrize("state", ["unmounted", "absent"])
def test_what_is_taken_away_is_not_proved(state):
    host = Host({**TO_MOUNT, "calls": [{**CALL, "step": "unmounted"}]}, {"changed": True})
    assert act(host, state=state)["changed"] is True


def test_what_is_refused_is_left_alone():
    host = Host({**TO_MOUNT, "changed": False, "refused": [PROBLEM]})
    result = act(host)
    assert result["failed"] and codes(result) == ["MEDIA_SHARE_OTHER"]
    assert "nothing was changed" in result["msg"]


def test_a_mount_that_fails_is_said_with_its_code():
    said = {"failed": True, "msg": "Error mounting: mount.nfs4: access denied by server while mounting nas-1:/media"}
    result = act(Host(TO_MOUNT, said))
    assert result["failed"] and result["changed"] is False
    assert codes(result) == ["MEDIA_SHARE_NOT_EXPORTED"]


def test_a_step_of_systemd_that_fails_is_said_with_its_own_code():
    argv = {"argv": ["systemctl", "start", "srv-media.automount"]}
    call = {"module": "ansible.builtin.command", "step": "systemctl start srv-media.automount", "arguments": argv}
    said = {"failed": True, "msg": "non-zero return code", "stderr": "Unit is masked."}
    result = act(Host({**TO_MOUNT, "calls": [CALL, call]}, {"changed": True}, said))
    assert result["failed"] and result["changed"] is True and codes(result) == ["MEDIA_SHARE_AUTOMOUNT"]
    assert "systemctl start srv-media.automount failed (non-zero return code Unit is masked)" in result["msg"]


def test_a_mount_that_does_not_end_is_not_waited_for():
    result = act(Host(TO_MOUNT, None))
    assert result["failed"] and result["changed"] is True
    assert codes(result) == ["MEDIA_SHARE_NO_ANSWER"]
    assert "mounted at {0} did not end within 30 s".format(SHARE["path"]) in result["msg"]
    assert "nothing was changed" not in result["msg"]


def test_a_proof_that_fails_after_a_change_does_not_say_that_nothing_was_changed():
    result = act(Host(TO_MOUNT, {"changed": True}, {**PROVED, "problems": [PROBLEM]}))
    assert result["failed"] and result["changed"] is True
    assert "nothing was changed" not in result["msg"]


@pytest.mark.parametrize(
    "answers",
    [
        [{**FOUND, "refused": [PROBLEM]}],
        [TO_MOUNT, {"failed": True, "msg": "no"}],
        [FOUND, {**PROVED, "problems": [PROBLEM]}],
    ],
)
def test_in_a_proof_of_several_hosts_only_the_conclusion_fails(answers):
    result = act(Host(*answers), run="5f3a")
    assert not result.get("failed")
    assert len(result["problems"]) == 1


def test_a_module_that_gave_no_answer_fails():
    lost = {"failed": True, "msg": "MODULE FAILURE"}
    assert act(Host(lost))["msg"] == "MODULE FAILURE"
    assert act(Host(FOUND, lost))["msg"] == "MODULE FAILURE"


def test_bad_options_are_refused_without_asking_the_host():
    host = Host()
    assert codes(act(host, opts=["ro"])) == ["WA_MEDIA_SHARE_INVALID"]
    assert host.calls == []


def test_the_conclusion_needs_no_host():
    host = Host()
    result = act(host, step="conclude", hosts=HOSTS, compared=[compared("a"), compared("b")])
    assert result["proved"] and host.calls == []


@pytest.mark.parametrize(("changed", "head"), [(False, "1 problem was found, nothing was changed."), (True, "changed")])
def test_what_is_wrong_stands_on_a_line_of_its_own_and_says_whether_the_host_was_changed(changed, head):
    problem = Problem("MEDIA_SHARE_READ_ONLY", "it is exported read-only.", host="a")
    result = wa_nfs_media.finished({"changed": changed}, [problem], {})
    first, second = result["msg"].splitlines()
    assert head in first and (("nothing" in first) is not changed)
    assert second.startswith("[MEDIA_SHARE_READ_ONLY] a: ")
    assert result["failure"]["message"] == result["msg"]


@pytest.mark.parametrize("name", ["NO_ANSWER", "EROFS"])
def test_a_server_that_goes_away_is_waited_for_in_one_container_and_not_in_each(monkeypatch, name):
    """Twenty nodes on a host would else be twenty deadlines, and each sentence would say that it is the container."""
    mounts = tuple(read_mounts("9 0 0:51 / /usr/local/wamedia rw - nfs4 nas-1:/media rw\n"))
    spaces = [Space(number, "node-{0}".format(number), mounts) for number in range(20)]
    asked = []

    def try_inside(space, *_given):
        asked.append(space.name)
        seconds = 5.0 if name == "NO_ANSWER" else None
        return {"name": name, "step": "write", "message": "m", "seconds": seconds, "left_behind": 0}

    monkeypatch.setattr(wa_nfs_media, "spaces", lambda: spaces)
    monkeypatch.setattr(wa_nfs_media.share_io, "try_inside", try_inside)
    params = {"run": "", "name": "h", "timeout": 5.0, "replaced": []}
    found = wa_nfs_media._containers(MediaShare("nas-1", "/media", "/srv/media"), params, (0, 0))
    assert len(asked) == (1 if name == "NO_ANSWER" else 20)
    assert ("error" in found) == (name == "NO_ANSWER")
    assert len(found["inside"]) == (0 if name == "NO_ANSWER" else 20)


HOST_MOUNTS = "1 0 8:1 / / rw - ext4 /dev/sda rw\n2 1 0:51 / /srv/media rw - nfs4 nas-1:/media rw\n"
UNDER, ON = "9 0 8:1 /srv/media /m rw - ext4 /dev/sda rw\n", "9 0 0:51 / /m rw - nfs4 nas-1:/media rw\n"


@pytest.mark.parametrize("replaced", [[], ["3fa43fa43fa4"], ["abababababab"], ["3fa43fa43fa4", "abababababab"], [""]])
def test_what_is_recreated_later_is_no_problem_now_and_nothing_else(monkeypatch, replaced):
    found = (("3fa43fa43fa4", UNDER), ("abababababab", ON), ("", UNDER))
    spaces = [Space(1, "node " + name, tuple(read_mounts(text)), name) for name, text in found]
    monkeypatch.setattr(wa_nfs_media, "spaces", lambda: spaces)
    monkeypatch.setattr(wa_nfs_media, "read_text", lambda _path: HOST_MOUNTS)
    monkeypatch.setattr(wa_nfs_media.share_io, "try_inside", lambda *_given: None)
    params = {"run": "", "name": "h", "timeout": 5.0, "replaced": replaced}
    share = MediaShare("nas-1", "/media", "/srv/media")
    seen = wa_nfs_media._containers(share, params, (0, 0))
    assert seen["apart"] == ["node " + name for name in ("3fa43fa43fa4", "") if not name or name not in replaced]
    assert list(seen["inside"]) == [] if "abababababab" in replaced else ["node abababababab"]


@pytest.mark.parametrize(
    ("spaces", "closed", "closes"),
    [((), False, True), ((), True, False), ((), None, False), ((ON,), False, True), ((UNDER, ON), False, False)],
)
def test_the_directory_under_it_is_closed_once_nobody_has_it(monkeypatch, spaces, closed, closes):
    found = [Space(1, "node", tuple(read_mounts(text)), "3fa43fa43fa4") for text in spaces]
    monkeypatch.setattr(wa_nfs_media, "spaces", lambda: found)
    monkeypatch.setattr(wa_nfs_media, "read_text", lambda _path: HOST_MOUNTS)
    monkeypatch.setattr(wa_nfs_media.mount_point, "is_closed", lambda *_given: closed)
    assert wa_nfs_media._to_close(MediaShare("nas-1", "/media", "/srv/media"), 5.0) is closes


@pytest.mark.parametrize(("opens", "check_mode"), [(True, False), (False, False), (True, True)])
def test_the_directory_is_opened_when_the_share_is_gone_for_good(opens, check_mode):
    host = Host({**FOUND, "opens": opens}, {"changed": True, "problems": []})
    result = act(host, check_mode=check_mode, state="absent")
    assert [name for name, _arguments in host.calls] == ["read", *(["open"] if opens and not check_mode else [])]
    assert not result.get("failed")


def test_a_directory_that_stays_closed_is_named_with_what_opens_it(monkeypatch):
    monkeypatch.setattr(wa_nfs_media.mount_point, "close", lambda *_given, **_options: False)
    share = MediaShare("nas-1", "/media", "/srv/media")
    step = wa_nfs_media.open_again(share, {"timeout": 5.0, "name": "one"}, False)
    host = Host({**FOUND, "opens": True, "changed": True}, step)
    result = act(host, check_mode=False, state="absent")
    assert result["failed"] and result["changed"], result
    assert "[MEDIA_SHARE_FAILED]" in result["msg"] and "chattr -i /srv/media" in result["msg"]
