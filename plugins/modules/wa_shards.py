#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_shards
short_description: Set the number of shards of a WhatsApp Business API cluster
version_added: 0.1.0
description:
  - Reads the number of shards, and makes no call when it is as wanted already.
  - Setting it restarts all coreapps, which takes 45 to 60 seconds without service. So everything that speaks against it
    is looked for before, and told at once.
  - A call whose answer is lost is resolved by reading. It is never made again blindly.
  - An expired certificate gets the account banned. One that can be read to be expired is never sent.
author:
  - waent.fleet contributors (@waent-fleet)
extends_documentation_fragment:
  - waent.fleet.api
  - waent.fleet.attributes
  - waent.fleet.attributes.api_group
attributes:
  check_mode:
    support: full
    details:
      - All refusals are found in check mode too.
  diff_mode:
    support: full
  idempotent:
    support: full
    details:
      - The same number again makes no call. With O(wait) it still waits for a restart that goes on.
options:
  shards:
    description:
      - The number of shards, one of 1, 2, 4, 8, 16 and 32.
      - As many coreapps have to answer, and one more unless O(allow_no_spare).
    type: int
    required: true
  cc:
    description:
      - Country code of the registered number, digits without a plus sign.
    type: str
    required: true
  phone_number:
    description:
      - Registered number without its country code, digits only.
    type: str
    required: true
  pin:
    description:
      - The six digits of two-step verification, where that is on.
      - If not set, the environment variable E(WA_PIN) is used.
    type: str
  cert:
    description:
      - The number's verified-name certificate, base64 text from the business manager.
      - Needed from version 2.45 on, and from 2.39.1 on when the number was registered more than 7 days ago. Older
        versions do not know it, and it is not sent to them.
      - If not set, the environment variable E(WA_CERT) is used.
    type: str
  allow_no_spare:
    description:
      - Accept that no coreapp is left to stand by.
    type: bool
    default: false
  allow_disconnect:
    description:
      - Accept that a version older than 2.39.1, more than 7 days after the registration, is disconnected by the call
        and has to be registered again.
    type: bool
    default: false
  registered_at:
    description:
      - When the number was registered, like V(2024-01-31) or V(2024-01-31T12:00:00+00:00). Only needed where the API
        does not tell.
    type: str
  retries:
    description:
      - How often the call is repeated, with a growing delay, after the answer that the service is temporarily
        unavailable (HTTP status 403).
    type: int
    default: 5
  wait:
    description:
      - Wait until the number reads back and every shard has one connected owner.
    type: bool
    default: true
  timeout:
    description:
      - Seconds to wait at most.
    type: float
    default: 180.0
  delay:
    description:
      - Seconds between two looks. Downtimes are observed no finer than this.
    type: float
    default: 1.0
seealso:
  - module: waent.fleet.wa_cluster_health
