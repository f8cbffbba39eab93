# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The public variables as a play and its hosts have them, with the types that YAML gave them. Internal to waent.fleet.

They are read from the play itself and not through templates: ansible-core before 2.19 makes text of every number there,
and a number that YAML made of 0612345670 could not be distinguished from the intended one.
"""

from __future__ import annotations

import os
import re
import ssl
import typing as t
from pathlib import Path

from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.product import KINDS
from ansible_collections.waent.fleet.plugins.module_utils._desired.variables import BY_NAME, NULL, VARIABLES
from ansible_collections.waent.fleet.plugins.plugin_utils.host_values import HostValues, raw_variables

_REFERENCE = re.compile(r"\s*\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}\s*\Z")
_OF_HOSTS = frozenset(
    ["wa_address", "wa_api_address"] + [form.format(kind) for kind in KINDS for form in ("wa_{0}s", "wa_{0}_port")]
)
"""The placement takes these from every host by itself."""

Given = t.Dict[str, t.Any]


class Reading(t.NamedTuple):
    """What was read.

    given: the play's variables by their names without C(wa_). of_hosts: those that a host has otherwise, by host.
    problems: what cannot be read. names: all names that begin like ours, of all hosts.
    """

    given: Given
    of_hosts: dict[str, Given]
    problems: list[Problem]
    names: set[str]


def read_variables(task_vars: t.Mapping[str, t.Any], template: t.Callable[[t.Any], t.Any]) -> Reading:
    """Everything in one pass over the hosts of the cluster. template: fills templates in, as the play does."""
    reading = Reading({}, {}, [], set())
    for variable in VARIABLES:
        if variable.name in task_vars:
            _read(reading, variable.name, _followed(task_vars[variable.name], task_vars), template)
    hostvars, groups = task_vars.get("hostvars"), task_vars.get("groups") or {}
    if hostvars is None:
        return reading
    for host in dict.fromkeys([*groups.get("wa_cluster", ()), *groups.get("wa_database_hosts", ())]):
        raw = raw_variables(hostvars, host)
        reading.names.update(name for name in raw if re.match(r"wa[-_]", str(name), re.IGNORECASE))
        other = _otherwise(raw, task_vars)
        values = HostValues(hostvars, host) if other else {}
        own = {BY_NAME[name].key: value_of(values, name) for name in other}
        own = {key: value for key, value in own.items() if value is not None and value != reading.given.get(key)}
        if own:
            reading.of_hosts[host] = own
    return reading


def value_of(values: t.Mapping[str, t.Any], name: str) -> t.Any:
    """A variable of another host; None where it has none, and where its template cannot be filled in, which whoever
    needs it will report.
    """
    try:
        value = values[name]
    except Exception:  # As in _read; a variable that is not there ends here as well.
        return None
    return None if re.search(r"Marker|Undefined", type(value).__name__) else plain(value)


def _read(reading: Reading, name: str, value: t.Any, template: t.Callable[[t.Any], t.Any]) -> None:
    try:
        reading.given[BY_NAME[name].key] = plain(template(value))
    except Exception as error:  # Ansible has a family of errors for templates, another in each release.
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        reading.problems.append(
            Problem("WA_VARIABLE_UNREADABLE", "{0} cannot be read: {1}".format(name, said.rstrip(".") + "."), name)
        )


def _otherwise(raw: t.Mapping[str, t.Any], task_vars: t.Mapping[str, t.Any]) -> list[str]:
    """Names of the variables that a host may have otherwise than the play: another value, or a template."""
    return [
        name
        for name in raw
        if name in BY_NAME and name not in _OF_HOSTS and (raw[name] != task_vars.get(name) or _is_template(raw[name]))
    ]


def _is_template(value: t.Any) -> bool:
    return isinstance(value, (str, list, dict)) and ("{{" in str(value) or "{%" in str(value))


def _followed(value: t.Any, task_vars: t.Mapping[str, t.Any]) -> t.Any:
    """What a template that is nothing but a name stands for, so that its type is kept."""
    for _step in range(20):
        match = _REFERENCE.match(value) if isinstance(value, str) else None
        if match is None or match.group(1) not in task_vars:
            return value
        value = task_vars[match.group(1)]
    return value


def plain(value: t.Any) -> t.Any:
    """Text of the vault as text, which before 2.19 is an object of its own; nothing as NULL."""
    if value is None:
        return NULL
    if type(value).__name__ == "AnsibleVaultEncryptedUnicode":
        return str(value)
    if isinstance(value, dict):
        return {key: entry if entry is None else plain(entry) for key, entry in value.items()}
    return value


def read_file(path: str) -> bytes:
    """A file of this machine; empty where it cannot be read."""
    try:
        return Path(path).expanduser().read_bytes()
    except OSError:
        return b""


def file_problems(given: Given, made_later: t.Collection[str] = ()) -> list[Problem]:
    """What is wrong with the files of certificates and keys on this machine. given: by names without C(wa_).

    made_later: variables whose file need not be there yet.
    """
    problems = [
        _file_problem(variable, given.get(variable[len("wa_") :]), _CERTIFICATES)
        for variable in _OF_CERTS
        if variable not in made_later
    ]
    pair = given.get("db_ssl_cert"), given.get("db_ssl_key")
    if all(isinstance(path, str) and path for path in pair):
        key = _file_problem("wa_db_ssl_key", pair[1], _KEY)
        # A key is tried together with its certificate, so that one has to be fit first.
        wrong = key or any(problem and problem.variable == "wa_db_ssl_cert" for problem in problems)
        problems.append(key if wrong else _pair_problem(*map(str, pair)))
    return [problem for problem in problems if problem is not None]


_OF_CERTS = {"wa_api_ca_path": "WA_API_CA_PATH", "wa_db_ssl_ca": "WA_DB_SSL_FILE", "wa_db_ssl_cert": "WA_DB_SSL_FILE"}
"""Variables that name a file of certificates, and the code of what is wrong with it."""

_KEY_BEGINS = re.compile(rb"^-----BEGIN ([A-Z]+ )?PRIVATE KEY-----", re.MULTILINE)
_KEY_ENCRYPTED = re.compile(rb"^-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED", re.MULTILINE)


def _file_problem(variable: str, path: t.Any, fit: _Fit) -> Problem | None:
    if not isinstance(path, str) or not path:
        return None
    full = os.path.expanduser(path)
    if not os.path.exists(full):
        said = "does not exist"
    elif os.path.isdir(full):
        said = "is a directory"
    else:
        said = fit.unfit(full)
    if not said:
        return None
    message = "{0} is {1!r}, which {2} on the machine that runs Ansible; allowed is {3}."
    code = _OF_CERTS.get(variable, "WA_DB_SSL_FILE")
    return Problem(code, message.format(variable, path, said, fit.allowed), variable, path)


class _Fit(t.NamedTuple):
    """What a file must hold. unfit: what is wrong with one that is there."""

    allowed: str
    unfit: t.Callable[[str], str]


def _unfit_certificates(path: str) -> str:
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cafile=path)
    except ssl.SSLError:
        return "holds no certificate that can be read"
    except OSError as error:
        return "cannot be read ({0})".format(error.strerror or error)
    return "" if context.cert_store_stats()["x509"] else "holds no certificate"


def _unfit_key(path: str) -> str:
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        return "cannot be read ({0})".format(error.strerror or error)
    # Nobody could give the client a passphrase.
    if _KEY_ENCRYPTED.search(content):
        return "holds a key that is encrypted"
    return "" if _KEY_BEGINS.search(content) else "holds no private key"


_CERTIFICATES = _Fit("a file with PEM certificates", _unfit_certificates)
_KEY = _Fit("a file with a PEM key without a passphrase", _unfit_key)


def _pair_problem(cert: str, key: str) -> Problem | None:
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_cert_chain(os.path.expanduser(cert), os.path.expanduser(key))
    except ssl.SSLError as error:
        said = "does not belong to" if "MISMATCH" in str(error) else "cannot be used with"
        message = "wa_db_ssl_key is {0!r}, which {1} the certificate in wa_db_ssl_cert ({2!r}); allowed is its own key."
        return Problem("WA_DB_SSL_KEY", message.format(key, said, cert), "wa_db_ssl_key", key)
    return None
