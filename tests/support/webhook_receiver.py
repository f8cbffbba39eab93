"""A business's webhook for benchmarks: HTTPS, in a process of its own, 200 to everything.

It keeps which status of which message was reported to it, how often, and when for the first time.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
import time
import typing as t
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from aiohttp import web
from ansible_collections.waent.fleet.tests.support import callback_schema
from waemu.web import tls

START_SECONDS = 20.0
Key = tuple[str, str]  # id of a message, and status


@dataclass
class Heard:
    """What was reported to it. times: Unix time of the first report; processor_seconds: what that cost the receiver."""

    counts: dict[Key, int] = field(default_factory=dict)
    times: dict[Key, float] = field(default_factory=dict)
    processor_seconds: float = 0.0


class Receiver:
    """Listens on an address of this machine that containers reach. Raises RuntimeError when it does not start."""

    def __init__(self, address: str) -> None:
        pem = tls.self_signed([address])
        self.ca = tls.certificates_of(pem)
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(address, pem, theirs), daemon=True)
        self._process.start()
        if not self._pipe.poll(START_SECONDS):
            raise RuntimeError(f"the webhook did not start within {START_SECONDS:.0f} s")
        self.url = f"https://{address}:{self._pipe.recv()}/hook"

    def __enter__(self) -> Receiver:
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.terminate()
        self._process.join()

    def heard(self) -> Heard:
        """All of it so far."""
        self._pipe.send("heard")
        return t.cast(Heard, self._pipe.recv())

    def count(self) -> int:
        """How many different statuses were reported so far."""
        self._pipe.send("count")
        return t.cast(int, self._pipe.recv())


def _serve(address: str, pem: str, pipe: Connection) -> None:
    asyncio.run(_Server(address, pem, pipe).run())


class _Server:
    """The process."""

    def __init__(self, address: str, pem: str, pipe: Connection) -> None:
        self._address, self._pipe = address, pipe
        self._heard = Heard()
        self._context = tls.server_context()
        tls.load(self._context, pem)

    async def run(self) -> None:
        """Until terminated."""
        server = web.Server(self._answer, access_log=None)
        listener = await asyncio.get_running_loop().create_server(server, self._address, 0, ssl=self._context)
        self._pipe.send(listener.sockets[0].getsockname()[1])
        asyncio.get_running_loop().add_reader(self._pipe.fileno(), self._asked)
        await asyncio.Event().wait()

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        for status in callback_schema.read(await request.read()).statuses:
            key = status.id, status.status
            self._heard.counts[key] = self._heard.counts.get(key, 0) + 1
            self._heard.times.setdefault(key, time.time())
        return web.Response()

    def _asked(self) -> None:
        request = self._pipe.recv()
        usage = resource.getrusage(resource.RUSAGE_SELF)
        self._heard.processor_seconds = usage.ru_utime + usage.ru_stime
        self._pipe.send(self._heard if request == "heard" else len(self._heard.counts))
