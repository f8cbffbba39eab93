# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A registry's word on an image: a small real one on this machine answers, or does not."""

from __future__ import annotations

import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._io import registry


class Registry(BaseHTTPRequestHandler):
    """Has web:v2.19.4; wants credentials for secret, answers nonsense for broken."""

    def do_HEAD(self):
        self.server.seen.append((self.command, self.path, self.headers.get("Accept") or ""))
        status = {"/v2/web/manifests/v2.19.4": 200, "/v2/secret/manifests/v1": 401, "/v2/broken/manifests/v1": 500}
        self.send_response(status.get(self.path, 404))
        if self.path.startswith("/v2/secret"):
            self.send_header("WWW-Authenticate", 'Basic realm="x"')
        self.end_headers()

    def log_message(self, *_args):
        """Nothing on the terminal."""


@pytest.fixture
def server(monkeypatch):
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    server.seen = []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("image", "word", "reason"),
    [
        ("web:v2.19.4", "present", None),
        ("web:v9.9.9", "missing", "has no web:v9.9.9"),
        ("secret:v1", "unknown", "without credentials (HTTP 401)"),
        ("broken:v1", "unknown", "HTTP 500"),
    ],
)
def test_words(server, image, word, reason):
    name = "127.0.0.1:{0}/{1}".format(server.server_port, image)
    answer = registry.ask(name, timeout=5)
    assert answer[0] == word
    assert (answer[1] is None) if reason is None else (reason in answer[1])


def test_nothing_is_pulled_and_all_manifest_types_are_accepted(server):
    registry.ask("127.0.0.1:{0}/web:v2.19.4".format(server.server_port), timeout=5)
    assert [entry[:2] for entry in server.seen] == [("HEAD", "/v2/web/manifests/v2.19.4")]
    assert "manifest.list.v2+json" in server.seen[0][2]
    assert "oci.image.index" in server.seen[0][2]


def test_a_registry_that_does_not_answer_is_not_one_that_has_no_image(server):
    port = server.server_port
    server.shutdown()
    server.server_close()
    word, reason = registry.ask("127.0.0.1:{0}/web:v2.19.4".format(port), timeout=2)
    assert word == "unknown"
    assert "does not answer" in reason


def test_plain_http_is_for_named_registries_only(monkeypatch):
    urls = []

    def refuse(url, **_options):
        urls.append(url)
        raise OSError("refused")

    monkeypatch.setattr(registry, "open_url", refuse)
    registry.ask("reg.example.com:5000/web:v1", timeout=1)
    registry.ask("reg.example.com:5000/web:v1", timeout=1, insecure=["reg.example.com:5000"])
    assert [url.split(":")[0] for url in urls] == ["https", "https", "http"]


def test_a_registry_without_tls_is_reported_as_such(server, monkeypatch):
    """Not over loopback, so plain HTTP is not tried; the server is real all the same."""
    monkeypatch.setattr(registry.re, "match", lambda *_arguments: None)
    word, reason = registry.ask("127.0.0.1:{0}/web:v2.19.4".format(server.server_port), timeout=5)
    assert (word, registry.PLAIN_HTTP in reason) == ("unknown", True)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("docker.whatsapp.biz/web:v2.19.4", ("docker.whatsapp.biz", "web", "v2.19.4")),
        ("localhost/web", ("localhost", "web", "latest")),
        ("reg:5000/a/b:1", ("reg:5000", "a/b", "1")),
        ("mariadb:10.11", ("registry-1.docker.io", "library/mariadb", "10.11")),
        ("waent/mariadb", ("registry-1.docker.io", "waent/mariadb", "latest")),
        ("reg.io/web:v1@sha256:ab", ("reg.io", "web", "sha256:ab")),
    ],
)
def test_references(text, parts):
    assert registry.parse_image(text) == parts


@pytest.mark.parametrize("before", [None, "http://other:3128"])
def test_the_engines_proxy_is_asked_through_and_then_forgotten(server, monkeypatch, before):
    if before:
        monkeypatch.setenv("https_proxy", before)
    monkeypatch.setattr(registry, "open_url", lambda url, **_options: seen.append(os.environ.get("https_proxy")) or ok)
    seen, ok = [], SimpleNamespace(status=200)
    assert registry.ask("reg.example.com/web:v2.19.4", timeout=1, proxy="http://proxy:3128") == ("present", None)
    assert registry.ask("reg.example.com/web:v2.19.4", timeout=1) == ("present", None)
    assert seen == ["http://proxy:3128", before] and os.environ.get("https_proxy") == before
