#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_certificate
short_description: Bring certificates to the WhatsApp Business API
version_added: 0.2.0
description:
  - Uploads the chain that the web applications serve, or the CA with which coreapps verify the webhook.
  - Chain, key, dates and names are checked before anything is sent, as a web application does not start with a chain
    that is broken.
  - Restarts nothing. The product takes a chain when a web application restarts, and the CA when a coreapp does. The
    module says what has to be restarted; the playbook C(certificates.yml) does it.
author:
  - waent.fleet contributors (@waent-fleet)
extends_documentation_fragment:
  - waent.fleet.api
  - waent.fleet.attributes
  - waent.fleet.attributes.api_group
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - Shows fingerprints, never a key.
  idempotent:
    support: full
    details:
      - The API does not show which chain was uploaded. It is uploaded where a web application serves another
        certificate, or where the API names other certificates above it; so it is uploaded again until every web
        application has been restarted.
requirements:
  - cryptography (Python package), as ansible-core needs it
options:
  purpose:
    description:
      - V(api) is the chain that the web applications serve.
      - V(webhook) is the CA that has signed the certificate of the webhook.
    type: str
    choices: [api, webhook]
    required: true
  state:
    description:
      - V(present) uploads what differs.
      - V(absent) deletes the CA of the webhook. The API has no way to delete a chain.
      - V(query) only reads, and says what ends within 30 days. With O(purpose=api) that is what the web applications
        serve, and no login is needed.
      - V(served) changes nothing, and fails where a web application serves another certificate, or one that O(ca_path)
        does not verify, or where the API has another CA.
    type: str
    choices: [present, absent, query, served]
    default: present
  certificate:
    description:
      - PEM text. With O(purpose=api) the certificate of the web applications and after it its intermediates, each
        before its signer; with O(purpose=webhook) the CA.
      - Required with O(state=present) and O(state=served).
    type: str
  private_key:
    description:
      - PEM text of the private key of the first certificate, without a passphrase.
      - Required with O(purpose=api) and O(state=present).
    type: str
  names:
    description:
      - Names and addresses that the certificate has to have beyond those of O(api_url).
    type: list
    elements: str
    default: []
seealso:
  - module: waent.fleet.wa_api_authority
