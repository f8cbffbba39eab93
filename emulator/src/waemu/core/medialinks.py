"""Media that messages name by link: a coreapp downloads them before WhatsApp gets the message (reference 4.4, 4.7)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, NamedTuple

import aiohttp

from waemu.core.node import Node
from waemu.mediavolume import LARGEST, LARGEST_OF
from waemu.store import profile
from waemu.store.messages import Message

MEDIA_TYPES = ("audio", "document", "image", "sticker", "video")
SECONDS, SHORTEST = 30.0, 5.0  # product and real seconds that somebody else's server has for a file
AT_A_TIME = 10  # downloads of one coreapp
PIECE = 64 * 1024


class MediaLink(NamedTuple):
    """One file elsewhere. provider: name of the media provider whose credentials fetch it, empty without."""

    kind: str
    url: str
    provider: str


class NotFetched(Exception):
    """The file could not be downloaded; the text says why, without the link, which may hold a password."""


def links_of(body: Any) -> Iterator[MediaLink]:
    """All media by link in a message's body: its own, in a template's header, in an interactive one's. Pure."""
    if isinstance(body, list):
        for item in body:
            yield from links_of(item)
    elif isinstance(body, dict):
        for name, value in body.items():
            if name in MEDIA_TYPES and isinstance(value, dict) and "link" in value:
                yield MediaLink(name, value["link"], (value.get("provider") or {}).get("name", ""))
            else:
                yield from links_of(value)


class MediaLinks:
    """Downloads for one coreapp."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._session: aiohttp.ClientSession | None = None
        self._places = asyncio.Semaphore(AT_A_TIME)
        self._timeout = aiohttp.ClientTimeout(total=max(node.clock.scaled(SECONDS), SHORTEST))

    async def fetch(self, message: Message) -> None:
        """Download everything a message names. Raises NotFetched, or one of DB_ERRORS."""
        for link in links_of(message.body):
            headers = await self._credentials(link.provider) if link.provider else {}
            async with self._places:
                await self._fetch(link, headers)

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    async def _credentials(self, provider: str) -> dict[str, str]:
        """The headers for a provider's server (4.4)."""
        found = await self._node.db(profile.providers(self._node.engine))
        config = next((item["config"] for item in found if item["name"] == provider), None)
        if config is None:
            raise NotFetched(f"there is no media provider {provider!r}")
        if config.get("bearer"):
            return {"Authorization": f"Bearer {config['bearer']}"}
        basic = config["basic"]
        return {"Authorization": aiohttp.encode_basic_auth(basic["username"], basic["password"])}

    async def _fetch(self, link: MediaLink, headers: dict[str, str]) -> None:
        largest, size = LARGEST_OF.get(link.kind, LARGEST), 0
        try:
            async with self._open().get(link.url, headers=headers, timeout=self._timeout) as answer:
                if answer.status != 200:
                    raise NotFetched(f"the server answered {answer.status}")
                async for piece in answer.content.iter_chunked(PIECE):
                    size += len(piece)
                    if size > largest:
                        raise NotFetched(f"it has more than the {largest} bytes allowed for {link.kind}")
        except TimeoutError as error:
            raise NotFetched("the server did not send it in time") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:  # their texts may hold the link
            raise NotFetched(type(error).__name__) from error

    def _open(self) -> aiohttp.ClientSession:
        """The session, made at the first use: most coreapps never need one."""
        if self._session is None:
            self._session = aiohttp.ClientSession()
        return self._session
