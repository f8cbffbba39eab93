# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One module's work for several sets of arguments, several at once. Internal to waent.fleet: may change in any release.

Starting a Python, with all that a module imports, costs several times what the module does. So the module is imported
once, and a child of this process does its work for each set: it has arguments, output and state of its own, and ends.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import select
import sys
import typing as t

from ansible.module_utils import basic

Answer = t.Dict[str, t.Any]
"""What a module answers: changed, failed, msg, warnings and so on."""

KEPT = ("changed", "failed", "msg", "diff")
"""What of an answer is kept: the rest describes containers, with their environments."""

NO_ANSWER = "the process that did it ended without an answer"


def of_ansible() -> dict[str, t.Any]:
    """The arguments that Ansible itself gave to this module: check mode, no_log and the like, as they came."""
    return {name: value for name, value in _given().items() if name.startswith("_ansible_")}


def _given() -> dict[str, t.Any]:
    text = basic._ANSIBLE_ARGS
    given: dict[str, t.Any] = json.loads(text)["ANSIBLE_MODULE_ARGS"] if text else {}
    return given


def at_once(work: t.Callable[[], t.Any], arguments: t.Sequence[t.Mapping[str, t.Any]], most: int) -> list[Answer]:
    """Answers in the order of the arguments. work: C(main) of a module; most: children at the same time."""
    own = of_ansible()
    waiting = list(enumerate(arguments))
    texts: dict[int, bytes] = dict.fromkeys(range(len(waiting)), b"")
    running: dict[int, tuple[int, int]] = {}  # by what is read from: which one, and its process
    while waiting or running:
        while waiting and len(running) < most:
            number, given = waiting.pop(0)
            process, reads = _begin(work, {**given, **own})
            running[reads] = number, process
        for reads in select.select(list(running), [], [])[0]:
            number, process = running[reads]
            more = os.read(reads, 65536)
            texts[number] += more
            if not more:
                os.close(reads)
                os.waitpid(process, 0)
                del running[reads]
    return [_answer(texts[number]) for number in sorted(texts)]


def _answer(text: bytes) -> Answer:
    try:
        found = json.loads(text.decode("utf-8"))
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"failed": True, "msg": NO_ANSWER}


# --- the child --------------------------------------------------------------------------------------------------------


def _begin(work: t.Callable[[], t.Any], arguments: t.Mapping[str, t.Any]) -> tuple[int, int]:
    """The process of a child, and what its answer is read from."""
    reads, writes = os.pipe()
    # What this process has not written yet would be written by both.
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        os.close(writes)
        return child, reads
    answer: Answer = {"failed": True, "msg": NO_ANSWER}
    try:
        os.close(reads)
        answer = _work(work, arguments)
    finally:
        # Nothing of the parent is cleaned up here: it goes on.
        with contextlib.suppress(OSError):
            _write(writes, json.dumps(answer).encode("utf-8"))
        os._exit(0)


def _write(writes: int, text: bytes) -> None:
    while text:
        text = text[os.write(writes, text) :]


def _work(work: t.Callable[[], t.Any], arguments: t.Mapping[str, t.Any]) -> Answer:
    basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": dict(arguments)}).encode("utf-8")
    output = io.StringIO()
    try:
        with contextlib.redirect_stdout(output):
            work()
    except SystemExit:
        pass
    except Exception as error:
        return {"failed": True, "msg": "{0}: {1}".format(type(error).__name__, error)}
    found = _answer(output.getvalue().encode("utf-8"))
    warnings = [_words(warning) for warning in found.get("warnings") or ()]
    return {**{name: found[name] for name in KEPT if name in found}, "warnings": [word for word in warnings if word]}


def _words(warning: t.Any) -> str:
    """A warning as text; since 2.19 Ansible has it as C({event: {msg}}) or C({details: [{msg}]})."""
    if not isinstance(warning, dict):
        return str(warning)
    events = [warning.get("event"), *(warning.get("details") or ())]
    return next((str(event["msg"]) for event in events if isinstance(event, dict) and event.get("msg")), "")
