# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""certificates.yml, rotate.yml, restore.yml, uninstall.yml and adopt.yml killed at every task, and run again.

Certificates and secrets go to and fro on one cluster in service; what is restored, removed or adopted is recreated for
each journey. What the engine has of others stands beside a cluster that is uninstalled, and may not change.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import tempfile
import typing as t
from pathlib import Path

import docker.errors
from ansible_collections.waent.fleet.plugins.module_utils._io.tls import served_certificate
from ansible_collections.waent.fleet.tests.chaos.kill_walk import Journey, changes_nothing, walk
from ansible_collections.waent.fleet.tests.chaos.ledger import Conditions, Ledger, Suite
from ansible_collections.waent.fleet.tests.support.certificates import Authority, bundle
from ansible_collections.waent.fleet.tests.support.compose_cluster import (
    PRODUCTION,
    SINGLE,
    ComposeCluster,
    ProductionCluster,
)
from ansible_collections.waent.fleet.tests.support.live_cluster import (
    GATEWAY_IMAGE,
    OK,
    Failed,
    LiveCluster,
    Shape,
    _call,
    published_database,
)
from ansible_collections.waent.fleet.tests.support.playbook_runs import write_inventory
from ansible_collections.waent.fleet.tests.support.valid_variables import SECRETS

CONFIRMED = ("-e", "confirm=yes")
NAME = "api.example.com"
PATIENCE = {"wa_health_timeout_seconds": 240}
"""A busy machine makes few readings in a minute, and of a node that waits for a processor support says nothing."""
RIGHTS = "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX, DROP"


@contextlib.contextmanager
def declared(cluster: LiveCluster, variables: t.Mapping[str, t.Any]) -> t.Iterator[None]:
    """The inventory says this from now on."""
    cluster.declare(**variables)
    yield


def unchanged(cluster: t.Any, playbook: str, *arguments: str) -> list[str]:
    """What speaks against one more run having changed nothing."""
    before = cluster.nodes()
    return changes_nothing(cluster, cluster.play(playbook, *arguments), before)


def played(cluster: t.Any, playbook: str, *arguments: str) -> None:
    """A run to a good end. Raises Failed."""
    run = cluster.play(playbook, *arguments)
    if run.code != OK:
        raise Failed("{0} failed:\n{1}".format(playbook, run.output))


# -- certificates.yml ------------------------------------------------------------------------------------------------


def certificates(ledger: Ledger, conditions: Conditions) -> None:
    """Two chains and two authorities of the webhook, each brought in the place of the other."""
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        more = {"wa_validate_certs": True, "wa_api_names": [NAME], **PATIENCE}
        with LiveCluster(home, Shape("crtk", 29500, 1, divisor=conditions.divisor, more=more)) as cluster:
            cluster.start()
            walk(cluster, _brought(cluster, home), ledger, conditions)


def _brought(cluster: LiveCluster, home: Path) -> t.Iterator[Journey]:
    for number in itertools.count(1):
        mine, hook = bundle(home / "chain-{0}".format(number), "127.0.0.1", NAME), Authority(home, "hook")
        variables = {**mine.variables(), "wa_webhook_ca": hook.ca.read_text()}
        before = {served_certificate(url, 10) for url in cluster.webapps()}
        yield Journey(
            "certificates, time {0}".format(number), "certificates.yml", CONFIRMED,
            functools.partial(_certificates_faults, cluster, before),
            functools.partial(declared, cluster, variables),
        )  # fmt: skip


def _certificates_faults(cluster: LiveCluster, before: set[str]) -> list[str]:
    found = cluster.faults(1)
    served = {served_certificate(url, 10) for url in cluster.webapps()}
    if len(served) != 1 or served & before:
        found.append("webapps serve {0}, and before {1}".format(sorted(served), sorted(before)))
    return found + unchanged(cluster, "certificates.yml", *CONFIRMED)


# -- rotate.yml ------------------------------------------------------------------------------------------------------


