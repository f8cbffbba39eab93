# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking once and waiting, on a clock that costs no time."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.health import Expected, Finding
from ansible_collections.waent.fleet.plugins.module_utils._io import health_reader as reader_module
from ansible_collections.waent.fleet.plugins.module_utils._io.client import NO_RETRY, AuthError, Client, TlsError
from ansible_collections.waent.fleet.plugins.module_utils._io.database import DatabaseAccess
from ansible_collections.waent.fleet.plugins.module_utils._io.health_reader import (
    HealthReader,
    Observation,
    Waited,
    unhealthy_message,
    wait_for,
)
from ansible_collections.waent.fleet.plugins.module_utils._state.cluster import Cluster
from ansible_collections.waent.fleet.plugins.module_utils._state.database import Report
from ansible_collections.waent.fleet.tests.support.scripted_api import META

HEALTHY = {
    "health": {
        "a:wa-master-1": {"gateway_status": "disconnected", "role": "primary_master"},
        "b:wa-master-1": {"gateway_status": "disconnected", "role": "secondary_master"},
        "a:wa-coreapp-1": {"gateway_status": "connected", "role": "coreapp"},
        "b:wa-coreapp-1": {"gateway_status": "disconnected", "role": "coreapp"},
    },
    "meta": META,
}


def reader(*apis, token=None, **expected):
    client = Client(
        [api if isinstance(api, str) else api.url for api in apis],
        token=token,
        api_key="canary-api-key-3",
        ca_path=next(api.ca_path for api in apis if not isinstance(api, str)),
        backoff=NO_RETRY,
    )
    return HealthReader(client, Expected(**expected))


def test_static_key_reads_health_only(api):
    api.on("GET", "/v1/health", HEALTHY)
    observation = reader(api).read()
    assert observation.healthy and observation.checked == ("health", "webapps")
    assert api.whats == [("GET", "/v1/health")]


def test_token_reads_all(api):
    api.on("GET", "/v1/health", HEALTHY)
    owner, spare = {"shards": [[-1, -1], [0, 0]]}, {"shards": []}
    api.on("GET", "/v1/support", {"support": {"a:wa-coreapp-1": owner, "b:wa-coreapp-1": spare}})
    api.on("GET", "/v1/account/shards", {"account": {"shards": 1}})
    observation = reader(api, token="t").read()
    assert observation.healthy and observation.checked == ("health", "webapps", "support", "shards")
    assert observation.cluster.owners == {-1: ["a:wa-coreapp-1"], 0: ["a:wa-coreapp-1"]}


@pytest.mark.parametrize("code, status", [(1005, 403), (1006, 404)])
def test_what_a_user_may_not_read_is_left_out(api, code, status):
    api.on("GET", "/v1/health", HEALTHY)
    api.on("GET", "/v1/support", {"support": {}})
    api.refuse("GET", "/v1/account/shards", code, status=status)
    observation = reader(api, token="t").read()
    assert observation.healthy and observation.checked == ("health", "webapps", "support")


def test_other_errors_of_support_are_problems(api):
    api.on("GET", "/v1/health", HEALTHY)
    api.refuse("GET", "/v1/support", 1023, "Database error occurred", status=500)
    api.on("GET", "/v1/account/shards", {"account": {"shards": 1}})
    observation = reader(api, token="t").read()
    assert [finding.code for finding in observation.found] == ["API_1023"] and not observation.healthy


def test_every_webapp_is_asked(api, start_api):
    other = start_api()
    api.on("GET", "/v1/health", HEALTHY)
    other.on("GET", "/v1/health", dict(HEALTHY, meta={"version": "v2.19.7"}))
    dead = "https://127.0.0.1:1"
    observation = reader(dead, api, other).read()
    assert [(webapp["answers"], webapp["version"]) for webapp in observation.webapps] == [
        (False, None),
        (True, "v2.19.4"),
        (True, "v2.19.7"),
    ]
    assert [(finding.code, finding.kind) for finding in observation.found] == [
        ("WEBAPP_SILENT", "wait"),
        ("MIXED_VERSIONS", "warning"),
    ]
    assert observation.cluster.version == "v2.19.4"


def test_version_of_every_webapp_is_checked(api, start_api):
    other = start_api()
    api.on("GET", "/v1/health", HEALTHY)
    other.on("GET", "/v1/health", dict(HEALTHY, meta={"version": "v2.19.7"}))
    codes = [finding.code for finding in reader(api, other, version="2.19.4").read().found]
    assert codes == ["WRONG_VERSION"]


def test_versions_are_read_after_health(api, monkeypatch):
    # A node that was replaced a moment ago answers as the new one: so its row has to be that of the new one.
    def read(access, **options):
        del access, options
        version = "v2.19.7" if ("GET", "/v1/health") in api.whats else "v2.19.4"
        row = {"node": "a:wa-coreapp-1", "role": "coreapp", "version": version, "age_seconds": 1.0}
        return Report("MYSQL", reachable=True, liveness=(row,))

    monkeypatch.setattr(reader_module, "read_database", read)
    api.on("GET", "/v1/health", HEALTHY)
    one = reader(api)
    one.access = DatabaseAccess("MYSQL", "db", 3306, "waent", "canary-db-pw")
    versions = {node.name: node.version for node in one.read().cluster.nodes}
    assert versions["a:wa-coreapp-1"] == "v2.19.7"


