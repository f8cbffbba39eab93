# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS to the database: the files of the inventory, and where a node has them. Internal to waent.fleet. Pure.

The files are on the machine that runs Ansible. Every host keeps them in a volume that is named after their content, so
that a new certificate is another mount, and so a planned change like any other. A volume is filled through a container
that never starts; as long as that one exists, the volume is not complete.
"""

from __future__ import annotations

import hashlib
import re
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.product import CERTS_TARGET

Variables = t.Mapping[str, t.Any]


class File(t.NamedTuple):
    """One of the files. variable: who names it. environment: the client's variable. name: within a node's directory."""

    variable: str
    environment: str
    name: str
    mode: int


FILES = (
    File("wa_db_ssl_ca", "WA_DB_SSL_CA", "ca.pem", 0o444),
    File("wa_db_ssl_cert", "WA_DB_SSL_CERT", "client-cert.pem", 0o444),
    File("wa_db_ssl_key", "WA_DB_SSL_KEY", "client-key.pem", 0o400),
)
VARIABLES = tuple(file.variable for file in FILES)
VOLUME = "-db-ssl-"
"""What stands in the name of the volume that holds them, after that of the cluster and before the digest."""

FILLER = "-filler"
"""What the name of the container ends with that fills a volume."""


def used(variables: Variables) -> list[File]:
    """The files that are asked for; none without a CA, as a server that is not verified could be anybody."""
    return [file for file in FILES if variables.get("wa_db_ssl_ca") and variables.get(file.variable)]


def environment(variables: Variables) -> dict[str, str]:
    """The variables of a node that name them."""
    return {file.environment: "{0}/{1}".format(CERTS_TARGET, file.name) for file in used(variables)}


def volume_name(cluster: str, contents: t.Mapping[str, bytes]) -> str:
    """Name of the volume that holds these files; empty without any. contents: by variable.

    The key is left out: it belongs to the certificate, and what is made of a secret does not go into a name.
    """
    if not contents:
        return ""
    parts = [cluster.encode(), *(contents.get(name, b"") for name in ("wa_db_ssl_ca", "wa_db_ssl_cert"))]
    digest = hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()[:12]
    plain = re.sub(r"[^a-zA-Z0-9_.-]", "-", cluster).lstrip("_.-")
    return (plain or "waent") + VOLUME + digest


def together_problems(raw: t.Mapping[str, t.Any]) -> list[Problem]:
    """Files that are of no use without another. raw: by names without C(wa_)."""
    values = (raw.get(name[len("wa_") :]) for name in VARIABLES)
    ca, cert, key = (isinstance(value, str) and value != "" for value in values)
    missing = None
    if (cert or key) and not ca:
        missing = ("wa_db_ssl_ca", "wa_db_ssl_cert" if cert else "wa_db_ssl_key", "the server is verified with a CA")
    elif cert != key:
        missing = (VARIABLES[1 if key else 2], VARIABLES[2 if key else 1], "certificate and key go together")
    if missing is None:
        return []
    message = "{0} is not set, and {1} is; {2}, so set it too.".format(*missing)
    return [Problem("WA_DB_SSL_INCOMPLETE", message, missing[0])]
