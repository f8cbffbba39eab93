"""A webhook on this machine that containers reach, with a certificate of its own."""

from __future__ import annotations

import http.server
import json
import threading
from pathlib import Path
from typing import Any

from ansible_collections.waent.fleet.tests.support import callback_schema

from tests.core.conftest import certificate


class Hook:
    """status: what it answers."""

    def __init__(self, address: str, folder: Path) -> None:
        self.status = 500
        self.got: list[tuple[str, dict[str, Any]]] = []  # from which address, and what
        self.broken: list[str] = []  # callbacks that do not fit their schema, and why
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                try:
                    callback_schema.read(raw)
                except ValueError as error:
                    hook.broken.append(f"{error}: {raw.decode()}")
                body = json.loads(raw)
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
        """What was reported of each message."""
        found: dict[str, set[str]] = {}
        for _sender, body in self.got:
            for item in body.get("statuses", ()):
                found.setdefault(item["id"], set()).add(item["status"])
        return found
