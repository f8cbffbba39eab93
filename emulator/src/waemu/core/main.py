"""A container of the image coreapp: C(python -m waemu.core)."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import time
import traceback
from collections.abc import Callable

from aiohttp import ClientSession

from waemu import environment, logs, pidfile
from waemu.clock import Clock
from waemu.core.connection import Connection
from waemu.core.coreapp import Coreapp, Restart
from waemu.core.gateway_link import GatewayLink
from waemu.core.loopback import Loopback
from waemu.core.master import Master
from waemu.core.node import Node
from waemu.core.primary_api import PrimaryApi
from waemu.core.registrar import GatewayRegistrar, OwnRegistrar, Registrar
from waemu.core.remote_link import RemoteLink
from waemu.core.schema_wait import Schema
from waemu.core.server import Server
from waemu.environment import ConfigError, NodeEnv
from waemu.protocol import seal
from waemu.protocol.client import CoreClient, new_session
from waemu.store.engine import make_engine
from waemu.whatsapp.directory import NOT_A_USER
from waemu.whatsapp.users import Users

log = logging.getLogger("waemu.core")


async def run(env: NodeEnv) -> None:
    """One node, until cancelled. Raises Restart when the process has to end and be started again."""
    clock = Clock(env.divisor)
    engine = make_engine(env.db)
    async with new_session() as session:
        node = Node(env, clock, engine, CoreClient(session, clock, seal.make(env.secret)))
        connection = Connection(_link(node, session), clock, node.refused)
        duty = Master(node, connection) if env.is_master else Coreapp(node, connection)
        server = Server(node, duty, PrimaryApi(node, _registrar(node, session), _primary_test(duty, env)))
        node.log_identity()
        await server.start()
        try:
            await duty.run(Schema(node))
        finally:
            await connection.drop("stopping")
            await server.stop()
            await engine.dispose()


def _link(node: Node, session: ClientSession) -> GatewayLink:
    """The way to WhatsApp: a gateway where one is named, else none leaves this process."""
    if node.env.gateway_url:
        return RemoteLink(session, node.env.gateway_url, node.clock, node.hello)
    users = Users()
    for wa_id in node.env.not_on_whatsapp:
        users.change(wa_id, NOT_A_USER)
    return Loopback(node.clock, users.directory(str(node.env.version)), users)


def _registrar(node: Node, session: ClientSession) -> Registrar:
    if node.env.gateway_url:
        return GatewayRegistrar(CoreClient(session, node.clock), node.env.gateway_url)
    return OwnRegistrar(node.env, node.clock.now)


def _primary_test(duty: Coreapp | Master, env: NodeEnv) -> Callable[[], bool]:
    """Whether account, shards and settings are this node's business at the moment (3.1)."""
    if isinstance(duty, Master):
        return lambda: duty.is_primary
    return lambda: not env.multiconnect


async def _until_signal(env: NodeEnv) -> None:
    """Run the node; SIGTERM and SIGINT end it at once and cleanly."""
    task = asyncio.create_task(run(env))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        log.info("Stopped")
    except BaseExceptionGroup as group:
        if group.subgroup(Restart) is None:
            raise
        log.info("Stopped, to be started again")


def _crash(instance: int) -> None:
    """What went wrong, where the product's diagnostic tools look for it (2.3)."""
    text = traceback.format_exc()
    log.critical("Crashed: %s", text.strip().splitlines()[-1])
    try:
        logs.CORE_LOG_DIR.mkdir(parents=True, exist_ok=True)
        (logs.CORE_LOG_DIR / f"wa-service-{instance}-crash.log").write_text(text)
    except OSError as error:
        log.error("No crash log: %s", error)
    sys.stderr.write(text)


def main() -> int:
    """Exit 0 when stopped or to be restarted, 1 after a bad value or a crash."""
    logs.setup(file=logs.CORE_LOG)
    pidfile.write(pidfile.CORE)
    try:
        env = environment.node_env()
        if env.db_upgrade:
            from waemu import upgrade  # Alembic is loaded only here

            return upgrade.main()
        asyncio.run(_until_signal(env))
    except ConfigError as error:
        log.error("%s", error)
        environment.idle_if_asked()
        return 1
    except OSError as error:
        log.error("Cannot listen: %s", error)
        return 1
    except Exception:
        _crash(int(time.time()))
        return 1
    return 0
