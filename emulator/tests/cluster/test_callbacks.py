"""Callbacks of a cluster whose nodes share WA_SECRET: what one owner could not deliver, the next one does (4.8)."""

from __future__ import annotations

import http.client
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.cluster.conftest import Cluster
from tests.core.conftest import certificate
from waemu.seal import SEALED_TYPE, Seal, nonce_of
from waemu.wire import CoreError

SECRET = "between-us-17"
MESSAGES = 3


class Sealed(Cluster):
    """A cluster that answers only those who know its secret."""

    seal = Seal(SECRET)

    def call(self, kind: str, port: int, method: str, path: str, body: Any = None) -> Any:
        """One request to a node. Raises CoreError; 1014 when nobody answers."""
        sealed = self.seal.close(f"{method} {path}", b"" if body is None else msgspec.json.encode(body))
        connection = http.client.HTTPConnection(self.address(kind), port, timeout=5)
        try:
            connection.request(method, path, sealed)
            answer = connection.getresponse()
            content = answer.read()
        except OSError as error:
            raise CoreError(1014, str(error)) from error
        finally:
            connection.close()
        if answer.headers.get_content_type() == SEALED_TYPE:
            content = self.seal.open(nonce_of(sealed), content)
        if answer.status != 200:
            raise CoreError.of_reply(answer.status, content)
        return msgspec.json.decode(content)


class Hook:
    """A webhook on this machine that containers reach. status: what it answers."""

    def __init__(self, address: str, folder: Path) -> None:
        self.status = 500
        self.got: list[tuple[str, dict[str, Any]]] = []  # from which address, and what
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if hook.status == 200:
                    hook.got.append((self.client_address[0], body))
                self.send_response(hook.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_args: Any) -> None:
                """Say nothing."""

        context, self.ca = certificate(folder, address)
        self.server = http.server.ThreadingHTTPServer((address, 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://{address}:{self.server.server_address[1]}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def statuses(self) -> dict[str, set[str]]:
        """What was told of each message."""
        found: dict[str, set[str]] = {}
        for _sender, body in self.got:
            for item in body.get("statuses", ()):
                found.setdefault(item["id"], set()).add(item["status"])
        return found


@pytest.fixture(scope="module")
def cluster(new_cluster: Callable[..., Cluster], engine: Any) -> Iterator[Sealed]:
    """Two masters; the coreapps come with the test."""
    del new_cluster
    found = Sealed(engine, "callbacks", WA_SECRET=SECRET)
    try:
        found.database()
        for kind in ("master1", "master2"):
            found.node(kind)
        yield found
    finally:
        found.close()


def test_the_next_owner_delivers_what_the_last_one_could_not(cluster: Sealed, tmp_path: Path) -> None:
    cluster.register()
    cluster.network.reload()
    hook = Hook(cluster.network.attrs["IPAM"]["Config"][0]["Gateway"], tmp_path)
    pem = hook.ca.replace("\n", "\\n")
    cluster.sql(f"INSERT INTO configStore.certificates (kind, pem) VALUES ('webhooks', '{pem}')")
    primary = cluster.wait(cluster.primary, 60)
    change = {"webhooks": {"url": hook.url, "message": {"sent": True}}, "callback_backoff_delay_ms": 5000}
    cluster.call(primary, 6252, "PATCH", "/settings/application", change)
    for kind in ("coreapp1", "coreapp2"):
        cluster.node(kind)
    cluster.wait(lambda: set(cluster.owners()) == {-1, 0}, 60)
    owner = cluster.owners()[0]
    for _ in range(MESSAGES):
        cluster.send(owner)
    count = "SELECT COUNT(*) FROM callbackStore.callbacks"
    cluster.wait(lambda: cluster.sql(count) == [str(3 * MESSAGES)], 60)
    assert hook.got == []
    cluster.containers[owner].kill()
    cluster.wait(lambda: cluster.owners().get(0) not in (None, owner), 120)
    hook.status = 200
    cluster.wait(lambda: cluster.sql(count) == ["0"], 120)
    assert list(hook.statuses().values()) == [{"sent", "delivered", "read"}] * MESSAGES
    new = cluster.owners()[0]
    assert {sender for sender, _body in hook.got} == {cluster.address(new)}
    hook.server.shutdown()


def test_a_node_with_another_secret_is_a_stranger(cluster: Sealed) -> None:
    cluster.node("coreapp3", WA_SECRET="something-else")
    cluster.wait(lambda: "refused" in _log(cluster, "coreapp3"), 60)
    with pytest.raises(CoreError) as refusal:
        cluster.call("coreapp3", 6252, "GET", "/status")
    assert refusal.value.code == 1005
    assert cluster.owners().get(0) != "coreapp3"


def _log(cluster: Sealed, kind: str) -> str:
    return str(cluster.containers[kind].logs().decode())
