# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks whether a registry has an image, without pulling it. Internal to waent.fleet: may change in any release.

Speaks the registry API v2 itself, so that it works before an engine is installed. Sends no credentials; of a registry
that requires some the answer is not known.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import ssl
import typing as t
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode

from ansible_collections.waent.fleet.plugins.module_utils._io.no_tls import speaks_no_tls

PRESENT, MISSING, UNKNOWN = "present", "missing", "unknown"
PLAIN_HTTP = "does not speak TLS, which the engine wants unless insecure-registries in /etc/docker/daemon.json names it"

_PROXY = "https_proxy"
_MANIFESTS = ", ".join(
    (
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.oci.image.index.v1+json",
    )
)


class Image(t.NamedTuple):
    """An image reference taken apart. reference: tag or digest."""

    registry: str
    repository: str
    reference: str


def parse_image(text: str) -> Image:
    """C(docker.whatsapp.biz/web:v2.19.4) taken apart; Docker's own registry and C(latest) where nothing is said."""
    name, at, digest = text.partition("@")
    first, slash, rest = name.partition("/")
    if not (slash and ("." in first or ":" in first or first == "localhost")):
        first, rest = "registry-1.docker.io", name if slash else "library/" + name
    repository, colon, tag = rest.partition(":")
    return Image(first, repository, digest if at else (tag if colon else "latest"))


def ask(
    text: str, *, timeout: float, insecure: t.Collection[str] = (), proxy: str | None = None
) -> tuple[str, str | None]:
    """C(present), C(missing) or C(unknown) for an image, with the reason unless it is present.

    insecure: registries that the engine may talk to without TLS; those of this host itself are among them always.
    timeout: seconds for each of at most three requests. proxy: URL to ask through in place of the environment's.
    """
    with _proxied(proxy):
        return _ask(text, timeout, insecure)


@contextlib.contextmanager
def _proxied(proxy: str | None) -> t.Iterator[None]:
    """The way to name a proxy to Ansible's open_url is the environment."""
    before = os.environ.get(_PROXY)
    if proxy:
        os.environ[_PROXY] = proxy
    try:
        yield
    finally:
        if before is not None:
            os.environ[_PROXY] = before
        elif proxy:
            del os.environ[_PROXY]


def _ask(text: str, timeout: float, insecure: t.Collection[str]) -> tuple[str, str | None]:
    image = parse_image(text)
    host = image.registry.rpartition(":")[0] or image.registry
    plain = image.registry in insecure or host == "localhost" or re.match(r"127\.[0-9.]+\Z", host) is not None
    reason = ""
    for scheme in ("https", "http") if plain else ("https",):
        url = "{0}://{1}/v2/{2}/manifests/{3}".format(scheme, image.registry, image.repository, image.reference)
        try:
            return _answer(image, *_head(url, None, timeout), url=url, timeout=timeout)
        except (URLError, OSError, ssl.SSLError, socket.timeout, ValueError) as error:
            cause = getattr(error, "reason", None) or error
            reason = PLAIN_HTTP if speaks_no_tls(cause) else "does not answer: {0}".format(cause)
    return UNKNOWN, "{0} {1}".format(image.registry, reason)


def _answer(image: Image, status: int, challenge: str, *, url: str, timeout: float) -> tuple[str, str | None]:
    if status == 401 and challenge.lower().startswith("bearer "):
        token = _token(challenge, timeout)
        if token:
            status, challenge = _head(url, token, timeout)
    if status == 200:
        return PRESENT, None
    if status == 404:
        return MISSING, "{0} has no {1}:{2}".format(image.registry, image.repository, image.reference)
    if status in (401, 403):
        return UNKNOWN, "{0} refuses to say without credentials (HTTP {1})".format(image.registry, status)
    return UNKNOWN, "{0} answers HTTP {1}".format(image.registry, status)


def open_url(*arguments: t.Any, **options: t.Any) -> t.Any:
    """Ansible's. Only an engine that does not answer makes it needed: it costs as much as most of reading a host."""
    from ansible.module_utils import urls

    return urls.open_url(*arguments, **options)


def _head(url: str, token: str | None, timeout: float) -> tuple[int, str]:
    """HTTP status and the challenge of a registry that wants a token."""
    headers = {"Accept": _MANIFESTS}
    if token:
        headers["Authorization"] = "Bearer " + token
    try:
        answer = open_url(url, method="HEAD", headers=headers, timeout=timeout)
    except HTTPError as error:
        return error.code, error.headers.get("WWW-Authenticate") or ""
    return answer.status, ""


def _token(challenge: str, timeout: float) -> str | None:
    """The anonymous token a registry points to, None where it gives none."""
    fields = dict(re.findall(r'([a-z]+)="([^"]*)"', challenge))
    realm = fields.pop("realm", "")
    if not realm.startswith("https://"):
        return None
    try:
        answer = open_url(realm + "?" + urlencode(fields), timeout=timeout)
        body = json.loads(answer.read())
    except HTTPError:
        return None
    return body.get("token") or body.get("access_token")