"""

EXAMPLES = r"""
- name: The chain of the API, from files of which the key is a vault
  waent.fleet.wa_certificate:
    api_url: [https://wa-1.example.com:9090, https://wa-2.example.com:9090]
    api_token: "{{ wa_login.token }}"
    ca_path: /etc/ssl/certs/company.pem
    purpose: api
    certificate: "{{ lookup('ansible.builtin.file', 'api.chain.pem') }}"
    private_key: "{{ lookup('ansible.builtin.file', 'api.key.vault') }}"
    names: [api.example.com]

- name: The CA of the webhook
  waent.fleet.wa_certificate:
    api_url: https://wa-1.example.com:9090
    api_token: "{{ wa_login.token }}"
    ca_path: /etc/ssl/certs/company.pem
    purpose: webhook
    certificate: "{{ lookup('ansible.builtin.file', 'webhook-ca.pem') }}"
"""

RETURN = r"""
certificates:
  description: The certificates that were given, with C(sha256), C(subject), C(names), and C(begins) and C(ends) as
    days.
  returned: success
  type: list
  elements: dict
  sample:
    - {sha256: "3A:54:...", subject: CN=api.example.com, names: [api.example.com], begins: "2026-11-01", ends:
      "2027-11-01"}
serves:
  description: By base URL the fingerprint of the certificate that is served there; empty where nobody answers.
  returned: success, with O(purpose=api)
  type: dict
  sample: {"https://wa-1.example.com:9090": "3A:54:..."}
restart_required:
  description: What has to be restarted (V(webapps) or V(coreapps)).
  returned: success
  type: list
  elements: str
  sample: [webapps]
notes:
  description: Certificates that end within 30 days.
  returned: success
  type: list
  elements: str
  sample: []
problems:
  description: What is wrong with the certificates.
  returned: always
  type: list
  elements: dict
  sample:
    - code: WA_CERTIFICATE_KEY
      message: wa_api_certificate_key is not the key of the first certificate in wa_api_certificate
        (CN=api.example.com).
      variable: wa_api_certificate_key
      value: null
      host: null
failure:
  description: Why the module failed.
  returned: failure
  type: dict
  sample:
    code: WA_CERTIFICATE_REFUSED
    message: ...
    details:
      codes: [WA_CERTIFICATE_KEY]
"""

import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible_collections.waent.fleet.plugins.module_utils._check.authority import day_of, fingerprint
from ansible_collections.waent.fleet.plugins.module_utils._check.certificates import (
    CHAIN,
    WEBHOOK,
    Certificate,
    chain_problems,
    expiry_notes,
    served_notes,
    webhook_problems,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem, Refusal, refusal_for
from ansible_collections.waent.fleet.plugins.module_utils._io.client import (
    ApiError,
    Client,
    ClientError,
    checked_base_url,
)
from ansible_collections.waent.fleet.plugins.module_utils._io.failure import fail
from ansible_collections.waent.fleet.plugins.module_utils._io.options import api_options, client_from
from ansible_collections.waent.fleet.plugins.module_utils._io.pem import (
    HAS_CRYPTOGRAPHY,
    certificate_blocks,
    fingerprints,
    read_bytes,
    read_chain,
)
from ansible_collections.waent.fleet.plugins.module_utils._io.race import HANDSHAKE_SECONDS
from ansible_collections.waent.fleet.plugins.module_utils._io.tls import served_bytes

CHAIN_PATH = "/v1/certificates/external"
ABOVE_PATH = "/v1/certificates/external/ca"
WEBHOOK_PATH = "/v1/certificates/webhooks/ca"
CODE = "WA_CERTIFICATE_REFUSED"
PEM_TYPE = "text/plain"
MOST_AT_ONCE = 32
"""Connections at the same time."""


class Difference(t.NamedTuple):
    """What there is, what there will be, and whether that is a difference."""

    before: t.Dict[str, t.Any]
    after: t.Dict[str, t.Any]
    differs: bool


def texts_at(client: Client, path: str) -> list[str]:
    """Fingerprints of the certificates that the API shows there; none where it has none."""
    try:
        return fingerprints(client.text(path))
    except ApiError as error:
        if error.status == 404:
            return []
        raise


def served_by(urls: t.Iterable[str], timeout: float) -> dict[str, bytes]:
    """What is served at each of them, asked all at once; empty where nobody answers."""

    def ask(url: str) -> bytes:
        try:
            return served_bytes(url, min(timeout, HANDSHAKE_SECONDS))
        except OSError:
            return b""

    asked = [checked_base_url(url) for url in urls]
    with ThreadPoolExecutor(MOST_AT_ONCE) as pool:
        return dict(zip(asked, pool.map(ask, asked)))


def fingerprints_by_url(serves: t.Mapping[str, bytes]) -> dict[str, str]:
    """The same as fingerprints."""
    return {url: fingerprint(der) if der else "" for url, der in serves.items()}


def query(client: Client, params: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """What there is, for a module that is only asked. Raises a ClientError."""
    now = int(time.time())
    if params["purpose"] == "webhook":
        try:
            certificates = read_chain(client.text(WEBHOOK_PATH)).certificates
        except ApiError as error:
            if error.status != 404:
                raise
            certificates = ()
        notes = expiry_notes("The CA of the webhook", certificates, now)
        return {"certificates": [shown(one) for one in certificates], "notes": notes}
    serves = served_by(params["api_url"], params["api_timeout"])
    read_at = {url: read_bytes(der) for url, der in serves.items() if der}
    found = {url: one for url, one in read_at.items() if one}
    by_certificate = {one.sha256: one for one in found.values()}
    return {
        "certificates": [shown(one) for one in by_certificate.values()],
        "serves": fingerprints_by_url(serves),
        "notes": served_notes(found, now),
    }


def authorities_of(params: t.Mapping[str, t.Any]) -> str | None:
    """The text of the file that the API is verified with; None where there is none, or nothing is verified."""
    path = params["ca_path"]
    if not path or not params["validate_certs"]:
        return None
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or "not text"
        raise Refusal(
            "WA_API_CA_PATH", "wa_api_ca_path is {0}, which cannot be read ({1}).".format(path, said)
        ) from error


def read(params: t.Mapping[str, t.Any]) -> tuple[tuple[Certificate, ...], list[Problem]]:
    """The certificates that were given, and what is wrong with them. Raises Refusal."""
    now = int(time.time())
    if params["purpose"] == "webhook":
        certificates = read_chain(params["certificate"]).certificates
        return certificates, webhook_problems(certificates, now)
    key = params["private_key"] if params["state"] == "present" else None
    chain = read_chain(params["certificate"], key, authorities_of(params))
    hosts = [urlsplit(checked_base_url(url)).hostname or "" for url in params["api_url"]]
    names = [*(hosts if params["validate_certs"] else []), *params["names"]]
    return chain.certificates, chain_problems(chain, names, now, str(params["ca_path"]))


def of_the_api(client: Client, certificates: t.Sequence[Certificate], serves: dict[str, str]) -> Difference:
    """The chain that is served, and the one that will be."""
    leaf, above = certificates[0].sha256, [one.sha256 for one in certificates[1:]]
    before = {"serves": serves, "above": texts_at(client, ABOVE_PATH)}
    after = {"serves": dict.fromkeys(serves, leaf), "above": above}
    return Difference(before, after, before != after)


def of_the_webhook(client: Client, certificates: t.Iterable[Certificate]) -> Difference:
    """The CA of the webhook as it is and as it will be; their order says nothing."""
    before = {"webhook_ca": sorted(texts_at(client, WEBHOOK_PATH))}
    after = {"webhook_ca": sorted(one.sha256 for one in certificates)}
    return Difference(before, after, before != after)


def send(client: Client, params: t.Mapping[str, t.Any], differs: t.Callable[[], Difference]) -> None:
    """Uploads or deletes, and reads again what can be read. Raises a Refusal where the server did not take it."""
    if params["state"] == "absent":
        client.call("DELETE", WEBHOOK_PATH)
    elif params["purpose"] == "webhook":
        upload(client, WEBHOOK_PATH, certificate_blocks(params["certificate"]))
    else:
        upload(client, CHAIN_PATH, [params["private_key"].strip() + "\n", *certificate_blocks(params["certificate"])])
    left = differs()
    kept = {name for name in left.after if name != "serves" and left.before[name] != left.after[name]}
    if kept:
        text = "The server accepted the certificates, and still names others ({0}).".format(", ".join(sorted(kept)))
        raise Refusal("WA_CERTIFICATE_NOT_TAKEN", text)


def upload(client: Client, path: str, parts: t.Iterable[str]) -> None:
    """Sends PEM. Sending it twice does no harm."""
    client.call("POST", path, body="".join(parts).encode(), content_type=PEM_TYPE, repeatable=True)


def prove(params: t.Mapping[str, t.Any], found: Difference) -> None:
    """Raises a Refusal, or a ClientError, where it is not as it has to be, or cannot be verified."""
    if found.differs:
        wrong = [url for url, sha256 in found.before.get("serves", {}).items() if sha256 != found.after["serves"][url]]
        text = "{0} does not serve the certificate of {1}.".format(" and ".join(wrong), CHAIN)
        if not wrong:
            text = "The API does not name the certificates of {0}.".format(
                CHAIN if params["purpose"] == "api" else WEBHOOK
            )
        raise Refusal("WA_CERTIFICATE_NOT_SERVED", text)
    for url in params["api_url"] if params["purpose"] == "api" else []:
        try:
            client_from({**params, "api_url": [url], "trusted_certificates": []}).health()
        except ApiError:  # who refuses has shown a certificate that is verified
            continue


def shown(one: Certificate) -> dict[str, t.Any]:
    """A certificate as it is returned."""
    days = {"begins": day_of(one.begins), "ends": day_of(one.ends)}
    return dict(days, sha256=one.sha256, subject=one.subject, names=list(one.names))


def main() -> None:
    module = AnsibleModule(
        argument_spec=dict(
            api_options(),
            purpose={"type": "str", "choices": ["api", "webhook"], "required": True},
            state={"type": "str", "choices": ["present", "absent", "query", "served"], "default": "present"},
            certificate={"type": "str"},
            private_key={"type": "str", "no_log": True},
            names={"type": "list", "elements": "str", "default": []},
        ),
        required_if=[("state", "present", ["certificate"]), ("state", "served", ["certificate"])],
        supports_check_mode=True,
    )
    if not HAS_CRYPTOGRAPHY:
        module.fail_json(msg=missing_required_lib("cryptography"))
    params = module.params
    result: dict[str, t.Any] = {"changed": False, "problems": []}
    try:
        work(module, params, result)
    except (ClientError, Refusal) as error:
        fail(module, error, **result)
    module.exit_json(**result)


def work(module: AnsibleModule, params: t.Mapping[str, t.Any], result: dict[str, t.Any]) -> None:
    """Fills the result. Raises a ClientError or a Refusal."""
    of_api = params["purpose"] == "api"
    if of_api and params["state"] == "absent":
        raise Refusal(CODE, "The API has no way to delete a chain; allowed is to delete the CA of the webhook.")
    if of_api and params["state"] == "present" and not params["private_key"]:
        raise Refusal(CODE, "wa_api_certificate_key is not set; wa_api_certificate needs it.")
    if params["state"] == "query":
        result.update(query(client_from(params, asks_every_url=of_api), params), restart_required=[])
        return
    certificates: tuple[Certificate, ...] = ()
    if params["state"] != "absent":
        certificates, problems = read(params)
        result["problems"] = [problem.as_dict() for problem in problems]
        if problems:
            raise refusal_for(CODE, problems)
    client = client_from(params)

    def difference() -> Difference:
        if not of_api:
            return of_the_webhook(client, certificates)
        serves = fingerprints_by_url(served_by(params["api_url"], params["api_timeout"]))
        return of_the_api(client, certificates, serves)

    found = difference()
    variable = CHAIN if of_api else WEBHOOK
    result.update(
        certificates=[shown(one) for one in certificates],
        notes=expiry_notes(variable, certificates, int(time.time())),
        restart_required=["webapps" if of_api else "coreapps"] if found.differs else [],
    )
    if of_api:
        result["serves"] = found.before["serves"]
    if params["state"] == "served":
        prove(params, found)
        return
    result["diff"] = {"before": found.before, "after": found.after}
    if found.differs and not module.check_mode:
        send(client, params, difference)
    result["changed"] = found.differs


if __name__ == "__main__":
    main()
