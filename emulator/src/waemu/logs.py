"""Log lines as the product's containers write them (reference 2.3): UTC, level letter, C(req_id=)."""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path

from waemu import requestid

WEB_LOG = Path("/var/log/whatsapp/web.log")
LIGHTTPD_ERROR_LOG = Path("/var/log/lighttpd/error.log")
CORE_LOG_DIR = Path("/usr/local/waent/logs")
CORE_LOG = CORE_LOG_DIR / "wa-service.log"

_LETTERS = {"DEBUG": "D", "INFO": "I", "WARNING": "W", "ERROR": "E", "CRITICAL": "F"}


class LineFormat(logging.Formatter):
    """C(2024-05-01 10:11:12.123 I master req_id=- Won the mastership lease)."""

    def format(self, record: logging.LogRecord) -> str:
        """One line per record; a traceback, if any, follows on its own lines."""
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(record.created))
        letter = _LETTERS.get(record.levelname, "I")
        name = record.name.removeprefix("waemu.")
        line = f"{stamp}.{int(record.msecs):03d} {letter} {name} req_id={requestid.logged()} {record.getMessage()}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


def set_level(level: str, *, verbose: bool) -> None:
    """What the application settings log_level and verbose_logging ask for (4.4): debug ... error, or none."""
    chosen = "debug" if verbose else level
    logging.getLogger("waemu").setLevel(logging.CRITICAL + 1 if chosen == "none" else chosen.upper())


def setup(*, verbose: bool = False, file: Path | None = None) -> None:
    """Log to stdout and, where the product has a documented log file, to C(file) as well.

    A file that cannot be written is said once on stdout and then done without: logging never stops a node.
    """
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stdout)]
    refusal: OSError | None = None
    if file is not None:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            handlers.append(logging.FileHandler(file))
        except OSError as error:
            refusal = error
    for handler in handlers:
        handler.setFormatter(LineFormat())
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, handlers=handlers, force=True)
    for noisy in ("aiohttp.access", "sqlalchemy", "alembic", "asyncio", "aiomysql"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    if refusal is not None:
        logging.getLogger("waemu.logs").warning("No log file %s: %s", file, refusal.strerror)
