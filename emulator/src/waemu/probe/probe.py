"""The run of a probe: an open loop of sends at a steady rate, and a reader of the ledger beside it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import threading
import time
from types import TracebackType
from typing import Any

import aiohttp

from waemu.probe.api import Gateway, Options, ProbeError, Webapp
from waemu.probe.ledger import LEDGER_EVERY, MARK, LedgerReader
from waemu.probe.report import Report, Sent, missing, summary
from waemu.shards import ALLOWED_COUNTS, shard_of

START_SECONDS = 60.0  # how long a webapp may take to let the probe in
PER_WEBAPP = 200  # connections at most: a client that opens one per message measures handshakes
BROKEN = (aiohttp.ClientError, OSError, TimeoutError)


class Probe:
    """One run: C(run), or C(start) and C(stop) from another thread, or a with statement."""

    def __init__(self, options: Options) -> None:
        problem = options.problem()
        if problem:
            raise ProbeError(problem)
        self.options = options
        self.sends: list[Sent] = []
        self._run_id = os.urandom(6).hex()
        self._ledger = LedgerReader(self._run_id)
        self._skipped = 0
        self._report: Report | None = None
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None
        self._stop_asked = threading.Event()
        self._ready = threading.Event()

    # -- beside other work ---------------------------------------------------------------------------------

    def start(self) -> Probe:
        """Begin in a thread; returns when the first message is due. Raises ProbeError when it cannot begin."""
        self._thread = threading.Thread(target=self._in_thread, name="probe", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._error is not None:
            raise self._error
        return self

    def ask_to_stop(self) -> None:
        """Send no more; the run ends when what is on its way is known."""
        self._stop_asked.set()

    def stop(self) -> Report:
        """Send no more, wait for what is on its way, and report. Raises ProbeError."""
        assert self._thread is not None, "start comes first"
        self.ask_to_stop()
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self.report

    @property
    def report(self) -> Report:
        """What was found, when the run is over."""
        if self._report is None:
            raise ProbeError("The probe has not ended yet.")
        return self._report

    def __enter__(self) -> Probe:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.stop()
        else:
            with contextlib.suppress(ProbeError):  # the other error is the one to be seen
                self.stop()

    def _in_thread(self) -> None:
        try:
            self.run()
        except BaseException as error:  # raised again in start and stop
            self._error = error
        finally:
            self._ready.set()

    # -- the run -------------------------------------------------------------------------------------------

    def run(self) -> Report:
        """All of it, until the seconds are over or stop was called. Raises ProbeError."""
        return asyncio.run(self.run_async())

    async def run_async(self) -> Report:
        """The same inside a running event loop."""
        timeout = aiohttp.ClientTimeout(total=self.options.timeout)
        # The images' certificates are self-signed.
        connector = aiohttp.TCPConnector(limit=0, limit_per_host=PER_WEBAPP, ssl=False)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            webapps = [Webapp(session, url, self.options) for url in self.options.webapps]
            gateway = Gateway(session, self.options.gateway)
            count = await self._begin(webapps, gateway)
            bans_before = len(await gateway.get("/bans"))
            repeats_before = (await gateway.get("/"))["repeats"]
            started_at, began = time.time(), time.monotonic()
            self._ready.set()
            reader = asyncio.create_task(self._ledger.run(gateway))
            try:
                await self._send_all(webapps, count, began)
                seconds = time.monotonic() - began
                await self._settle(reader)
            finally:
                reader.cancel()
            await self._ledger.read(gateway)
            bans = (await gateway.get("/bans"))[bans_before:]
            repeats = (await gateway.get("/"))["repeats"] - repeats_before
        self._report = summary(
            self.sends,
            self._ledger.seen,
            started_at=started_at,
            seconds=seconds,
            rate=self.options.rate,
            skipped=self._skipped,
            repeats=repeats,
            bans=bans,
        )
        return self._report

    async def _begin(self, webapps: list[Webapp], gateway: Gateway) -> int:
        """Log in everywhere; returns the shard count."""
        state = await gateway.get("/")
        self._ledger.start_at(state["ledger"])
        await asyncio.gather(*(self._let_in(webapp) for webapp in webapps))
        if self.options.shards:
            return self.options.shards
        status, body = await webapps[0].call("GET", "/v1/account/shards")
        if status != 200:
            raise ProbeError(f"{webapps[0].url} does not show the number of shards: HTTP {status}.")
        shards = int(body["account"]["shards"])
        if shards not in ALLOWED_COUNTS:
            raise ProbeError(f"{webapps[0].url} shows {shards} shards; known are {ALLOWED_COUNTS}.")
        return shards

    async def _let_in(self, webapp: Webapp) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                await webapp.login()
            except BROKEN as error:
                if time.monotonic() > deadline or self._stop_asked.is_set():
                    reason = str(error) or type(error).__name__
                    raise ProbeError(f"{webapp.url} does not answer: {reason}.") from error
                await asyncio.sleep(0.5)
                continue
            return

    async def _send_all(self, webapps: list[Webapp], count: int, began: float) -> None:
        """One message every 1/rate seconds whatever becomes of the others; waits for the last answers."""
        options, waiting = self.options, set[asyncio.Task[None]]()
        next_webapp = itertools.cycle(webapps)
        for number in range(int(options.rate * options.seconds)):
            delay = began + number / options.rate - time.monotonic()
            while delay > 0 and not self._stop_asked.is_set():
                await asyncio.sleep(min(delay, 0.2))
                delay = began + number / options.rate - time.monotonic()
            if self._stop_asked.is_set():
                break
            webapp = next(next_webapp)
            if len(waiting) >= options.in_flight:
                self._skipped += 1
                await asyncio.sleep(0)
                continue
            task = asyncio.create_task(self._send(webapp, number, count, began))
            waiting.add(task)
            task.add_done_callback(waiting.discard)
        if waiting:
            await asyncio.gather(*waiting)

    async def _send(self, webapp: Webapp, number: int, count: int, began: float) -> None:
        token = f"{self._run_id}-{number}"
        wa_id = f"1555{number % self.options.recipients:07d}"
        message = {"to": wa_id, "type": "text", "text": {"body": MARK + token}}
        sent = Sent(token, shard_of(wa_id, count), webapp.url, time.monotonic() - began)
        try:
            status, body = await webapp.call("POST", "/v1/messages", message)
        except BROKEN as error:
            sent.why = type(error).__name__
        else:
            if status == 201:
                sent.message_id = body["messages"][0]["id"]
            else:
                sent.why = f"HTTP {status} {_code(body)}".strip()
        sent.took = time.monotonic() - began - sent.at
        self.sends.append(sent)

    async def _settle(self, reader: asyncio.Task[None]) -> None:
        deadline = time.monotonic() + self.options.settle
        while missing(self.sends, self._ledger.ids) and time.monotonic() < deadline and not reader.done():
            await asyncio.sleep(LEDGER_EVERY / 2)


def _code(body: Any) -> str:
    """The first error's code."""
    try:
        return f"code {body['errors'][0]['code']}"
    except (KeyError, IndexError, TypeError):
        return ""
