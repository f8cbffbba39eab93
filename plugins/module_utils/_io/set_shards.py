# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets the number of shards and follows the restart. Internal to waent.fleet: may change in any release.

What may be called, and what an answer means, is decided by C(_check/set_shards.py).
"""

from __future__ import annotations

import datetime
import time
import typing as t
from dataclasses import asdict, dataclass, field

from ansible_collections.waent.fleet.plugins.module_utils._check.health import RUNNING, SERVING, Expected, present
from ansible_collections.waent.fleet.plugins.module_utils._check.set_shards import (
    ReshardRequest,
    call_body,
    cluster_problems,
    downtimes,
    input_problems,
    lost_answer,
    reached,
    samples,
    temporarily_unavailable,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem, refusal_for
from ansible_collections.waent.fleet.plugins.module_utils._io.client import (
    ApiError,
    Backoff,
    Client,
    ClientError,
    LostAnswer,
    UnexpectedReply,
)
from ansible_collections.waent.fleet.plugins.module_utils._io.health_reader import (
    HealthReader,
    Observation,
    not_healthy,
    polling,
    wait_for,
)
from ansible_collections.waent.fleet.plugins.module_utils._state.cluster import Cluster

PATH = "/v1/account/shards"

LOST_SECONDS = 15.0
"""How long a lost call is given to show in the number that is read."""


@dataclass
class Result:
    """What wa_shards returns; filled step by step, so that a failure too says what is known by then."""

    changed: bool = False
    before: int | None = None
    after: int | None = None
    downtime: list[dict[str, t.Any]] = field(default_factory=list)
    answer_lost: bool = False
    problems: list[dict[str, t.Any]] = field(default_factory=list)
    waited_seconds: float = 0.0

    def as_dict(self) -> dict[str, t.Any]:
        """By the names of the module's results."""
        return asdict(self)


@dataclass
class ShardSetter:
    """One run against one cluster. params: the options of wa_shards, of which C(request) was made."""

    client: Client
    request: ReshardRequest
    params: t.Mapping[str, t.Any]
    clock: t.Callable[[], float] = time.monotonic
    sleep: t.Callable[[float], None] = time.sleep
    result: Result = field(default_factory=Result)
    _gone: frozenset[str] = frozenset()
    _level: str = SERVING

    def run(self, check: bool) -> None:
        """Reads, decides, acts, waits. Raises a ClientError or a Refusal; C(result) is filled on every path."""
        self._refuse(input_problems(self.request, datetime.datetime.now(datetime.timezone.utc).date()))
        before = read_count(self.client)
        self.result.before = self.result.after = before
        if before != self.request.shards:
            cluster = HealthReader(self.client, Expected()).read().cluster
            # On a host that is away: only those that restart are waited for.
            there = present(cluster.nodes, cluster.registered)
            self._gone = frozenset(node.name for node in cluster.nodes if node not in there)
            self._refuse(cluster_problems(self.request, cluster, time.time()))
            # Without a number nothing is served, before and after.
            self._level = SERVING if cluster.registered else RUNNING
            if not check:
                self._set(cluster, before)
            self.result.changed, self.result.after = True, self.request.shards
        if self.params["wait"] and not check:
            self._wait(before)

    def _refuse(self, problems: list[Problem]) -> None:
        self.result.problems = [problem.as_dict() for problem in problems]
        if problems:
            raise refusal_for("SHARDS_REFUSED", problems)

    def _set(self, cluster: Cluster, before: int) -> None:
        """The call. A refusal leaves the number as it was; a lost answer is resolved by reading."""
        self.result.after = None
        try:
            self._call(call_body(self.params, cluster))
        except ApiError as error:
            if not error.core_unreachable:
                self.result.after = before
                raise
            self._resolve(error, before)
        except LostAnswer as error:
            self._resolve(error, before)

    def _call(self, body: dict[str, t.Any]) -> None:
        """POST, repeated while the server says that it is temporarily unavailable."""
        backoff = Backoff(retries=self.params["retries"])
        attempt = 0
        while True:
            try:
                self.client.call("POST", PATH, body=body)
                return
            except ApiError as error:
                if not temporarily_unavailable(error.status, error.code) or attempt >= backoff.retries:
                    raise
                self.sleep(backoff.delay(attempt, 1.0, error.retry_after))
                attempt += 1

    def _resolve(self, error: ClientError, before: int) -> None:
        """Finds out by reading whether a call was carried out whose answer is not known."""
        self.result.answer_lost = True
        deadline = self.clock() + LOST_SECONDS
        now = before
        while now == before and self.clock() < deadline:
            self.sleep(1.0)
            now = read_count(self.client)
        self.result.after = now
        refusal = lost_answer(self.request, now, error.message, error.url)
        if refusal:
            raise refusal from error

    def _wait(self, before: int) -> None:
        """Follows the restart until every shard has one connected owner."""
        observed: list[tuple[float, Cluster]] = []
        started = self.clock()
        expected = Expected(shards=self.request.shards, gone=self._gone, level=self._level)
        reader = HealthReader(polling(self.client), expected)

        def read() -> Observation:
            seen = reader.read()
            observed.append((self.clock() - started, seen.cluster))
            return seen

        waited = wait_for(
            read,
            lambda seen: reached(self.request, seen.cluster, seen.healthy),
            timeout=self.params["timeout"],
            delay=self.params["delay"],
            clock=self.clock,
            sleep=self.sleep,
        )
        self.result.waited_seconds = round(waited.seconds, 1)
        if self.result.changed and self._level == SERVING:
            self.result.downtime = downtimes(samples(observed, before, self.request.shards), self.request.shards)
        if not reached(self.request, waited.last.cluster, waited.last.healthy):
            raise not_healthy(waited)


def read_count(client: Client) -> int:
    """GET /v1/account/shards. Raises UnexpectedReply without a number."""
    reply = client.get(PATH)
    account = reply.member("account")
    count = account.get("shards") if isinstance(account, dict) else None
    if isinstance(count, bool) or not str(count).isdigit():
        raise UnexpectedReply("{0} answered no number of shards.".format(reply.url), url=reply.url)
    return int(str(count))
