# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a message says to run, read from its text as a user would: by its words alone."""

from __future__ import annotations

import json
import re
import shlex
import typing as t

WORDS = re.compile(
    r"playbooks/(?P<playbook>\w+)\.yml|the playbook (?P<again>again)(?: with(?= -e ))?|(?P<added>)(?<![^\s(])(?=-e )"
)
ARGUMENT = re.compile(r"\s?-e ('[^']*'|\S+)")
BLANK = re.compile(r"^[A-Z]+$")
"""A value that the user fills in."""


class Command(t.NamedTuple):
    """One command. playbook: empty for the one that said it. arguments: what is given with -e, by name.

    again: whether the command is complete; otherwise its arguments are added to those that were given.
    """

    playbook: str
    arguments: dict[str, t.Any]
    again: bool = True

    def given(self, **filled: str) -> list[str]:
        """The arguments as a user gives them, with what she has to fill in. Raises KeyError for what is not filled."""
        words = []
        for name, value in self.arguments.items():
            if isinstance(value, str):
                words += ["-e", "{0}={1}".format(name, filled[name] if BLANK.match(value) else value)]
            else:
                words += ["-e", json.dumps({name: value})]
        return words


def commands(text: str) -> list[Command]:
    """Every command in a text, in order; the folding of long lines does not count."""
    text = " ".join(text.split())
    found, at = [], 0
    while begins := WORDS.search(text, at):
        arguments: dict[str, t.Any] = {}
        at = begins.end()
        while one := ARGUMENT.match(text, at):
            arguments.update(_argument(one[1]))
            at = one.end()
        found.append(Command(begins["playbook"] or "", arguments, begins["added"] is None))
        at = max(at, begins.end())
    return found


def _argument(word: str) -> dict[str, t.Any]:
    """What one -e gives. A full stop or comma behind it belongs to the sentence."""
    (plain,) = shlex.split(word if word.startswith("'") else word.rstrip(".,;:)"))
    if plain.startswith("{"):
        given: dict[str, t.Any] = json.loads(plain)
        return given
    name, equals, value = plain.partition("=")
    if not equals:
        raise ValueError("-e {0} gives nothing".format(plain))
    return {name: value}


def commands_after(output: str, beginning: str) -> list[Command]:
    """The commands in what a run said, from a text on. Raises ValueError where it did not say that."""
    said = " ".join(output.split())
    before, found, rest = said.partition(beginning)
    if not found:
        raise ValueError("not said: {0}\n{1}".format(beginning, before))
    return commands(rest)
