#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_nfs_media
short_description: Mount the media share of a cluster, and prove that it is one and can be written
version_added: 0.2.0
author:
  - waent.fleet contributors (@waent)
description:
  - Mounts an NFS export where the nodes of a host keep media, with a line in C(/etc/fstab), through
    M(ansible.posix.mount).
  - Proves that the user of the containers can write there. A token is written, read back, renamed and deleted.
  - With O(run) it leaves the token there. With O(step=compare) every host then looks for the tokens of all others
    through its own mount, and with O(step=conclude) the machine that runs Ansible says whether all see one share. These
    are a few tasks for any number of hosts.
  - No question to a server waits longer than O(timeout). The server is queried first, and what reads files is
    a process of its own, which is ended. Where the kernel does not let it be ended, later runs start no other.
  - Containers that run and have the share are entered for the same attempt, without their engine. One that was started
    before the share was mounted has the directory under it, and is named.
  - The directory under the share is closed as with C(chattr +i), where its file system knows that, so that a container
    which is started while the share is not mounted cannot write there. O(state=absent) opens it again.
  - A share that has to be unmounted for a change, and that containers use, is left alone with a sentence.
  - Needs root and, on the hosts, the programs of an NFS client.
extends_documentation_fragment:
  - waent.fleet.attributes
  - waent.fleet.attributes.no_group
attributes:
  check_mode:
    support: full
    details:
      - Leaves no token, so whether the containers' user can write is not known.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  server:
    description: DNS name, or IPv4 or IPv6 address, of the NFS server; it has to mean the same on all hosts.
    type: str
    required: true
  export:
    description: Absolute path of the export on the server, for NFSv4 that below its root.
    type: str
    required: true
  path:
    description: Directory of the host where it is mounted. It is created where it is missing.
    type: str
    required: true
  opts:
    description:
      - Options of the mount, in front of the defaults that they say nothing about. These are V(vers=4), V(hard),
        V(timeo=150), V(retrans=2), V(_netdev), V(nofail) and, for systemd alone, V(x-systemd.before=docker.service).
      - V(ro), V(soft), V(softerr), V(bg) and version 3 are refused.
    type: list
    elements: str
  state:
    description:
      - V(mounted) has a line in C(/etc/fstab), is mounted, and is proved.
      - V(unmounted) is not mounted; its line stays. V(absent) has no line either. The directory stays.
      - V(probed) changes nothing, and proves what is there.
    type: str
    choices: [mounted, unmounted, absent, probed]
    default: mounted
  owner:
    description: User id of the owner of the share's directory. Without it nothing is changed.
    type: int
  group:
    description: Group id of the share's directory. Without it nothing is changed.
    type: int
  mode:
    description: Mode of the share's directory, an octal number in quotes. Without it nothing is changed.
    type: str
  automount:
    description:
      - Have systemd mount it when somebody comes for it, and whenever it is not mounted. Proof and status come for it,
        and do not wait longer for that than for any other question. Where it is mounted already, it holds from the
        next boot on. Needs systemd.
    type: bool
    default: false
  container_uid:
    description: User id of the containers.
    type: int
    default: 0
  container_gid:
    description: Group id of the containers; the same number as O(container_uid) where it is not given.
    type: int
  free_mb:
    description: Free space in MB that the share must have.
    type: int
    default: 1024
  free_inodes:
    description: Free inodes that the share must have, where the server has a limit.
    type: int
    default: 1000
  timeout:
    description: Seconds for all questions to the server in one step. Mounting may take six times as long.
    type: float
    default: 5.0
  name:
    description: Name of the host; without it, its name in the inventory.
    type: str
  run:
    description:
      - A new random text for each proof of several hosts, the same for all of them.
      - With it the token stays until O(step=take_back), and what is wrong is returned and fails nothing, as
        O(step=conclude) is going to.
    type: str
  proof:
    description:
      - The O(run) of the last proof, which must be noted on the share. So one host alone finds out whether it sees the
        share that all hosts have proved.
    type: str
    version_added: 0.2.0
  later:
    description:
      - Only with O(state=probed). The share is going to be mounted again with O(opts), so that another version of the
        protocol is no problem until then.
    type: bool
    default: false
    version_added: 0.2.0
  replaced:
    description:
      - Containers, by the beginning of their ids, that are going to be recreated, so that what they have mounted is no
        problem.
    type: list
    elements: str
    default: []
    version_added: 0.2.0
  step:
    description:
      - V(share) brings about O(state) and proves it. It consists of V(read), V(prove) and V(open), which are not for
        tasks.
      - V(ask) only queries the server, with a new random text for O(run). Run on one host first, it keeps a dead server
        from being waited for on all.
      - V(compare) looks for the tokens of all O(hosts), V(take_back) removes the host's own one.
      - V(conclude) says what is wrong with the share of any of the O(hosts). It runs on the machine that runs Ansible.
      - V(record) notes on the share that it was proved, and for which O(hosts). Run on one host, after V(conclude).
    type: str
    choices: [ask, share, read, prove, compare, take_back, conclude, record, open]
    default: share
  hosts:
    description: Names of all hosts of the proof, for O(step=compare), O(step=conclude) and O(step=record).
    type: list
    elements: str
    default: []
  left:
    description:
      - What O(step=share) has returned on this host, for O(step=compare).
      - What O(step=compare) has returned, or O(step=share), for O(step=take_back), which then queries no server where
        no token was left, or the server did not answer a moment ago.
    type: dict
    default: {}
  compared:
    description: What O(step=compare) has returned on all hosts, for O(step=conclude). A host that is missing failed.
    type: list
    elements: dict
    default: []
