"""Containers one of whose ports the engine is to choose, beside others that have ports of its choice.

An engine counts what it has given away separately for each address, so that a port of 127.0.0.1 can be one that a
container of all addresses has. It goes on to the next then, ten times, and gives up: a published set-up of six machines
has eighteen in a row.
"""

from __future__ import annotations

import typing as t

import docker
from docker.errors import APIError
from docker.models.containers import Container

TRIES = 10
"""How often a container is started that found only ports in use; each goes on where the last has ended."""


def run_with_ports(engine: docker.DockerClient, image: str, command: t.Any = None, **options: t.Any) -> Container:
    """As C(containers.run) of Docker's library with C(detach), returned as the engine describes it once it runs."""
    container = engine.containers.create(image, command, detach=True, **options)
    try:
        start_with_ports(container)
    except APIError:
        container.remove(force=True, v=True)
        raise
    container.reload()
    return container


def start_with_ports(container: Container) -> None:
    """Start a container that was made. Raises APIError for what has another reason than ports in use."""
    for left in reversed(range(TRIES)):
        try:
            container.start()
        except APIError as problem:
            if not left or "address already in use" not in str(problem):
                raise
        else:
            return
