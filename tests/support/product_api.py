# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The product's API as the tests see it: plain HTTPS, nothing of the collection's own client.

What the tests say about the API is the product's documentation: sections are those of the vendor's reference.
"""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import typing as t

TIMEOUT_SECONDS = 10


class Answer(t.NamedTuple):
    """What came back: status, and the body where it is JSON (None where it is not)."""

    status: int
    body: t.Any


class Api:
    """The API of one webapp. A context manager: it logs out at the end."""

    def __init__(self, address: str, port: int, password: str, user: str = "admin") -> None:
        self.address, self.port = address, int(port)
        self._basic = base64.b64encode("{0}:{1}".format(user, password).encode()).decode()
        self.bearer = ""
        # The certificate of a new installation is signed by itself; whom we talk to is not what is tested here.
        self._tls = ssl.create_default_context()
        self._tls.check_hostname = False
        self._tls.verify_mode = ssl.CERT_NONE

    def __enter__(self) -> Api:
        answer = self.send("POST", "/v1/users/login", authorization="Basic " + self._basic)
        assert answer.status == http.client.OK, "login: {0} {1}".format(answer.status, answer.body)
        self.bearer = "Bearer " + answer.body["users"][0]["token"]
        return self

    def __exit__(self, *_exc: object) -> None:
        self.send("POST", "/v1/users/logout")

    def send(self, method: str, path: str, body: t.Any = None, authorization: str | None = None) -> Answer:
        """One request, with our token unless another (or with C("") no) authorization is given."""
        headers = {"Content-Type": "application/json"}
        authorization = self.bearer if authorization is None else authorization
        if authorization:
            headers["Authorization"] = authorization
        connection = http.client.HTTPSConnection(self.address, self.port, timeout=TIMEOUT_SECONDS, context=self._tls)
        try:
            connection.request(method, path, body=None if body is None else json.dumps(body), headers=headers)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        is_json = "json" in response.headers.get("Content-Type", "") and content
        return Answer(response.status, json.loads(content) if is_json else None)

    def health(self) -> dict[str, dict[str, t.Any]]:
        """C(GET /v1/health): node key to C({gateway_status, role}) or C({errors})."""
        answer = self.send("GET", "/v1/health")
        assert answer.status == http.client.OK, "health: {0} {1}".format(answer.status, answer.body)
        health: dict[str, dict[str, t.Any]] = answer.body["health"]
        return health

    def connected_coreapps(self) -> set[str]:
        """Keys of the coreapps that are connected: in health that is what owning a shard looks like."""
        return self._coreapps("connected")

    def standby_coreapps(self) -> set[str]:
        """Keys of the coreapps that hold nothing and could."""
        return self._coreapps("disconnected")

    def _coreapps(self, gateway_status: str) -> set[str]:
        return {
            key
            for key, node in self.health().items()
            if node.get("role") == "coreapp" and node.get("gateway_status") == gateway_status
        }

    def owners(self) -> dict[int, list[str]]:
        """C(GET /v1/support): shard to the keys of the nodes that say they own it; the control shard is -1."""
        answer = self.send("GET", "/v1/support")
        assert answer.status == http.client.OK, "support: {0} {1}".format(answer.status, answer.body)
        found: dict[int, list[str]] = {}
        for key, node in answer.body["support"].items():
            if isinstance(node, dict):
                for first, last in node.get("shards", []):
                    for shard in range(first, last + 1):
                        found.setdefault(shard, []).append(key)
        return found

    def send_text(self, recipient: str, text: str) -> Answer:
        """C(POST /v1/messages): a text message; 201 means that the owner of the recipient's shard has queued it."""
        return self.send("POST", "/v1/messages", {"to": recipient, "type": "text", "text": {"body": text}})
