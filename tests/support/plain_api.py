# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API as a person with curl uses it after `docker-compose up`; benchmarks compare playbooks with that."""

from __future__ import annotations

import base64
import json
import ssl
import sys
import time
import typing as t
import urllib.error
import urllib.request

CODE = "123456"
"""What the emulator's gateway takes for every number, where its code is not set."""


class PlainApi:
    """One webapp. url: as C(https://127.0.0.1:9090). every: seconds between two questions while something comes up."""

    def __init__(self, url: str, every: float) -> None:
        self.url, self.every = url, every
        self._authorization = ""

    def call(self, method: str, path: str, body: t.Any = None) -> tuple[int, t.Any]:
        """Status and body of one call; (0, None) while nobody answers."""
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/v1{path}", content, method=method)
        request.add_header("Content-Type", "application/json")
        request.add_header("Authorization", self._authorization)
        context = ssl._create_unverified_context()  # the images' own certificate is self-signed
        try:
            with urllib.request.urlopen(request, timeout=60, context=context) as reply:
                return reply.status, json.load(reply)
        except urllib.error.HTTPError as error:
            return error.code, None
        except OSError:
            return 0, None

    def until(self, what: str, probe: t.Callable[[], t.Any], seconds: float = 300) -> t.Any:
        """The first true answer of probe; ends the program when none comes in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            answer = probe()
            if answer:
                return answer
            time.sleep(self.every)
        return sys.exit(f"No {what} within {seconds} s.")

    def log_in(self, password: str) -> None:
        """The first login, which gives admin a new password, as soon as one is possible."""

        def token() -> str:
            self._authorization = "Basic " + base64.b64encode(b"admin:secret").decode()
            status, body = self.call("POST", "/users/login", {"new_password": password})
            return body["users"][0]["token"] if status == 200 else ""

        self._authorization = "Bearer " + self.until("login", token)

    def register(self, account: t.Mapping[str, str]) -> None:
        """Request a code and verify it. account: cc, phone_number, method, cert."""
        self.until("registration", lambda: self.call("POST", "/account", account)[0] in (201, 202))
        self.until("verification", lambda: self.call("POST", "/account/verify", {"code": CODE})[0] == 201)

    def health(self) -> list[dict[str, t.Any]]:
        """What it says of every node; nothing while nobody answers."""
        _, body = self.call("GET", "/health")
        return list(((body or {}).get("health") or {}).values())
