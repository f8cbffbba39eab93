# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs wa_node_logs on the host, and writes what it has collected to the machine that runs Ansible.

A part at a time: neither this process nor the host keeps a log in memory, and what is written has no secret in it.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal
from ansible_collections.waent.fleet.plugins.module_utils._io.log_archive import Stream, receive, write_document
from ansible_collections.waent.fleet.plugins.modules.wa_node_logs import ARGUMENTS, MEGABYTE

OF_HOST = ("cluster_name", "since", "seconds", "megabytes", "host_megabytes")
ROOM = 2
"""Masks may be longer than what they hide."""


class ActionModule(ActionBase):
    """Module wa_node_logs."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _spec, params = self.validate_argument_spec(argument_spec=ARGUMENTS)
        asked = {name: params[name] for name in OF_HOST}
        result.update(self._execute_module(module_args=asked, task_vars=task_vars))
        path = result.pop("packed", "")
        if not path or result.get("failed"):
            return result
        try:
            self._fetch(path, params, task_vars)
            facts = json.dumps(params["facts"], indent=2, sort_keys=True) + "\n"
            write_document(os.path.expanduser(params["work"]), "host.json", facts, params["secrets"])
        except Refusal as error:
            result.update(failed=True, msg=error.message, failure=error.as_failure())
        except OSError as error:
            text = "{0} could not be written ({1}).".format(params["work"], error.strerror or error)
            refused = Refusal("LOGS_NOT_WRITTEN", text)
            result.update(failed=True, msg=text, failure=refused.as_failure())
        finally:
            with contextlib.suppress(Refusal):
                self._asked({"state": "absent", "path": path}, params, task_vars)
        return result

    def _fetch(self, path: str, params: dict[str, t.Any], task_vars: dict[str, t.Any] | None) -> None:
        def part(offset: int) -> bytes:
            answer = self._asked({"state": "read", "path": path, "offset": offset}, params, task_vars)
            return base64.b64decode(answer.get("part") or "")

        most = ROOM * params["host_megabytes"] * MEGABYTE
        receive(Stream(part), os.path.expanduser(params["work"]), params["secrets"], most)

    def _asked(
        self, more: dict[str, t.Any], params: dict[str, t.Any], task_vars: dict[str, t.Any] | None
    ) -> dict[str, t.Any]:
        """Another question to the host. Raises Refusal where it is not answered."""
        arguments = {"cluster_name": params["cluster_name"], **more}
        answer: dict[str, t.Any] = self._execute_module(module_args=arguments, task_vars=task_vars)
        if answer.get("failed"):
            raise Refusal("LOGS_NOT_FETCHED", "What was collected could not be fetched: {0}".format(answer.get("msg")))
        return answer
