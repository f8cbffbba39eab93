# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text of any length without secrets, a part at a time. Internal to waent.fleet: may change in any release. Pure.

Two kinds of secrets are found: the values that are known, in each form in which programs write them and also over the
end of a line, and what stands where credentials stand, whoever's they are: C(Authorization), tokens, C(password=).
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.failure_reason import MASK, pattern_of

LONGEST_LINE = 65536
"""Characters of a line that are kept: what has no line ends would have to be kept as a whole."""

LINE_CUT = " ... (the rest of this line was left out)"

_CREDENTIALS = (
    # The user and password of an address.
    (re.compile(r"(?<=://)[^/\s:@\"']*:[^/\s@\"']+(?=@)"), MASK),
    # A JSON web token.
    (re.compile(r"\beyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*)?"), MASK),
    (re.compile(r"(?i)\b(bearer|basic|apikey)(\s+)(?!auth)[\w.~+/=-]{8,}"), r"\1\2" + MASK),
    # Not C(using password: YES), which says what is wrong.
    (
        re.compile(
            r"(?i)((?:pass(?:word|wd)?|pwd|secret|api_?key|crypto_key|private_?key|(?<![a-z])token|(?<![a-z])pin)"
            r"[\\]*[\"']?\s*[:=]\s*[\\]*[\"']?)(?!yes\b|no\b|true\b|false\b|null\b|none\b|\*{8})[^\s\"'\\,;&)}\]]+"
        ),
        r"\1" + MASK,
    ),
)

SECRET_NAME = re.compile(r"(?i)pass|pwd|secret|key|token|cred|auth|cert|(?:^|_)pin(?:$|_)")
"""Names of variables whose values are secrets, however short."""


def without_credentials(line: str) -> str:
    """A line without what stands where credentials stand."""
    for pattern, mask in _CREDENTIALS:
        line = pattern.sub(mask, line)
    return line


class Masker:
    """Takes a text in parts, and returns it without secrets, in whole lines.

    However the text is cut, what comes out is the same: a value may begin in one part and end in the next.
    """

    def __init__(self, secrets: t.Iterable[t.Any]) -> None:
        self._pattern, longest = pattern_of(secrets)
        # One character more on each side: a short value counts only where it stands by itself.
        self._reach = longest + 1
        self._text = ""
        self._done = 0
        """So many characters of the text are out already; one is kept, since what stands before may matter."""
        self._line: list[str] = []
        self._line_length = 0

    def feed(self, text: str) -> str:
        """What is known to be without secrets by now."""
        self._text += text
        return self._lines(self._masked(len(self._text) - self._reach))

    def finish(self) -> str:
        """The rest."""
        rest = self._lines(self._masked(len(self._text)))
        last = self._end_of_line("") if self._line_length else ""
        return rest + last

    def _masked(self, until: int) -> str:
        """The text up to there, with values that begin before it, as a whole."""
        if until <= self._done:
            return ""
        found, place = [], self._done
        while self._pattern is not None:
            match = self._pattern.search(self._text, place)
            if match is None or match.start() >= until:
                break
            found += [self._text[place : match.start()], MASK]
            place = match.end()
        end = max(place, until)
        found.append(self._text[place:end])
        kept = max(end - 1, 0)
        self._text, self._done = self._text[kept:], end - kept
        return "".join(found)

    def _lines(self, text: str) -> str:
        """Those that are whole by now."""
        first, newline, rest = text.partition("\n")
        if not newline:
            self._add(text)
            return ""
        self._add(first)
        whole = [self._end_of_line("\n")]
        *lines, last = rest.split("\n")
        whole += [without_credentials(_short(line)) + "\n" for line in lines]
        self._add(last)
        return "".join(whole)

    def _add(self, text: str) -> None:
        room = LONGEST_LINE + 1 - self._line_length
        if text and room > 0:
            self._line.append(text[:room])
            self._line_length += len(self._line[-1])

    def _end_of_line(self, newline: str) -> str:
        line, self._line, self._line_length = "".join(self._line), [], 0
        return without_credentials(_short(line)) + newline


def _short(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else line[:LONGEST_LINE] + LINE_CUT
