"""Every environment variable of the containers (reference 2.4), read once into typed values.

A bad value raises ConfigError with one sentence that names the variable, the value and what is allowed.
Variables that Docker links inject (C(WACORE_PORT_6250-6253_TCP) and the like) have names nobody reads here.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import signal
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field

from waemu import versions
from waemu.clock import LEASE_TTL

PASSWORD_FORBIDDEN = "?{}&~!()^="
API_KEY_LENGTH = (12, 128)
DEFAULT_PORTS = (6250, 6251, 6252, 6253)  # messaging, contacts, control, health
RUNNING_ENVS = ("AWS", "AZURE", "GCP")
SECURITY_LEVELS = ("MODERN", "INTERMEDIATE", "OLD")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._:-]*[A-Za-z0-9])?")
_GATEWAY = re.compile(r"http://[A-Za-z0-9][A-Za-z0-9._-]*:\d{1,5}")
_PREFIX = re.compile(r"[A-Za-z0-9_]{0,40}")

Env = Mapping[str, str]


class ConfigError(Exception):
    """A variable has a value the client cannot work with."""


@dataclass(frozen=True)
class DbEnv:
    """How to reach the database. engine: MYSQL or PGSQL. idle_timeout_ms: MySQL only.

    ssl_check_hostname: whether the name in the server's certificate counts, which no reference says of the client.
    """

    engine: str
    hostname: str
    port: int
    username: str
    password: str = field(repr=False)
    name_prefix: str = ""
    idle_timeout_ms: int = 180000
    persistent: bool = True
    ssl_ca: str = ""
    ssl_cert: str = field(default="", repr=False)
    ssl_key: str = field(default="", repr=False)
    ssl_check_hostname: bool = True


@dataclass(frozen=True)
class Faults:
    """What a test has a node do wrong (WAEMU_FAULT_*); nothing by default.

    set_shards_403: so many set-shards calls are refused first (4.3). schema_seconds: product seconds a schema
    upgrade is slowed by. build_expired: the build counts as expired whatever its date says. registered_days: the
    registration counts as so many days older (4.3). registration_blocked: as since 2024-07-01 (4.3).
    """

    set_shards_403: int = 0
    schema_seconds: float = 0.0
    build_expired: bool = False
    registered_days: float = 0.0
    registration_blocked: bool = False


@dataclass(frozen=True)
class NodeEnv:
    """A container of the image coreapp: coreapp, master, or the one-shot schema upgrade."""

    db: DbEnv
    version: versions.Version
    container: str
    hostname: str
    ports: tuple[int, int, int, int] = DEFAULT_PORTS
    multiconnect: bool = False
    is_master: bool = False
    db_upgrade: bool = False
    listen_address: str = "0.0.0.0"
    secret: str = field(default="", repr=False)
    expires_on: dt.date | None = None
    divisor: float = 1.0
    registration_code: str = field(default="123456", repr=False)
    gateway_url: str = ""
    callback_limit: int = 100000
    not_on_whatsapp: tuple[str, ...] = ()
    lease_seconds: float = LEASE_TTL
    faults: Faults = Faults()

    @property
    def node_key(self) -> str:
        """The key of this node in health: advertised host and container name."""
        return f"{self.hostname}:{self.container}"


@dataclass(frozen=True)
class GatewayEnv:
    """A container of the image gateway. registration_code: what every number gets; empty for random ones."""

    node_port: int = 5222
    admin_port: int = 8080
    divisor: float = 1.0
    registration_code: str = field(default="", repr=False)


@dataclass(frozen=True)
class WebEnv:
    """A container of the image web. jwt_key: empty means one is made up at start (then tokens die with it).

    rate_limit_factor: multiplies the rate limits of 3.8; 0 switches them off. most_concurrent: requests worked on at a
    time, further ones are 503 (3.8). health_drops_dead: a node that cannot be reached is not in health at all (3.5).
    contacts_required: before v2.39 only checked contacts are sent to (4.7). error_statuses: HTTP status by error code,
    where it is not that of the table (4.9).
    """

    db: DbEnv
    version: versions.Version
    container: str
    hostname: str
    ports: tuple[int, ...] = (9090,)
    multiconnect: bool = False
    wacore_hostname: str = "wacore"
    servername: str = ""
    jwt_key: str = field(default="", repr=False)
    api_key: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    security_level: str = ""
    expires_on: dt.date | None = None
    divisor: float = 1.0
    rate_limit_factor: float = 1.0
    most_concurrent: int = 500
    health_drops_dead: bool = False
    contacts_required: bool = False
    error_statuses: Mapping[int, int] = field(default_factory=dict)


def db_env(env: Env = os.environ) -> DbEnv:
    """The WA_DB_* variables."""
    return DbEnv(
        engine=_choice(env, "WA_DB_ENGINE", ("MYSQL", "PGSQL")),
        hostname=_host(env, "WA_DB_HOSTNAME"),
        port=_int(env, "WA_DB_PORT", None, 1, 65535),
        username=_required(env, "WA_DB_USERNAME"),
        password=_password(env),
        name_prefix=_matching(env, "WA_DB_NAME_PREFIX", _PREFIX, "up to 40 letters, digits and _"),
        idle_timeout_ms=_int(env, "WA_DB_CONNECTION_IDLE_TIMEOUT", 180000, 1, 2**31 - 1),
        persistent=_flag(env, "WA_DB_PERSISTENT", default=True),
        ssl_ca=_file(env, "WA_DB_SSL_CA"),
        ssl_cert=_file(env, "WA_DB_SSL_CERT"),
        ssl_key=_file(env, "WA_DB_SSL_KEY"),
        ssl_check_hostname=_flag(env, "WAEMU_DB_SSL_CHECK_HOSTNAME", default=True),
    )


def node_env(env: Env = os.environ) -> NodeEnv:
    """Everything a container of the image coreapp is configured with."""
    _accepted(env)
    multiconnect = _flag(env, "WA_APP_MULTICONNECT")
    upgrade = _flag(env, "WA_DB_UPGRADE")
    container = socket.gethostname()
    named = multiconnect and not upgrade
    return NodeEnv(
        db=db_env(env),
        version=_version(env),
        container=container,
        hostname=_host(env, "COREAPP_HOSTNAME") if named else env.get("COREAPP_HOSTNAME") or container,
        ports=_core_ports(env),
        multiconnect=multiconnect,
        is_master=multiconnect and _flag(env, "WA_MASTER_NODE"),
        db_upgrade=upgrade,
        listen_address=_listen(env),
        secret=env.get("WA_SECRET", ""),
        expires_on=_date(env, "WAEMU_EXPIRES_ON"),
        divisor=_float(env, "WAEMU_TIME_DIVISOR", 1.0, minimum=0.001),
        registration_code=env.get("WAEMU_REGISTRATION_CODE", "123456"),
        gateway_url=_gateway_url(env),
        callback_limit=_int(env, "WAEMU_CALLBACK_LIMIT", 100000, 1, 10**9),
        not_on_whatsapp=_ids(env, "WAEMU_NOT_ON_WHATSAPP"),
        lease_seconds=_float(env, "WAEMU_LEASE_SECONDS", LEASE_TTL, minimum=3.0),
        faults=_faults(env),
    )


def gateway_env(env: Env = os.environ) -> GatewayEnv:
    """Everything a gateway is configured with."""
    return GatewayEnv(
        node_port=_int(env, "WAEMU_GATEWAY_NODE_PORT", 5222, 1, 65535),
        admin_port=_int(env, "WAEMU_GATEWAY_ADMIN_PORT", 8080, 1, 65535),
        divisor=_float(env, "WAEMU_TIME_DIVISOR", 1.0, minimum=0.001),
        registration_code=env.get("WAEMU_REGISTRATION_CODE", ""),
    )


def web_env(env: Env = os.environ) -> WebEnv:
    """Everything a container of the image web is configured with."""
    _accepted(env)
    container = socket.gethostname()
    return WebEnv(
        db=db_env(env),
        version=_version(env),
        container=container,
        hostname=env.get("WEBAPP_HOSTNAME") or container,
        ports=_ports(env, "WEBAPP_EXTERNAL_PORTS", "9090", count=1),
        multiconnect=_flag(env, "WA_APP_MULTICONNECT"),
        wacore_hostname=env.get("WACORE_HOSTNAME") or "wacore",
        servername=env.get("WA_WEB_SERVERNAME", ""),
        jwt_key=env.get("WA_WEB_JWT_CRYPTO_KEY", ""),
        api_key=_api_key(env),
        secret=env.get("WA_SECRET", ""),
        security_level=_choice(env, "WA_WEB_SECURITY_LEVEL", SECURITY_LEVELS, ""),
        expires_on=_date(env, "WAEMU_EXPIRES_ON"),
        divisor=_float(env, "WAEMU_TIME_DIVISOR", 1.0, minimum=0.001),
        rate_limit_factor=_float(env, "WAEMU_RATE_LIMIT_FACTOR", 1.0, minimum=0.0),
        most_concurrent=_int(env, "WAEMU_MAX_CONCURRENT", 500, 1, 10**6),
        health_drops_dead=_flag(env, "WAEMU_HEALTH_DROPS_DEAD"),
        contacts_required=_flag(env, "WAEMU_CONTACTS_REQUIRED"),
        error_statuses=_statuses(env, "WAEMU_ERROR_STATUS"),
    )


def _required(env: Env, name: str) -> str:
    value = env.get(name, "")
    if not value:
        raise ConfigError(f"{name} is not set; it is required.")
    return value


def _choice(env: Env, name: str, allowed: tuple[str, ...], default: str | None = None) -> str:
    value = env.get(name, "")
    if not value and default is not None:
        return default
    value = value or _required(env, name)
    if value not in allowed:
        raise ConfigError(f"{name} is {value!r}; allowed are {', '.join(allowed)}.")
    return value


def _flag(env: Env, name: str, *, default: bool = False) -> bool:
    value = env.get(name, "")
    if value in ("", "0", "1"):
        return default if value == "" else value == "1"
    raise ConfigError(f"{name} is {value!r}; allowed are 0 and 1.")


def _int(env: Env, name: str, default: int | None, low: int, high: int) -> int:
    text = env.get(name, "")
    if not text and default is not None:
        return default
    text = text or _required(env, name)
    if not re.fullmatch(r"\d{1,12}", text) or not low <= int(text) <= high:
        raise ConfigError(f"{name} is {text!r}; allowed are whole numbers from {low} to {high}.")
    return int(text)


def _float(env: Env, name: str, default: float, *, minimum: float) -> float:
    text = env.get(name, "")
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not minimum <= value < float("inf"):
        raise ConfigError(f"{name} is {text!r}; allowed are numbers from {minimum}.")
    return value


def _host(env: Env, name: str) -> str:
    value = _required(env, name)
    if not _HOST.fullmatch(value):
        raise ConfigError(f"{name} is {value!r}; allowed is a host name or an address, without blanks.")
    return value


def _matching(env: Env, name: str, pattern: re.Pattern[str], allowed: str) -> str:
    value = env.get(name, "")
    if not pattern.fullmatch(value):
        raise ConfigError(f"{name} is {value!r}; allowed are {allowed}.")
    return value


def _password(env: Env) -> str:
    value = _required(env, "WA_DB_PASSWORD")
    if any(character in PASSWORD_FORBIDDEN for character in value):
        listed = " ".join(PASSWORD_FORBIDDEN)
        raise ConfigError(f"WA_DB_PASSWORD holds a character it must not; not allowed are {listed}")
    return value


def _api_key(env: Env) -> str:
    value = env.get("WA_API_KEY", "")
    low, high = API_KEY_LENGTH
    if value and not low <= len(value) <= high:
        raise ConfigError(f"WA_API_KEY is {len(value)} characters long; allowed are {low} to {high}.")
    return value


def _file(env: Env, name: str) -> str:
    value = env.get(name, "")
    if value and not os.access(value, os.R_OK):
        raise ConfigError(f"{name} is {value!r}; allowed is the path of a file that can be read.")
    return value


def _ports(env: Env, name: str, default: str, *, count: int) -> tuple[int, ...]:
    text = env.get(name) or default
    parts = text.split(",")
    good = all(re.fullmatch(r"\d{1,5}", part) and 1 <= int(part) <= 65535 for part in parts)
    if not good or len(parts) < count:
        raise ConfigError(f"{name} is {text!r}; allowed: {count} ports from 1 to 65535, separated by commas.")
    return tuple(int(part) for part in parts)


def _core_ports(env: Env) -> tuple[int, int, int, int]:
    default = ",".join(str(port) for port in DEFAULT_PORTS)
    ports = _ports(env, "COREAPP_EXTERNAL_PORTS", default, count=4)
    if len(ports) != 4 or len(set(ports)) != 4:
        raise ConfigError(
            f"COREAPP_EXTERNAL_PORTS is {env.get('COREAPP_EXTERNAL_PORTS')!r}; "
            "allowed are four different ports: messaging, contacts, control, health."
        )
    return ports


def _ids(env: Env, name: str) -> tuple[str, ...]:
    text = env.get(name, "")
    parts = tuple(text.split(",")) if text else ()
    if not all(re.fullmatch(r"\d{1,20}", part) for part in parts):
        raise ConfigError(f"{name} is {text!r}; allowed are WhatsApp ids (digits), separated by commas.")
    return parts


def _statuses(env: Env, name: str) -> dict[int, int]:
    text = env.get(name, "")
    pairs = [part.partition("=") for part in text.split(",")] if text else []
    if not all(re.fullmatch(r"\d{4}", code) and re.fullmatch(r"[45]\d\d", status) for code, _, status in pairs):
        raise ConfigError(f"{name} is {text!r}; allowed is CODE=STATUS, separated by commas, as in 1018=500,1011=500.")
    return {int(code): int(status) for code, _, status in pairs}


def idle_if_asked(env: Env = os.environ) -> None:
    """After a bad value: do nothing until stopped, as older clients do (10), where a test asks for that."""
    if env.get("WAEMU_FAULT_KEEP_RUNNING", "") == "1":
        signal.signal(signal.SIGTERM, lambda *_: None)  # process 1 of a container would not notice it otherwise
        signal.pause()


def _gateway_url(env: Env) -> str:
    value = env.get("WAEMU_GATEWAY_URL", "")
    if value and not _GATEWAY.fullmatch(value):
        raise ConfigError(f"WAEMU_GATEWAY_URL is {value!r}; allowed is http://HOST:PORT.")
    return value


def _listen(env: Env) -> str:
    value = env.get("WA_TCP_LISTEN_ADDRESS", "") or "any"
    if value == "any":
        return "0.0.0.0"
    try:
        socket.getaddrinfo(value, None, flags=socket.AI_NUMERICHOST)
    except OSError as error:
        raise ConfigError(f"WA_TCP_LISTEN_ADDRESS is {value!r}; allowed are any or an IP address.") from error
    return value


def _version(env: Env) -> versions.Version:
    text = _required(env, "WAEMU_VERSION")
    try:
        return versions.parse(text)
    except ValueError as error:
        raise ConfigError(f"WAEMU_VERSION is {text!r}; allowed is vN.N.N.") from error


def _date(env: Env, name: str) -> dt.date | None:
    text = env.get(name, "")
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError as error:
        raise ConfigError(f"{name} is {text!r}; allowed is a date YYYY-MM-DD.") from error


def _faults(env: Env) -> Faults:
    return Faults(
        set_shards_403=_int(env, "WAEMU_FAULT_SET_SHARDS_403", 0, 0, 1000),
        schema_seconds=_float(env, "WAEMU_FAULT_SCHEMA_SECONDS", 0.0, minimum=0.0),
        build_expired=_flag(env, "WAEMU_FAULT_BUILD_EXPIRED"),
        registered_days=_float(env, "WAEMU_FAULT_REGISTERED_DAYS", 0.0, minimum=0.0),
        registration_blocked=_flag(env, "WAEMU_FAULT_REGISTRATION_BLOCKED"),
    )


def _accepted(env: Env) -> None:
    """Variables without effect here whose values are known all the same."""
    _flag(env, "WA_CONFIG_ON_DB")
    _choice(env, "WA_RUNNING_ENV", RUNNING_ENVS, "")
