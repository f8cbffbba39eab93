#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_served_certificate
short_description: See which certificate a web application serves on its own host
version_added: 0.2.0
description:
  - Runs on the host of a web application, and returns the fingerprint of the certificate that it serves there.
  - Who reaches the web application from elsewhere and meets another certificate has met somebody else. Nothing else
    than the connection of Ansible to the host is trusted for that. No secret is needed or sent.
author:
  - waent.fleet contributors (@waent-fleet)
extends_documentation_fragment:
  - waent.fleet.attributes
  - waent.fleet.attributes.info
  - waent.fleet.attributes.no_group
  - waent.fleet.attributes.internal
options:
  url:
    description: Base URL of the web application, as its own host reaches it.
    type: str
    required: true
  wait_timeout:
    description:
      - Seconds to wait for a web application that does not answer yet or is not ready. Before it is ready it may serve
        another certificate than later.
    type: float
    default: 0.0
seealso:
  - module: waent.fleet.wa_api_authority
"""

EXAMPLES = r"""
- name: See which certificate the web application serves
  waent.fleet.wa_served_certificate:
    url: https://127.0.0.1:9090
    wait_timeout: 120
  register: served
"""

RETURN = r"""
sha256:
  description: Fingerprint of the certificate, for O(waent.fleet.wa_api_authority#module:trusted_certificates).
  returned: success
  type: str
  sample: "3A:54:..."
failure:
  description: Why the module failed.
  returned: failure
  type: dict
  sample:
    code: API_UNREACHABLE
    message: The API could not be reached at https://127.0.0.1:9090 (connection refused).
    details:
      url: https://127.0.0.1:9090/v1/health
"""

import contextlib
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._io.client import (
    ApiError,
    Backoff,
    Client,
    ClientError,
    Unreachable,
)
from ansible_collections.waent.fleet.plugins.module_utils._io.failure import fail
from ansible_collections.waent.fleet.plugins.module_utils._io.tls import served_certificate

SECONDS = 10.0

ARGUMENTS: dict[str, t.Any] = {
    "url": {"type": "str", "required": True},
    "wait_timeout": {"type": "float", "default": 0.0},
}


def served(url: str, wait: float) -> str:
    """The fingerprint, once the web application is ready. Raises a ClientError."""
    patience = Backoff(for_seconds=wait, first=0.25, cap=1.0)
    client = Client([url], validate_certs=False, backoff=patience)
    # Without credentials the answer is a refusal; "not ready" is none before the time is up.
    with contextlib.suppress(ApiError):
        client.health()
    try:
        return served_certificate(client.urls[0], SECONDS)
    except OSError as error:
        raise Unreachable("{0} does not answer ({1}).".format(url, error.strerror or error), url=url) from error


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        module.exit_json(changed=False, sha256=served(module.params["url"], module.params["wait_timeout"]))
    except ClientError as error:
        fail(module, error, changed=False)


if __name__ == "__main__":
    main()
