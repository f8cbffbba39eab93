#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_cluster_health
short_description: Read the health of a WhatsApp Business API cluster, or wait for it
version_added: 0.1.0
description:
  - Reads C(/v1/health) from every web application, C(/v1/support) and C(/v1/account/shards) where there is a token,
    and the database where one is given.
  - Returns nodes, roles, gateway status, shards with their owners, spares, and everything that is wrong, each with a
    stable code and a sentence.
  - Goes by what the nodes report, never by whether a container runs. Knows that the primary master is disconnected in
    high availability (one shard) and connected in Multiconnect (more than one), and that spare coreapps are
    disconnected.
  - With O(wait) it reads again until the cluster is as expected. An error while waiting is one observation, not the
    end, except for wrong credentials, TLS and addresses, which waiting does not fix.
author:
  - waent.fleet contributors (@waent-fleet)
extends_documentation_fragment:
  - waent.fleet.api
  - waent.fleet.database
  - waent.fleet.attributes
  - waent.fleet.attributes.info
  - waent.fleet.attributes.api_and_database_group
options:
  api_url:
    description:
      - Each of these web applications is expected to answer.
  shards:
    description:
      - Number of shards that is expected. Without it the configured number counts.
    type: int
  masters:
    description:
      - Number of masters that have to answer.
    type: int
  coreapps:
    description:
      - Number of coreapps that have to answer.
    type: int
  spares:
    description:
      - Number of coreapps that have to stand by at least. Without it, none standing by is a warning.
    type: int
  version:
    description:
      - Version that web applications, and nodes where it can be read, have to run, with or without its leading v.
    type: str
  placement:
    description:
      - Planned nodes, as M(waent.fleet.wa_placement) returns them. One that no API shows is a problem, and
        C(missing) in the table.
      - Every entry has C(name), C(kind), and C(host) or C(address); C(rack) and C(ports) are used for the table.
    type: list
    elements: dict
    default: []
  unread_hosts:
    description:
      - Hosts of O(placement) that could not be read. A node on one of them that the API does not show is C(unknown),
        and no problem of its own.
    type: list
    elements: str
    default: []
  level:
    description:
      - V(serving) expects a registered number with every shard owned by a connected coreapp.
      - V(running) expects every node up and one primary master, whether the number is registered or not. Where it is,
        its shards are served.
      - V(present) expects every node up and one primary master, whatever they serve.
    type: str
    choices: [present, running, serving]
    default: serving
  wait:
    description:
      - Wait until the cluster is healthy, and fail when it is not within O(timeout).
      - Without it the module fails only when the API cannot be read; check RV(healthy).
    type: bool
    default: false
  timeout:
    description:
      - Seconds to wait at most.
      - Keep it below the timeout of the connection to the host that runs the module.
    type: float
    default: 300.0
  delay:
    description:
      - Most seconds between two reads; the first ones follow each other sooner.
    type: float
    default: 2.0
  identity:
    description:
      - Options of M(waent.fleet.wa_identity), but for C(cluster). What was read is compared with them, and another
        cluster than the declared one is a failure, with all that shows it.
      - With O(wait) only once it is healthy.
    type: dict
    version_added: 0.2.0
seealso:
  - module: waent.fleet.wa_login
  - module: waent.fleet.wa_database_info
