"""The emulator's webapp as a process of this machine, without its image."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import aiohttp
from ansible_collections.waent.fleet.tests.support.checkout import ROOT
from ansible_collections.waent.fleet.tests.support.this_machine import PATIENCE
from waemu.environment import DbEnv

SOURCE = ROOT / "emulator" / "src"
API_KEY = "an-api-key-of-some-length"
JWT_KEY = "the-same-key-on-every-webapp-of-this-cluster-0123456789"
# The image gives these places to the webapp alone; here they belong to the test.
PROGRAM = """
import pathlib, sys
from waemu import logs, pidfile
from waemu.web import main
main.HTTPS_PORT = int(sys.argv[1])
main.FIRST_READ_SECONDS = 30.0
main.MEDIA_DIR = pathlib.Path(sys.argv[2], "media")
logs.WEB_LOG = pathlib.Path(sys.argv[2], "log", "web.log")
pidfile.WEB = pathlib.Path(sys.argv[2], "lighttpd.pid")
logs.LIGHTTPD_ERROR_LOG = pathlib.Path(sys.argv[2], "log", "error.log")
main.CERTIFICATE_FILE = pathlib.Path(sys.argv[2], "webapp.pem")
code = main.main()
pathlib.Path(sys.argv[2], "modules").write_text(" ".join(sys.modules))
sys.exit(code)
"""


def free_port() -> int:
    """A port nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class WebappProcess:
    """One webapp process."""

    def __init__(self, home: Path, variables: dict[str, str]) -> None:
        self.port = free_port()
        self.home = home
        self._output = (home / "stdout").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(self.port), str(home)],
            cwd=SOURCE,  # where the program finds the emulator
            env={"PATH": os.environ["PATH"], **variables},
            stdout=self._output,
            stderr=self._output,
        )

    @property
    def output(self) -> str:
        """All it has said."""
        return (self.home / "stdout").read_text()

    def packages(self) -> set[str]:
        """What it had loaded when it ended, beyond Python's own library and what compilers add."""
        loaded = {name.partition(".")[0] for name in (self.home / "modules").read_text().split()}
        return {name for name in loaded - sys.stdlib_module_names if not name.startswith("_")} - {"cython_runtime"}

    def stop(self) -> int:
        """End it as Docker does, and return the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=PATIENCE)
        self._output.close()
        return code

    async def get(self, path: str, **headers: str) -> tuple[int, t.Any]:
        """Status and JSON body (None for others) of a GET over TLS, the certificate unchecked."""
        async with aiohttp.ClientSession() as session:
            url = f"https://127.0.0.1:{self.port}{path}"
            async with session.get(url, headers=headers, ssl=False) as response:
                is_json = response.content_type == "application/json"
                return response.status, await response.json() if is_json else None

    async def until(self, path: str, status: int, seconds: float = PATIENCE, **headers: str) -> t.Any:
        """Repeat a GET until it has a status; the body, or fail with what the process said."""
        deadline = time.monotonic() + seconds
        found: t.Any = None
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(aiohttp.ClientConnectorError):
                found, body = await self.get(path, **headers)
                if found == status:
                    return body
            await asyncio.sleep(0.05)
        raise AssertionError(f"{path} last answered {found}; the webapp said:\n{self.output}")


def webapp_variables(database: DbEnv, **changes: str) -> dict[str, str]:
    """A complete environment, with changes."""
    return {
        "WAEMU_VERSION": "v2.19.4",
        "WA_DB_ENGINE": database.engine,
        "WA_DB_HOSTNAME": database.hostname,
        "WA_DB_PORT": str(database.port),
        "WA_DB_USERNAME": database.username,
        "WA_DB_PASSWORD": database.password,
        "WA_APP_MULTICONNECT": "1",
        "WA_API_KEY": API_KEY,
        "WA_WEB_JWT_CRYPTO_KEY": JWT_KEY,
        "WA_WEB_SERVERNAME": "api.example.test",
        **changes,
    }
