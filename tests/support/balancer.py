# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HAProxy in front of webapps on this machine, with the configuration that the documentation shows."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
import typing as t
from pathlib import Path

from ansible_collections.waent.fleet.tests.support.checkout import ROOT

EXAMPLE = ROOT / "docs" / "examples" / "haproxy.cfg"
SERVER = re.compile(r"^    server .*\n", re.MULTILINE)


def configuration(example: str, *, bind: str, certificate: Path, admin: Path, servers: t.Mapping[str, str]) -> str:
    """The documented configuration with this test's addresses in the place of the example's."""
    lines = "".join("    server {0} {1}\n".format(name, address) for name, address in servers.items())
    changed = SERVER.sub("", example) + lines
    for shown, used in (
        (":443", bind),
        ("/etc/haproxy/waent.pem", str(certificate)),
        ("/run/haproxy/admin.sock", str(admin)),
    ):
        assert shown in changed, "the example has another form than this expects"
        changed = changed.replace(shown, used, 1)
    return changed


class Balancer:
    """An HAProxy process; variables: what upgrade.yml has to know of it."""

    def __init__(self, home: Path, servers: t.Mapping[str, str]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.url = "https://127.0.0.1:{0}".format(port)
        admin, certificate, settings = home / "haproxy.sock", home / "haproxy.pem", home / "haproxy.cfg"
        key = home / "haproxy.key"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
            + ["-keyout", str(key), "-out", str(certificate)],
            check=True, capture_output=True,
        )  # fmt: skip
        certificate.write_text(certificate.read_text() + key.read_text())
        settings.write_text(
            configuration(
                EXAMPLE.read_text(), bind="127.0.0.1:{0}".format(port), certificate=certificate, admin=admin,
                servers=servers,
            )
        )  # fmt: skip
        examples = str(EXAMPLE.parent)
        self.variables: dict[str, t.Any] = {
            "wa_webapp_drain": examples + "/haproxy_drain.yml",
            "wa_webapp_undrain": examples + "/haproxy_undrain.yml",
            "wa_haproxy_socket": str(admin),
        }
        path = os.environ.get("PATH", os.defpath) + ":/usr/sbin"
        self.log = home / "haproxy.log"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                ["haproxy", "-f", str(settings)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, "PATH": path},
            )  # fmt: skip
        deadline = time.monotonic() + 10
        while not admin.exists():
            assert self._process.poll() is None and time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()
