"""The probe's calls: the API of the webapps, and the gateway's ledger."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgspec

LOGIN_EVERY = 2.0  # seconds between logins at one webapp


class ProbeError(Exception):
    """The probe cannot work; one sentence."""


@dataclass(frozen=True)
class Options:
    """What to do. Secrets never come from a command line.

    webapps, gateway: URLs; gateway is the admin side. Either token or user and password. shards: 0 reads it.
    settle: seconds to wait at the end for accepted messages that are not in the ledger yet. in_flight: how many sends
    may wait for their answer; recipients: how many different ones there are.
    """

    webapps: tuple[str, ...]
    gateway: str
    rate: float = 10.0
    seconds: float = 60.0
    token: str = field(default="", repr=False)
    user: str = "admin"
    password: str = field(default="", repr=False)
    shards: int = 0
    settle: float = 30.0
    timeout: float = 15.0
    in_flight: int = 500
    recipients: int = 1000

    def problem(self) -> str:
        """One sentence about what is wrong, empty when nothing is."""
        for name, value, low, high in (
            ("rate", self.rate, 0.01, 2000.0),
            ("seconds", self.seconds, 0.1, 86400.0),
            ("settle", self.settle, 0.0, 600.0),
            ("timeout", self.timeout, 0.1, 300.0),
        ):
            if not low <= value <= high:
                return f"{name} is {value}; allowed are {low} to {high}."
        if self.rate * self.seconds > 2_000_000:
            return f"rate times seconds is {self.rate * self.seconds:.0f}; allowed are up to 2000000 messages."
        if not self.webapps:
            return "webapps is empty; at least one URL is required."
        for url in (*self.webapps, self.gateway):
            if not url.startswith(("http://", "https://")):
                return f"{url!r} is not a URL; allowed is http://HOST:PORT or https://HOST:PORT."
        return "" if self.token or self.password else "Neither a token nor a password is given."


class Webapp:
    """One webapp; logs in by itself, again when its token is not taken any more."""

    def __init__(self, session: aiohttp.ClientSession, url: str, options: Options) -> None:
        self.url = url.rstrip("/")
        self._session, self._options = session, options
        self._token = options.token
        self._login = asyncio.Lock()
        self._logged_in_at = float("-inf")

    async def login(self) -> None:
        """Get a token. Raises aiohttp.ClientError, OSError, TimeoutError, ProbeError."""
        if self._options.token or not self._options.password:
            return
        auth = aiohttp.encode_basic_auth(self._options.user, self._options.password)
        async with self._session.post(f"{self.url}/v1/users/login", headers={"Authorization": auth}) as answer:
            if answer.status != 200:
                raise ProbeError(f"{self.url} does not let {self._options.user!r} in: HTTP {answer.status}.")
            self._token = (await answer.json())["users"][0]["token"]

    async def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and body; raises aiohttp.ClientError, OSError, TimeoutError."""
        data = None if body is None else msgspec.json.encode(body)
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        async with self._session.request(method, f"{self.url}{path}", data=data, headers=headers) as answer:
            status, content = answer.status, await answer.read()
        if status == 401:
            await self._login_again()
        try:
            return status, msgspec.json.decode(content) if content else None
        except msgspec.MsgspecError:
            return status, None

    async def _login_again(self) -> None:
        """For the next call; a webapp without the others' key knows its own tokens only."""
        now = asyncio.get_running_loop().time()
        if self._login.locked() or now - self._logged_in_at < LOGIN_EVERY:
            return
        async with self._login:
            self._logged_in_at = now
            try:
                await self.login()
            except ProbeError:
                return  # the calls go on to fail, and are counted


class Gateway:
    """The admin side of the gateway."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session, self._url = session, url.rstrip("/")

    async def get(self, path: str, **query: Any) -> Any:
        """Raises ProbeError."""
        try:
            async with self._session.get(f"{self._url}{path}", params=query) as answer:
                if answer.status != 200:
                    raise ProbeError(f"The gateway at {self._url} answers {path} with HTTP {answer.status}.")
                return msgspec.json.decode(await answer.read())
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            reason = str(error) or type(error).__name__
            raise ProbeError(f"The gateway at {self._url} does not answer: {reason}.") from error
