# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a run was confirmed, on the command line or at the terminal. Internal to waent.fleet. Pure.

The documentation of wa_confirm states the rule; nothing else decides it.
"""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.instruction import instruction
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal

CODE = "NOT_CONFIRMED"

YES = ("yes", "y", "true")
"""What may stand in C(-e confirm=), in any case; a boolean of YAML or JSON is one of them."""


def needs_question(confirm: t.Any) -> bool:
    """Whether the command leaves it open. confirm: the variable of that name, None where it was not given.

    Raises a Refusal where it was given and says anything but yes: whoever writes it wants an answer taken seriously.
    """
    if confirm is None:
        return True
    if str(confirm).strip().lower() in YES:
        return False
    raise refused("confirm is {0!r}; only yes goes on.".format(str(confirm)))


def check_answer(answer: str | None, destroys_data: bool) -> None:
    """Raises a Refusal unless a run goes on after this answer; None when nobody was there to give one."""
    if answer is None:
        if destroys_data:
            text = "there is nobody to ask; add {0} to the command if it is meant."
            raise refused(text.format(instruction("not_confirmed")))
    elif answer.strip() != "yes":
        raise refused("the answer was not yes.")


def refused(sentence: str) -> Refusal:
    """A refusal with the code NOT_CONFIRMED."""
    return Refusal(CODE, "[{0}] Nothing was changed: {1}".format(CODE, sentence))
