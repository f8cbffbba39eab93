# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: messages
short_description: What is wrong according to results of modules, one line for each thing
version_added: 0.2.0
author: waent.fleet contributors (@waent)
description:
  - Makes a line of each of the C(problems) that modules of this collection return, its code in brackets and its host
    before the sentence. Of a result that failed without problems it takes the message.
  - A result of a task that did not run has none.
extends_documentation_fragment:
  - waent.fleet.attributes.internal
options:
  _input:
    description: A registered result, or several.
    type: raw
    required: true
"""

EXAMPLES = r"""
- name: Stop if anything is wrong
  ansible.builtin.fail:
    msg: "{{ [identity, preflight] | waent.fleet.messages | join('\n') }}"
"""

RETURN = r"""
_value:
  description: The lines, in the order of the results.
  type: list
  elements: str
  sample: ["[PORT_TAKEN] rack-a-1: Port 9090, needed by wa-webapp-1, is taken by container x; free it."]
"""

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.problem import lines_of


def messages(results: t.Mapping[str, t.Any] | t.Sequence[t.Mapping[str, t.Any]]) -> list[str]:
    """One line for each problem, each once."""
    return lines_of([results] if isinstance(results, t.Mapping) else results)


class FilterModule:
    """Filters that report problems."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"messages": messages}
