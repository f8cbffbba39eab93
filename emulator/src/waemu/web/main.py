"""The process of a webapp: environment, log, TLS, waiting for the schema, serving."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import signal
import sys
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from aiohttp import web as aiohttp_web

from waemu import logs, passwords, pidfile
from waemu.clock import Clock
from waemu.environment import ConfigError, WebEnv, idle_if_asked, web_env
from waemu.mediavolume import MEDIA_DIR
from waemu.protocol import seal
from waemu.protocol.client import CoreClient, new_session
from waemu.protocol.nodes import Endpoints
from waemu.schema import version as schema_version
from waemu.store import certificates, users
from waemu.store.engine import DB_ERRORS, make_engine
from waemu.store.timing import DbTiming
from waemu.web import authority, tls, tokens
from waemu.web.app import make_app
from waemu.web.auth import ROLE_ADMIN, Authenticator, utc_now
from waemu.web.errors import reason
from waemu.web.metrics import Metrics
from waemu.web.ratelimit import RateLimits
from waemu.web.routing import Cores
from waemu.web.webapp import Readiness, Webapp

if t.TYPE_CHECKING:
    import ssl

log = logging.getLogger("waemu.web")

HTTPS_PORT: t.Final = 443
CERTIFICATE_FILE: t.Final = Path("/var/lib/whatsapp/tls/webapp.pem")
"""The webapp's own key and certificate, kept for the next start."""

SCHEMA_POLL_SECONDS: t.Final = 1.0
"""Real seconds between readings of the schema while a webapp waits for it."""
FIRST_READ_SECONDS: t.Final = 10.0
"""How long the start waits for the database, so that an uploaded certificate is served from the first request on.

One that refuses does so at once. Whoever sees another certificate meanwhile would take it for somebody else's.
"""
CONNECTIONS: t.Final = 5
"""To the database, at most."""

THREADS: t.Final = 24
"""For name resolution and password hashes; host names that hang must not hold up logins."""


def main() -> int:
    """Run until stopped. Returns the exit code: 0 after a signal, 1 when the webapp cannot work."""
    try:
        env = web_env()
    except ConfigError as error:
        print(error, file=sys.stderr, flush=True)
        idle_if_asked()
        return 1
    logs.setup(file=logs.WEB_LOG)
    _log_errors(logs.LIGHTTPD_ERROR_LOG)
    pidfile.write(pidfile.WEB)
    try:
        asyncio.run(serve(env, port=HTTPS_PORT, media_dir=MEDIA_DIR))
    except tls.BrokenChain as error:
        log.critical("%s The web server cannot start.", error)
        return 1
    except OSError as error:
        log.critical("Port %d cannot be opened: %s", HTTPS_PORT, error.strerror)
        return 1
    return 0


