"""A cluster whose way to WhatsApp is the gateway: registration, split brain, certificates, crashes of set-shards."""

from __future__ import annotations

import base64
import http.client
import json
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from tests.cluster.conftest import ACCOUNT, CERT, GATEWAY_IMAGE, Cluster, needs_root, sole_owner
from waemu.gateway.faults import CRASHES
from waemu.protocol.nodes import CoreError, NodeStatus
from waemu.shards import shard_of

COREAPPS = ("coreapp1", "coreapp2", "coreapp3")
NUMBER = ACCOUNT["cc"] + ACCOUNT["phone_number"]


class Witnessed(Cluster):
    """A cluster and its gateway."""

    def gateway(self) -> None:
        """Start it."""
        self._run("gateway", GATEWAY_IMAGE, environment={"WAEMU_TIME_DIVISOR": str(self.divisor)})

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        """One call to the gateway's admin side."""
        connection = http.client.HTTPConnection(self.address("gateway"), 8080, timeout=10)
        connection.request(method, path, None if body is None else json.dumps(body))
        answer = connection.getresponse()
        content = json.loads(answer.read())
        connection.close()
        assert answer.status == 200, content
        return content

    def register(self) -> None:
        """Request a code, and verify the one that the gateway sends."""
        self.wait(lambda: self.code_requested("sms"), 60)
        code = self.admin("GET", f"/numbers/{NUMBER}")["code"]
        self.on_primary("POST", "/account/verify", {"code": code})

    def connected(self) -> dict[int, str]:
        """Shard to node, as the gateway sees it."""
        links = self.admin("GET", "/connections")
        return {shard: link["node"].split(":")[0] for link in links for shard in link["shards"]}

    def only_link(self) -> str | None:
        """The sole owner, by what the gateway sees."""
        return sole_owner(self.connected())

    def set_shards(self, shards: int, **more: str) -> None:
        """Raises CoreError."""
        self.on_primary("POST", "/account/shards", {**ACCOUNT, "shards": shards, **more})

    def holds(self, shards: int) -> bool:
        """Whether each shard, and the control shard, has one connection, and the nodes say the same."""
        found = self.connected()
        return set(found) == {-1, *range(shards)} and len(set(found.values())) == shards + 1 and self.owners() == found


def build(cluster: Witnessed) -> None:
    """Two masters, three coreapps, not registered yet."""
    cluster.database()
    cluster.gateway()
    for kind in ("master1", "master2", *COREAPPS):
        cluster.node(kind)


@pytest.fixture(scope="module")
def shared(engine: Any) -> Iterator[Witnessed]:
    """One cluster for all tests."""
    found = Witnessed(engine, "gateway", WAEMU_GATEWAY_URL="http://gateway:5222")
    yield found
    found.close()


@pytest.fixture
def cluster(shared: Witnessed, request: pytest.FixtureRequest) -> Witnessed:
    """The cluster in the state that the test asks for."""
    shared.ready(build, request)
    return shared


@pytest.mark.served(0)
def test_the_code_comes_from_the_gateway(cluster: Witnessed) -> None:
    cluster.wait(lambda: cluster.code_requested("voice"), 60)
    cluster.wait(lambda: [cluster.status(kind) for kind in COREAPPS] == [1011] * 3, 60)
    state = cluster.admin("GET", f"/numbers/{NUMBER}")
    assert (state["code_method"], state["registered"]) == ("voice", False)
    wrong = "000000" if state["code"] != "000000" else "111111"
    with pytest.raises(CoreError) as refusal:
        cluster.on_primary("POST", "/account/verify", {"code": wrong})
    assert refusal.value.code == 1005
    cluster.on_primary("POST", "/account/verify", {"code": state["code"]})
    cluster.wait(cluster.only_link, 60)


@pytest.mark.served(1, 2)
def test_a_message_is_in_the_ledger_and_then_read(cluster: Witnessed) -> None:
    serves = cluster.wait(cluster.only_owner, 60) or ""
    cluster.send(serves, "15550007")
    entry = cluster.wait(lambda: cluster.admin("GET", "/ledger"), 20)[0]
    assert (entry["wa_id"], entry["node"]) == ("15550007", f"{serves}:{serves}")
    cluster.wait(lambda: cluster.admin("GET", f"/ledger/{NUMBER}/{entry['id']}")["read_at"], 20)


@pytest.mark.served(1)
def test_a_cut_connection_comes_back_by_itself(cluster: Witnessed) -> None:
    serves = cluster.wait(cluster.only_link, 60) or ""
    assert cluster.admin("POST", "/cuts", {"node": f"{serves}:{serves}", "seconds": 10})["closed"] == 1
    cluster.wait(lambda: getattr(cluster.status(serves), "gateway_status", "") == "connecting", 10)
    cluster.wait(lambda: cluster.only_link() == serves, 60)


@pytest.mark.served(1)
def test_paused_owner_and_its_successor_are_no_ban(cluster: Witnessed) -> None:
    before = cluster.wait(cluster.only_link, 60) or ""
    cluster.containers[before].pause()
    after = cluster.wait(lambda: (link := cluster.only_link()) != before and link, 90)
    cluster.containers[before].unpause()
    time.sleep(20 / cluster.divisor)
    assert cluster.only_link() == after
    assert cluster.admin("GET", "/bans") == []


