#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_api_authority
short_description: Fetch the authority of the WhatsApp Business API's certificates, and pin it
version_added: 0.2.0
description:
  - An installation makes an authority of its own for the certificates of its web applications. This module fetches that
    authority from the API and writes it to a file, for O(ca_path) of the other modules.
  - A file that is there is never replaced. Where it holds another authority than the API offers, the module fails with
    both fingerprints.
  - The first fetch cannot be verified with an authority. Give O(trusted_certificates), so that the login is sent to
    nobody else than the web application, or O(fingerprint).
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
      - Fetches the authority, and writes no file.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  state:
    description:
      - V(present) pins the authority.
      - V(query) only finds out whether the certificate can be verified without a pin, as it is for the authorities that
        the system knows.
    type: str
    choices: [present, query]
    default: present
  path:
    description:
      - File to pin the authority in. Its directory has to exist.
      - With O(state=present) it must not be empty.
    type: path
    default: ""
  fingerprint:
    description:
      - SHA-256 that the authority must have, with or without colons. Nothing is pinned where it has another one.
    type: str
    default: ""
seealso:
  - module: waent.fleet.wa_login
"""

EXAMPLES = r"""
- name: Pin the authority of a cluster whose fingerprint is known
  waent.fleet.wa_api_authority:
    api_url: https://wa-1:9090
    api_token: "{{ login.token }}"
    trusted_certificates: ["{{ served.sha256 }}"]
    path: /etc/waent/api_ca.pem
    fingerprint: "{{ wa_api_ca_fingerprint }}"

- name: Verify with it from then on
  waent.fleet.wa_cluster_health:
    api_url: https://wa-1:9090
    api_key: "{{ wa_api_key }}"
    ca_path: /etc/waent/api_ca.pem
"""

RETURN = r"""
verifies:
  description: Whether the certificate can be verified as the other options say.
  returned: with O(state=query)
  type: bool
authority:
  description: The authority that was pinned, or would be, with C(sha256), and C(begins) and C(ends) as days.
  returned: where one was pinned, or would be
  type: dict
  sample: {sha256: "3A:54:...", begins: "2026-11-29", ends: "2027-11-29"}
line:
  description: The same as a sentence, and what is verified with it; empty where nothing was pinned.
  returned: with O(state=present)
  type: str
failure:
  description: Why the module failed.
  returned: failure
  type: dict
  sample:
    code: API_AUTHORITY_DIFFERS
    message: The authority of the API has SHA-256 3A:54:..., and wa_api_ca_fingerprint is 91:0C:...
    details: {}
"""

import os
import time
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._check.authority import (
    NO_PLACE,
    Authority,
    Decision,
    day_of,
    decide,
    pinned_sentence,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal
from ansible_collections.waent.fleet.plugins.module_utils._io.client import (
    ApiError,
    Client,
    ClientError,
    UntrustedCertificate,
)
from ansible_collections.waent.fleet.plugins.module_utils._io.failure import fail
from ansible_collections.waent.fleet.plugins.module_utils._io.options import api_options, client_from
from ansible_collections.waent.fleet.plugins.module_utils._io.tls import authorities_in, read_authorities, write_pin

AUTHORITY = "/v1/certificates/external/ca"


def verifies(client: Client) -> bool:
    """Whether the certificate can be verified. Raises a ClientError where nobody answers, or it is wrong otherwise."""
    try:
        client.health()
    except UntrustedCertificate:
        return False
    except ApiError:  # who refuses has shown its certificate
        return True
    return True


def offered_by(client: Client) -> list[Authority]:
    """The authorities that the API names. Raises a ClientError."""
    try:
        return authorities_in(client.text(AUTHORITY))
    except ApiError as error:
        if error.status == 404:
            return []
        raise


def pinned_in(path: str) -> list[Authority]:
    """The authorities that are pinned; none where there is no file. Raises Refusal."""
    if not os.path.exists(path):
        return []
    try:
        return read_authorities(path)[0]
    except OSError as error:
        raise _refused("holds no authority that can be read ({0})".format(error.strerror or error), path) from error


def pin(authority: Authority, path: str) -> None:
    """Writes the file. Raises Refusal."""
    try:
        write_pin(path, authority)
    except OSError as error:
        said = "cannot be written ({0}), so the authority of the API (SHA-256 {1}) is not pinned"
        raise _refused(said.format(error.strerror or error, authority.sha256), path) from error


def _refused(said: str, path: str) -> Refusal:
    text = "{0} {1}; set wa_api_ca_path to a file that the user who runs Ansible may write."
    return Refusal(NO_PLACE, text.format(path, said))


def fetch(client: Client, path: str, fingerprint: str) -> Decision:
    """What follows from what the API offers. Raises a ClientError or a Refusal."""
    if not path:
        text = (
            "There is no place beside the inventory for the authority of the API: set wa_api_ca_path to a file that the"
            " user who runs Ansible may write, outside of this collection."
        )
        raise Refusal(NO_PLACE, text)
    found = decide(offered_by(client), pinned_in(path), fingerprint, int(time.time()), path)
    if found.problem:
        raise Refusal(found.problem.code, found.problem.message)
    return found


def main() -> None:
    module = AnsibleModule(
        argument_spec=dict(
            api_options(),
            state={"type": "str", "choices": ["present", "query"], "default": "present"},
            path={"type": "path", "default": ""},
            fingerprint={"type": "str", "default": ""},
        ),
        supports_check_mode=True,
    )
    params = module.params
    result: dict[str, t.Any] = {"changed": False}
    try:
        client = client_from(params)
        if params["state"] == "query":
            module.exit_json(verifies=verifies(client), **result)
        result["line"] = ""
        path = params["path"]
        authority = fetch(client, path, params["fingerprint"]).pin
        if authority:
            if not module.check_mode:
                pin(authority, path)
            days = {"begins": day_of(authority.begins), "ends": day_of(authority.ends)}
            shown = dict(days, sha256=authority.sha256)
            result.update(changed=True, authority=shown, diff={"before": {}, "after": dict(shown, path=path)})
            result["line"] = pinned_sentence(authority, path, module.check_mode)
    except (ClientError, Refusal) as error:
        fail(module, error, **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
