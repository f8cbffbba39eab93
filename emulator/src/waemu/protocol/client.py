"""The client that dials nodes: every call that a webapp, a master or a coreapp makes to another node."""

from __future__ import annotations

from typing import Any, TypeVar

import aiohttp
import msgspec
from yarl import URL

from waemu import requestid
from waemu.clock import Clock
from waemu.protocol.nodes import (
    ContactsReply,
    ContactsRequest,
    CoreError,
    Done,
    Endpoints,
    GcReply,
    Heartbeat,
    HeartbeatReply,
    MessageAccepted,
    MessageRequest,
    MessageStatus,
    MissedHeartbeats,
    NodeStatus,
    PinRequest,
    RegistrationReply,
    RegistrationRequest,
    SettingsReply,
    ShardsRequest,
    StatsReply,
    VerifyRequest,
)
from waemu.protocol.seal import SEALED_TYPE, BadSeal, Seal, nonce_of

T = TypeVar("T")

CALL_TIMEOUT = 10.0  # product seconds for one call between nodes
CONNECT_TIMEOUT = 5.0  # product seconds for the TCP connection


def new_session(limit: int = 100) -> aiohttp.ClientSession:
    """The session to dial nodes with; limit: connections at a time, 0 for any number.

    Names are looked up for every new connection: a node that was restarted may have another address, and its old
    one may be another node's by now.
    """
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=limit, use_dns_cache=False))


