# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of the client that are nobody's, made on the spot: versions, sound and broken, and one that does not run."""

from __future__ import annotations

import contextlib
import typing as t

import docker
import docker.errors
from ansible_collections.waent.fleet.tests.support.live_cluster import NEW, OLD, LiveCluster

REGISTRY = "docker.whatsapp.biz"
IMAGES = ("web", "coreapp")


def create_fake_version(engine: docker.DockerClient, version: str, coreapp: str | None = None) -> None:
    """Make it; coreapp: a shell script that its coreapps and masters run instead.

    In the script C($0) and C($@) are what they would have run.
    """
    for name in IMAGES:
        entry = ["/bin/sh", "-c", coreapp] if coreapp is not None and name == "coreapp" else None
        made = engine.containers.create("{0}/{1}:{2}".format(REGISTRY, name, NEW), entrypoint=entry)
        made.commit("{0}/{1}".format(REGISTRY, name), version, changes=["ENV WAEMU_VERSION=" + version])
        made.remove()


def remove_fake_version(engine: docker.DockerClient, version: str) -> None:
    """Remove what C(create_fake_version) made, if it did. What runs of it goes on."""
    for name in IMAGES:
        with contextlib.suppress(docker.errors.ImageNotFound):
            engine.images.remove("{0}/{1}:{2}".format(REGISTRY, name, version), force=True)


@contextlib.contextmanager
def fake_version(engine: docker.DockerClient, version: str, coreapp: str | None = None) -> t.Iterator[str]:
    """A version for as long as it is needed; the value is its name."""
    create_fake_version(engine, version, coreapp)
    try:
        yield version
    finally:
        remove_fake_version(engine, version)


@contextlib.contextmanager
def broken_image(cluster: LiveCluster, name: str, script: str) -> t.Iterator[str]:
    """An image of the version OLD that runs a shell script instead, for as long as it is needed; gives its repository.

    name: C(web) or C(coreapp). Each cluster has a repository of its own: others may need one at the same time.
    """
    repository = "{0}.broken.example/{1}".format(cluster.shape.prefix, name)
    source = "{0}/{1}:{2}".format(REGISTRY, name, OLD)
    made = cluster.engine.containers.create(source, entrypoint=["/bin/sh", "-c", script])
    made.commit(repository, OLD)
    made.remove()
    try:
        yield repository
    finally:
        cluster.engine.images.remove("{0}:{1}".format(repository, OLD), force=True)
