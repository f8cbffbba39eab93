# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """Access to the cluster's database, as the nodes have it."""

    DOCUMENTATION = r"""
options:
  db_engine:
    description:
      - Engine of the database, as in C(WA_DB_ENGINE).
      - MySQL and MariaDB need the Python package C(PyMySQL) on the host that runs the module, PostgreSQL needs
        C(psycopg2). A missing package is reported as the problem C(DB_DRIVER_MISSING).
    type: str
    choices: [MYSQL, PGSQL]
    default: MYSQL
  db_host:
    description:
      - Name or address of the database server, as this host reaches it.
      - If not set, the environment variable E(WA_DB_HOSTNAME) is used.
    type: str
  db_port:
    description:
      - Port of the database server.
    type: int
    default: 3306
  db_username:
    description:
      - User that the nodes use.
      - If not set, the environment variable E(WA_DB_USERNAME) is used.
    type: str
  db_password:
    description:
      - Password of that user.
      - If not set, the environment variable E(WA_DB_PASSWORD) is used.
    type: str
  db_name_prefix:
    description:
      - Prefix of the names of all the client's databases, as in C(WA_DB_NAME_PREFIX).
    type: str
    default: ""
  db_ssl_ca:
    description:
      - File with the CA of the database server, as in C(WA_DB_SSL_CA). Given, the connection has to be TLS and the
        server is verified; without it no TLS is spoken, as nodes do.
    type: path
  db_ssl_cert:
    description:
      - File with the client certificate, as in C(WA_DB_SSL_CERT).
    type: path
  db_ssl_key:
    description:
      - File with its private key, as in C(WA_DB_SSL_KEY).
    type: path
  db_ssl_check_hostname:
    description:
      - Whether the name in the server's certificate is compared as well.
    type: bool
    default: true
  db_ssl_server_name:
    description:
      - The name that has to be in it, by default O(db_host). It differs where the server is reached by another name
        from here than from the nodes.
    type: str
  db_timeout:
    description:
      - Seconds that connecting and a single query may take.
    type: float
    default: 10.0
"""
