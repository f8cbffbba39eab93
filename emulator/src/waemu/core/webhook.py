"""One POST to the business's webhook (reference 4.8): HTTPS with the uploaded CA, 200 or it did not happen."""

from __future__ import annotations

import ssl
from typing import Any

import aiohttp
import msgspec

from waemu.clock import CALLBACK_TIMEOUT, Clock

SHORTEST = 2.0  # real seconds a webhook always has, however fast the clock


class NotDelivered(Exception):
    """The webhook did not answer 200; the text is why."""


class Webhook:
    """A pool of connections to wherever callbacks go. ca: PEM of who signed the webhook, None for the usual ones."""

    def __init__(self, clock: Clock, ca: str | None, concurrency: int) -> None:
        self._timeout = aiohttp.ClientTimeout(total=max(clock.scaled(CALLBACK_TIMEOUT), SHORTEST))
        self._ca, self._concurrency = ca, concurrency
        self._session: aiohttp.ClientSession | None = None

    async def post(self, url: str, body: dict[str, Any]) -> None:
        """Deliver one callback. Raises NotDelivered."""
        try:
            async with self._open().post(
                url,
                data=msgspec.json.encode(body),
                headers={"Content-Type": "application/json"},
                allow_redirects=False,
                timeout=self._timeout,
            ) as answer:
                status = answer.status
        except TimeoutError as error:
            raise NotDelivered("no answer in time") from error
        except aiohttp.InvalidURL as error:  # its text is the URL, which may hold a password
            raise NotDelivered("webhooks.url is no URL") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise NotDelivered(str(error) or type(error).__name__) from error
        if status != 200:
            raise NotDelivered(f"answered {status}")

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        """The session, made at the first use: a standby needs no certificates in memory. Raises ssl.SSLError."""
        if self._session is None:
            context = ssl.create_default_context(cadata=self._ca)
            connector = aiohttp.TCPConnector(ssl=context, limit=self._concurrency, use_dns_cache=False)
            self._session = aiohttp.ClientSession(connector=connector)
        return self._session
