# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put images of this machine's Docker Engine into the registry of the test hosts.

    python publish.py CA REGISTRY NAME=IMAGE...

for example C(ca.pem 127.0.0.1:49153 web:v2.19.4=docker.whatsapp.biz/web:v2.19.4); CA is the certificate that signed the
registry's.

An image the registry holds already is not sent again: its manifest names the configuration, and that is the image's id.
Prints one line per image, "pushed" or "present".
"""

from __future__ import annotations

import http.client
import json
import ssl
import sys
import time
import typing as t

import docker
import docker.errors

MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
REGISTRY_TIMEOUT_SECONDS = 15


class PublishError(Exception):
    """Why an image could not be published, in one sentence."""


class Registry(t.NamedTuple):
    """Where it is, as HOST:PORT, and how to trust it."""

    address: str
    tls: ssl.SSLContext


def get(registry: Registry, path: str) -> tuple[int, bytes]:
    """One GET from the registry: status and body."""
    connection = http.client.HTTPSConnection(registry.address, timeout=REGISTRY_TIMEOUT_SECONDS, context=registry.tls)
    try:
        connection.request("GET", path, headers={"Accept": MANIFEST_TYPE})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def wait_for_registry(registry: Registry) -> None:
    """Return when the registry answers; PublishError when it has not within the timeout."""
    deadline = time.monotonic() + REGISTRY_TIMEOUT_SECONDS
    while True:
        try:
            status, _body = get(registry, "/v2/")
            if status == http.client.OK:
                return
            seen = "status {0}".format(status)
        except (OSError, http.client.HTTPException) as problem:
            seen = str(problem)
        if time.monotonic() > deadline:
            raise PublishError(
                "The registry at {0} did not answer within {1} s: {2}".format(
                    registry.address, REGISTRY_TIMEOUT_SECONDS, seen
                )
            )
        time.sleep(0.1)


def published_id(registry: Registry, name: str, tag: str) -> str | None:
    """Id of the image that the registry holds under this name, or None."""
    status, body = get(registry, "/v2/{0}/manifests/{1}".format(name, tag))
    if status == http.client.NOT_FOUND:
        return None
    if status != http.client.OK:
        raise PublishError("The registry answered {0} when asked for {1}:{2}.".format(status, name, tag))
    digest: str = json.loads(body)["config"]["digest"]
    return digest


def push(engine: docker.DockerClient, image: t.Any, registry: Registry, name: str, tag: str) -> None:
    """Send the image, and forget the name it needed for that."""
    repository = "{0}/{1}".format(registry.address, name)
    image.tag(repository, tag)
    try:
        for event in engine.images.push(repository, tag=tag, stream=True, decode=True):
            if "error" in event:
                raise PublishError("{0}:{1} could not be pushed: {2}".format(name, tag, event["error"]))
    finally:
        engine.images.remove("{0}:{1}".format(repository, tag))


def publish(registry: Registry, pairs: t.Sequence[str]) -> None:
    """Bring every NAME:TAG=IMAGE of the list into the registry."""
    wait_for_registry(registry)
    engine = docker.from_env()
    for pair in pairs:
        target, _equals, source = pair.partition("=")
        name, _colon, tag = target.rpartition(":")
        try:
            image = engine.images.get(source)
        except docker.errors.ImageNotFound as missing:
            raise PublishError("{0} is not on this machine: run make images first.".format(source)) from missing
        present = published_id(registry, name, tag) == image.id
        if not present:
            push(engine, image, registry, name, tag)
        print("present" if present else "pushed", target, flush=True)


def main(arguments: t.Sequence[str]) -> int:
    """Publish what the command line asks for; returns the process's exit code."""
    if len(arguments) < 3 or not all("=" in pair for pair in arguments[2:]):
        print("Usage: publish.py CA REGISTRY NAME:TAG=IMAGE...", file=sys.stderr)
        return 2
    ca, address, *pairs = arguments
    try:
        publish(Registry(address, ssl.create_default_context(cafile=ca)), pairs)
    except (OSError, PublishError, docker.errors.DockerException) as problem:
        print(str(problem), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
