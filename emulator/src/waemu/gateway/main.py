"""A container of the image gateway: C(python -m waemu.gateway)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiohttp import web

from waemu import environment, logs
from waemu.clock import Clock
from waemu.environment import GatewayEnv
from waemu.gateway import server
from waemu.gateway.admin import Admin
from waemu.gateway.receipts import Receipts
from waemu.gateway.state import Gateway

log = logging.getLogger("waemu.gateway")


@dataclass(frozen=True)
class Listening:
    """A gateway that serves, and the ports it really has."""

    gateway: Gateway
    node_port: int
    admin_port: int


@contextlib.asynccontextmanager
async def serve(env: GatewayEnv, host: str = "0.0.0.0") -> AsyncIterator[Listening]:
    """A running gateway; port 0 is any free one. Raises OSError when a port is taken."""
    gateway = Gateway(Clock(env.divisor), env.registration_code)
    runners: list[web.AppRunner] = []
    receipts = Receipts(gateway)
    sending = asyncio.create_task(receipts.run())
    try:
        ports = []
        for app, port in ((server.app(gateway, receipts), env.node_port), (Admin(gateway).app(), env.admin_port)):
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
            runners.append(runner)
            await runner.setup()
            await web.TCPSite(runner, host, port).start()
            ports.append(runner.addresses[0][1])
        yield Listening(gateway, *ports)
    finally:
        sending.cancel()
        for runner in runners:
            await runner.cleanup()


async def run(env: GatewayEnv) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with serve(env) as listening:
        log.info("Nodes connect to port %d, tests ask port %d", listening.node_port, listening.admin_port)
        await stop.wait()


def main() -> int:
    """Exit 0 when stopped, 1 after a bad value or a port that is taken."""
    logs.setup()
    try:
        asyncio.run(run(environment.gateway_env()))
    except environment.ConfigError as error:
        log.error("%s", error)
        return 1
    except OSError as error:
        log.error("Cannot listen: %s", error)
        return 1
    return 0
