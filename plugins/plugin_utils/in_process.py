# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module's own work, done in this process. Internal to waent.fleet: may change any time.

Starting a Python costs several times what a call to the API does. The module itself is the one that runs on hosts:
its C(main) reads its arguments, checks them, censors its answer and ends as ever; only its arguments come from here,
and its answer goes here. Nothing of it is left in the process, where the next item of a loop may be run.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import traceback
import types
import typing as t

from ansible.module_utils import basic
from ansible.module_utils.common import json as module_json
from ansible.module_utils.common import warnings as module_warnings
from ansible.module_utils.common.parameters import remove_values
from ansible.utils.unsafe_proxy import wrap_var

PROFILE = "legacy"
"""What Ansible calls the shape in which a module of Python, since 2.19, gets its arguments and answers."""

PROFILED = hasattr(basic, "_ANSIBLE_PROFILE")


class Crashed(Exception):
    """A module that ended without an answer. Its text, and trace, are without what the module must not show."""

    def __init__(self, sentence: str, trace: str) -> None:
        super().__init__(sentence)
        self.trace = trace


def answer_of(
    module: types.ModuleType, arguments: t.Mapping[str, t.Any], environment: t.Mapping[str, t.Any]
) -> dict[str, t.Any]:
    """What the module answers, as untrusted as that of any other. Raises Crashed.

    arguments: its options and those of Ansible itself. environment: variables that it gets in addition.
    """
    made: list[basic.AnsibleModule] = []

    class Noted(basic.AnsibleModule):
        """Known from outside as soon as it knows what must not be shown."""

        def __init__(self, *given: t.Any, **named: t.Any) -> None:
            made.append(self)
            super().__init__(*given, **named)

    with (
        _given(arguments),
        _environment(environment),
        _no_warnings(),
        _attribute(module, "AnsibleModule", Noted),
        contextlib.redirect_stdout(io.StringIO()) as output,
        contextlib.redirect_stderr(io.StringIO()),
    ):
        try:
            module.main()
        except SystemExit:
            pass
        except Exception as error:
            raise _crash(module, error, made) from None
    text = output.getvalue()
    if not text.strip():
        raise Crashed("{0} ended without an answer.".format(_name(module)), "")
    return _decoded(text)


def _name(module: types.ModuleType) -> str:
    return module.__name__.rpartition(".")[2]


def _crash(module: types.ModuleType, error: Exception, made: t.Iterable[basic.AnsibleModule]) -> Crashed:
    secrets = {value for one in made for value in getattr(one, "no_log_values", ())}
    said = "{0}: {1}".format(type(error).__name__, error) if str(error) else type(error).__name__
    sentence = "{0} has a fault of its own and gave no answer ({1}).".format(_name(module), " ".join(said.split()))
    trace = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    return Crashed(remove_values(sentence, secrets), remove_values(trace, secrets))


@contextlib.contextmanager
def _attribute(place: t.Any, name: str, value: t.Any) -> t.Iterator[None]:
    """Another value for a while."""
    before = getattr(place, name)
    setattr(place, name, value)
    try:
        yield
    finally:
        setattr(place, name, before)


@contextlib.contextmanager
def _given(arguments: t.Mapping[str, t.Any]) -> t.Iterator[None]:
    """The arguments where a module looks for them."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(_attribute(basic, "_ANSIBLE_ARGS", _encoded({"ANSIBLE_MODULE_ARGS": arguments})))
        if PROFILED:
            stack.enter_context(_attribute(basic, "_ANSIBLE_PROFILE", PROFILE))
        yield


@contextlib.contextmanager
def _environment(variables: t.Mapping[str, t.Any]) -> t.Iterator[None]:
    before = dict(os.environ)
    os.environ.update({str(name): str(value) for name, value in variables.items()})
    try:
        yield
    finally:
        for name in set(os.environ) - set(before):
            del os.environ[name]
        os.environ.update(before)


@contextlib.contextmanager
def _no_warnings() -> t.Iterator[None]:
    """Those that a module has returned are not returned by the next one."""
    kept = [getattr(module_warnings, name) for name in ("_global_warnings", "_global_deprecations")]
    for one in kept:
        one.clear()
    try:
        yield
    finally:
        for one in kept:
            one.clear()


def _encoded(value: t.Any) -> bytes:
    if PROFILED:
        encoder = module_json.get_module_encoder(PROFILE, module_json.Direction.CONTROLLER_TO_MODULE)
        return json.dumps(value, cls=encoder).encode()
    return json.dumps(value, cls=module_json.AnsibleJSONEncoder, vault_to_text=True).encode()


def _decoded(text: str) -> dict[str, t.Any]:
    if PROFILED:
        decoder = module_json.get_module_decoder(PROFILE, module_json.Direction.MODULE_TO_CONTROLLER)
        found: dict[str, t.Any] = json.loads(text, cls=decoder)
        return found
    # Before 2.19 nothing is untrusted that is not said to be.
    wrapped: dict[str, t.Any] = wrap_var(json.loads(text))
    return wrapped