seealso:
  - module: ansible.posix.mount
"""

EXAMPLES = r"""
- name: Mount the share of one host, and prove that it can be written
  waent.fleet.wa_nfs_media:
    server: nas-1.example.com
    export: /media
    path: /srv/whatsapp-media
    opts: [vers=4.2, timeo=300]

- name: Prove that all hosts have one share
  hosts: wa_cluster
  become: true
  module_defaults:
    waent.fleet.wa_nfs_media:
      server: nas-1.example.com
      export: /media
      path: /srv/whatsapp-media
      run: "{{ media_run }}"
      hosts: "{{ ansible_play_hosts_all }}"
  tasks:
    - name: Choose a text for this proof
      ansible.builtin.set_fact:
        media_run: "{{ lookup('ansible.builtin.password', '/dev/null', chars=['digits'], length=24) }}"
      run_once: true

    - name: Mount it, and leave a token
      waent.fleet.wa_nfs_media:
      register: left

    - name: Look for the tokens of all hosts
      waent.fleet.wa_nfs_media:
        step: compare
        left: "{{ left }}"
      register: compared

    - name: Take the token back
      waent.fleet.wa_nfs_media:
        step: take_back
        left: "{{ left }}"

    - name: Say whether it is one share
      waent.fleet.wa_nfs_media:
        step: conclude
        compared: "{{ ansible_play_hosts | map('extract', hostvars, 'compared') | list }}"
      run_once: true
"""

RETURN = r"""
answer:
  description:
    - What was read of the share. What is mounted (C(mount), with C(source), C(fstype), C(opts), C(read_only) and
      C(device)) and what lies C(hidden) under it, whether the path C(exists), is a C(directory) and C(empty),
      C(free_mb) and C(free_inodes), the C(clock_offset_seconds) of the server, whether a C(token) was left, which ones
      were C(unseen), whether mounting it was only C(planned), in check mode, which containers have the directory under
      it (C(apart)), what happened C(inside) of those that have the share, and the first C(error).
  returned: for O(step=share) and O(step=compare)
  type: dict
reasons:
  description: What differs from the desired state, and so was changed.
  returned: for O(step=share)
  type: list
  elements: str
  sample: [timeo=150 instead of 600]
stops_nodes:
  description: Whether it has to be unmounted, for a moment or for good.
  returned: for O(step=share)
  type: bool
run:
  description: A new random text for O(run).
  returned: for O(step=ask)
  type: str
