# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """Access to the API of the web applications."""

    DOCUMENTATION = r"""
options:
  api_url:
    description:
      - Base URLs of the web applications of one cluster, each like C(https://wa-host:9090).
      - One that cannot be reached makes room for the next.
      - Plain HTTP is refused, because the API is HTTPS only.
      - If not set, the environment variable E(WA_API_URL) of the host that runs the module is used.
    type: list
    elements: str
    required: true
  api_token:
    description:
      - Token of a login, as M(waent.fleet.wa_login) returns it.
      - If not set, the environment variable E(WA_API_TOKEN) is used.
    type: str
  api_key:
    description:
      - The static key that the web applications were started with (C(WA_API_KEY)). Good for health, metrics and
        statistics only.
      - If not set, the environment variable E(WA_API_KEY) is used.
    type: str
  api_timeout:
    description:
      - Seconds that a single request may take.
    type: float
    default: 10.0
  api_once:
    description:
      - Try once, and wait for all web applications at the same time - the first that answers is used. So those that are
        silent cost five seconds, or O(api_timeout) where that is less, once, however many they are.
    type: bool
    default: false
    version_added: 0.2.0
  validate_certs:
    description:
      - Verify the certificate of the web applications.
      - Out of the box it is signed by an authority that the installation has made for itself. Give that as O(ca_path).
    type: bool
    default: true
  ca_path:
    description:
      - File with the certificate of the authority that signed the web applications' certificate, on the host that runs
        the module.
      - Where it holds nothing but the authority of an installation, which M(waent.fleet.wa_api_authority) fetches, the
        name in the certificate is not compared with the address - such an authority signs for the webapps of its
        cluster only, and they name their containers. With any other file the name has to be the right one.
    type: path
  trusted_certificates:
    description:
      - Fingerprints (SHA-256) of certificates to trust in place of those of O(ca_path), whoever has signed them.
        M(waent.fleet.wa_served_certificate) returns them from the host of a webapp.
    type: list
    elements: str
    default: []
    version_added: 0.2.0
notes:
  - Requests that were not carried out (connection refused, starting, rate limit, overload, no primary master) are tried
    again with a growing delay. Requests that may have been carried out are not.
  - Proxies from the environment and C(.netrc) are not used.
"""