def rotate(ledger: Ledger, conditions: Conditions) -> None:
    """Each secret that nodes have, in turn; the database has two users, and each gets the place of the other."""
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        shape = Shape("rotk", 29500, 1, divisor=conditions.divisor, more=published_database(29500))
        with LiveCluster(home, shape) as cluster:
            cluster.start()
            words = "CREATE USER 'second'@'%' IDENTIFIED BY '{0}'; GRANT {1} ON *.* TO 'second'@'%';"
            cluster._sql(words.format(SECRETS["wa_db_password"], RIGHTS))
            hosts, whole = {cluster.shape.host: cluster.shape.host_variables()}, cluster.inventory
            # Of a database that site.yml makes only root is the user.
            cluster.inventory = write_inventory(home / "elsewhere.yml", hosts)
            try:
                walk(cluster, _rotated(cluster), ledger, conditions)
            finally:
                cluster.inventory = whole


def _rotated(cluster: LiveCluster) -> t.Iterator[Journey]:
    environment = dict(cluster._given["wa_extra_environment"])
    for number in itertools.count(1):
        new: dict[str, dict[str, t.Any]] = {
            "api_key": {"wa_api_key": "canary-api-key-of-time-{0}".format(number)},
            "jwt_key": {"wa_jwt_key": "canary-jwt-key-of-time-{0}".format(number)},
            "database_password": {"wa_db_username": ("root", "second")[number % 2]},
            "wa_secret": {"wa_extra_environment": {**environment, "WA_SECRET": "canary-secret-{0}".format(number)}},
        }
        for secret, variables in new.items():
            arguments = (*CONFIRMED, "-e", "rotate=" + secret)
            yield Journey(
                "{0}, time {1}".format(secret, number), "rotate.yml", arguments,
                functools.partial(_rotate_faults, cluster, arguments),
                functools.partial(declared, cluster, variables), way=secret,
            )  # fmt: skip


def _rotate_faults(cluster: LiveCluster, arguments: tuple[str, ...]) -> list[str]:
    # With another key for tokens those of before are none.
    cluster._token = ""
    return cluster.faults(1) + unchanged(cluster, "rotate.yml", *arguments)


# -- restore.yml -----------------------------------------------------------------------------------------------------


def restore(ledger: Ledger, conditions: Conditions) -> None:
    """The installation is gone each time, and its database with it; the gateway stays, and knows who was logged in."""
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        more = {
            "wa_backup_password": "canary-of-the-backup-4Jd8", "wa_backup_directory": str(home / "backups"),
            **PATIENCE,
        }  # fmt: skip
        with LiveCluster(home, Shape("rstk", 29500, 1, divisor=conditions.divisor, webapps=1, more=more)) as cluster:
            cluster.start()
            played(cluster, "backup.yml")
            (file,) = (home / "backups").glob("*.vault")
            arguments = (*CONFIRMED, "-e", "backup={0}".format(file))
            journeys = (
                Journey(
                    "restore, time {0}".format(number), "restore.yml", arguments,
                    functools.partial(_restore_faults, cluster, arguments),
                    functools.partial(_gone, cluster), served=False,
                )
                for number in itertools.count(1)
            )  # fmt: skip
            walk(cluster, journeys, ledger, conditions)


@contextlib.contextmanager
def _gone(cluster: LiveCluster) -> t.Iterator[None]:
    cluster.uninstall()
    played(cluster, "site.yml", "-e", "wa_register=false")
    yield


def _restore_faults(cluster: LiveCluster, arguments: tuple[str, ...]) -> list[str]:
    cluster._token = ""
    bans = _call(cluster.gateway_url + "/bans")
    found = ["the number was banned: {0}".format(bans)] if bans else []
    return found + cluster.faults(1) + unchanged(cluster, "restore.yml", *arguments)


# -- uninstall.yml ---------------------------------------------------------------------------------------------------


def uninstall(ledger: Ledger, conditions: Conditions) -> None:
    """With all data, beside a container, a network and a volume that are nobody's."""
    with tempfile.TemporaryDirectory() as directory:
        shape = Shape("rmvk", 29500, 1, divisor=conditions.divisor, webapps=1)
        with LiveCluster(Path(directory), shape) as cluster:
            cluster.prepare()
            with _bystanders(cluster) as seen:
                journeys = (
                    Journey(
                        "uninstall, time {0}".format(number), "uninstall.yml", cluster.everything(),
                        functools.partial(_uninstall_faults, cluster, seen), functools.partial(_installed, cluster),
                        served=False,
                    )
                    for number in itertools.count(1)
                )  # fmt: skip
                walk(cluster, journeys, ledger, conditions)


