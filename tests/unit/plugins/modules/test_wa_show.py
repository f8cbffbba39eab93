# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_show: lines as they are for people, and nothing between the parts of a document."""

from __future__ import annotations

from unittest.mock import Mock

import pytest
from ansible_collections.waent.fleet.plugins.action import wa_show

LINES = ["rack  host", "a     one: \"quoted\" 'words'", "", "x" * 300]


def act(monkeypatch, callback):
    monkeypatch.setattr(wa_show.constants.config, "get_config_value", lambda name: callback)
    shown = Mock()
    monkeypatch.setattr(wa_show, "display", shown)
    task = Mock(args={"lines": LINES}, async_val=0, check_mode=False, action="wa_show")
    templar = Mock(template=lambda value: value)
    connection = Mock(_shell=Mock(tmpdir=None))
    action = wa_show.ActionModule(task, connection, Mock(), Mock(), templar, Mock())
    return action.run(task_vars={}), [call.args[0] for call in shown.display.call_args_list]


@pytest.mark.parametrize("callback", ["default", "ansible.builtin.default"])
def test_people_get_the_lines_as_they_are(monkeypatch, callback):
    result, shown = act(monkeypatch, callback)
    assert shown == ["\n".join(["", *LINES])]
    assert result["lines"] == LINES and result["shown"] and not result["changed"]
    assert "_ansible_verbose_always" not in result


@pytest.mark.parametrize("callback", ["ansible.builtin.minimal", "ansible.posix.json", "there.is.none"])
def test_any_other_callback_gets_them_in_the_result_alone(monkeypatch, callback):
    result, shown = act(monkeypatch, callback)
    assert shown == []
    assert result["lines"] == LINES and not result["shown"] and result["_ansible_verbose_always"] is True