refused:
  description: Why the host was left alone, or could not be changed, in the form of RV(problems).
  returned: for O(step=share) and O(step=compare)
  type: list
  elements: dict
proved:
  description: Whether all hosts of the proof see one share, and the containers of each can write it.
  returned: for O(step=conclude)
  type: bool
problems:
  description:
    - What is wrong, each with C(code), C(message), C(variable), C(value) and C(host).
    - The codes are V(MEDIA_SHARE_NO_ANSWER), V(MEDIA_SHARE_HIDDEN), V(MEDIA_SHARE_STALE), V(MEDIA_SHARE_NOT_MOUNTED),
      V(MEDIA_SHARE_OTHER), V(MEDIA_SHARE_VERSION), V(MEDIA_SHARE_READ_ONLY), V(MEDIA_SHARE_NOT_WRITABLE),
      V(MEDIA_SHARE_FULL), V(MEDIA_SHARE_NO_INODES), V(MEDIA_SHARE_CLOCK), V(MEDIA_SHARE_IN_THE_WAY),
      V(MEDIA_SHARE_NO_DIRECTORY), V(MEDIA_SHARE_IN_USE), V(MEDIA_SHARE_NO_CLIENT), V(MEDIA_SHARE_NOT_EXPORTED),
      V(MEDIA_SHARE_MOUNT_FAILED), V(MEDIA_SHARE_SPLIT), V(MEDIA_SHARE_APART), V(MEDIA_SHARE_INSIDE),
      V(MEDIA_SHARE_NOT_PROBED), V(MEDIA_SHARE_AUTOMOUNT), V(MEDIA_SHARE_FAILED) and V(WA_MEDIA_SHARE_INVALID).
  returned: always
  type: list
  elements: dict
failure:
  description: Why it failed. The code is V(MEDIA_SHARE_UNFIT) or V(MEDIA_SHARE_NEEDS_ROOT).
  returned: failure
  type: dict
  sample:
    code: MEDIA_SHARE_UNFIT
    message: "1 problem was found, nothing was changed. ..."
    details: {codes: [MEDIA_SHARE_NO_ANSWER]}