class CoreClient:
    """Dials nodes. Raises CoreError: the node's own, or 1014 naming host and port when it is unreachable."""

    def __init__(self, session: aiohttp.ClientSession, clock: Clock, seal: Seal | None = None) -> None:
        """seal: of WA_SECRET, where one is set."""
        self._session, self._seal = session, seal
        self._timeout = aiohttp.ClientTimeout(
            total=max(clock.scaled(CALL_TIMEOUT), 2.0), sock_connect=max(clock.scaled(CONNECT_TIMEOUT), 1.0)
        )

    async def call(
        self,
        host: str,
        port: int,
        method: str,
        path: str,
        reply: type[T],
        body: Any = None,
        *,
        timeout: float | None = None,
        keep: bool = True,
    ) -> T:
        """One request. timeout: real seconds for all of it, where the default is too long.

        keep: the connection may serve further requests; without it the next one looks the name up again.
        """
        url = f"http://{host}:{port}{path}"
        data = None if body is None else msgspec.json.encode(body)
        limit = self._timeout if timeout is None else aiohttp.ClientTimeout(total=timeout)
        headers = {"Content-Type": "application/json"} if data is not None else {}
        if self._seal is not None:
            context = f"{method} {URL(url).raw_path_qs}"
            data, headers = self._seal.close(context, data or b""), {"Content-Type": SEALED_TYPE}
        if not keep:
            headers["Connection"] = "close"
        trace = requestid.current()
        if trace is not None:
            headers[requestid.HEADER] = trace.id
        request = self._session.request(method, url, data=data, headers=headers, timeout=limit)
        try:
            async with request as answer:
                content = await answer.read()
                http_status, sealed = answer.status, answer.content_type == SEALED_TYPE
            if trace is not None:
                trace.reached_node = True
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise CoreError(1014, _why(error, host, port)) from error
        refused = not sealed and _is_refusal(http_status, content)
        if self._seal is not None and not refused:
            assert isinstance(data, bytes)
            try:
                content = self._seal.open(nonce_of(data), content)
            except BadSeal as error:
                raise CoreError(1014, f"answer from core at {host}:{port}: {error}") from error
        if http_status != 200:
            raise CoreError.of_reply(http_status, content)
        try:
            return msgspec.json.decode(content, type=reply)
        except msgspec.MsgspecError as error:
            raise CoreError(1014, f"unexpected answer from core at {host}:{port}") from error

    async def heartbeat(self, node: Endpoints, heartbeat: Heartbeat, *, timeout: float | None = None) -> HeartbeatReply:
        """A heartbeat, over the health port."""
        return await self.call(
            node.hostname, node.health, "POST", "/heartbeat", HeartbeatReply, heartbeat, timeout=timeout
        )

    async def missed_heartbeats(self, node: Endpoints, *, timeout: float | None = None) -> MissedHeartbeats:
        """Which coreapps do not answer another master."""
        return await self.call(
            node.hostname, node.control, "GET", "/missed-heartbeats", MissedHeartbeats, timeout=timeout
        )

    async def changed(self, node: Endpoints, *, timeout: float | None = None) -> Done:
        """Notify a node that it should read the database now; what it does follows from what it reads."""
        return await self.call(node.hostname, node.control, "POST", "/changed", Done, timeout=timeout)

    async def status(self, node: Endpoints, *, timeout: float | None = None) -> NodeStatus:
        """Role, gateway status and shards; raises 1011 where the node says that."""
        return await self.call(node.hostname, node.control, "GET", "/status", NodeStatus, timeout=timeout, keep=False)

    async def request_code(self, node: Endpoints, request: RegistrationRequest) -> RegistrationReply:
        """POST /v1/account."""
        return await self._control(node, "POST", "/account", RegistrationReply, request)

    async def verify(self, node: Endpoints, request: VerifyRequest) -> Done:
        """POST /v1/account/verify."""
        return await self._control(node, "POST", "/account/verify", Done, request)

    async def set_shards(self, node: Endpoints, request: ShardsRequest) -> Done:
        """POST /v1/account/shards."""
        return await self._control(node, "POST", "/account/shards", Done, request)

    async def set_pin(self, node: Endpoints, request: PinRequest) -> Done:
        """POST /v1/settings/account/two-step."""
        return await self._control(node, "POST", "/settings/account/two-step", Done, request)

    async def remove_pin(self, node: Endpoints) -> Done:
        """DELETE /v1/settings/account/two-step."""
        return await self._control(node, "DELETE", "/settings/account/two-step", Done)

    async def settings(self, node: Endpoints) -> SettingsReply:
        """GET /v1/settings/application."""
        return await self._control(node, "GET", "/settings/application", SettingsReply)

    async def change_settings(self, node: Endpoints, change: dict[str, Any]) -> SettingsReply:
        """PATCH /v1/settings/application with the validated subset that changes."""
        return await self._control(node, "PATCH", "/settings/application", SettingsReply, change)

    async def reset_settings(self, node: Endpoints) -> SettingsReply:
        """DELETE /v1/settings/application."""
        return await self._control(node, "DELETE", "/settings/application", SettingsReply)

    async def stats(self, node: Endpoints, *, timeout: float | None = None) -> StatsReply:
        """What a coreapp counts, for GET /v1/stats/app."""
        return await self.call(node.hostname, node.control, "GET", "/stats", StatsReply, timeout=timeout)

    async def message_gc(self, node: Endpoints) -> GcReply:
        """PUT /v1/services/message/gc, one call per coreapp."""
        return await self._control(node, "POST", "/services/message/gc", GcReply)

    async def send(self, node: Endpoints, request: MessageRequest) -> MessageAccepted:
        """POST /v1/messages, at the owner of the recipient's shard."""
        return await self.call(node.hostname, node.messaging, "POST", "/messages", MessageAccepted, request)

    async def mark(self, node: Endpoints, message_id: str, request: MessageStatus) -> Done:
        """PUT /v1/messages/{id}."""
        return await self.call(node.hostname, node.messaging, "PUT", f"/messages/{message_id}", Done, request)

    async def fetch_media(self, node: Endpoints, media_id: str) -> Done:
        """Have received media downloaded to the volume, for GET /v1/media/{id}."""
        return await self.call(node.hostname, node.messaging, "POST", f"/media/{media_id}", Done)

    async def contacts(self, node: Endpoints, request: ContactsRequest) -> ContactsReply:
        """POST /v1/contacts."""
        return await self.call(node.hostname, node.contacts, "POST", "/contacts", ContactsReply, request)

    async def _control(self, node: Endpoints, method: str, path: str, reply: type[T], body: Any = None) -> T:
        return await self.call(node.hostname, node.control, method, path, reply, body)


def _is_refusal(http_status: int, content: bytes) -> bool:
    """Whether a node says that it does not know the secret: the only answer that it cannot seal."""
    return http_status != 200 and CoreError.of_reply(http_status, content).code == 1005


def _why(error: BaseException, host: str, port: int) -> str:
    """The sentence of error 1014 (3.3, 3.7): a timeout, a name that does not resolve, or a refusal."""
    if isinstance(error, TimeoutError):
        return f"Could not reach core at {host}:{port}: connection timed out"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"Could not reach core at {host}:{port}: name does not resolve"
    return f"Could not reach core at {host}:{port}: {error or type(error).__name__}"