def _log_errors(file: Path) -> None:
    """Errors also go where the product's web server has its error log, which diagnostic tools collect."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(file)
    except OSError as error:
        log.warning("No error log %s: %s", file, error.strerror)
        return
    handler.setLevel(logging.ERROR)
    handler.setFormatter(logs.LineFormat())
    logging.getLogger().addHandler(handler)


async def serve(env: WebEnv, *, port: int, media_dir: Path) -> None:
    """Serve until SIGTERM or SIGINT. Raises BrokenChain when the uploaded certificate cannot be served."""
    stop = _stop_at_signal()
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="web"))
    context = tls.server_context(env.security_level)
    await asyncio.to_thread(tls.load_kept, context, host_names(env), CERTIFICATE_FILE)
    async with open_webapp(env, media_dir) as webapp:
        first_read = asyncio.Event()
        preparing = asyncio.create_task(prepare(webapp, context, first_read))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(first_read.wait(), FIRST_READ_SECONDS)
        if preparing.done():
            preparing.result()
        runner = aiohttp_web.AppRunner(make_app(webapp), access_log=None, shutdown_timeout=5)
        await runner.setup()
        webapp.metrics.connections = lambda: len(runner.server.connections) if runner.server else 0
        try:
            await aiohttp_web.TCPSite(runner, port=port, ssl_context=context).start()
            log.info("Serving HTTPS on port %d, version %s", port, env.version)
            await _until_stopped(stop, preparing)
        finally:
            preparing.cancel()
            await runner.cleanup()


@contextlib.asynccontextmanager
async def open_webapp(env: WebEnv, media_dir: Path) -> t.AsyncIterator[Webapp]:
    """Everything endpoints work with; connections are closed at the end."""
    clock = Clock(env.divisor)
    engine = make_engine(env.db, size=CONNECTIONS if env.db.persistent else 0)
    if not env.jwt_key:
        log.warning("WA_WEB_JWT_CRYPTO_KEY is not set: tokens of this webapp are good on this container only")
    session = new_session(limit=0)
    webapp = Webapp(
        env=env,
        clock=clock,
        engine=engine,
        auth=Authenticator(
            standings=functools.partial(users.standing, engine),
            jwt_key=env.jwt_key or tokens.random_key(),
            api_key=env.api_key or None,
            now=utc_now,
            monotonic=time.monotonic,
        ),
        cores=Cores(
            engine,
            CoreClient(session, clock, seal.make(env.secret)),
            clock,
            single=None if env.multiconnect else Endpoints(env.wacore_hostname),
        ),
        limits=RateLimits(env.version, env.rate_limit_factor),
        metrics=Metrics(env.container, started=time.monotonic(), now=time.monotonic),
        media_dir=media_dir,
        db_timing=DbTiming(engine),
    )
    try:
        yield webapp
    finally:
        await webapp.finish()
        await session.close()
        await engine.dispose()


async def prepare(webapp: Webapp, context: ssl.SSLContext | None, first_read: asyncio.Event | None = None) -> None:
    """Wait for the schema, serve the uploaded certificate if there is one, make the first user, be ready.

    first_read is set after the first reading of the database, whatever it showed. Raises BrokenChain.
    """
    last = ""
    while webapp.readiness is not Readiness.READY:
        try:
            await _check_schema(webapp, context)
            text = webapp.readiness.value
        except DB_ERRORS as error:
            text = f"The database cannot be reached: {reason(error)}"
        finally:
            if first_read is not None:
                first_read.set()
        if text != last:
            log.info("Database: %s", text)
            last = text
        if webapp.readiness is not Readiness.READY:
            await asyncio.sleep(SCHEMA_POLL_SECONDS)


async def _check_schema(webapp: Webapp, context: ssl.SSLContext | None) -> None:
    """One reading of the schema, and what has to happen at the moment it is there."""
    levels = await schema_version.current(webapp.engine)
    if not all(levels.values()):
        return
    if webapp.readiness is Readiness.NO_SCHEMA:
        await _first_steps(webapp, context)
        webapp.readiness = Readiness.OLD_SCHEMA
    if not schema_version.behind(levels, schema_version.required(webapp.env.version)):
        webapp.readiness = Readiness.READY


async def _first_steps(webapp: Webapp, context: ssl.SSLContext | None) -> None:
    own = await _own_authority(webapp)
    pem = await certificates.read(webapp.engine, certificates.EXTERNAL)
    if pem is not None and context is not None:
        tls.load_uploaded(context, pem)
        log.info("Serving the uploaded certificate")
    elif context is not None:
        await asyncio.to_thread(_serve_own, context, own, host_names(webapp.env))
    hashed = await asyncio.to_thread(passwords.hash_password, passwords.DEFAULT_PASSWORD)
    if await users.add_first(webapp.engine, passwords.DEFAULT_ADMIN, hashed, ROLE_ADMIN):
        log.info("Created the user %s", passwords.DEFAULT_ADMIN)


async def _own_authority(webapp: Webapp) -> str:
    """The installation's authority; the first webapp makes it, and another one when its year is over."""
    found = await certificates.read(webapp.engine, certificates.AUTHORITY)
    if found is not None:
        if not authority.expired(found, utc_now()):
            return found
        log.warning("The certificate authority of this installation has expired; here is a new one")
        await certificates.delete(webapp.engine, certificates.AUTHORITY)
    return await certificates.add(webapp.engine, certificates.AUTHORITY, authority.make(utc_now()))


def _serve_own(context: ssl.SSLContext, own: str, names: t.Sequence[str]) -> None:
    """Serve a certificate of the installation's authority: the one that is kept, where it is that."""
    pem = tls.kept(CERTIFICATE_FILE)
    if pem is None or not authority.fits(pem, own, names):
        pem = authority.issue(own, names, utc_now())
        tls.keep(CERTIFICATE_FILE, pem)
    tls.load(context, pem)


def host_names(env: WebEnv) -> list[str]:
    """The names the webapp's own certificate is good for."""
    names = [env.servername, env.hostname, env.container, "localhost", "127.0.0.1"]
    return list(dict.fromkeys(name for name in names if name))


def _stop_at_signal() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set; without a handler the first process of a container ignores SIGTERM."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def _until_stopped(stop: asyncio.Event, preparing: asyncio.Task[None]) -> None:
    """Return when stopped; raise what ended the preparation, if it fails."""
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({stopped, preparing}, return_when=asyncio.FIRST_COMPLETED)
    if preparing.done():
        preparing.result()
        await stopped
    stopped.cancel()
