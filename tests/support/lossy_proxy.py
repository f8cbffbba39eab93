# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy before webapps that ends TLS, and loses what it is asked to lose.

Runs in a container of its own, with the standard library alone: C(python3 lossy_proxy.py UPSTREAM PATH PORT ...), with
key and certificate in server.pem beside it. UPSTREAM: the address where the webapps are, on the same ports. PATH: of
the POST whose connection is cut the first time; the webapps never get that call. While there is a file C(unread) beside
it, support shows an error in the place of the node that this names, as of one that begins to restart between two calls.
"""

from __future__ import annotations

import http.client
import http.server
import json
import ssl
import sys
import threading
from pathlib import Path

HOME = Path(__file__).parent
NOT_READY = {"errors": [{"code": 1011, "title": "Service not ready", "details": "The node does not answer"}]}
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}


def handler(upstream: str, port: int, path: str, left: list[str]) -> type[http.server.BaseHTTPRequestHandler]:
    """What answers on a port. left: what is still to be cut; it is shared by all ports."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.command == "POST" and self.path == path and left:
                left.pop()
                print("cut", self.path, flush=True)
                self.close_connection = True
                return
            context = ssl._create_unverified_context()  # the webapps' own certificate is self-signed
            link = http.client.HTTPSConnection(upstream, port, timeout=120, context=context)
            headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
            try:
                link.request(self.command, self.path, body or None, headers)
                answer = link.getresponse()
                content = answer.read()
            except (OSError, http.client.HTTPException):
                self.close_connection = True
                return
            finally:
                link.close()
            if self.path == "/v1/support" and (HOME / "unread").exists():
                content = without((HOME / "unread").read_text(), content)
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

        def log_message(self, *_arguments: object) -> None:
            """Quiet."""

    return Handler


def without(node: str, content: bytes) -> bytes:
    """The support report, of which one node has no part."""
    body = json.loads(content)
    body["support"][node] = NOT_READY
    return json.dumps(body).encode()


def main() -> None:
    upstream, path, *ports = sys.argv[1:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(HOME / "server.pem")
    left = [path]
    for port in map(int, ports):
        server = http.server.ThreadingHTTPServer(("", port), handler(upstream, port, path, left))
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever).start()


if __name__ == "__main__":
    main()
