"""Files on the shared media volume: received in pieces, never held in memory (reference 2.3 and 4.7)."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import re
import typing as t
import uuid
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web as aiohttp_web

from waemu import mediavolume
from waemu.web.errors import ApiError, Code, invalid, missing

PIECE: t.Final = 256 * 1024

_MIME: t.Final = re.compile(r"^[a-z0-9.+-]{1,60}/[a-z0-9.+_-]{1,60}$")
_UNWRITABLE: t.Final = (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOENT)


@dataclass(frozen=True)
class Saved:
    """One file on the volume."""

    id: str
    mime: str
    size: int


async def receive(request: aiohttp_web.Request, media_dir: Path, *, allowed: tuple[str, ...] = ()) -> Saved:
    """Write a request's body to the volume under a new id.

    Raises ApiError: 1008/1009 for what is no good upload, 1005 when the volume cannot be written, 1014 when it is full.
    """
    mime = _mime(request, allowed)
    media_id = str(uuid.uuid4())
    target = mediavolume.path(media_dir, media_id)
    try:
        size = await _write(request, target, mediavolume.LARGEST_OF.get(mime.partition("/")[0], mediavolume.LARGEST))
    except OSError as error:
        raise _refused(error) from None
    return Saved(media_id, mime, size)


def remove(media_dir: Path, media_id: str) -> None:
    """Delete a file; one that is gone already is no error. Raises ApiError 1005 when the volume cannot be written."""
    try:
        mediavolume.remove(media_dir, media_id)
    except OSError as error:
        raise _refused(error) from None


def _mime(request: aiohttp_web.Request, allowed: tuple[str, ...]) -> str:
    given = request.headers.get("Content-Type", "")
    if not given:
        raise missing("Content-Type")
    mime = given.partition(";")[0].strip().lower()  # aiohttp's own reading turns nonsense into octet-stream
    if not _MIME.match(mime) or (allowed and mime not in allowed):
        raise invalid("Content-Type", f"must be {' or '.join(allowed) or 'a media type'}")
    return mime


async def _write(request: aiohttp_web.Request, target: Path, largest: int) -> int:
    """Bytes written. A body that is empty or too large, or a client that went away, leaves nothing behind."""
    await asyncio.to_thread(target.parent.mkdir, exist_ok=True)
    file = await asyncio.to_thread(target.open, "xb")
    size = 0
    try:
        with contextlib.closing(file):
            async for piece in request.content.iter_chunked(PIECE):
                size += len(piece)
                if size > largest:
                    raise invalid("body", f"must have at most {largest} bytes for this media type")
                await asyncio.to_thread(file.write, piece)
        if size == 0:
            raise invalid("body", "must not be empty")
    except BaseException:
        await asyncio.to_thread(target.unlink, missing_ok=True)
        raise
    return size


def _refused(error: OSError) -> ApiError:
    if error.errno in _UNWRITABLE:
        return ApiError(Code.ACCESS_DENIED, "The media directory cannot be written")
    return ApiError(Code.INTERNAL, f"The media could not be stored: {error.strerror}")
