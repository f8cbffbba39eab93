"""What coreapps and masters have in common: who they are, what they last read, their row in the database."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import uuid
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncEngine

from waemu import codes, logs
from waemu.appsettings import AT_BOOT, leaves, nested, of_version
from waemu.clock import Clock
from waemu.core import decide
from waemu.core.database_calls import DatabaseCalls
from waemu.core.gateway_link import LinkDown, Refused
from waemu.environment import NodeEnv
from waemu.protocol.client import CoreClient
from waemu.protocol.gateway import Hello, digest
from waemu.protocol.nodes import CoreError, Endpoints
from waemu.shards import CONTROL_SHARD, stands_for
from waemu.store import cluster, config
from waemu.store.cluster import NodeRow, Owner, State
from waemu.store.config import Account
from waemu.store.engine import DB_ERRORS
from waemu.store.timing import DbTiming

T = TypeVar("T")
log = logging.getLogger("waemu.node")


class Node:
    """One boot of one container. Everything it knows about the cluster is what it last read from the database."""

    def __init__(self, env: NodeEnv, clock: Clock, engine: AsyncEngine, client: CoreClient) -> None:
        self.env, self.clock, self.engine, self.client = env, clock, engine, client
        self.instance_id = uuid.uuid4().hex
        self.me = Owner(env.node_key, self.instance_id)
        self.db_timing = DbTiming(engine)
        self.calls = DatabaseCalls(clock)
        self.changed = asyncio.Event()  # somebody says that the database has news
        self.schema_ready = False
        self.account: Account | None = None
        self.owners: dict[int, Owner] = {}
        self.state: State | None = None
        self.settings = of_version(nested({}), env.version)
        self.read_once = asyncio.Event()  # everything was read from the database at least once
        self._boot_settings = self.settings
        self._boot_condition = ""
        self.read_at = float("-inf")  # when the map was last read
        self.state_read_at = float("-inf")
        self.confirmed_at = float("-inf")  # see confirm
        self.written_at = float("-inf")

    @property
    def endpoints(self) -> Endpoints:
        """Where the others reach this node."""
        return Endpoints(self.env.hostname, *self.env.ports)

    @property
    def registered(self) -> bool:
        """Whether there is a number to connect with."""
        return self.account is not None and self.account.registered

    @property
    def may_connect(self) -> bool:
        """Whether WhatsApp would take a connection: registered, not banned or logged off, build not expired."""
        account = self.account
        if account is None or not account.registered or self.expired or self.outlived:
            return False
        return account.sound or (account.condition == "banned" and account.condition_left <= 0)

    @property
    def outlived(self) -> bool:
        """Whether a backup was restored over the registration that this boot has started with (6.8)."""
        account = self.account
        return account is not None and account.restored and account.condition != self._boot_condition

    @property
    def expired(self) -> bool:
        """Whether the build's time is over (2.1, 6.4)."""
        if self.env.faults.build_expired:
            return True
        return self.env.expires_on is not None and dt.datetime.now(dt.UTC).date() > self.env.expires_on

    @property
    def owned(self) -> frozenset[int]:
        """The shards that the map, as last read, gives to this boot; a single instance has them all (3.5)."""
        if not self.env.multiconnect:
            return frozenset({CONTROL_SHARD, 0})
        return decide.owned(self.owners, self.me)

    @property
    def shards(self) -> int:
        """The configured shard count as last read."""
        return self.state.shards if self.state else 1

    def kept_shards(self, serving: Iterable[int]) -> list[int]:
        """The shard numbers that rows of the shards being served may carry, also from before set-shards."""
        return sorted({old for shard in serving for old in stands_for(shard, self.shards)})

    @property
    def unhealthy_interval(self) -> float:
        """The live setting, product seconds."""
        return float(self.settings["unhealthy_interval"])

    @property
    def heartbeat_interval(self) -> float:
        """The live setting, product seconds."""
        return float(self.settings["heartbeat_interval"])

    async def db(self, call: Coroutine[Any, Any, T]) -> T:
        """One call to the database that ends in time even when the database hangs. Raises one of DB_ERRORS."""
        return await self.calls.run(call)

    async def refresh(self) -> None:
        """Read everything this node acts on."""
        asked_at = self.clock.now()
        owners, state = await self.db(cluster.read_for_node(self.engine))
        self.account = await self.db(config.read_account(self.engine))
        settings = await self.db(config.read_settings(self.engine))
        self.settings = of_version(settings, self.env.version)
        logs.set_level(self.settings["log_level"], verbose=self.settings["verbose_logging"])
        self.state, self.state_read_at = state, asked_at
        self._take_map(owners, asked_at)
        if not self.read_once.is_set():
            self._boot_settings, self._boot_condition = self.settings, self.account.condition
            self.read_once.set()

    def at_boot(self, setting: str) -> Any:
        """A setting of appsettings.AT_BOOT, by its dotted name, as it was when this process started (4.4)."""
        if setting not in AT_BOOT:
            raise KeyError(setting)
        return dict(leaves(self._boot_settings))[setting]

    async def read_map(self) -> None:
        """Read the shard map alone."""
        asked_at = self.clock.now()
        self._take_map(await self.db(cluster.read_map(self.engine)), asked_at)

    def _take_map(self, owners: dict[int, Owner], asked_at: float) -> None:
        if asked_at >= self.read_at:  # else the map was read again meanwhile
            self.owners, self.read_at = owners, asked_at

    async def confirm(self) -> None:
        """Say that this node serves, then read whether it may: whoever follows it sees the one or the other."""
        asked_at = self.clock.now()
        await self.write_row(serving=True)
        await self.read_map()
        if self.owned:
            self.confirmed_at = asked_at

    async def write_row(self, *, serving: bool = False) -> None:
        """Write the liveness row. serving: this coreapp is connected, or about to be."""
        asked_at = self.clock.now()
        role = "master" if self.env.is_master else "coreapp"
        row = NodeRow(self.me.node_key, self.instance_id, role, self.endpoints, str(self.env.version), 0.0, serving)
        await self.db(cluster.write_node(self.engine, row))
        self.written_at = asked_at

    async def nodes(self) -> dict[str, NodeRow]:
        """All nodes that ever wrote a row, by key."""
        return await self.db(cluster.read_nodes(self.engine, max_age=float("inf")))

    def hello(self, shards: frozenset[int]) -> Hello:
        """How this node introduces itself to the gateway. Raises LinkDown without a registration."""
        account = self.account
        if account is None or not account.registered:
            raise LinkDown("no number is registered")
        return Hello(
            number=f"{account.cc}{account.phone_number}",
            identity=digest(account.identity or ""),
            node=self.me.node_key,
            instance=self.instance_id,
            shards=sorted(shards),
            count=self.shards,
            version=str(self.env.version),
        )

    async def refused(self, why: Refused) -> None:
        """WhatsApp does not want this registration: the whole cluster has to know (3.9, 4.3)."""
        account = self.account
        if account is None or digest(account.identity or "") != why.identity:
            return
        try:
            await self.db(
                config.set_condition(self.engine, why.reason, why.seconds, registered=account.registration_id)
            )
        except DB_ERRORS as error:
            log.error("Could not keep that the account is %s: %s", why.reason, error)
        self.changed.set()

    def log_identity(self) -> None:
        """Who this is, for whoever reads the log."""
        kind = "master" if self.env.is_master else "coreapp"
        log.info("%s %s version %s boot %s", kind, self.me.node_key, self.env.version, self.instance_id)

    async def wait_for_change(self, product_seconds: float) -> bool:
        """Wait until somebody says that something changed (True), at most so long."""
        try:
            async with asyncio.timeout(self.clock.scaled(max(product_seconds, 0.0))):
                await self.changed.wait()
        except TimeoutError:
            return False
        self.changed.clear()
        return True


def not_instantiated() -> CoreError:
    """What a coreapp answers before it can do anything (3.5)."""
    return CoreError(1011, codes.NOT_INSTANTIATED)
