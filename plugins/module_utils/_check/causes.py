# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which line of a node's log says why it does not work, and what that line means. Internal to waent.fleet. Pure.

The words are those of databases, of the kernel and of Docker Engine, which say the same in every version of the client.
A line that nobody here knows is shown as it is: quoted is better than guessed.
"""

from __future__ import annotations

import re
import typing as t


class Cause(t.NamedTuple):
    """What a line means. code: stable. advice: what to do, one sentence without its beginning or end."""

    code: str
    pattern: re.Pattern[str]
    advice: str


def _cause(code: str, pattern: str, advice: str, numbers: str = "") -> Cause:
    """numbers: of errors of MySQL and MariaDB, which stand behind a word or a bracket; others are milliseconds."""
    if numbers:
        pattern += r"|(?:[\[(]|\b(?:error|errno|code)[ :=#]{{1,3}}\(?)({0})\b".format(numbers)
    return Cause(code, re.compile(pattern, re.IGNORECASE), advice)


CAUSES = (
    # Before what refuses a login: servers answer a connection without TLS with a refusal of the host or the user.
    _cause(
        "DB_TLS_REQUIRED",
        r"insecure transport are prohibited|SSL connection is required|require_secure_transport"
        r"|SSL off\b|no encryption\b|server requires (SSL|encryption)",
        "the database lets nobody in without TLS: set wa_db_ssl_ca to the file with the CA that signed its certificate",
        "3159|9002",
    ),
    _cause(
        "DB_HOST_REFUSED",
        r"is not allowed to connect to this|no pg_hba\.conf entry|is blocked because of many",
        "the database does not take connections from this address: allow it there",
        "1129|1130",
    ),
    _cause(
        "DB_NAME_REFUSED",
        r"Unknown database|Access denied for user \S+ to database|database \"[^\"]*\" does not exist"
        r"|permission denied (for|to create) (database|schema)",
        "the databases are not there, or the user may not use them: check wa_db_name_prefix and the rights of"
        " wa_db_username",
        "1044|1049",
    ),
    _cause(
        "DB_LOGIN_REFUSED",
        r"Access denied for user|password authentication failed|role \"[^\"]*\" does not exist",
        "the database refuses this user: check wa_db_username and wa_db_password, and that the user may come from this"
        " address",
        "1045|28P01",
    ),
    _cause(
        "DB_LOGIN_METHOD",
        r"authentication plugin|authentication method|caching_sha2_password",
        "the client does not know the way in which the database wants this user to log in: give the user another"
        " authentication plugin, such as mysql_native_password",
        "1251|2059|2061",
    ),
    _cause(
        "DB_FULL",
        r"Too many connections|too many clients|connection slots are reserved",
        "the database has no connection left: raise its max_connections",
        "1040|1203|1226",
    ),
    _cause(
        "NAME_NOT_FOUND",
        r"Unknown MySQL server host|could not translate host name|Name or service not known"
        r"|Temporary failure in name resolution|nodename nor servname|No address associated with hostname|no such host",
        "the name cannot be resolved inside of the container: check wa_db_host, wa_extra_hosts and the host's DNS",
        "2005",
    ),
    _cause(
        "PORT_TAKEN",
        r"Address (already )?in use|EADDRINUSE|port is already allocated",
        "something else has the port: free it, or choose another one",
    ),
    _cause(
        "WRONG_ARCHITECTURE",
        r"exec format error|does not match the (detected host|specified) platform",
        "the image is made for another processor than this host has",
    ),
    _cause(
        "NO_MEMORY",
        r"out of memory|Cannot allocate memory|MemoryError|std::bad_alloc|oom.?kill",
        "the memory does not suffice: give the host or the container more, or put fewer nodes on the host",
    ),
    _cause("DISK_FULL", r"No space left on device|disk quota exceeded", "the disk is full: make room"),
    _cause(
        "NOT_WRITABLE",
        r"Permission denied|Read-only file system|Operation not permitted",
        "the container may not write there: check the owner, the mode and the mount of what is behind wa_media and"
        " wa_data",
    ),
    _cause(
        "NOTHING_TO_RUN",
        r"executable file not found|exec: \"[^\"]*\": |exec [^ ]+: no such file|starting container process caused",
        "the image does not hold what it is to run: check that wa_webapp_image and wa_coreapp_image name images of the"
        " client",
    ),
    _cause(
        "BUILD_EXPIRED",
        r"(build|version|client) [^.]{0,20}expired",
        "this version has expired: upgrade to a newer one",
    ),
    _cause(
        "DB_UNREACHABLE",
        r"Can't connect to|Waiting for the database|Connection refused|could not connect to"
        r"|No route to host|Network is unreachable|Connection timed out|timeout expired|server has gone away",
        "the container does not reach what the line names: see that it runs, listens on that address, and that nothing"
        " between the two drops connections; 127.0.0.1 is the container itself",
        "2002|2003|2006|2013",
    ),
)

ERROR, WARNING, HINT, PLAIN = 3, 2, 1, 0
NEARBY = 20
"""So many lines before the last error are about the same thing, as far as one knows."""

_STAMP = r"^\W*\d{4}-?\d\d-?\d\d[T ]?[\d:.,]*\s*(?:Z|UTC|[+-]\d\d:?\d\d)?\W*"
_ERROR = re.compile(
    _STAMP + r"[EF]\b|^\W*[EF]\d{4}\b|\b(ERROR|CRITICAL|FATAL|PANIC|EMERG|emerg|crit|panic)\b|\b[Ff]atal:"
)
_WARNING = re.compile(_STAMP + r"W\b|\bWARN(ING)?\b")
_INFO = re.compile(_STAMP + r"[DIVN]\b|\b(INFO|DEBUG|NOTICE|TRACE)\b")
_COMPLAINT = re.compile(
    r"\b(error|exception|traceback|cannot|can't|could not|couldn't|unable|fail(s|ed|ure)?|not found|no such|missing"
    r"|denied|refused|invalid|abort(ed)?|segmentation fault|killed)\b",
    re.IGNORECASE,
)


def cause_of(line: str) -> Cause | None:
    """What the line means, None where nobody here knows."""
    return next((cause for cause in CAUSES if cause.pattern.search(line)), None)


def level_of(line: str) -> int:
    """How likely it is that the line says what is wrong: its own level; without one, whether its words are known."""
    if _ERROR.search(line):
        return ERROR
    if _WARNING.search(line):
        return WARNING
    cause = cause_of(line)
    if cause is None:
        return HINT if _COMPLAINT.search(line) and not _INFO.search(line) else PLAIN
    # Of those who write no level (the kernel, shells, Docker Engine) nobody complains without a reason; a client that
    # writes one and waits is less sure.
    return HINT if _INFO.search(line) or cause.code == "DB_UNREACHABLE" else ERROR


def decisive_line(lines: t.Iterable[str]) -> str | None:
    """The line that says best what is wrong, None of an empty log.

    It is the last one of the highest level there is; of errors the last that is understood, where one that is not
    follows within a few lines: C(next try in 8 s) comes after the reason.
    """
    numbered = [(number, line) for number, line in enumerate(lines) if line.strip()]
    if not numbered:
        return None
    levels = {number: level_of(line) for number, line in numbered}
    highest = max(levels.values())
    best = [(number, line) for number, line in numbered if levels[number] == highest]
    last, line = best[-1]
    if highest == PLAIN:
        return line
    understood = [text for number, text in best if last - number <= NEARBY and cause_of(text)]
    return understood[-1] if understood else line
