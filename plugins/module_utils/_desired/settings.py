# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings and secrets the user gave for a cluster, refused where they cannot work. Secrets are never repeated.

Internal to waent.fleet: may change in any release. Pure: no I/O, no clock, and no host is needed.
"""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import replace

from ansible_collections.waent.fleet.plugins.module_utils._common import addresses
from ansible_collections.waent.fleet.plugins.module_utils._common.paths import normalized
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.product import DATABASE_PORT
from ansible_collections.waent.fleet.plugins.module_utils._common.text import stated
from ansible_collections.waent.fleet.plugins.module_utils._desired.app_settings import setting_problems
from ansible_collections.waent.fleet.plugins.module_utils._desired.certificate import certificate_problems
from ansible_collections.waent.fleet.plugins.module_utils._desired.db_ssl import together_problems
from ansible_collections.waent.fleet.plugins.module_utils._desired.log_driver import log_problems
from ansible_collections.waent.fleet.plugins.module_utils._desired.media_share import inventory_share
from ansible_collections.waent.fleet.plugins.module_utils._desired.values import Raw, whole_number
from ansible_collections.waent.fleet.plugins.module_utils._desired.variables import BY_NAME, value_problems

DOCKER_HOST = "host.docker.internal"
"""A name that Docker Desktop makes up, and Docker Engine does not."""


def settings_problems(raw: Raw, hosts: t.Sequence[str] = (), database_hosts: t.Sequence[str] = ()) -> list[Problem]:
    """Everything wrong with the variables in C(raw), by their names without C(wa_), alone and together.

    hosts: names of those that may run nodes. database_hosts: names of those that run a database of our own.
    """
    problems = value_problems(raw)
    wrong = {problem.variable for problem in problems}
    together = _database_place_problems(raw) + together_problems(raw) + _settings_problems(raw.get("settings"))
    together += _media_problems(raw) + log_problems(raw.get("log_driver"), raw.get("log_options"))
    if database_hosts:
        together += _own_database_problems(raw, hosts, database_hosts)
    return problems + [problem for problem in together if problem.variable not in wrong]


def _database_place_problems(raw: Raw) -> list[Problem]:
    """An address that means this machine: in a container that is the container itself, where no database is."""
    host = raw.get("db_host")
    if not isinstance(host, str):
        return []
    name = host.strip().lower().rstrip(".")
    if addresses.means_this_machine(name):
        message = (
            "wa_db_host is {0!r}; in a container that is the container itself. Allowed is a name or address that nodes"
            " reach it by: the host's own address, or host.docker.internal with wa_extra_hosts"
            " {{host.docker.internal: host-gateway}}."
        )
        return [Problem("WA_DB_HOST_LOOPBACK", message.format(host), "wa_db_host", host)]
    known = raw.get("extra_hosts")
    if name == DOCKER_HOST and not (isinstance(known, t.Mapping) and DOCKER_HOST in known):
        message = (
            "wa_db_host is {0!r}, which containers know only where wa_extra_hosts names it; set wa_extra_hosts to"
            " {{host.docker.internal: host-gateway}} for the host they run on."
        )
        return [Problem("WA_DB_HOST_UNKNOWN", message.format(host), "wa_db_host", host)]
    for alias, address in known.items() if isinstance(known, t.Mapping) else ():
        if str(alias).lower().rstrip(".") == name and addresses.means_this_machine(str(address)):
            message = (
                "wa_db_host is {0!r}, which wa_extra_hosts gives the address {1}; in a container that is the container"
                " itself. Allowed is an address that nodes reach it by, or host-gateway for the host they run on."
            )
            return [Problem("WA_DB_HOST_LOOPBACK", message.format(host, address), "wa_extra_hosts", address)]
    return []


def _own_database_problems(raw: Raw, hosts: t.Sequence[str], database_hosts: t.Sequence[str]) -> list[Problem]:
    """What the database on the hosts in wa_database_hosts cannot be: it is MySQL without TLS, and its user is root."""
    found = []
    where = "the database on {0} (group wa_database_hosts)".format(", ".join(sorted(database_hosts)))
    if len(database_hosts) > 1:
        message = "The group wa_database_hosts has {0} hosts ({1}); allowed is one, as a cluster has one database."
        names = ", ".join(sorted(database_hosts))
        found.append(Problem("WA_DATABASE_HOSTS", message.format(len(database_hosts), names), "wa_database_hosts"))
    engine = raw.get("db_engine")
    if engine == "PGSQL":
        message = "wa_db_engine is 'PGSQL', and {0} is made as MySQL; set MYSQL, or take the hosts out of the group."
        found.append(Problem("WA_DATABASE_ENGINE", message.format(where), "wa_db_engine", engine))
    user = raw.get("db_username")
    if user and user != "root":
        message = (
            "wa_db_username is {0!r}, and {1} is made with the user root only; set root, or take the hosts out of the"
            " group and name a database that exists already in wa_db_host."
        )
        found.append(Problem("WA_DATABASE_USER", message.format(user, where), "wa_db_username", user))
    arguments = raw.get("database_arguments")
    if raw.get("db_ssl_ca") and "--ssl-cert" not in str(arguments):
        message = (
            "wa_db_ssl_ca is {0!r}, and {1} is made without TLS; leave it out, or take the hosts out of the group."
        )
        found.append(Problem("WA_DATABASE_TLS", message.format(raw["db_ssl_ca"], where), "wa_db_ssl_ca"))
    return found + _own_database_port_problems(raw, hosts, database_hosts, where)


def _own_database_port_problems(
    raw: Raw, hosts: t.Sequence[str], database_hosts: t.Sequence[str], where: str
) -> list[Problem]:
    """Nodes beside the database find its container by name, on its own port; others go through the published one."""
    port, published = whole_number(raw.get("db_port")), whole_number(raw.get("database_port"))
    by_name = not addresses.looks_numeric(str(raw.get("db_host")))
    allowed = [DATABASE_PORT]
    if published is not None and not (by_name and set(hosts) <= set(database_hosts)):
        allowed.append(published)
    if port is None or port in allowed:
        return []
    message = (
        "{0}, and nodes reach {1} on port {2}; set that, wa_database_port is only what its host publishes.".format(
            stated("wa_db_port", raw.get("db_port")), where, " or ".join(map(str, sorted(set(allowed))))
        )
    )
    return [Problem("WA_DATABASE_PORT", message, "wa_db_port", raw.get("db_port"))]


def _media_problems(raw: Raw) -> list[Problem]:
    """Nodes have to write to the share, and not to a volume or directory beside it."""
    share, media = inventory_share(raw.get("media_share"))[0], raw.get("media")
    if share is None or (isinstance(media, str) and normalized(media) == share.path):
        return []
    message = (
        "wa_media is {0!r}, and wa_media_share is mounted at {1}: nodes would not use it. Set wa_media to that path, or"
        " leave wa_media_share out."
    )
    return [Problem("WA_MEDIA_NOT_ON_SHARE", message.format(media, share.path), "wa_media", media)]


def _settings_problems(settings: t.Any) -> list[Problem]:
    """The application settings, by the code that sends them."""
    if not isinstance(settings, t.Mapping):
        return []
    return [
        Problem("WA_" + found.code, found.message.replace("Setting ", "wa_settings.", 1), "wa_settings", found.value)
        for found in setting_problems(settings)
    ]


def host_problems(given: Raw, of_hosts: t.Mapping[str, Raw]) -> list[Problem]:
    """What is wrong with the variables that a host has otherwise than the play, each with its host."""

    def found(raw: Raw) -> list[Problem]:
        problems = value_problems(raw)
        wrong = {problem.variable for problem in problems}
        return problems + [problem for problem in _media_problems(raw) if problem.variable not in wrong]

    of_the_play = {(problem.variable, problem.message) for problem in found(given)}
    return [
        replace(problem, host=host)
        for host, own in of_hosts.items()
        for problem in [*_other_share(given, own), *found({**given, **own})]
        if (problem.variable, problem.message) not in of_the_play
    ]


def _other_share(given: Raw, own: Raw) -> list[Problem]:
    """One cluster has one media share. own: what a host has otherwise than the play."""
    if "media_share" not in own or own["media_share"] == given.get("media_share"):
        return []
    message = "wa_media_share differs from that of other hosts; all hosts of a cluster need one and the same."
    return [Problem("WA_MEDIA_SHARE_DIFFERS", message, "wa_media_share", own["media_share"])]


def jwt_key_problems(webapps: int, jwt_key: t.Any) -> list[Problem]:
    """Several webapps need one key, or each refuses the tokens of the others (reference 2.4)."""
    if webapps < 2 or jwt_key not in (None, ""):
        return []
    why = "the cluster has {0} webapps, which accept each other's tokens only with one common key".format(webapps)
    return [Problem("WA_SECRET_MISSING", "wa_jwt_key is not set; {0}.".format(why), "wa_jwt_key")]


def cert_problems(raw: Raw, today: datetime.date) -> tuple[list[Problem], list[str]]:
    """Faults of wa_cert, and warnings: one that has expired matters when it is sent, not to nodes that run."""
    cert, number = raw.get("cert"), "{0}{1}".format(raw.get("cc"), raw.get("phone_number"))
    if not isinstance(cert, str) or not cert:
        return [], []
    found = certificate_problems(cert, number, today)
    warnings = [one.message for one in found if one.code == "CERT_EXPIRED"]
    return [
        BY_NAME["wa_cert"].problem("WA_" + one.code, one.message) for one in found if one.code != "CERT_EXPIRED"
    ], warnings