@pytest.mark.served(1, 2)
@pytest.mark.parametrize("crash", CRASHES)
def test_set_shards_is_finished_after_a_crash_of_the_primary(cluster: Witnessed, crash: str) -> None:
    shards = 1 if cluster.sql("SELECT shards FROM clusterStore.cluster_state") == ["2"] else 2
    cluster.admin("POST", "/faults", {"crash": crash})
    try:
        cluster.set_shards(shards, cert=CERT)
        answered = True
    except CoreError as error:
        assert error.code == 1014  # the connection broke
        answered = False
    assert answered == (crash == "after_answer")
    cluster.wait(lambda: cluster.primary(), 60)
    changed = cluster.sql("SELECT shards FROM clusterStore.cluster_state") == [str(shards)]
    assert changed == (crash not in ("before_certificate", "after_certificate", "before_map"))
    if not changed:  # whoever got no answer looks, and calls again
        cluster.set_shards(shards, cert=CERT)
    cluster.wait(lambda: cluster.holds(2) if shards == 2 else cluster.only_link(), 200)
    assert cluster.admin("GET", "/bans") == []


@pytest.mark.served(1)
def test_refused_set_shards_changes_nothing_and_works_when_called_again(cluster: Witnessed) -> None:
    assert cluster.wait(cluster.only_link, 200)
    before = cluster.connected()
    cluster.admin("POST", "/faults", {"set_shards": "refused"})
    with pytest.raises(CoreError) as refusal:
        cluster.set_shards(2, cert=CERT)
    assert refusal.value.http_status == 403
    assert cluster.connected() == before
    cluster.set_shards(2, cert=CERT)
    cluster.wait(lambda: cluster.connected() == {}, 60)
    cluster.wait(lambda: cluster.holds(2), 200)


@pytest.mark.served(2)
@needs_root
def test_owner_that_cannot_read_the_database_during_set_shards_is_no_ban(cluster: Witnessed) -> None:
    cluster.wait(lambda: cluster.holds(2), 200)
    owner = cluster.connected()[1]
    cluster.cut(owner, "db", on=True)
    try:
        cluster.set_shards(1, cert=CERT)
        cluster.wait(lambda: set(cluster.connected()) == {-1, 0} and owner not in cluster.connected().values(), 100)
        assert cluster.admin("GET", "/bans") == []
    finally:
        cluster.cut(owner, "db", on=False)
    cluster.wait(lambda: len(cluster.standbys()) == len(COREAPPS) - 1, 200)
    cluster.set_shards(2, cert=CERT)
    cluster.wait(lambda: cluster.holds(2), 200)
    assert cluster.admin("GET", "/bans") == []


@pytest.mark.served(2)
@pytest.mark.parametrize("how", ["wrong", "overdue"])
def test_certificate_problems_end_when_the_right_one_comes(cluster: Witnessed, how: str) -> None:
    if how == "wrong":
        other = base64.b64encode(b'{"phone_number": "499999"}').decode()
        with pytest.raises(CoreError) as refusal:
            cluster.set_shards(2, cert=other)
        assert refusal.value.code == 1005
    else:
        cluster.sql("UPDATE configStore.account SET registered_at = registered_at - INTERVAL 8 DAY")
        cluster.set_shards(2)
    cluster.wait(lambda: cluster.connected() == {}, 60)
    time.sleep(50 / cluster.divisor)
    assert cluster.connected() == {}
    cluster.set_shards(2, cert=CERT)
    cluster.wait(lambda: cluster.holds(2), 200)


def _refusal(cluster: Witnessed) -> int | None:
    """The code with which a coreapp refuses a message."""
    owner = next((kind for kind in COREAPPS if isinstance(cluster.status(kind), NodeStatus)), COREAPPS[0])
    try:
        cluster.send(owner)
    except CoreError as error:
        return error.code
    return None


@pytest.mark.served(2)
def test_an_expired_certificate_bans(cluster: Witnessed) -> None:
    expired = base64.b64encode(b'{"expires": "2020-01-01"}').decode()
    with pytest.raises(CoreError) as refusal:
        cluster.set_shards(2, cert=expired)
    assert refusal.value.code == 1005
    cluster.wait(lambda: cluster.connected() == {}, 60)
    assert [ban["reason"] for ban in cluster.admin("GET", "/bans")] == ["expired certificate"]
    cluster.wait(lambda: _refusal(cluster) == 1031, 60)
    assert cluster.admin("DELETE", f"/bans/{NUMBER}")["lifted"] == 1
    cluster.set_shards(2, cert=CERT)
    cluster.wait(lambda: cluster.holds(2), 200)


@pytest.mark.served(2)
def test_bodies_are_kept_as_they_came(cluster: Witnessed) -> None:
    cluster.wait(lambda: cluster.holds(2), 200)
    cluster.send(cluster.connected()[shard_of("15550008", 2)], "15550008")
    cluster.wait(lambda: cluster.admin("GET", f"/ledger?number={NUMBER}"), 20)
    entries = cluster.admin("GET", f"/ledger?number={NUMBER}&limit=1")
    assert msgspec.json.decode(msgspec.json.encode(entries[0]["body"])) == {"text": {}}
    assert cluster.admin("GET", "/ledger?number=1") == []
