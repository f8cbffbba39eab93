#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_media_copy
short_description: Copy the files of a media volume onto the media share, and compare them
version_added: 0.2.0
author:
  - waent.fleet contributors (@waent)
description:
  - Copies every file of a Docker volume, or of a directory, that is not on the media share yet, and compares by their
    content those that are. What was copied is read back from the server.
  - Nothing is overwritten on the share, and nothing is removed from the volume. A file has its name on the share only
    when it is whole. So it can be ended at any time, and run again, also while nodes write to the volume.
  - Owner, mode and date of a file stay, as old media are removed by their date.
  - The share has to be mounted; M(waent.fleet.wa_nfs_media) does that and proves it.
  - Needs root, and the C(docker) command where O(source) is a volume.
extends_documentation_fragment:
  - waent.fleet.attributes
  - waent.fleet.attributes.no_group
attributes:
  check_mode:
    support: full
    details:
      - Says how many files would be copied.
  diff_mode:
    support: none
    details:
      - Files of media are no text.
  idempotent:
    support: full
options:
  source:
    description:
      - Name of a Docker volume of this host, or an absolute path. The same as O(path) is the directory under the share,
        to which containers write that were started before it was mounted.
    type: str
    required: true
  server:
    description: The server of the share.
    type: str
    required: true
  export:
    description: Its export.
    type: str
    required: true
  path:
    description: Where it is mounted.
    type: str
    required: true
  opts:
    description: Options of its mount, of which only the port and the version matter here.
    type: list
    elements: str
  container_uid:
    description: User id of the containers, as whom files are read and written.
    type: int
    default: 0
  container_gid:
    description: Group id of the containers; the same number as O(container_uid) where it is not given.
    type: int
  name:
    description: Name of the host, which is in the names of files while they are copied.
    type: str
    required: true
  timeout:
    description: Seconds within which the next piece of a file, of at most 1 MB, must have been copied.
    type: float
    default: 30.0
seealso:
  - module: waent.fleet.wa_nfs_media
"""

EXAMPLES = r"""
- name: Copy what nodes have in their volume
  waent.fleet.wa_media_copy:
    source: whatsappMedia
    server: nas-1.example.com
    export: /media
    path: /srv/whatsapp-media
    name: "{{ inventory_hostname }}"
"""

RETURN = r"""
copied:
  description:
    - The number of C(files) and C(bytes) of the volume, how many were C(copied), and how many were there already and
      are the C(same). Names of files that are on the share with another content (C(conflicts)), that were written to
      meanwhile (C(changing)), and of what is no file (C(others)). C(needed_bytes) and C(free_bytes) on the share.
    - Empty where the host has no such volume.
  returned: always
  type: dict
problems:
  description:
    - What is wrong, each with C(code), C(message), C(variable), C(value) and C(host).
    - The codes are those of M(waent.fleet.wa_nfs_media), and V(MEDIA_COPY_NO_SOURCE), V(MEDIA_COPY_UNREADABLE),
      V(MEDIA_COPY_NO_ROOM), V(MEDIA_COPY_CONFLICT), V(MEDIA_COPY_NO_FILE) and V(MEDIA_COPY_CHANGING).
  returned: always
  type: list
  elements: dict
failure:
  description: Why it failed. The code is V(MEDIA_COPY_FAILED).
  returned: failure
  type: dict
  sample:
    code: MEDIA_COPY_FAILED
    message: "1 problem was found. ..."
    details: {codes: [MEDIA_COPY_CONFLICT]}
