#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_drill_watch
short_description: Measure how long a cluster is without service after something was broken
version_added: 0.2.0
description:
  - Reads the cluster through the webapps that are left, again and again, until every shard has an owner that was not
    broken, all those webapps answer, and there is a primary master; with a database given, until it can be read too.
  - A reading that fails is one without service. Nothing of that is a failure of this module.
  - Counts requests and errors of those webapps meanwhile, where they have metrics.
author:
  - waent.fleet contributors (@waent)
extends_documentation_fragment:
  - waent.fleet.api
  - waent.fleet.database
  - waent.fleet.attributes
  - waent.fleet.attributes.info
  - waent.fleet.attributes.api_and_database_group
  - waent.fleet.attributes.internal
options:
  api_url:
    description:
      - The webapps that are left.
  shards:
    description: Number of shards.
    type: int
    required: true
  broken:
    description: The nodes that were broken, by their names in health.
    type: list
    elements: str
    default: []
  since:
    description: When it was broken, in seconds since 1970 by the clock of the controller.
    type: float
    required: true
  timeout:
    description: Seconds to watch at most.
    type: float
    required: true
  away:
    description: What the breakage took away for certain, V(service), V(primary); it lasts to the first good reading.
    type: list
    elements: str
    default: []
  least:
    description: Seconds to watch at least.
    type: float
    default: 5.0
seealso:
  - module: waent.fleet.wa_drill_plan
"""

EXAMPLES = r"""
- name: Watch
  waent.fleet.wa_drill_watch:
    api_url: ["https://a-2:9090"]
    api_token: "{{ wa_login.token }}"
    shards: 2
    broken: ["a-1:wa-coreapp-1"]
    since: "{{ broken_at }}"
    timeout: 100
  delegate_to: localhost
"""

RETURN = r"""
service:
  description: For how many seconds not every shard was served by every webapp left, and whether all are now.
  returned: always
  type: dict
  sample: {seconds: 34.2, back: true}
primary:
  description: For how many seconds there was no primary master, and whether there is one now.
  returned: always
  type: dict
  sample: {seconds: 0.0, back: true}
requests:
  description: Requests to these webapps while it watched; none where what they count could not be read.
  returned: always
  type: int
  sample: 340
errors:
  description: Those that got an HTTP status of 500 or above; none likewise.
  returned: always
  type: int
  sample: 12
observations:
  description: What was seen, each time that it changed.
  returned: always
  type: list
  elements: str
  sample: ["after 1 s: primary master: a-1:wa-master-1 connected; ..."]
"""

import time
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._check.error_rate import Counts, between, together
from ansible_collections.waent.fleet.plugins.module_utils._check.health import Expected
from ansible_collections.waent.fleet.plugins.module_utils._io.client import Client, ClientError
from ansible_collections.waent.fleet.plugins.module_utils._io.counters import read_counters
from ansible_collections.waent.fleet.plugins.module_utils._io.failure import fail
from ansible_collections.waent.fleet.plugins.module_utils._io.health_reader import HealthReader, Observation, polling
from ansible_collections.waent.fleet.plugins.module_utils._io.options import (
    api_options,
    client_from,
    database_from,
    database_options,
)
from ansible_collections.waent.fleet.plugins.module_utils._state.database import DRIVER
from ansible_collections.waent.fleet.plugins.module_utils._state.stopwatch import Stopwatch, has_primary, served

PAUSE = 0.25
"""Seconds between two readings."""

ARGUMENTS: dict[str, t.Any] = dict(
    api_options(),
    **database_options(required=False),
    shards={"type": "int", "required": True},
    broken={"type": "list", "elements": "str", "default": []},
    since={"type": "float", "required": True},
    timeout={"type": "float", "required": True},
    away={"type": "list", "elements": "str", "default": []},
    least={"type": "float", "default": 5.0},
)


def counters(client: Client) -> dict[str, Counts] | None:
    """What the webapps have counted; None where that could not be read."""
    try:
        return read_counters(client)
    except ClientError:
        return None


def counted(before: dict[str, Counts] | None, after: dict[str, Counts] | None) -> dict[str, int | None]:
    """Requests and errors between two readings; None where one of them is lacking."""
    if before is None or after is None:
        return {"requests": None, "errors": None}
    rate = together(between(before[url], after[url]) for url in before if url in after)
    return {"requests": rate.requests, "errors": rate.errors}


class Measurement:
    """Readings of a cluster after something was broken in it."""

    def __init__(self, reader: HealthReader, params: t.Mapping[str, t.Any]) -> None:
        self.reader, self.params = reader, params
        self.service, self.primary = (Stopwatch(name in params["away"]) for name in ("service", "primary"))
        self.observations: list[str] = []
        self._last = ""

    def run(self) -> None:
        """Until all is back, or the time is over."""
        while True:
            began = time.time() - self.params["since"]
            self.once()
            back = self.service.good and self.primary.good and began >= self.params["least"]
            if back or began >= self.params["timeout"]:
                return
            time.sleep(PAUSE)

    def once(self) -> None:
        """One reading. It counts from its end: only then it is known."""
        try:
            seen: Observation | None = self.reader.read()
            line = seen.line if seen else ""
        except ClientError as error:
            seen, line = None, error.message
        seconds = time.time() - self.params["since"]
        self.service.read(seen is not None and self._serves(seen), seconds)
        self.primary.read(seen is not None and has_primary(seen.cluster, self.params["broken"]), seconds)
        if line != self._last:
            self.observations.append("after {0:.1f} s: {1}".format(seconds, line))
            self._last = line

    def _serves(self, seen: Observation) -> bool:
        failure = seen.database.failure if seen.database else None
        # Without a driver nothing can be said of the database; the API shows then what its loss does.
        database = failure is None or failure.stage == DRIVER
        answers = bool(seen.webapps) and all(webapp["answers"] for webapp in seen.webapps)
        return database and answers and served(seen.cluster, self.params["shards"], self.params["broken"])


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params = module.params
    try:
        client = client_from(params)
    except ClientError as error:
        fail(module, error)
    measured = Measurement(HealthReader(polling(client), Expected(), database_from(params)), params)
    before = counters(polling(client))
    measured.run()
    after = counters(polling(client))
    module.exit_json(
        changed=False,
        service={"seconds": round(measured.service.seconds, 1), "back": measured.service.good},
        primary={"seconds": round(measured.primary.seconds, 1), "back": measured.primary.good},
        **counted(before, after),
        observations=measured.observations,
    )


if __name__ == "__main__":
    main()
