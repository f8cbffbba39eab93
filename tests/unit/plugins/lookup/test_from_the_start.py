# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts of the first play, and the option with which there are none."""

from __future__ import annotations

import pytest
from ansible import context
from ansible.errors import AnsibleLookupError
from ansible.utils.context_objects import CLIArgs
from ansible_collections.waent.fleet.plugins.lookup.from_the_start import LookupModule


def looked_up(monkeypatch, **options):
    monkeypatch.setattr(context, "CLIARGS", CLIArgs(options))
    return LookupModule().run(["localhost:all"], {}, playbook="site")


@pytest.mark.parametrize("options", [{}, {"start_at_task": None}, {"tags": ["all"]}])
def test_the_pattern_is_given_on(monkeypatch, options):
    assert looked_up(monkeypatch, **options) == ["localhost:all"]


@pytest.mark.parametrize("task", ["", "Some task"])
def test_a_task_to_start_at_is_refused(monkeypatch, task):
    with pytest.raises(AnsibleLookupError, match=r"(?m)^\[START_AT_TASK_NOT_ALLOWED\] site\.yml does not begin"):
        looked_up(monkeypatch, start_at_task=task)
