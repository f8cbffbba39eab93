# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions that are nobody's, made out of the new one on the spot: sound ones, and broken ones."""

from __future__ import annotations

import contextlib
import typing as t

import docker
import docker.errors
from ansible_collections.waent.fleet.tests.support.live_cluster import NEW

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