@contextlib.contextmanager
def _installed(cluster: LiveCluster) -> t.Iterator[None]:
    cluster.start()
    yield


@contextlib.contextmanager
def _bystanders(cluster: LiveCluster) -> t.Iterator[t.Callable[[], t.Any]]:
    """What shows a container, a network and a volume that no cluster has, all named as the cluster's are."""
    engine, name = cluster.engine, cluster.shape.prefix + "-bystander"
    volume, network = engine.volumes.create(name), engine.networks.create(name)
    container = engine.containers.run(
        GATEWAY_IMAGE, name=name, detach=True, network=name, volumes={name: {"bind": "/kept", "mode": "rw"}}
    )

    def seen() -> t.Any:
        container.reload()
        names = [{one.name for one in kind.list()} for kind in (engine.volumes, engine.networks)]
        return container.id, container.attrs["State"]["StartedAt"], [name in there for there in names]

    try:
        yield seen
    finally:
        container.remove(force=True)
        for one in (network, volume):
            with contextlib.suppress(docker.errors.NotFound):
                one.remove()


def _uninstall_faults(cluster: LiveCluster, seen: t.Callable[[], t.Any]) -> list[str]:
    label = {"label": "waent.fleet.cluster=" + cluster.shape.prefix}
    kinds = (cluster.engine.containers.list(all=True, filters=label), cluster.engine.networks.list(filters=label))
    left = sorted(one.name for kind in (*kinds, cluster.engine.volumes.list(filters=label)) for one in kind)
    found = ["still there: {0}".format(", ".join(left))] if left else []
    if seen()[2] != [True, True]:
        found.append("what is nobody's has gone")
    again = cluster.play("uninstall.yml", *cluster.everything())
    changed = {numbers["changed"] for numbers in again.recap.values()}
    return found + (["one more run was not without changes:\n" + again.output] if changed != {0} else [])


# -- adopt.yml -------------------------------------------------------------------------------------------------------


class Adopting:
    """The cluster of the journey that is on; each has one of its own."""

    def __init__(self, home: Path) -> None:
        self.home, self._number = home, itertools.count(1)
        self.current: ComposeCluster | None = None

    def __getattr__(self, name: str) -> t.Any:
        return getattr(self.current, name)

    @contextlib.contextmanager
    def started(self, kind: type[ComposeCluster], setup: t.Any) -> t.Iterator[None]:
        """docker-compose has brought it up, it serves, and its inventory is written."""
        home = self.home / str(next(self._number))
        home.mkdir()
        with kind(home, setup) as self.current:
            run = self.current.describe()
            if run.code != OK:
                raise Failed("adopt.yml did not describe it:\n" + run.output)
            yield
        self.current = None

    def faults(self) -> list[str]:
        """What is not as an adoption that nobody disturbed leaves it."""
        made = self.current
        assert made is not None
        found = [] if made.serves() else ["not every shard is served"]
        left = {name for name in made.containers() if name.split("_")[-2] != "db"}
        if left:
            found.append("of the compose file there is still {0}".format(", ".join(sorted(left))))
        expected, nodes = sum(made.adopted().values()), made.nodes()
        if len(nodes) != expected:
            found.append("{0} nodes, expected {1}".format(len(nodes), expected))
        return found + unchanged(made, "adopt.yml", *CONFIRMED)


def adopt(ledger: Ledger, conditions: Conditions) -> None:
    """The production set-up, and the single instance that becomes a cluster."""
    with tempfile.TemporaryDirectory() as directory:
        cluster = Adopting(Path(directory))
        journeys = (
            Journey(
                "{0}, time {1}".format(setup.name, number), "adopt.yml", CONFIRMED, cluster.faults,
                functools.partial(cluster.started, kind, setup), way=setup.name,
            )
            for number in itertools.count(1)
            for kind, setup in ((ProductionCluster, PRODUCTION), (ComposeCluster, SINGLE))
        )  # fmt: skip
        walk(t.cast(LiveCluster, cluster), journeys, ledger, conditions)


SUITES = tuple(
    Suite(name + "_kills", name + ".yml killed at every task, and run again", work)
    for name, work in (
        ("certificates", certificates), ("rotate", rotate), ("restore", restore), ("uninstall", uninstall),
        ("adopt", adopt),
    )
)  # fmt: skip
