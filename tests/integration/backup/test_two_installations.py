# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A number of two shards moves by its backup into another installation, with a database of its own.

One gateway sees both. It bans a number that two installations serve; here it may never even see both at once.
"""

from __future__ import annotations

import json
import threading
import typing as t
import urllib.request

import pytest
from ansible_collections.waent.fleet.tests.support.live_cluster import LiveCluster, Shape
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, OK

pytestmark = pytest.mark.thorough

SHARDS, DIVISOR, RATE, NUMBER, USER = 2, 3, 4.0, "15550100244", "15550107777"
PASSWORD = "canary-backup-password-4Wm7Xc"


class Witness:
    """Which installations are connected, asked all the time. both: moments in which there was more than one.

    blind: why it could not be asked, once for each time.
    """

    def __init__(self, gateway_url: str, prefixes: t.Sequence[str]) -> None:
        self._url, self._prefixes = gateway_url, prefixes
        self.seen: set[str] = set()
        self.both: list[set[str]] = []
        self.blind: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Witness:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(0.2):
            try:
                nodes = [link["node"] for link in gateway(self._url, "/connections")]
            except OSError as error:
                self.blind.append(str(error))
                continue
            now = {prefix for prefix in self._prefixes for node in nodes if prefix + "-" in node}
            self.seen |= now
            if len(now) > 1:
                self.both.append(now)


def gateway(url: str, path: str, body: t.Any = None) -> t.Any:
    """What the gateway knows, or does when it is given something."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as reply:
        return json.load(reply)


@pytest.fixture(scope="module")
def former(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[LiveCluster]:
    """In service, with two shards."""
    home = tmp_path_factory.mktemp("former")
    more = {"wa_backup_password": PASSWORD, "wa_backup_directory": str(home / "backups")}
    made = LiveCluster(home, Shape("movf", 31100, SHARDS, divisor=DIVISOR, webapps=1, more=more))
    try:
        made.start()
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory, former: LiveCluster) -> t.Iterator[LiveCluster]:
    """Prepared only: nothing of it runs. It is of the same number, and comes to the same gateway."""
    made = LiveCluster(
        tmp_path_factory.mktemp("new"),
        Shape("movn", 31500, SHARDS, divisor=DIVISOR, webapps=1, more={"wa_backup_password": PASSWORD}),
    )
    try:
        made.prepare()
        link = "http://{0}:{1}".format(made.shape.host, former.gateway_port)
        environment = {**made._given["wa_extra_environment"], "WAEMU_GATEWAY_URL": link}
        made.declare(wa_extra_environment=environment)
        made.gateway_url = former.gateway_url
        yield made
    finally:
        made.remove()


def stop(cluster: LiveCluster) -> None:
    """End every node, as somebody does who moves the number."""
    for name in cluster.nodes():
        cluster.engine.containers.get(name).stop(timeout=30)


def test_it_serves_there_with_its_keys_and_nothing_is_lost(former: LiveCluster, new: LiveCluster) -> None:
    url = former.gateway_url
    with Witness(url, ("movf", "movn")) as witness:
        with former.probe(rate=RATE) as probe:
            run = former.play("backup.yml")
            assert run.code == OK, run.output
        before = probe.report
        assert (before.lost, before.twice, before.bans) == ([], [], []) and before.accepted > 0
        (file,) = (former.home / "backups").glob("*.vault")
        arguments = ("-e", "backup={0}".format(file))
        keys = former.ask("/v1/support")["support"]["e2e"]
        stop(former)
        assert gateway(url, "/connections") == []
        inbound = {
            "number": NUMBER,
            "wa_id": USER,
            "name": "A user",
            "type": "text",
            "body": {"body": "while it moves"},
        }
        waiting = gateway(url, "/inbound", inbound)["id"]

        run = new.play("site.yml", "-e", "wa_register=false")
        assert run.code == OK, run.output
        checked = new.play("restore.yml", *arguments, "--check")
        assert checked.code == OK and "are set to 2: the client takes" in " ".join(checked.output.split()), (
            checked.output
        )
        assert new.shards() == 1, "check mode changes nothing"
        unconfirmed = new.play("restore.yml", *arguments)
        assert unconfirmed.code == FAILED and "NOT_CONFIRMED" in unconfirmed.output, unconfirmed.output

        # The number of shards is set, and nothing is restored.
        killed = new.killed("restore.yml", "Restore | Restore", *arguments, "-e", "confirm=yes")
        assert killed.task, killed.output
        assert (new.shards(), gateway(url, "/connections")) == (SHARDS, [])
        run = new.play("restore.yml", *arguments, "-e", "confirm=yes")
        assert run.code == OK, run.output
        assert "are set to" not in run.output, "they were set by the run that was killed"

        assert new.faults(SHARDS) == []
        assert new.ask("/v1/support")["support"]["e2e"] == keys and keys["registration_id"]
        with new.probe(rate=RATE) as probe:
            again = new.play("restore.yml", *arguments, "-e", "confirm=yes")
            assert again.code == OK and set(again.changes.values()) == {0}, again.output
            site = new.play("site.yml")
            assert site.code == OK, site.output
        after = probe.report
    assert (after.lost, after.twice, after.bans) == ([], [], []) and after.accepted > 0
    assert {shard.shard for shard in after.shards if shard.accepted} == {0, 1}
    assert not gateway(url, "/inbound/{0}/{1}".format(NUMBER, waiting))["waiting"], "what came meanwhile is delivered"
    assert gateway(url, "/bans") == []
    assert (witness.seen, witness.both, witness.blind) == ({"movf", "movn"}, [], [])
    assert new.faults(SHARDS) == []
