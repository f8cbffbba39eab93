# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs wa_nfs_media: looks, mounts through ansible.posix.mount, and proves; or concludes what all hosts have seen.

The module looks before, and not beside, ansible.posix.mount: that one asks for files in its own process, and would wait
for a server that is gone. Where the server goes away between the two, it is ended at a deadline.
"""

from __future__ import annotations

import math
import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.waent.fleet.plugins.module_utils._check.media_share import (
    mount_failed,
    mount_not_ended,
    systemd_failed,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import outcome, problem_from
from ansible_collections.waent.fleet.plugins.module_utils._desired.media_share import (
    KEYS,
    MOUNTED,
    PROBED,
    MediaShare,
    read_media_share,
)
from ansible_collections.waent.fleet.plugins.modules.wa_nfs_media import (
    ARGUMENTS,
    CODE,
    CONCLUDE,
    OPEN,
    PROVE,
    READ,
    SHARE,
    answer_of,
    finished,
)
from ansible_collections.waent.fleet.plugins.plugin_utils.bounded_module import execute_bounded

MOUNT_TIMES = 6
"""So many times the timeout of a question is for one call of ansible.posix.mount. The server has answered a moment
before, and mounts within a second then, but for a machine that is very busy, which has taken more than 15 s. The kernel
itself gives up after two minutes, or never."""

Result = t.Dict[str, t.Any]


class ActionModule(ActionBase):
    """Module wa_nfs_media."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> Result:
        result: Result = super().run(tmp, task_vars)
        variables = task_vars or {}
        _spec, params = self.validate_argument_spec(argument_spec=ARGUMENTS)
        params["name"] = params["name"] or str(variables.get("inventory_hostname", ""))
        share, problems = read_media_share({key: params[key] for key in KEYS})
        if share is None:
            result.update(outcome(CODE, problems, {}))
        elif params["step"] == CONCLUDE:
            result.update(answer_of(params, bool(self._task.check_mode)))
        elif params["step"] == SHARE:
            result.update(self._share(share, params, variables))
        else:
            result.update(self._step(params, params["step"], variables))
        return result

    def _step(self, params: Result, step: str, variables: Result) -> Result:
        given = {key: value for key, value in params.items() if value is not None}
        done: Result = self._execute_module(module_args={**given, "step": step}, task_vars=variables)
        return done

    def _share(self, share: MediaShare, params: Result, variables: Result) -> Result:
        found = self._step(params, READ, variables)
        if found.get("failed") or "answer" not in found:
            return found
        calls = found["calls"]
        found = {key: value for key, value in found.items() if key != "calls"}
        refused = [problem_from(entry) for entry in found["refused"]]
        if refused:
            return finished(found, refused, params)
        if self._task.check_mode:
            if share.state == PROBED or not calls:
                return self._proved(share, params, variables, found)
            return finished({**found, "answer": {**found["answer"], "planned": True}}, [], params)
        seconds = math.ceil(MOUNT_TIMES * params["timeout"])
        for number, call in enumerate(calls):
            done = execute_bounded(self, call["module"], call["arguments"], variables, seconds)
            if done is None:
                late = mount_not_ended(share, params["name"], call["step"], seconds)
                # What it has written until then is there.
                return finished({**found, "changed": True, "refused": [late.as_dict()]}, [late], params)
            if done.get("failed"):
                why = systemd_failed if "argv" in call["arguments"] else mount_failed
                said = "{0} {1}".format(done.get("msg") or "", done.get("stderr") or "").strip()
                failed = why(share, params["name"], call["step"], said)
                # Of a step that fails it takes back what it has written.
                return finished({**found, "changed": number > 0, "refused": [failed.as_dict()]}, [failed], params)
        return self._proved(share, params, variables, found)

    def _proved(self, share: MediaShare, params: Result, variables: Result, found: Result) -> Result:
        if share.state not in (MOUNTED, PROBED):
            if not found.get("opens") or self._task.check_mode:
                return finished(found, [], params)
            opened = self._step(params, OPEN, variables)
            if "problems" not in opened:
                return {**opened, "changed": found["changed"]}
            return finished(found, [problem_from(entry) for entry in opened["problems"]], params)
        proved = self._step(params, PROVE, variables)
        if proved.get("failed") or "answer" not in proved:
            return {**proved, "changed": found["changed"]}
        whole = {**found, "answer": proved["answer"], "changed": found["changed"] or proved["changed"]}
        return finished(whole, [problem_from(entry) for entry in proved["problems"]], params)
