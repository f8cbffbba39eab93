# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers in the place of what reads the media share of a host; all else runs there as it does without this.

For hosts whose kernel mounts no NFS: nodes, engines and rollouts are real, the mount is not. Who runs on a host at the
moment in which its share is mounted again is noted.
"""

from __future__ import annotations

DOCUMENTATION = r"""
name: pretend_share
type: notification
short_description: Pretend that hosts have a media share
description:
  - For tests of what a rollout does with nodes that use one.
options:
  directory:
    description: Where the options of each host's mount are kept, and what was noted.
    type: path
    required: true
    env: [{name: PRETEND_SHARE}]
"""

import typing as t
from pathlib import Path

from ansible.plugins.action import ActionBase
from ansible.plugins.callback import CallbackBase
from ansible_collections.waent.fleet.tests.support.pretended_share import PretendedShare

Result = dict[str, t.Any]


class CallbackModule(CallbackBase):
    """Loaded before Ansible starts its processes, which inherit what is changed here."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "pretend_share"
    CALLBACK_NEEDS_ENABLED = True

    def set_options(self, *arguments: t.Any, **more: t.Any) -> None:
        super().set_options(*arguments, **more)
        share = PretendedShare(Path(self.get_option("directory")))
        execute = ActionBase._execute_module

        def executed(
            action: ActionBase, module_name: str | None = None, module_args: Result | None = None, **rest: t.Any
        ) -> Result:
            module = (module_name or action._task.action).rpartition(".")[2]
            given = action._task.args if module_args is None else module_args
            if module == "wa_nfs_media":
                return share.step(given)
            if module == "wa_media_copy":
                return share.copy(given)
            result: Result = execute(action, module_name=module_name, module_args=module_args, **rest)
            if module == "wa_host_info" and result.get("host"):
                result["host"]["media_share"] = share.read(result["host"], given.get("media_share"))
            return result

        ActionBase._execute_module = executed