"""

import secrets
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._check.media_share import (
    Limits,
    can_hold_tokens,
    change_problems,
    host_problems,
    is_silence,
    same_source,
    share_problems,
    still_closed,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import (
    Problem,
    Refusal,
    outcome,
    problem_from,
    summary,
)
from ansible_collections.waent.fleet.plugins.module_utils._desired.media_share import (
    ABSENT,
    KEYS,
    MOUNTED,
    PROBED,
    STATES,
    MediaShare,
    read_media_share,
)
from ansible_collections.waent.fleet.plugins.module_utils._io import media_share as share_io
from ansible_collections.waent.fleet.plugins.module_utils._io import mount_point, nfs_server
from ansible_collections.waent.fleet.plugins.module_utils._io.containers_mounts import spaces
from ansible_collections.waent.fleet.plugins.module_utils._io.machine import read_text
from ansible_collections.waent.fleet.plugins.module_utils._io.refused import refuse
from ansible_collections.waent.fleet.plugins.module_utils._plan.media_share import (
    call_of,
    media_share_change,
    shown_state,
    state_after,
)
from ansible_collections.waent.fleet.plugins.module_utils._state.mounts import (
    has_mounted,
    is_apart,
    mounted_as,
    read_fstab,
    read_mounts,
)

# One by one: ansible-doc reads no assignment to several names at once.
ASK = "ask"
SHARE = "share"
READ = "read"
PROVE = "prove"
COMPARE = "compare"
TAKE_BACK = "take_back"
CONCLUDE = "conclude"
RECORD = "record"
OPEN = "open"
STEPS = (ASK, SHARE, READ, PROVE, COMPARE, TAKE_BACK, CONCLUDE, RECORD, OPEN)
CODE = "MEDIA_SHARE_UNFIT"
FSTAB = "/etc/fstab"
CHANGED = "The host was changed, and its media share cannot be used."

ARGUMENTS: dict[str, t.Any] = {
    "server": {"type": "str", "required": True},
    "export": {"type": "str", "required": True},
    "path": {"type": "str", "required": True},
    "opts": {"type": "list", "elements": "str"},
    "state": {"type": "str", "choices": list(STATES), "default": MOUNTED},
    "owner": {"type": "int"},
    "group": {"type": "int"},
    "mode": {"type": "str"},
    "automount": {"type": "bool", "default": False},
    "container_uid": {"type": "int", "default": 0},
    "container_gid": {"type": "int"},
    "free_mb": {"type": "int", "default": Limits().free_mb},
    "free_inodes": {"type": "int", "default": Limits().free_inodes},
    "timeout": {"type": "float", "default": 5.0},
    "name": {"type": "str"},
    "run": {"type": "str"},
    "proof": {"type": "str"},
    "later": {"type": "bool", "default": False},
    "replaced": {"type": "list", "elements": "str", "default": []},
    "step": {"type": "str", "choices": list(STEPS), "default": SHARE},
    "hosts": {"type": "list", "elements": "str", "default": []},
    "left": {"type": "dict", "default": {}},
    "compared": {"type": "list", "elements": "dict", "default": []},
}

Params = t.Mapping[str, t.Any]
Result = t.Dict[str, t.Any]


def limits_of(params: Params) -> Limits:
    """What has to be free."""
    return Limits(params["free_mb"], params["free_inodes"])


def user_of(params: Params) -> tuple[int, int]:
    """The user of the containers."""
    uid, gid = params["container_uid"], params["container_gid"]
    return (uid, uid if gid is None else gid)


def finished(result: Result, problems: t.Sequence[Problem], params: Params) -> Result:
    """What a step returns: failed where there are problems, but for a proof of several hosts, which concludes later."""
    if params.get("run") and params.get("step") != CONCLUDE:
        return {"changed": False, **result, "problems": [problem.as_dict() for problem in problems]}
    found = outcome(CODE, problems, result)
    if problems and found["changed"]:
        found["msg"] = found["failure"]["message"] = "{0}\n{1}".format(CHANGED, summary(problems))
    return found


def ask(share: MediaShare, params: Params, check_mode: bool) -> Result:
    """Whether the server answers this host."""
    del check_mode
    error = nfs_server.reach(share.server, share.port, share.path, params["timeout"])
    problems = host_problems(share, params["name"], {"error": error}, 0, limits_of(params)) if error else []
    return {"run": secrets.token_hex(12), "problems": [problem.as_dict() for problem in problems]}


def read(share: MediaShare, params: Params, check_mode: bool) -> Result:
    """What is there, what is to be done, and what keeps it from being done. Changes nothing."""
    seconds = params["timeout"]
    answer = share_io.look_if_reached(
        share.path, share.server, share.port, seconds, always=share.state in (MOUNTED, PROBED), user=user_of(params)
    )
    mount, fstab = answer["mount"], read_fstab(read_text(FSTAB))
    opts = mount["opts"] if mount and same_source(mount["source"], share.source) else None
    change = media_share_change(share, opts, fstab, answer["waits"])
    users = _users(mount["device"]) if mount and change.stops_nodes else []
    refused = [] if share.state == PROBED else change_problems(share, params["name"], answer, users, change.stops_nodes)
    differs: Result = {}
    if opts is not None and share.state == MOUNTED and not refused:
        differs = share_io.directory_differs(share.path, seconds, share.owner, share.group, share.mode)["differs"]
    before = shown_state(share, opts, fstab)
    closes = bool(opts is not None and share.state == MOUNTED and not refused and _to_close(share, seconds))
    opens = bool(share.state == ABSENT and not refused and mount_point.is_closed(share.path, seconds))
    return {
        # Whether it is closed is found out by the proof, as containers may be in the way by then.
        "changed": bool((change.steps or differs or (closes and check_mode) or opens) and not refused),
        "answer": answer,
        "reasons": [
            *change.reasons,
            *("{0} differs".format(name) for name in differs),
            *(["the directory under it can be written"] if closes else []),
            *(["nobody can write to the directory under it"] if opens else []),
        ],
        "opens": opens,
        "stops_nodes": change.stops_nodes,
        "calls": [call_of(share, step) for step in change.steps],
        "diff": {"before": before, "after": state_after(share, change, before)},
        "refused": [problem.as_dict() for problem in refused],
        "problems": [],
    }


def _users(device: str) -> list[str]:
    return [space.name for space in spaces() if has_mounted(device, space.mounts)]


def _to_close(share: MediaShare, seconds: float) -> bool:
    """Whether the directory under the share is to be closed: not while a container has it, which would fail at once."""
    own = read_mounts(read_text("/proc/self/mountinfo"))
    if any(is_apart(share.source, share.path, own, space.mounts) for space in spaces()):
        return False
    return mount_point.is_closed(share.path, seconds) is False


def open_again(share: MediaShare, params: Params, check_mode: bool) -> Result:
    """Open the directory on which the share was mounted, for what it is to be used for now."""
    if check_mode:
        return {"changed": False, "problems": []}
    done = mount_point.close(share.path, params["timeout"], closed=False)
    return {"changed": done, "problems": [] if done else [still_closed(share, params["name"]).as_dict()]}


def _containers(share: MediaShare, params: Params, user: tuple[int, int]) -> Result:
    """What containers of the host see: C({apart, inside}), names of those that have the directory under the share, and
    the error of each that has the share. C({error}) where one has no answer: the server is gone for all of them.
    """
    own = read_mounts(read_text("/proc/self/mountinfo"))
    run, host, seconds = params["run"] or "alone", params["name"], params["timeout"]
    found: Result = {"apart": [], "inside": {}}
    for space in spaces():
        if space.container and space.container in params["replaced"]:
            continue
        path = mounted_as(share.source, space.mounts)
        if path is not None:
            name = "{0}-{1}".format(host, space.process)
            error = share_io.try_inside(space, path, run, name, seconds, user)
            if is_silence(error):
                # No other one is waited for as well.
                return {**found, "error": error}
            found["inside"][space.name] = error
        elif is_apart(share.source, share.path, own, space.mounts):
            found["apart"].append(space.name)
    return found


def prove(share: MediaShare, params: Params, check_mode: bool) -> Result:
    """Set the directory's owner and mode, then try as the containers' user what nodes do, in containers as well."""
    seconds, user, name = params["timeout"], user_of(params), params["name"]
    answer = share_io.look_if_reached(share.path, share.server, share.port, seconds, always=True, user=user)
    answer["later"] = params["later"]
    changed = False
    sound = not answer["error"] and can_hold_tokens(host_problems(share, name, answer, user[0], limits_of(params)))
    if sound and share.state == MOUNTED:
        found = share_io.directory_differs(share.path, seconds, share.owner, share.group, share.mode)
        answer["error"] = found["error"]
        if found["differs"] and not check_mode:
            answer["error"] = share_io.set_directory(share.path, seconds, found["differs"])
            changed = answer["error"] is None
    if sound and not answer["error"] and not check_mode:
        answer.update(_token(share, params, user))
    if sound and not answer["error"] and params["proof"] and not check_mode:
        noted = share_io.read_proof(share.path, seconds, user)
        answer["error"] = noted["error"]
        answer["other_proof"] = not noted["error"] and (noted["proof"] or {}).get("run") != params["proof"]
    if sound and not answer["error"] and not check_mode:
        answer.update(_containers(share, params, user))
    if sound and not answer["error"] and not check_mode and share.state == MOUNTED and _to_close(share, seconds):
        changed = mount_point.close(share.path, seconds) or changed
    problems = host_problems(share, name, answer, user[0], limits_of(params))
    return {"changed": changed, "answer": answer, "problems": [problem.as_dict() for problem in problems]}


def _token(share: MediaShare, params: Params, user: tuple[int, int]) -> Result:
    """Leave a token; where no other host is going to look for it, take it back."""
    run, seconds = params["run"] or "alone", params["timeout"]
    left = share_io.leave_token(share.path, run, params["name"], seconds, user)
    left["token"] = left["error"] is None
    if not params["run"] and left["error"] is None:
        left.update(share_io.take_back(share.path, run, params["name"], seconds, user))
    return left


def compare(share: MediaShare, params: Params, check_mode: bool) -> Result:
    """Look for the tokens of all hosts."""
    left = params["left"]
    answer = dict(left.get("answer") or {})
    refused = left.get("refused") or []
    if answer.get("token") and not check_mode:
        found = share_io.find_tokens(share.path, params["run"], params["hosts"], params["timeout"], user_of(params))
        answer.update(found)
    return {"name": params["name"], "answer": answer, "refused": refused, "problems": []}


def take_back(share: MediaShare, params: Params, check_mode: bool) -> Result:
    """Remove the host's token, where one was left, and there is still a share to remove it from.

    A server that has just not answered is not waited for once more: what is old goes with a later run.
    """
    left = params["left"].get("answer") or {"token": True}
    if not check_mode and left.get("token") and not is_silence(left.get("error")):
        user, seconds = user_of(params), params["timeout"]
        answer = share_io.look_if_reached(share.path, share.server, share.port, seconds, always=True, user=user)
        if answer["mount"] and not answer["error"]:
            share_io.take_back(share.path, params["run"], params["name"], seconds, user)
    return {"problems": []}


def conclude(share: MediaShare, params: Params, check_mode: bool) -> Result:
    """What is wrong on any host, and whether all see one share. Runs in the process that runs Ansible."""
    by_host = {one.get("name"): one for one in params["compared"]}
    answers = {host: one.get("answer") or {} for host, one in by_host.items()}
    refused = {host: [problem_from(entry) for entry in one.get("refused") or ()] for host, one in by_host.items()}
    problems = share_problems(share, params["hosts"], answers, params["container_uid"], limits_of(params), refused)
    return finished({"proved": not problems and not check_mode}, problems, params)


def record(share: MediaShare, params: Params, check_mode: bool) -> Result:
    """Note on the share that it was proved."""
    if check_mode:
        return {"problems": []}
    run, hosts, seconds, user = params["run"], params["hosts"], params["timeout"], user_of(params)
    answer = share_io.look_if_reached(share.path, share.server, share.port, seconds, always=True, user=user)
    answer["later"] = params["later"]
    if not answer["error"] and answer["mount"]:
        answer["error"] = share_io.record_proof(share.path, run, hosts, seconds, user)
    problems = host_problems(share, params["name"], answer, user[0], limits_of(params))
    return {"problems": [problem.as_dict() for problem in problems]}


WORK: dict[str, t.Callable[[MediaShare, Params, bool], Result]] = {
    ASK: ask,
    READ: read,
    PROVE: prove,
    COMPARE: compare,
    TAKE_BACK: take_back,
    CONCLUDE: conclude,
    RECORD: record,
    OPEN: open_again,
}


def answer_of(params: Params, check_mode: bool) -> Result:
    """What the module returns. Raises Refusal."""
    share, problems = read_media_share({key: params[key] for key in KEYS})
    if share is None:
        return outcome(CODE, problems, {})
    if params["step"] == SHARE:
        raise Refusal("MEDIA_SHARE_NO_ACTION", "wa_nfs_media works together with its action plugin, which was not run.")
    return {"changed": False, **WORK[params["step"]](share, params, check_mode)}


def main() -> None:
    module = AnsibleModule(
        argument_spec=ARGUMENTS,
        required_if=[
            ("step", COMPARE, ["run", "hosts"]),
            ("step", TAKE_BACK, ["run"]),
            ("step", CONCLUDE, ["hosts"]),
            ("step", RECORD, ["run", "hosts"]),
        ],
        supports_check_mode=True,
    )
    try:
        result = answer_of(module.params, module.check_mode)
    except Refusal as refusal:
        refuse(module, refusal, problems=[])
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
