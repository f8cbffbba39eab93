"""Where media are on the shared volume, which web, masters and coreapps all mount (reference 2.3)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

MEDIA_DIR: Final = Path("/usr/local/wamedia")
OUTGOING: Final = "outgoing"
INCOMING: Final = "incoming"
MEGABYTE: Final = 1024 * 1024
LARGEST: Final = 100 * MEGABYTE
LARGEST_OF: Final = {"image": 5 * MEGABYTE, "audio": 16 * MEGABYTE, "video": 16 * MEGABYTE}
"""Bytes by kind, or by the first word of a content type; everything else is a document (reference 4.7)."""


def path(media_dir: Path, media_id: str, direction: str = OUTGOING) -> Path:
    """Where the file of an id is. Ids are checked or made by the emulator, so that they are never paths."""
    return media_dir / direction / media_id


def find(media_dir: Path, media_id: str) -> Path | None:
    """The file of an id, whichever way it came; None when there is none."""
    both = (path(media_dir, media_id, direction) for direction in (OUTGOING, INCOMING))
    return next((file for file in both if file.is_file()), None)


def writable(media_dir: Path) -> bool:
    """Whether the volume is there and can be written."""
    return os.access(media_dir, os.W_OK)


def write_incoming(media_dir: Path, media_id: str, content: bytes) -> Path:
    """Store what was downloaded. Raises OSError when the volume is full or cannot be written."""
    target = path(media_dir, media_id, INCOMING)
    target.parent.mkdir(exist_ok=True)
    part = target.with_suffix(".part")
    part.write_bytes(content)
    part.replace(target)  # nobody ever reads half a file
    return target


def remove(media_dir: Path, media_id: str) -> None:
    """Delete a file; one that is gone already is no error. Raises OSError when the volume cannot be written."""
    for direction in (OUTGOING, INCOMING):
        path(media_dir, media_id, direction).unlink(missing_ok=True)