"""

EXAMPLES = r"""
- name: Wait until two shards are served and one coreapp stands by
  waent.fleet.wa_cluster_health:
    api_url: [https://wa-1:9090, https://wa-2:9090]
    api_token: "{{ wa_login.token }}"
    ca_path: /etc/ssl/certs/wa-ca.pem
    shards: 2
    masters: 2
    coreapps: 3
    spares: 1
    wait: true
    timeout: 300
  register: health

- name: Show the table
  ansible.builtin.debug:
    var: health.table

- name: Wait until new nodes are up, before the number is registered, with the static key only
  waent.fleet.wa_cluster_health:
    api_url: https://wa-1:9090
    api_key: "{{ wa_api_key }}"
    masters: 2
    coreapps: 2
    level: running
    wait: true

- name: Read once, the database too
  waent.fleet.wa_cluster_health:
    api_url: https://wa-1:9090
    api_token: "{{ wa_login.token }}"
    db_host: db.example.com
    db_username: waent
    db_password: "{{ wa_db_password }}"
  register: health

- name: Pick the hosts of connected coreapps
  ansible.builtin.debug:
    msg: "{{ health.cluster.nodes | community.general.json_query(connected) }}"
  vars:
    connected: "[?role=='coreapp' && gateway_status=='connected'].host"
"""

RETURN = r"""
healthy:
  description: Whether nothing worse than a warning was found.
  returned: always
  type: bool
  sample: true
summary:
  description: The last state in one line.
  returned: always
  type: str
  sample: "primary master: wa-1:wa-master-1 disconnected; secondary masters: 1; coreapps: 1 connected; shards set: 1"
problems:
  description:
    - Everything that was found, warnings included.
    - C(kind) is V(wait) (time may fix it), V(act) (somebody has to act) or V(warning).
  returned: always
  type: list
  elements: dict
  sample:
    - code: SHARD_WITHOUT_OWNER
      message: "Without an owner: shard 1."
      variable: null
      value: "1"
      host: null
      kind: wait
cluster:
  description: What the API shows. Lists of flat dictionaries, suited to C(community.general.json_query).
  returned: always
  type: dict
  contains:
    form:
      description: V(cluster), V(single) for a single instance, V(unreadable) when health could not be read.
      type: str
      sample: cluster
    version:
      description: Version of the web application that answered first.
      type: str
      sample: v2.19.4
    shards:
      description: Configured number of shards, null when it was not read.
      type: int
      sample: 1
    registered:
      description: Whether the number is registered, null when no node reports it.
      type: bool
      sample: true
    registered_number:
      description: The registered number as support shows it, digits with country code; null where it does not.
      type: str
      sample: "15550100"
    primary_master:
      description: Name of the primary master, null when there is none or more than one.
      type: str
      sample: wa-1:wa-master-1
    nodes:
      description:
        - Masters and coreapps. C(alive) is whether a node reports a status of its own, and no error in its place.
        - C(shards) is null when it was not read, C(version) where nothing reports it.
      type: list
      elements: dict
      sample:
        - name: wa-1:wa-coreapp-1
          host: wa-1
          container: wa-coreapp-1
          kind: coreapp
          alive: true
          role: coreapp
          gateway_status: connected
          shards: [-1, 0]
          socket_conn: UP
          version: v2.19.4
          errors: []
    owners:
      description: Nodes that say they own a shard; -1 is the control shard.
      type: list
      elements: dict
      sample:
        - shard: 0
          nodes: [wa-1:wa-coreapp-1]
    spares:
      description: Coreapps that stand by.
      type: list
      elements: str
      sample: [wa-2:wa-coreapp-1]
    connected_coreapps:
      description: Coreapps that are connected to WhatsApp.
      type: list
      elements: str
      sample: [wa-1:wa-coreapp-1]
webapps:
  description: The web applications and whether their health could be read. C(error) is the code of why it could not.
  returned: always
  type: list
  elements: dict
  sample:
    - url: https://wa-1:9090
      answers: true
      version: v2.19.4
      error: null
database:
  description: What was read from the database, null when none was given. As in M(waent.fleet.wa_database_info).
  returned: always
  type: dict
  sample: null
checked:
  description: What was read for this result.
  returned: always
  type: list
  elements: str
  sample: [health, webapps, support, shards]
table:
  description: Lines of an aligned table with rack, host, node, role, gateway status, shard and version.
  returned: always
  type: list
  elements: str
  sample:
    - "rack  host  node          role            gateway status  shard  version"
    - "a     wa-1  wa-coreapp-1  coreapp         connected       -1,0   v2.19.4"
    - "a     wa-1  wa-master-1   primary_master  disconnected    -      v2.19.4"
waited_seconds:
  description: How long the module waited.
  returned: always
  type: float
  sample: 12.4
identity:
  description: What M(waent.fleet.wa_identity) returns.
  returned: when O(identity) is given, and the cluster could be read
  type: dict
failure:
  description: Why the module failed.
  returned: failure
  type: dict
  sample:
    code: CLUSTER_NOT_HEALTHY
    message: The cluster is not as expected after 300 s. ...
    details:
      codes: [SHARD_WITHOUT_OWNER]
      observations: ["after 0 s: primary master: none; ..."]
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._check.health import Expected
from ansible_collections.waent.fleet.plugins.module_utils._check.identity import OTHER_CODE, of_cluster
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal
from ansible_collections.waent.fleet.plugins.module_utils._common.product import KINDS, planned_key
from ansible_collections.waent.fleet.plugins.module_utils._common.table import status_table
from ansible_collections.waent.fleet.plugins.module_utils._io.client import ClientError
from ansible_collections.waent.fleet.plugins.module_utils._io.failure import fail
from ansible_collections.waent.fleet.plugins.module_utils._io.health_reader import (
    HealthReader,
    Observation,
    Waited,
    not_healthy,
    polling,
    wait_for,
)
from ansible_collections.waent.fleet.plugins.module_utils._io.options import (
    api_options,
    client_from,
    database_from,
    database_options,
)
from ansible_collections.waent.fleet.plugins.module_utils._state.cluster import Cluster


def expected_from(params: t.Mapping[str, t.Any]) -> Expected:
    """What the options ask for."""
    return Expected(
        shards=params["shards"],
        masters=params["masters"],
        coreapps=params["coreapps"],
        spares=params["spares"],
        version=params["version"],
        nodes={planned_key(entry): entry["kind"] for entry in params["placement"] if entry["kind"] != "webapp"},
        unseen=frozenset(planned_key(e) for e in params["placement"] if e.get("host") in params["unread_hosts"]),
        level=params["level"],
    )


def check_placement(placement: t.Sequence[t.Mapping[str, t.Any]]) -> None:
    """Raises a Refusal for a planned node without the words the comparison needs."""
    for entry in placement:
        named = entry.get("name") and (entry.get("address") or entry.get("host"))
        if not named or entry.get("kind") not in KINDS:
            text = "placement has {0!r}; every entry needs name, host or address, and kind (webapp, master or coreapp)."
            raise Refusal("PLACEMENT_INVALID", text.format(dict(entry)))


def result_of(waited: Waited, params: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The same keys on every path."""
    observation = waited.last
    cluster = observation.cluster.as_dict()
    return {
        "changed": False,
        "healthy": observation.healthy,
        "summary": observation.line,
        "problems": [finding.as_dict() for finding in observation.found],
        "cluster": cluster,
        "webapps": list(observation.webapps),
        "database": observation.database.as_dict() if observation.database else None,
        "checked": list(observation.checked),
        "table": status_table(
            cluster["nodes"], params["placement"], observation.webapps, params["unread_hosts"], cluster["form"]
        ),
        "waited_seconds": round(waited.seconds, 1),
    }


def main() -> None:
    module = AnsibleModule(
        argument_spec=dict(
            api_options(),
            **database_options(required=False),
            shards={"type": "int"},
            masters={"type": "int"},
            coreapps={"type": "int"},
            spares={"type": "int"},
            version={"type": "str"},
            placement={"type": "list", "elements": "dict", "default": []},
            unread_hosts={"type": "list", "elements": "str", "default": []},
            level={"type": "str", "choices": ["present", "running", "serving"], "default": "serving"},
            wait={"type": "bool", "default": False},
            timeout={"type": "float", "default": 300.0},
            delay={"type": "float", "default": 2.0},
            identity={"type": "dict"},
        ),
        supports_check_mode=True,
    )
    params = module.params
    waited = Waited(Observation(Cluster("unreadable"), ()), 0.0)
    try:
        check_placement(params["placement"])
        client = client_from(params, asks_every_url=True)
        reader = HealthReader(
            polling(client) if params["wait"] else client,
            expected_from(params),
            database_from(params),
            waits=params["wait"],
        )
        waited = wait_for(
            reader.read,
            lambda observation: observation.healthy,
            timeout=params["timeout"] if params["wait"] else 0,
            delay=params["delay"],
        )
        if waited.last.error and not params["wait"]:
            raise waited.last.error
        if params["wait"] and not waited.last.healthy:
            raise not_healthy(waited)
    except (ClientError, Refusal) as error:
        fail(module, error, **result_of(waited, params))
    result = result_of(waited, params)
    if params["identity"]:
        result["identity"], another = of_cluster(params["identity"], result["cluster"])
        if another:
            fail(module, Refusal(OTHER_CODE, another), **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
