# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The login that C(docker login) has left for a registry, where those who pull find it as well. Internal.

It is that of the user who runs the tasks on the host: the file of the Docker client, or a program that it names and
that keeps the password elsewhere (a credential helper). Nothing is changed, and no password is part of an error.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import subprocess
import typing as t

HUB = "registry-1.docker.io"
HUB_KEY = "https://index.docker.io/v1/"
"""The name under which the client keeps the login of Docker's own registry."""
TOKEN_USER = "<token>"
"""What a helper calls the user when it has a token in place of a password."""


class NoLogin(Exception):
    """There should be a login, and it cannot be read; the text says why."""


def login_for(registry: str, environ: t.Mapping[str, str] | None = None, timeout: float = 5.0) -> dict[str, str] | None:
    """What the engine takes as C(X-Registry-Auth), None where nobody has logged in. Raises NoLogin."""
    environ = os.environ if environ is None else environ
    settings = _settings(environ)
    key = HUB_KEY if registry == HUB else registry
    helper = (settings.get("credHelpers") or {}).get(key) or settings.get("credsStore")
    if helper:
        return _from_helper(str(helper), key, environ, timeout)
    for name, entry in (settings.get("auths") or {}).items():
        if (name == key or _host_of(name) == registry) and isinstance(entry, dict):
            found = _from_entry(entry, key)
            if found:
                return found
    return None


def _settings(environ: t.Mapping[str, str]) -> dict[str, t.Any]:
    """The client's file, empty where there is none."""
    directory = environ.get("DOCKER_CONFIG") or os.path.join(os.path.expanduser("~"), ".docker")
    path = os.path.join(directory, "config.json")
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise NoLogin("{0} cannot be read: {1}".format(path, error)) from error
    return found if isinstance(found, dict) else {}


def _host_of(name: str) -> str:
    """Old clients wrote C(https://registry.example.com/v1/)."""
    return name.partition("://")[2].partition("/")[0] if "://" in name else name.partition("/")[0]


def _from_entry(entry: t.Mapping[str, t.Any], key: str) -> dict[str, str] | None:
    if entry.get("identitytoken"):
        return {"identitytoken": str(entry["identitytoken"]), "serveraddress": key}
    if entry.get("registrytoken"):
        return {"registrytoken": str(entry["registrytoken"]), "serveraddress": key}
    user, password = str(entry.get("username") or ""), str(entry.get("password") or "")
    if entry.get("auth"):
        try:
            user, _colon, password = base64.b64decode(str(entry["auth"])).decode("utf-8").partition(":")
        except (binascii.Error, ValueError):
            raise NoLogin("the entry of {0} in the client's file is no base64".format(key)) from None
    return {"username": user, "password": password, "serveraddress": key} if user else None


def _from_helper(name: str, key: str, environ: t.Mapping[str, str], timeout: float) -> dict[str, str] | None:
    program = "docker-credential-" + name
    try:
        done = subprocess.run(
            [program, "get"], input=key, capture_output=True, text=True, check=False, timeout=timeout, env=dict(environ)
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        cause = getattr(error, "strerror", None) or "no answer within {0:g} s".format(timeout)
        raise NoLogin("{0} failed: {1}".format(program, cause)) from error
    if done.returncode:
        said = (done.stdout + done.stderr).strip()
        # The words of the helpers' own library for a registry that they know nothing of.
        if "credentials not found" in said:
            return None
        raise NoLogin("{0} failed: {1}".format(program, said.splitlines()[-1] if said else done.returncode))
    try:
        found = json.loads(done.stdout)
        user, secret = str(found["Username"]), str(found["Secret"])
    except (ValueError, KeyError, TypeError) as error:
        raise NoLogin("{0} gave an answer that is none".format(program)) from error
    if user == TOKEN_USER:
        return {"identitytoken": secret, "serveraddress": key}
    return {"username": user, "password": secret, "serveraddress": key}
