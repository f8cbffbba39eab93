# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real HTTPS server with scripted answers, and what is needed to run a module against it."""

from __future__ import annotations

import contextlib
import datetime
import http.server
import ipaddress
import json
import ssl
import threading
import typing as t
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

META = {"version": "v2.19.4", "api_status": "stable"}
WRITES = ("POST", "PUT", "PATCH", "DELETE")
DROP = "drop the connection"
GARBAGE = b"<html>not ours</html>"


@dataclass
class Call:
    """One request as the server got it."""

    method: str
    path: str
    authorization: str | None
    body: t.Any
    content_type: str = "application/json"

    @property
    def what(self) -> tuple[str, str]:
        """Method and path."""
        return self.method, self.path


@dataclass
class Answer:
    """One scripted answer. C(body) DROP closes the connection after the request was read; bytes are sent as is."""

    status: int
    body: t.Any
    headers: dict[str, str] = field(default_factory=dict)


def certificate(directory, *, names=("localhost", "127.0.0.1"), days=2, issuer=None):
    """Writes key and certificate and returns their paths. Negative C(days): expired that long ago."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.timezone.utc)
    start = now - datetime.timedelta(days=30)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    alternatives = [x509.IPAddress(ipaddress.ip_address(n)) if n[0].isdigit() else x509.DNSName(n) for n in names]
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_path, key_path = directory / "cert.pem", directory / "key.pem"
    cert_path.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert_path, key_path


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that breaks off is part of the tests."""


class ScriptedApi:
    """Answers as scripted, in order; the last answer for a method and path stays. Anything else is an error."""

    def __init__(self, cert_path=None, key_path=None, address=("127.0.0.1", 0)):
        self.calls: list[Call] = []
        self.unexpected: list[tuple[str, str]] = []
        self._script: dict[tuple[str, str], list[t.Any]] = {}
        self._server = _Server(address, self._handler())
        self.ca_path = str(cert_path) if cert_path else None
        if cert_path:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(str(cert_path), str(key_path))
            # Handshakes happen in the handler's thread: a client that gives up must not stop the next one.
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    @property
    def url(self) -> str:
        """The base URL."""
        return "https://127.0.0.1:{0}".format(self.port)

    def on(self, method, path, body=None, status=200, **headers):
        """The next answer to this. A callable body is given the call and answers C((status, body))."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self._script.setdefault((method, path), []).append(Answer(status, body, headers))
        return self

    def refuse(self, method, path, code, title="", details="", status=400):
        """The next answer to this is an error in the API's own form."""
        body = {"errors": [{"code": code, "title": title, "details": details}], "meta": META}
        return self.on(method, path, body, status=status)

    @property
    def whats(self) -> list[tuple[str, str]]:
        """Method and path of all calls."""
        return [call.what for call in self.calls]

    @property
    def writes(self) -> list[tuple[str, str]]:
        """Method and path of the calls that may change something."""
        return [call.what for call in self.calls if call.method in WRITES]

    def close(self):
        """Stops the server."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def _next(self, call):
        queue = self._script.get(call.what)
        if not queue:
            self.unexpected.append(call.what)
            return Answer(599, {"errors": [{"code": 1, "title": "not in the script", "details": str(call.what)}]})
        return queue.pop(0) if len(queue) > 1 else queue[0]

    def _handler(self):
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def _serve(self):
                length = int(self.headers.get("Content-Length") or 0)
                raw = self.rfile.read(length) if length else b""
                kind = self.headers.get("Content-Type", "application/json")
                # What is not sent as JSON, such as a photo or a certificate, is kept as it came.
                body = (json.loads(raw) if kind == "application/json" else raw) if raw else None
                call = Call(self.command, self.path, self.headers.get("Authorization"), body, kind)
                api.calls.append(call)
                answer = api._next(call)
                status, content = answer.status, answer.body
                if callable(content):
                    status, content = content(call)
                if content is DROP:
                    self.close_connection = True
                    return
                data = (
                    content if isinstance(content, bytes) else b"" if content is None else json.dumps(content).encode()
                )
                self.send_response(status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

            def log_message(self, *_args):
                """Quiet."""

        return Handler


class ManualClock:
    """Time that passes only when somebody sleeps."""

    def __init__(self):
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        """Passes the time."""
        self.slept.append(seconds)
        self.now += seconds


def run_module(module, capfd, *, check=False, diff=False, **args):
    """The result of a module's C(main()), as the controller reads it from standard output."""
    from ansible.module_utils.testing import patch_module_args

    options = dict(args, _ansible_check_mode=check, _ansible_diff=diff, _ansible_remote_tmp="/tmp")
    capfd.readouterr()
    with patch_module_args(options), contextlib.suppress(SystemExit):
        module.main()
    out, _err = capfd.readouterr()
    result = json.loads(out.strip().splitlines()[-1])
    result.pop("invocation", None)
    return result