def test_an_error_is_an_observation(api):
    api.refuse("GET", "/v1/health", 1023, "Database error occurred", status=500)
    observation = reader(api).read()
    assert not observation.healthy and observation.error is not None
    assert [finding.code for finding in observation.found] == ["API_1023"]


def test_wrong_key_ends_it_at_once(api):
    api.on("GET", "/v1/health", None, status=401)
    with pytest.raises(AuthError):
        reader(api).read()


def test_wrong_certificate_ends_it_at_once(api):
    client = Client([api.url], token="t", backoff=NO_RETRY)
    with pytest.raises(TlsError):
        HealthReader(client, Expected()).read()


def looks(*items):
    """A look function that goes through items and stays at the last."""
    queue = list(items)
    return lambda: queue.pop(0) if len(queue) > 1 else queue[0]


BAD = Observation(Cluster("cluster"), (Finding("NO_NODES", "Nobody is there.", kind="wait"),))
GOOD = Observation(Cluster("cluster"), ())


def test_waiting_ends_when_it_is_good(clock):
    waited = wait_for(looks(BAD, BAD, GOOD), lambda seen: seen.healthy, timeout=600, delay=5)
    assert waited.last is GOOD and waited.seconds == 0.2 and clock.slept == [0.1, 0.1]


def test_the_longer_it_takes_the_longer_the_pauses(clock):
    waited = wait_for(looks(BAD), lambda seen: seen.healthy, timeout=60, delay=5)
    assert waited.seconds == 60
    assert clock.slept[:-1] == sorted(clock.slept[:-1]) and clock.slept[0] == 0.1 and max(clock.slept) == 5
    assert len(clock.slept) < 60


def test_waiting_ends_at_its_deadline(clock):
    waited = wait_for(looks(BAD), lambda seen: seen.healthy, timeout=0.25, delay=5)
    assert waited.last is BAD and clock.slept == pytest.approx([0.1, 0.1, 0.05])
    assert waited.seconds == pytest.approx(0.25)


def test_no_time_is_one_look(clock):
    waited = wait_for(looks(BAD), lambda seen: seen.healthy, timeout=0, delay=5)
    assert waited.last is BAD and clock.slept == []


def test_time_that_looking_takes_counts(clock):
    def slow():
        clock.now += 7
        return BAD

    assert wait_for(slow, lambda seen: seen.healthy, timeout=10, delay=5).seconds == 7 + 7 / 8 + 7


def test_message_names_what_is_missing_and_what_was_seen():
    last = Observation(
        Cluster("cluster"),
        (
            Finding("NO_NODES", "Nobody is there.", kind="wait"),
            Finding("NO_SPARE", "No coreapp stands by.", kind="warning"),
        ),
    )
    message = unhealthy_message(Waited(last, 300.2, ["after 0 s: form unreadable", "after 4 s: nothing"]))
    assert message.splitlines() == [
        "The cluster is not as expected after 300 s. Still missing:",
        "  [NO_NODES] Nobody is there.",
        "Seen:",
        "  after 0 s: form unreadable",
        "  after 4 s: nothing",
    ]


def test_only_the_last_different_observations_are_shown(clock):
    states = [Observation(Cluster("cluster", shards=number // 2), BAD.found) for number in range(12)]
    waited = wait_for(looks(*states), lambda seen: seen.healthy, timeout=1.1, delay=0.1)
    assert [line.rpartition(" ")[2] for line in waited.observations] == ["3", "4", "5"]
    assert waited.observations[-1].startswith("after 1 s: ")


def test_who_looks_once_is_shown_what_a_refused_key_hides(api):
    api.on("GET", "/v1/health", None, status=401).on("GET", "/v1/health", HEALTHY)
    api.on("GET", "/v1/support", {"support": {}})
    api.on("GET", "/v1/account/shards", {"account": {"shards": 1}})
    one = reader(api, token="t")
    one.waits = False
    seen = one.read()
    assert [finding.code for finding in seen.found if finding.kind == "act"] == ["API_KEY_REFUSED"]
    assert seen.cluster.form == "cluster" and seen.webapps[0]["answers"]
    assert [call.authorization for call in api.calls][:2] == ["Apikey canary-api-key-3", "Bearer t"]


def test_who_looks_once_is_shown_the_others_where_one_refuses(api, start_api):
    other = start_api()
    api.on("GET", "/v1/health", None, status=401)
    other.on("GET", "/v1/health", HEALTHY)
    one = reader(api, other)
    one.waits = False
    seen = one.read()
    assert seen.cluster.form == "cluster" and [webapp["error"] for webapp in seen.webapps] == ["API_AUTH", None]
    assert [finding.code for finding in seen.found] == ["WEBAPP_WITHOUT_HEALTH"]