"""

import os
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._check.media_copy import (
    copy_problems,
    not_there,
    unreadable,
)
from ansible_collections.waent.fleet.plugins.module_utils._check.media_share import Limits, host_problems
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem, Refusal, outcome, summary
from ansible_collections.waent.fleet.plugins.module_utils._desired.media_share import MediaShare, read_media_share
from ansible_collections.waent.fleet.plugins.module_utils._io import engine as engines
from ansible_collections.waent.fleet.plugins.module_utils._io import media_share as share_io
from ansible_collections.waent.fleet.plugins.module_utils._io.command import NoAnswer, Run, within
from ansible_collections.waent.fleet.plugins.module_utils._io.media_copy import READ_STEP, copy_files
from ansible_collections.waent.fleet.plugins.module_utils._io.refused import refuse

CODE = "MEDIA_COPY_FAILED"
NO_ENGINE = "Docker Engine does not answer ({0}), so nobody knows what is in its volumes."
ASK_SECONDS = 5.0
"""For the query whether the server answers, before anything is copied."""

ARGUMENTS: dict[str, t.Any] = {
    "source": {"type": "str", "required": True},
    "server": {"type": "str", "required": True},
    "export": {"type": "str", "required": True},
    "path": {"type": "str", "required": True},
    "opts": {"type": "list", "elements": "str"},
    "container_uid": {"type": "int", "default": 0},
    "container_gid": {"type": "int"},
    "name": {"type": "str", "required": True},
    "timeout": {"type": "float", "default": 30.0},
}

Params = t.Mapping[str, t.Any]
Answer = t.Tuple[t.Dict[str, t.Any], t.List[Problem], bool]


def answer_of(params: Params, run: Run, docker: str | None, check_mode: bool) -> dict[str, t.Any]:
    """What the module returns. Raises Refusal."""
    share, problems = read_media_share({key: params[key] for key in ("server", "export", "path", "opts")})
    copied: dict[str, t.Any] = {}
    begun = False
    if share is not None:
        copied, problems, begun = _copied(share, params, run, docker, check_mode)
    # Where it was ended in the middle, nobody has counted.
    changed = bool(copied.get("copied", begun and not check_mode))
    result = outcome(CODE, problems, {"changed": changed, "copied": copied})
    if problems and changed:
        # What was copied is no harm; only nobody may read that nothing was.
        result["msg"] = result["failure"]["message"] = summary(problems)
    return result


def _copied(share: MediaShare, params: Params, run: Run, docker: str | None, check_mode: bool) -> Answer:
    """What was copied, what is wrong, and whether copying was begun."""
    source, host, uid = params["source"], params["name"], params["container_uid"]
    directory = _directory(source, run, docker)
    if directory is None:
        return {}, [], False
    if not os.path.isdir(directory):
        return {}, [not_there(source, host)], False
    gid = uid if params["container_gid"] is None else params["container_gid"]
    user = (uid, gid)
    answer = share_io.look_if_reached(share.path, share.server, share.port, ASK_SECONDS, always=True, user=user)
    problems = host_problems(share, host, answer, uid, Limits(0, 0))
    if problems:
        return {}, problems, False
    copied, error = copy_files(directory, share.path, host, params["timeout"], user, check_mode=check_mode)
    if error is None:
        return copied, copy_problems(source, share.source, host, copied), True
    if error["step"] == READ_STEP and error["seconds"] is None:
        return {}, [unreadable(source, host, error)], True
    return {}, host_problems(share, host, {**answer, "error": error}, uid, Limits(0, 0)), True


def _directory(source: str, run: Run, docker: str | None) -> str | None:
    """Where the files are; None where the host has no such volume."""
    if source.startswith("/"):
        return source
    if docker is None:
        raise Refusal("MEDIA_COPY_NO_ENGINE", "There is no docker command, which knows where a volume is.")
    if run([docker, "info", "--format", "{{.ServerVersion}}"])[0] != 0:
        raise Refusal("MEDIA_COPY_NO_ENGINE", NO_ENGINE.format("docker info failed"))
    volume = engines.read_volume(run, docker, source)
    if volume is None:
        return None
    if volume["remote"]:
        message = "The volume {0} is itself mounted from elsewhere; give the path where its files are."
        raise Refusal("MEDIA_COPY_REMOTE", message.format(source))
    return str(volume["path"])


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        result = answer_of(module.params, within(), module.get_bin_path("docker"), module.check_mode)
    except NoAnswer as error:
        refuse(module, Refusal("MEDIA_COPY_NO_ENGINE", NO_ENGINE.format(error)), copied={}, problems=[])
    except Refusal as refusal:
        refuse(module, refusal, copied={}, problems=[])
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
