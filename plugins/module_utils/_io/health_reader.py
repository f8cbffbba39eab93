# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a cluster once, or until it is as expected. Internal to waent.fleet: may change in any release.

Reads through the client and the database; what is wrong is found by C(_check/health.py). While waiting, an error is one
observation: only what waiting cannot fix (wrong credentials, TLS, a wrong address) ends it at once.
"""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass, field

from ansible_collections.waent.fleet.plugins.module_utils._check.database import database_problems
from ansible_collections.waent.fleet.plugins.module_utils._check.health import (
    WAIT,
    WARNING,
    Expected,
    Finding,
    database_findings,
    findings,
    healthy,
    webapp_findings,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.api_codes import ACCESS_DENIED, NOT_FOUND
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal
from ansible_collections.waent.fleet.plugins.module_utils._io.client import (
    NO_RETRY,
    ApiError,
    AuthError,
    BadAddress,
    Client,
    ClientError,
    Reply,
    TlsError,
)
from ansible_collections.waent.fleet.plugins.module_utils._io.database import DatabaseAccess, read_database
from ansible_collections.waent.fleet.plugins.module_utils._state.cluster import Cluster, observe, state_line
from ansible_collections.waent.fleet.plugins.module_utils._state.database import Report

_HOPELESS = (AuthError, TlsError, BadAddress)
_SHORTEST_PAUSE = 0.25  # seconds
_OBSERVATIONS_SHOWN = 3


@dataclass(frozen=True)
class Observation:
    """One observation of everything that was asked for.

    webapps: C({url, answers, version}) of every base URL. checked: what was read. error: why health could not be read.
    """

    cluster: Cluster
    found: tuple[Finding, ...]
    webapps: tuple[dict[str, t.Any], ...] = ()
    database: Report | None = None
    checked: tuple[str, ...] = ()
    error: ClientError | None = None

    @property
    def healthy(self) -> bool:
        """True when a cluster's health was read and nothing worse than a warning was found."""
        return self.cluster.form == "cluster" and healthy(self.found)

    @property
    def line(self) -> str:
        """The observation in one line."""
        return self.error.message if self.error else state_line(self.cluster)


@dataclass
class HealthReader:
    """What to read: the API, perhaps the database, and what is expected."""

    client: Client
    expected: Expected
    access: DatabaseAccess | None = None

    def read(self) -> Observation:
        """One observation. Raises a ClientError only where waiting cannot help."""
        webapps, health, error = self._health()
        checked = ["health", "webapps"]
        found: list[Finding] = []
        support = self._optional("/v1/support", "support", checked, found) if health else None
        shards = self._optional("/v1/account/shards", "shards", checked, found) if health else None
        # After health: a node that has just been replaced answers once its row has its version, and not before.
        report = self._database()
        rows = (report.liveness or ()) if report else ()
        cluster = observe(
            health.body if health else None,
            support,
            shards,
            versions={row["node"]: row["version"] for row in rows if row["version"]},
            kinds=self.expected.nodes,
        )
        if health:
            found = findings(cluster, self.expected) + found + webapp_findings(webapps, self.expected)
        elif error:
            found = [Finding(error.failure_code, error.message, kind=WAIT)]
        if report:
            checked.append("database")
            found += database_findings(database_problems(report))
        return Observation(cluster, tuple(found), tuple(webapps), report, tuple(checked), error)

    def _health(self) -> tuple[list[dict[str, t.Any]], Reply | None, ClientError | None]:
        """Health from every base URL: the first good answer is used, the others show who answers with which version."""
        webapps, first, failed = [], None, None
        for url in self.client.urls:
            reply: Reply | None = None
            try:
                reply = self.client.at(url).health()
            except _HOPELESS:
                raise
            except ClientError as error:
                failed = failed or error
            first = first or reply
            webapps.append(
                {"url": url, "answers": reply is not None, "version": reply.version if reply is not None else None}
            )
        return webapps, first, None if first else failed

    def _optional(self, path: str, what: str, checked: list[str], found: list[Finding]) -> t.Any:
        """A body that needs a login: None without one, or where this user or version does not have the call."""
        if not self.client.has_token:
            return None
        try:
            body = self.client.get(path).body
        except _HOPELESS:
            raise
        except ApiError as error:
            if error.code not in (ACCESS_DENIED, NOT_FOUND) and error.status != 404:
                found.append(Finding(error.failure_code, error.message, kind=WAIT))
            return None
        except ClientError as error:
            found.append(Finding(error.failure_code, error.message, kind=WAIT))
            return None
        checked.append(what)
        return body

    def _database(self) -> Report | None:
        if self.access is None:
            return None
        return read_database(self.access)


@dataclass
class Waited:
    """How a wait ended: the last observation, how long it took in seconds, and the last different observations."""

    last: Observation
    seconds: float
    observations: list[str] = field(default_factory=list)


def wait_for(
    read: t.Callable[[], Observation],
    done: t.Callable[[Observation], bool],
    *,
    timeout: float,
    delay: float,
    clock: t.Callable[[], float] = time.monotonic,
    sleep: t.Callable[[float], None] = time.sleep,
) -> Waited:
    """Reads again and again until C(done) or C(timeout) seconds have passed; at least once.

    C(delay) is the most between two reads. The pause is a quarter of what was waited so far: what takes a second is
    seen soon, and what takes minutes costs few calls.
    """
    started = clock()
    observations: list[tuple[float, str]] = []
    while True:
        last = read()
        elapsed = clock() - started
        if not observations or observations[-1][1] != last.line:
            observations.append((elapsed, last.line))
        if done(last) or elapsed >= timeout:
            shown = ["after {0:.0f} s: {1}".format(when, line) for when, line in observations[-_OBSERVATIONS_SHOWN:]]
            return Waited(last, elapsed, shown)
        sleep(min(delay, max(_SHORTEST_PAUSE, elapsed / 4), timeout - elapsed))


def unhealthy_message(waited: Waited) -> str:
    """What is still missing and what was seen last, for a wait that ran out."""
    missing = [finding for finding in waited.last.found if finding.kind != WARNING]
    lines = ["The cluster is not as expected after {0:.0f} s. Still missing:".format(waited.seconds)]
    lines += ["  [{0}] {1}".format(finding.code, finding.message) for finding in missing]
    lines += ["Seen:"] + ["  " + line for line in waited.observations]
    return "\n".join(lines)


def not_healthy(waited: Waited) -> Refusal:
    """The end of a wait that ran out."""
    codes = sorted({finding.code for finding in waited.last.found if finding.kind != WARNING})
    details = {"codes": codes, "observations": waited.observations}
    return Refusal("CLUSTER_NOT_HEALTHY", unhealthy_message(waited), details)


def polling(client: Client) -> Client:
    """The client for use inside a wait: the next read is the retry."""
    return client.patient(NO_RETRY)
