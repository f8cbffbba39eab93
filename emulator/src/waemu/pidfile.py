"""The file in which a service of the product says which process it is, for whoever looks into the container (2.3)."""

from __future__ import annotations

import logging
import os
from pathlib import Path

WEB = Path("/var/run/lighttpd.pid")
CORE = Path("/var/run/wa-service.pid")

log = logging.getLogger("waemu.logs")


def write(file: Path) -> None:
    """Write this process down. Where that cannot be, it is said once: a pid file never stops a node."""
    try:
        file.write_text(f"{os.getpid()}\n")
    except OSError as error:
        log.warning("No pid file %s: %s", file, error.strerror)
