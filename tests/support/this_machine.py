"""What tests and benchmarks of the whole repository know of their machine: its address, and that it may be slow.

The description of a network is no place to read that: an engine that runs for the first time on its machine shows no
gateway for its default bridge until it is started again. What a running container was given is always shown.
"""

from __future__ import annotations

import docker
from docker.models.containers import Container

PATIENCE = 120.0
"""Real seconds that anything may take on a machine that is busy with other things."""

RUN_PATIENCE = 3600.0
"""The same for a whole run of a playbook: only one that hangs takes longer."""


def machine_address(engine: docker.DockerClient, image: str) -> str:
    """The address of this machine that containers of any network reach.

    image: one that the engine has and that holds the program sleep; it runs for the moment that the question takes.
    """
    container = engine.containers.run(image, ["60"], entrypoint=["sleep"], detach=True)
    try:
        return machine_seen_by(container)
    finally:
        container.remove(force=True, v=True)


def machine_seen_by(container: Container) -> str:
    """The address of this machine in the first network of a container that runs."""
    container.reload()
    networks = container.attrs["NetworkSettings"]["Networks"]
    gateways = [given["Gateway"] for given in networks.values() if given["Gateway"]]
    if not gateways:
        raise RuntimeError(f"{container.name} ({container.status}) has no gateway in its networks {sorted(networks)}")
    return str(gateways[0])