"""

EXAMPLES = r"""
- name: Four shards
  waent.fleet.wa_shards:
    api_url: [https://wa-1:9090, https://wa-2:9090]
    api_token: "{{ wa_login.token }}"
    shards: 4
    cc: "1"
    phone_number: "5550100"
    pin: "{{ wa_pin }}"
    cert: "{{ wa_cert }}"
  register: shards

- name: Tell how long each shard was without service
  ansible.builtin.debug:
    var: shards.downtime
"""

RETURN = r"""
before:
  description: Number of shards before, null when it could not be read.
  returned: always
  type: int
  sample: 2
after:
  description: Number of shards afterwards, in check mode the wanted one; null when it is not known.
  returned: always
  type: int
  sample: 4
downtime:
  description:
    - Seconds without service of every shard, as observed. C(recovered) is false when it still had none at the end.
    - Empty without O(wait) and when nothing was changed.
  returned: always
  type: list
  elements: dict
  sample:
    - shard: 0
      seconds: 47.2
      recovered: true
answer_lost:
  description: Whether the answer to the call was lost, and what happened was found out by reading.
  returned: always
  type: bool
  sample: false
problems:
  description: Everything that speaks against the call.
  returned: always
  type: list
  elements: dict
  sample:
    - code: NO_SPARE
      message: shards is 4, and as many coreapps answer, so that none stands by when one fails ...
      variable: shards
      value: 4
      host: null
waited_seconds:
  description: How long the module waited after the call.
  returned: always
  type: float
  sample: 52.6
failure:
  description: Why the module failed.
  returned: failure
  type: dict
  sample:
    code: SHARDS_REFUSED
    message: "1 problem was found, nothing was changed. ..."
    details:
      codes: [NO_SPARE]
"""

import datetime
import time
import typing as t
from dataclasses import dataclass, field

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._check.set_shards import (
    ReshardRequest,
    cluster_problems,
    downtimes,
    input_problems,
    samples,
    sends_cert,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem, Refusal, verdict
from ansible_collections.waent.fleet.plugins.module_utils._desired.credentials import check_number, check_pin
from ansible_collections.waent.fleet.plugins.module_utils._io.client import (
    ACCESS_DENIED,
    ApiError,
    Backoff,
    Client,
    ClientError,
    LostAnswer,
    UnexpectedReply,
)
from ansible_collections.waent.fleet.plugins.module_utils._io.failure import fail
from ansible_collections.waent.fleet.plugins.module_utils._io.health_reader import (
    HealthReader,
    Observation,
    polling,
    unhealthy_message,
    wait_for,
)
from ansible_collections.waent.fleet.plugins.module_utils._io.options import api_options, client_from, from_environment
from ansible_collections.waent.fleet.plugins.module_utils._state.cluster import Cluster, Expected

PATH = "/v1/account/shards"
# How long a lost call is given to show in the number that is read.
LOST_SECONDS = 15.0


@dataclass
class Resharding:
    """One run of the module against one cluster."""

    client: Client
    request: ReshardRequest
    params: t.Mapping[str, t.Any]
    clock: t.Callable[[], float]
    sleep: t.Callable[[float], None]
    result: dict[str, t.Any] = field(default_factory=dict)

    def run(self, check: bool) -> None:
        """Reads, decides, acts, waits. Raises a ClientError or a Refusal; C(result) is filled on every path."""
        self._refuse(input_problems(self.request, datetime.datetime.now(datetime.timezone.utc).date()))
        before = read_count(self.client)
        self.result["before"] = self.result["after"] = before
        if before != self.request.shards:
            cluster = HealthReader(self.client, Expected()).read().cluster
            self._refuse(cluster_problems(self.request, cluster, time.time()))
            self.result.update(changed=True, after=self.request.shards)
            if check:
                return
            self._set(cluster, before)
        if self.params["wait"] and not check:
            self._wait(before)

    def _refuse(self, problems: list[Problem]) -> None:
        self.result["problems"] = [problem.as_dict() for problem in problems]
        if problems:
            raise verdict("SHARDS_REFUSED", problems)

    def _set(self, cluster: Cluster, before: int) -> None:
        """The call. A refusal leaves the result unchanged; a lost answer is resolved by reading."""
        self.result.update(changed=False, after=None)
        names = ("cc", "phone_number", "shards", "pin", "cert")
        body = {name: self.params[name] for name in names if self.params[name]}
        if not sends_cert(cluster):
            body.pop("cert", None)
        try:
            self._call(body)
        except ApiError as error:
            if not error.core_unreachable:
                self.result["after"] = before
                raise
            self._resolve(error, before)
        except LostAnswer as error:
            self._resolve(error, before)
        self.result.update(changed=True, after=self.request.shards)

    def _call(self, body: dict[str, t.Any]) -> None:
        """POST, repeated while the server says that it is temporarily unavailable."""
        backoff = Backoff(retries=self.params["retries"])
        attempt = 0
        while True:
            try:
                self.client.call("POST", PATH, body=body)
                return
            except ApiError as error:
                if not temporarily_unavailable(error) or attempt >= backoff.retries:
                    raise
                self.sleep(backoff.delay(attempt, 1.0, error.retry_after))
                attempt += 1

    def _resolve(self, error: ClientError, before: int) -> None:
        """Finds out by reading whether a call was carried out whose answer is not known."""
        self.result["answer_lost"] = True
        deadline = self.clock() + LOST_SECONDS
        now = before
        while now == before and self.clock() < deadline:
            self.sleep(1.0)
            now = read_count(self.client)
        self.result["after"] = now
        if now != self.request.shards:
            text = "{0} The number of shards still reads {1}, so nothing was changed: run it again.".format(
                error.message, now
            )
            raise Refusal("ANSWER_LOST", text, {"url": error.url, "shards": now}) from error

    def _wait(self, before: int) -> None:
        """Follows the restart until every shard has one connected owner."""
        looks: list[tuple[float, Cluster]] = []
        started = self.clock()
        reader = HealthReader(polling(self.client), Expected(shards=self.request.shards))

        def read() -> Observation:
            seen = reader.read()
            looks.append((self.clock() - started, seen.cluster))
            return seen

        waited = wait_for(
            read,
            lambda seen: seen.healthy and seen.cluster.shards == self.request.shards,
            timeout=self.params["timeout"],
            delay=self.params["delay"],
            clock=self.clock,
            sleep=self.sleep,
        )
        self.result["waited_seconds"] = round(waited.seconds, 1)
        if self.result["changed"]:
            self.result["downtime"] = downtimes(samples(looks, before, self.request.shards), self.request.shards)
        if not waited.last.healthy or waited.last.cluster.shards != self.request.shards:
            codes = sorted({finding.code for finding in waited.last.found if finding.kind != "warning"})
            details = {"codes": codes, "observations": waited.observations}
            raise Refusal("CLUSTER_NOT_HEALTHY", unhealthy_message(waited), details)


def read_count(client: Client) -> int:
    """GET /v1/account/shards. Raises UnexpectedReply without a number."""
    reply = client.get(PATH)
    account = reply.member("account")
    count = account.get("shards") if isinstance(account, dict) else None
    if isinstance(count, bool) or not str(count).isdigit():
        raise UnexpectedReply("{0} answered no number of shards.".format(reply.url), url=reply.url)
    return int(str(count))


def temporarily_unavailable(error: ApiError) -> bool:
    """403 that is not about rights or the certificate (reference 4.3)."""
    return error.status == 403 and error.code != ACCESS_DENIED


def registered_at(text: str | None) -> float | None:
    """Seconds since 1970 of an ISO date or time; without a zone it is UTC."""
    if not text:
        return None
    try:
        moment = datetime.datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        message = "registered_at is {0!r}; allowed is a date like 2024-01-31 or a time like 2024-01-31T12:00:00+00:00."
        raise Refusal("REGISTERED_AT_INVALID", message.format(text)) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.timezone.utc)).timestamp()


def request_from(params: t.Mapping[str, t.Any]) -> ReshardRequest:
    """The request in the options. Raises a Refusal for what cannot be meant."""
    check_number(params["cc"], params["phone_number"])
    check_pin(params["pin"] or None)
    return ReshardRequest(
        shards=params["shards"],
        number=params["cc"] + params["phone_number"],
        cert=params["cert"] or None,
        allow_no_spare=params["allow_no_spare"],
        allow_disconnect=params["allow_disconnect"],
        registered_at=registered_at(params["registered_at"]),
    )


def main(clock: t.Callable[[], float] = time.monotonic, sleep: t.Callable[[float], None] = time.sleep) -> None:
    module = AnsibleModule(
        argument_spec=dict(
            api_options(),
            shards={"type": "int", "required": True},
            cc={"type": "str", "required": True},
            phone_number={"type": "str", "required": True},
            pin=from_environment("WA_PIN", type="str", no_log=True),
            cert=from_environment("WA_CERT", type="str", no_log=True),
            allow_no_spare={"type": "bool", "default": False},
            allow_disconnect={"type": "bool", "default": False},
            registered_at={"type": "str"},
            retries={"type": "int", "default": 5},
            wait={"type": "bool", "default": True},
            timeout={"type": "float", "default": 180.0},
            delay={"type": "float", "default": 1.0},
        ),
        supports_check_mode=True,
    )
    result: dict[str, t.Any] = {"changed": False, "before": None, "after": None, "downtime": [], "answer_lost": False}
    result.update(problems=[], waited_seconds=0.0)
    try:
        client = client_from(module.params)
        Resharding(client, request_from(module.params), module.params, clock, sleep, result).run(module.check_mode)
    except (ClientError, Refusal) as error:
        fail(module, error, **result)
    module.exit_json(diff={"before": {"shards": result["before"]}, "after": {"shards": result["after"]}}, **result)


if __name__ == "__main__":
    main()
