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
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from ansible_collections.waent.fleet.plugins.module_utils._check.database import database_problems
from ansible_collections.waent.fleet.plugins.module_utils._check.health import (
    ACT,
    WAIT,
    WARNING,
    Expected,
    Finding,
    database_findings,
    findings,
    healthy,
    key_findings,
    unaware_findings,
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
    LostAnswer,
    Reply,
    TlsError,
    Unreachable,
    all_silent,
)
from ansible_collections.waent.fleet.plugins.module_utils._io.database import DatabaseAccess, read_database
from ansible_collections.waent.fleet.plugins.module_utils._state.cluster import Cluster, observe, state_line
from ansible_collections.waent.fleet.plugins.module_utils._state.database import Report

_HOPELESS = (AuthError, TlsError, BadAddress)
_SHORTEST_PAUSE = 0.1  # seconds
_OBSERVATIONS_SHOWN = 3


@dataclass(frozen=True)
class Observation:
    """One observation of everything that was asked for.

    webapps: C({url, answers, version, error}) of every base URL; error is the code of why its health could not be read.
    checked: what was read. error: why health could not be read anywhere.
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
    """What to read: the API, perhaps the database, and what is expected.

    waits: whether this is part of a wait, which ends at once where waiting cannot help; whoever looks once is shown
    everything there is to see.
    """

    client: Client
    expected: Expected
    access: DatabaseAccess | None = None
    waits: bool = True
    _refusals: list[str] = field(default_factory=list)

    def read(self) -> Observation:
        """One observation. In a wait it raises a ClientError where waiting cannot help."""
        webapps, answers = self._health()
        health, error = self._one_of(answers)
        checked = ["health", "webapps"]
        found: list[Finding] = []
        # Those that have answered come first: the others were waited for once.
        client = self.client.at(*sorted(self.client.urls, key=lambda url: not isinstance(answers[url], Reply)))
        support = self._optional(client, "/v1/support", "support", checked, found) if health else None
        shards = self._optional(client, "/v1/account/shards", "shards", checked, found) if health else None
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
            found += key_findings(self._refusals)
        elif error:
            found = [_finding_of(error)]
        if report:
            checked.append("database")
            found += database_findings(database_problems(report))
        return Observation(cluster, tuple(found), tuple(webapps), report, tuple(checked), error)

    def registration(self) -> Observation:
        """One observation, after a registration was confirmed, of who does not know of it yet, by what webapps show."""
        answers = self._answers()
        error = self._one_of(answers)[1]
        seen = {url: observe(answer.body) for url, answer in answers.items() if isinstance(answer, Reply)}
        found = [_finding_of(error)] if error else unaware_findings(seen)
        return Observation(next(iter(seen.values()), Cluster("unreadable")), tuple(found), error=error)

    def _answers(self) -> dict[str, Reply | ClientError]:
        """What every base URL says of health, all asked at once."""
        urls = list(self.client.urls)
        with ThreadPoolExecutor(max_workers=len(urls)) as threads:
            return dict(zip(urls, threads.map(self._health_of, urls)))

    def _health(self) -> tuple[list[dict[str, t.Any]], dict[str, Reply | ClientError]]:
        """Each webapp with whether and how it answers, and what each of them said."""
        self._refusals = []
        answers = self._answers()
        webapps = []
        for url, answer in answers.items():
            reply = answer if isinstance(answer, Reply) else None
            error = answer.failure_code if isinstance(answer, ClientError) else None
            version = reply.version if reply is not None else None
            webapps.append({"url": url, "answers": reply is not None, "version": version, "error": error})
        return webapps, answers

    def _health_of(self, url: str) -> Reply | ClientError:
        client = self.client.at(url)
        if not self.waits and client.fails_silently():
            return all_silent([url])
        try:
            return client.health()
        except AuthError as error:
            if self.waits or not client.has_both:
                return error
            self._refusals.append(url)
        except ClientError as error:
            return error
        try:
            return client.without_key().health()
        except ClientError as error:
            return error

    def _one_of(self, answers: t.Mapping[str, Reply | ClientError]) -> tuple[Reply | None, ClientError | None]:
        """The first good answer; without one the error, rather of a webapp that said something than of a silent one."""
        errors = [answer for answer in answers.values() if isinstance(answer, ClientError)]
        if self.waits:
            for error in errors:
                if isinstance(error, _HOPELESS):
                    raise error
        first = next((answer for answer in answers.values() if isinstance(answer, Reply)), None)
        if len(errors) > 1 and all(isinstance(error, (Unreachable, LostAnswer)) for error in errors) and not first:
            return None, all_silent(list(answers))
        said = sorted(errors, key=lambda error: isinstance(error, (Unreachable, LostAnswer)))
        return first, said[0] if said and first is None else None

    def _optional(self, client: Client, path: str, what: str, checked: list[str], found: list[Finding]) -> t.Any:
        """A body that needs a login: None without one, or where this user or version does not have the call."""
        if not client.has_token:
            return None
        try:
            body = client.get(path).body
        except ApiError as error:
            if self.waits and isinstance(error, _HOPELESS):
                raise
            if error.code not in (ACCESS_DENIED, NOT_FOUND) and error.status != 404:
                found.append(_finding_of(error))
            return None
        except ClientError as error:
            if self.waits and isinstance(error, _HOPELESS):
                raise
            found.append(_finding_of(error))
            return None
        checked.append(what)
        return body

    def _database(self) -> Report | None:
        if self.access is None:
            return None
        return read_database(self.access)


def _finding_of(error: ClientError) -> Finding:
    """An error as a finding. What waiting cannot fix, somebody has to."""
    return Finding(error.failure_code, error.message, kind=ACT if isinstance(error, _HOPELESS) else WAIT)


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

    C(delay) is the most between two reads. The pause is an eighth of what was waited so far: what takes a second is
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
        sleep(min(delay, max(_SHORTEST_PAUSE, elapsed / 8), timeout - elapsed))


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
