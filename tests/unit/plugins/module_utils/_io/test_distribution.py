# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine says of an image in its registry; answers as Docker Engine 20.10 gives them, on a real socket."""

from __future__ import annotations

import base64
import json
import socketserver
import threading
import typing as t
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._io.distribution import ask_engine, meaning

IMAGE = "registry.example.com:5000/web:v2.19.4"


class Engine(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """One answer for all, and what was asked for."""

    daemon_threads = True
    answer: tuple[int, str] = (200, "{}")
    seen: t.ClassVar[list[tuple[str, str]]] = []


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        engine = t.cast("Engine", self.server)
        engine.seen.append((self.path, self.headers.get("X-Registry-Auth") or ""))
        status, body = engine.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def address_string(self) -> str:
        return "socket"

    def log_message(self, *_args: t.Any) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def engine(tmp_path: Path) -> t.Iterator[Engine]:
    server = Engine(str(tmp_path / "engine.sock"), Handler)
    Engine.seen.clear()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def ask(tmp_path: Path) -> tuple[str, str | None]:
    environ = {"DOCKER_HOST": "unix://{0}/engine.sock".format(tmp_path), "DOCKER_CONFIG": str(tmp_path)}
    return ask_engine(IMAGE, timeout=2, environ=environ)


def test_the_engine_is_asked_with_the_login_of_the_client(engine: Engine, tmp_path: Path) -> None:
    entry = {"auth": base64.b64encode(b"wa:canary").decode()}
    (tmp_path / "config.json").write_text(json.dumps({"auths": {"registry.example.com:5000": entry}}))
    assert ask(tmp_path) == ("present", None)
    ((path, login),) = engine.seen
    assert path == "/distribution/registry.example.com:5000/web:v2.19.4/json"
    sent = json.loads(base64.urlsafe_b64decode(login))
    assert sent == {"username": "wa", "password": "canary", "serveraddress": "registry.example.com:5000"}


def test_without_a_login_none_is_sent(engine: Engine, tmp_path: Path) -> None:
    assert ask(tmp_path) == ("present", None)
    assert engine.seen[0][1] == ""


def test_a_login_that_cannot_be_read_is_part_of_the_reason(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    engine.answer = (401, json.dumps({"message": "unauthorized: authentication required"}))
    word, reason = ask(tmp_path)
    assert word == "unknown"
    assert "cannot be used (" in str(reason) and "config.json cannot be read" in str(reason)


def test_an_answer_that_is_no_json_is_shown(engine: Engine, tmp_path: Path) -> None:
    engine.answer = (502, "Bad gateway")
    assert ask(tmp_path) == ("unknown", "registry.example.com:5000 could not be asked: Bad gateway")


def test_an_engine_that_does_not_answer_is_no_missing_image(tmp_path: Path) -> None:
    word, reason = ask(tmp_path)
    assert word == "unknown"
    assert "could not be asked: " in str(reason)


@pytest.mark.parametrize(
    ("status", "said", "login", "word", "part"),
    [
        (404, "manifest unknown: manifest unknown", True, "missing", "has no web:v2.19.4"),
        (404, "name unknown: repository name not known to registry", False, "missing", "has no web:v2.19.4"),
        (401, "no basic auth credentials", False, "unknown", "run docker login registry.example.com:5000 as "),
        (500, "unauthorized: authentication required", True, "unknown", "repeat docker login registry.example.com"),
        (403, "denied: requested access to the resource is denied", True, "unknown", "refuses the login"),
        (404, "page not found", False, "unknown", "could not be asked: page not found"),
        (500, "Get https://x/v2/: dial tcp: lookup x: no such host", False, "unknown", "no such host"),
        (500, "", False, "unknown", "could not be asked: HTTP 500"),
    ],
)
def test_what_answers_mean(status: int, said: str, login: bool, word: str, part: str) -> None:
    answer = meaning(IMAGE, status, said, login=login)
    assert answer[0] == word
    assert part in str(answer[1])


def test_a_mirror_that_lacks_an_image_is_not_the_last_word() -> None:
    said = "manifest unknown: manifest unknown"
    assert meaning("mariadb:10.11", 404, said, login=False, mirrors=True)[0] == "unknown"
    assert meaning("mariadb:10.11", 404, said, login=False)[0] == "missing"
    assert meaning(IMAGE, 404, said, login=False, mirrors=True)[0] == "missing"
