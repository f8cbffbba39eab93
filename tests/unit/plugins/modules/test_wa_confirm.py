# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_confirm: what follows from the command line, and from the answer of the person at the terminal."""

from __future__ import annotations

import typing as t
from unittest.mock import Mock

import pytest
from ansible_collections.waent.fleet.plugins.action.wa_confirm import ActionModule
from ansible_collections.waent.fleet.plugins.module_utils._check.confirmation import check_answer, needs_question
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal


@pytest.mark.parametrize("destroys_data", [True, False])
def test_only_the_word_yes_goes_on(destroys_data: bool) -> None:
    check_answer("yes", destroys_data)
    check_answer(" yes\n", destroys_data)


@pytest.mark.parametrize("answer", ["", "no", "y", "YES", "yes please"])
@pytest.mark.parametrize("destroys_data", [True, False])
def test_anything_else_stops_and_says_that_nothing_was_changed(answer: str, destroys_data: bool) -> None:
    with pytest.raises(Refusal) as caught:
        check_answer(answer, destroys_data)
    assert caught.value.code == "NOT_CONFIRMED"
    assert "Nothing was changed" in caught.value.message


def test_where_nobody_can_be_asked_only_what_destroys_data_stops() -> None:
    check_answer(None, destroys_data=False)
    with pytest.raises(Refusal, match="add -e confirm=yes to the command"):
        check_answer(None, destroys_data=True)


@pytest.mark.parametrize("confirm", ["yes", "Yes", "YES", "y", "true", "True", True])
def test_yes_on_the_command_line_is_not_asked_for_again(confirm: t.Any) -> None:
    assert needs_question(confirm) is False
    assert needs_question(None) is True


@pytest.mark.parametrize("confirm", ["no", "", "ja", "false", False, "yes please", 1, "1"])
def test_anything_else_on_the_command_line_stops(confirm: t.Any) -> None:
    with pytest.raises(Refusal, match="only yes goes on") as caught:
        needs_question(confirm)
    assert caught.value.code == "NOT_CONFIRMED"


def act(variables: dict[str, t.Any], typed: str | None, check_mode: bool = False, **options: t.Any) -> dict[str, t.Any]:
    """The result of the action; typed: what the terminal gives, None where there is none."""
    task = Mock(args={"prompt": "Do this?", **options}, async_val=0, check_mode=check_mode, action="wa_confirm")
    templar = Mock(template=lambda value: value)
    plugin = ActionModule(task, Mock(), Mock(), Mock(), templar, Mock())
    plugin._answer = lambda prompt: typed  # type: ignore[method-assign]
    return plugin.run(task_vars=variables)


def test_the_command_line_is_read_by_the_action_itself() -> None:
    assert act({"confirm": "yes"}, None) == {"changed": False, "asked": False}
    assert act({"confirm": "no"}, "yes", destroys_data=False)["failure"]["code"] == "NOT_CONFIRMED"
    assert act({}, "yes") == {"changed": False, "asked": True}
    assert act({}, None, destroys_data=False) == {"changed": False, "asked": False}
    assert act({}, None)["failed"] is True, "what nobody declares harmless is taken to destroy data"
    assert act({}, None, check_mode=True) == {"changed": False, "asked": False}
