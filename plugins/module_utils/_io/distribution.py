# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Queries the engine of this host: whether it would find an image in its registry. Internal to waent.fleet.

The engine asks as it pulls: with its mirrors, its proxy, its authorities and the registries it may talk to without TLS;
and with the login of whoever pulls, which goes along. Nothing is pulled.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import pwd
import re
import socket
import typing as t
from urllib.parse import quote

from ansible_collections.waent.fleet.plugins.module_utils._io.docker_login import HUB, NoLogin, login_for
from ansible_collections.waent.fleet.plugins.module_utils._io.registry import MISSING, PRESENT, UNKNOWN, parse_image

SOCKET = "/var/run/docker.sock"
PATIENCE = 4
"""The engine has patience of its own and tries several addresses: so many times that of a question of ours."""

_MISSING = re.compile(
    r"manifest unknown|name unknown|manifest for .* not found|repository name not known", re.IGNORECASE
)
_DENIED = re.compile(r"unauthorized|denied|authentication required|no basic auth|forbidden", re.IGNORECASE)


class _Connection(http.client.HTTPConnection):
    """HTTP over the engine's socket."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def ask_engine(
    text: str, *, timeout: float, mirrors: bool = False, environ: t.Mapping[str, str] | None = None
) -> tuple[str, str | None]:
    """C(present), C(missing) or C(unknown) for an image, with the reason unless it is present.

    mirrors: the engine has mirrors of Docker's own registry, of which it asks only the first here.
    """
    environ = os.environ if environ is None else environ
    registry = parse_image(text).registry
    login, trouble = None, ""
    try:
        login = login_for(registry, environ, timeout)
    except NoLogin as error:
        trouble = str(error)
    try:
        status, said = _get(text, login, timeout * PATIENCE, environ)
    except (OSError, http.client.HTTPException) as error:
        return UNKNOWN, "{0} could not be asked: {1}".format(registry, str(error) or type(error).__name__)
    return meaning(text, status, said, login=trouble or login is not None, mirrors=mirrors)


def meaning(text: str, status: int, said: str, *, login: bool | str, mirrors: bool = False) -> tuple[str, str | None]:
    """What an answer of the engine means. login: whether one was sent, or why there was none to send."""
    image = parse_image(text)
    if status == 200:
        return PRESENT, None
    if _MISSING.search(said) and not (mirrors and image.registry == HUB):
        return MISSING, "{0} has no {1}:{2}".format(image.registry, image.repository, image.reference)
    if status in (401, 403) or _DENIED.search(said):
        user = pwd.getpwuid(os.geteuid()).pw_name
        if isinstance(login, str):
            why = "wants a login, and that of {0} cannot be used ({1})".format(user, login)
        elif login:
            why = "refuses the login that {0} has on this host ({1}): repeat docker login {2} as {0}".format(
                user, said, image.registry
            )
        else:
            why = "wants a login, and {0} has none on this host: run docker login {1} as {0}".format(
                user, image.registry
            )
        return UNKNOWN, "{0} {1}".format(image.registry, why)
    return UNKNOWN, "{0} could not be asked: {1}".format(image.registry, said or "HTTP {0}".format(status))


def _get(text: str, login: dict[str, str] | None, timeout: float, environ: t.Mapping[str, str]) -> tuple[int, str]:
    """Status and message of C(GET /distribution/IMAGE/json)."""
    endpoint = environ.get("DOCKER_HOST") or ""
    path = endpoint[len("unix://") :] if endpoint.startswith("unix://") else SOCKET
    headers = {}
    if login:
        headers["X-Registry-Auth"] = base64.urlsafe_b64encode(json.dumps(login).encode("utf-8")).decode("ascii")
    connection = _Connection(path, timeout)
    try:
        connection.request("GET", "/distribution/{0}/json".format(quote(text, safe="/:@")), headers=headers)
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    try:
        message = json.loads(body).get("message") or ""
    except (ValueError, AttributeError):
        message = body.decode("utf-8", "replace")[:200]
    return answer.status, str(message).strip()
