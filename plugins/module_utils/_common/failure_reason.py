# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pure: why a task failed whose output is hidden, without the secrets. Internal to waent.fleet: may change any time.

A task with C(no_log) hides the reason of its failure too. What it said is taken from its result and shown by another
task, with every known secret value masked in each form in which programs write it.
"""

from __future__ import annotations

import base64
import json
import re
import typing as t
from urllib.parse import quote, quote_plus

from ansible_collections.waent.fleet.plugins.module_utils._common.instruction import instruction

MASK = "********"
#: Shorter values are masked where they stand by themselves only: one letter would make every word unreadable.
SHORT_CHARACTERS = 4
#: What is shorter than this in an environment is a number, a level or a name, not a secret.
SETTING_CHARACTERS = 8
#: A daemon's answer may hold a whole stack trace.
MOST_CHARACTERS = 2000
#: What Ansible gives in place of a traceback that nobody asked for, from 2.19 on.
NO_TRACEBACK = re.compile(r"\(traceback \w+\)")
CODED = re.compile(r"^\[[A-Z][A-Z0-9_]+\] ")
UNKNOWN = "it gave no reason; {0} shows the whole output, secrets included".format(instruction("no_reason"))


def written_forms(secret: str) -> set[str]:
    """The value as it is, and as it stands in JSON, in a Python literal, in an address, and as base64."""
    quoted = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    # Text in JSON is often quoted a second time: the answer of the engine holds the container it was asked for.
    quoted |= {json.dumps(one)[1:-1] for one in set(quoted)}
    encoded = {quote(secret, safe=""), quote(secret), quote_plus(secret)}
    return {secret, *quoted, *encoded, base64.b64encode(secret.encode("utf-8", "surrogateescape")).decode()}


def secret_values(secrets: t.Iterable[t.Any]) -> set[str]:
    """All values of a list, with lists in it, and environments (dictionaries), whose short values are settings."""
    values = set()
    for one in secrets:
        if isinstance(one, dict):
            values |= {value for value in secret_values(one.values()) if len(value) >= SETTING_CHARACTERS}
        elif isinstance(one, (list, tuple)):
            values |= secret_values(one)
        elif one is not None and not isinstance(one, bool):
            values.add(str(one))
    return values - {""}


def pattern_of(secrets: t.Iterable[t.Any]) -> tuple[re.Pattern[str] | None, int]:
    """What finds any of the values in any form, and the length of the longest; None where there are no values.

    The longest comes first, so that nothing is left of one that holds another.
    """
    forms = {form for value in secret_values(secrets) for form in written_forms(value)}
    if not forms:
        return None, 0
    patterns = [
        re.escape(form) if len(form) >= SHORT_CHARACTERS else r"(?<!\w)" + re.escape(form) + r"(?!\w)"
        for form in sorted(forms, key=lambda form: (-len(form), form))
    ]
    return re.compile("|".join(patterns)), max(map(len, forms))


def masked(text: str, secrets: t.Iterable[t.Any]) -> str:
    """The text without any of the values."""
    pattern, _longest = pattern_of(secrets)
    return pattern.sub(MASK, text) if pattern else text


def failed_results(result: t.Mapping[str, t.Any]) -> list[tuple[str, t.Mapping[str, t.Any]]]:
    """What failed in the result of a task: C((name of the loop's item, result)); the name is empty without a loop."""
    items = result.get("results")
    if not isinstance(items, (list, tuple)):
        return [("", result)]
    failed = [one for one in items if one.get("failed") or one.get("unreachable")]
    return [(item_name(one), one) for one in failed] or [("", result)]


def item_name(result: t.Mapping[str, t.Any]) -> str:
    """How a loop's item is called: by its name, its label, or itself."""
    item = result.get(result.get("ansible_loop_var") or "item")
    if isinstance(item, dict):
        item = item.get("name")
    return str(item or result.get("_ansible_item_label") or "")


def failure_of(result: t.Mapping[str, t.Any]) -> t.Mapping[str, t.Any]:
    """What modules of this collection say about a failure, C({code, message, details}); empty for all others."""
    failure = result.get("failure")
    return failure if isinstance(failure, dict) else {}


def said(result: t.Mapping[str, t.Any]) -> str:
    """The module's own words, with what it wrote to the standard error where that is all there is."""
    text = failure_of(result).get("message")
    for name in ("msg", "module_stderr", "stderr", "module_stdout", "exception"):
        text = text or result.get(name)
    text = str(text or "").strip()
    return "" if NO_TRACEBACK.fullmatch(text) else text


def reasons(result: t.Mapping[str, t.Any], secrets: t.Iterable[t.Any], code: str) -> list[str]:
    """One line for each thing that failed, C([CODE] name: words); a code of the module's own goes before C(code)."""
    secrets = list(secrets)
    lines = []
    for name, one in failed_results(result):
        # Masked before it is cut: half of a secret would not be found.
        words = masked(said(one), secrets)[:MOST_CHARACTERS] or UNKNOWN
        if CODED.match(words):
            lines.append(words)
        else:
            own = failure_of(one).get("code") or code
            lines.append("[{0}] {1}{2}".format(own, masked(name, secrets) + ": " if name else "", words))
    return list(dict.fromkeys(lines))
