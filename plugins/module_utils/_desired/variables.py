# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The public variables: one declaration each, of which the checks before any host is contacted are made.

Internal to waent.fleet: may change in any release. Pure. A test compares the table with the roles' defaults and
argument specs, and makes wrong values of every kind for every variable. What depends on several variables, or on hosts,
is checked in cluster.py, settings.py and placement.py. Secrets are never repeated in a sentence.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.waent.fleet.plugins.module_utils._common import addresses
from ansible_collections.waent.fleet.plugins.module_utils._common.nearest import misspelt, nearest
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.text import enumerate_all, not_text, stated
from ansible_collections.waent.fleet.plugins.module_utils._desired.backup_schedule import SCHEDULE
from ansible_collections.waent.fleet.plugins.module_utils._desired.credentials import password_lacks
from ansible_collections.waent.fleet.plugins.module_utils._desired.log_driver import DRIVERS
from ansible_collections.waent.fleet.plugins.module_utils._desired.media_server import client_allowed
from ansible_collections.waent.fleet.plugins.module_utils._desired.media_share import inventory_share
from ansible_collections.waent.fleet.plugins.module_utils._desired.values import blank_problems, whole_number

Finding = t.Tuple[str, str]
"""Code and sentence of a problem."""


class _Null:
    """A variable with nothing after its colon. Other than one that is left out: that has its default."""

    def __repr__(self) -> str:
        return "null"


NULL = _Null()


@dataclass(frozen=True)
class Kind:
    """What values a variable takes.

    spec: its type in argument_specs. find: what is wrong with a value, by name and value. text: everything that YAML
    did not read as text is refused first, as digits may be lost by then. lines: a text of several lines, which may end
    with one that is empty.
    """

    spec: str
    find: t.Callable[[str, t.Any], t.List[Finding]]
    text: bool = True
    lines: bool = False


@dataclass(frozen=True)
class Variable:
    """One public variable.

    needed: why it has to be set, the end of a sentence; None where it may be empty or left out. needed_for: the switch
    that makes it needed, None for always. empty: whether C("") may be given, and means none. must: it is wrong to leave
    it out of a map that is checked by itself; a play always has the default. follows: the variables its default is made
    of, so that a mistake in one of them is reported once. role: where its default is, empty where it has none.
    """

    name: str
    kind: Kind
    secret: bool = False
    needed: str | None = None
    needed_for: str | None = None
    empty: bool = False
    must: bool = False
    follows: tuple[str, ...] = ()
    role: str = "cluster"

    @property
    def key(self) -> str:
        """The name without C(wa_)."""
        return self.name[len("wa_") :]

    def problem(self, code: str, message: str, value: t.Any = None) -> Problem:
        """A problem of this variable; the value of a secret is left out."""
        return Problem(code, message, self.name, None if self.secret or value is NULL else value)

    def problems(self, value: t.Any, is_needed: bool) -> list[Problem]:
        """What is wrong with a value; C(None) means that the variable is left out."""
        if value in (None, "") or value is NULL:
            return self._of_nothing(value, is_needed)
        if self.kind.text and not isinstance(value, str):
            return [self._not_text(value)]
        found = [] if self.secret or self.kind.lines else blank_problems({self.name: value})
        return found or [self.problem(code, text, value) for code, text in self.kind.find(self.name, value)]

    def _of_nothing(self, value: t.Any, is_needed: bool) -> list[Problem]:
        if is_needed:
            code = "WA_SECRET_MISSING" if self.secret else "WA_SETTING_MISSING"
            return [self.problem(code, "{0} is not set; {1}.".format(self.name, self.needed))]
        if value is NULL and not self.must:
            none = {"dict": "{}", "list": "[]"}.get(self.kind.spec)
            what = "an empty text in quotes, which means none" if self.empty else none or "a value"
            message = "{0} is null: nothing stands after its colon; leave the line out for the default, or write {1}."
            return [self.problem("WA_VALUE_NULL", message.format(self.name, what))]
        if (value is None and not self.must) or self.empty or self.needed is not None:
            return []
        found = self.kind.find(self.name, value)
        return [self.problem(code, text, value) for code, text in found] or [
            self.problem("WA_VALUE_INVALID", "{0} is empty; leave it out for the default.".format(self.name))
        ]

    def _not_text(self, value: t.Any) -> Problem:
        if self.secret:
            message = "{0} is not text; put it in quotes, so that no digit is lost.".format(self.name)
            return self.problem("WA_SECRET_NOT_TEXT", message)
        return self.problem("WA_VALUE_NOT_TEXT", not_text(self.name, value), value)


# --- kinds -----------------------------------------------------------------------------------------------------------


def _only(
    fits: t.Callable[[t.Any], bool], allowed: str, code: str = "WA_VALUE_INVALID"
) -> t.Callable[..., list[Finding]]:
    """Refuses what does not fit, in one sentence that ends with what is allowed."""

    def find(name: str, value: t.Any) -> list[Finding]:
        return [] if fits(value) else [(code, "{0}; allowed {1}.".format(stated(name, value), allowed))]

    return find


def _pem(what: str) -> t.Callable[[str, t.Any], list[Finding]]:
    """Refuses what is not PEM of this. Its text, which may be a key, is never repeated."""

    def find(name: str, value: t.Any) -> list[Finding]:
        if re.search("-----BEGIN ([A-Z0-9]+ )*{0}-----".format(what), value):
            return []
        text = "{0} holds no PEM block of a {1}; allowed is its text, as lookup('ansible.builtin.file', PATH) reads it."
        return [("WA_CERTIFICATE_NOT_PEM", text.format(name, what.lower()))]

    return find


def _matches(pattern: str) -> t.Callable[[t.Any], bool]:
    compiled = re.compile("(?:" + pattern + r")\Z")
    return lambda value: compiled.match(value) is not None


def text(pattern: str, allowed: str, code: str = "WA_VALUE_INVALID") -> Kind:
    """Text of a pattern."""
    return Kind("str", _only(_matches(pattern), allowed, code))


def choice(code: str, *allowed: str) -> Kind:
    """One of a few words."""
    return Kind("str", _only(allowed.__contains__, "are " + enumerate_all(allowed), code))


def whole(least: int, code: str = "WA_VALUE_INVALID") -> Kind:
    """A whole number from C(least) up, or one as text."""

    def fits(value: t.Any) -> bool:
        number = whole_number(value)
        return number is not None and number >= least

    return Kind("int", _only(fits, "is a whole number from {0}".format(least), code), text=False)


def port(code: str = "WA_PORT_INVALID") -> Kind:
    """A port number, or one as text."""

    def fits(value: t.Any) -> bool:
        return 1 <= (whole_number(value) or 0) <= 65535

    return Kind("int", _only(fits, "is a port number from 1 to 65535", code), text=False)


def _is_number(value: t.Any) -> bool:
    if isinstance(value, str):
        return re.match(r"[0-9]{1,9}(\.[0-9]{1,9})?\Z", value) is not None
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e9


NUMBER = Kind("float", _only(_is_number, "is a number from 0"), text=False)

_ON, _OFF = ("true", "yes", "on", "1", "t", "y"), ("false", "no", "off", "0", "f", "n")


def switch_on(value: t.Any) -> bool:
    """Whether a switch is on; one that cannot be understood is not."""
    return str(value).lower() in _ON


def _is_switch(value: t.Any) -> bool:
    return isinstance(value, (bool, int, str)) and str(value).lower() in _ON + _OFF


SWITCH = Kind("bool", _only(_is_switch, "are true and false"), text=False)

ANY_TEXT = Kind("str", lambda _name, _value: [])


def of_the_shape(spec: str) -> Kind:
    """What read_cluster_spec and place check, whose sentences need the hosts; here only that text is text."""
    return Kind(spec, lambda _name, _value: [], text=spec == "str")


def _is_bind_address(value: str) -> bool:
    address = addresses.ip_of(value)
    return address is not None and not address.is_loopback


BIND_ADDRESS = Kind(
    "str",
    _only(
        _is_bind_address,
        "is an IPv4 or IPv6 address of the host without brackets, 0.0.0.0 for all of them; other hosts and containers"
        " must reach it",
    ),
)
DATABASE_BIND_ADDRESS = Kind(
    "str",
    _only(
        lambda value: addresses.ip_of(value) is not None,
        "is an IPv4 or IPv6 address of the host without brackets, 0.0.0.0 for all of them",
    ),
)
HOST = Kind(
    "str", _only(addresses.names_a_host, "is a DNS name, or an IPv4 or IPv6 address, without port and brackets")
)

_IMAGE = r"(?:[A-Za-z0-9.\-\[\]:]+/)?[a-z0-9]+(?:(?:[._]|__|-+|/)[a-z0-9]+)*"
IMAGE = text(_IMAGE, "is the name of an image without its tag, which is the version")
TAGGED_IMAGE = text(
    _IMAGE + r"(?::[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(?:@sha256:[0-9a-f]{64})?", "is the name of an image"
)
REGISTRY = text(
    r"(?!.*://)[A-Za-z0-9\[][A-Za-z0-9.:\[\]_/-]*(?<!/)",
    "is the name of a registry with its port and path, if any, and without https://",
)
NETWORK = text(
    r"(?!(?:host|none|default)\Z)[a-zA-Z0-9][a-zA-Z0-9_.-]*", "is the name of a network other than host and none"
)
LABEL = text(r"[^'\"`\\\x00-\x1f]+", "is text without quotes and backslashes")
VOLUME = Kind(
    "str",
    _only(
        lambda value: isinstance(value, str) and _matches(r"/.*|[a-zA-Z0-9][a-zA-Z0-9_.-]*")(value.strip()),
        "is a volume's name or an absolute path on the host",
        "WA_MOUNT_INVALID",
    ),
    text=False,
)


def digits(longest: int, zero: bool = True) -> Kind:
    """A number that is dialled: text, as a leading zero counts. zero: whether one may stand in front."""
    return text(
        ("" if zero else "(?!0)") + "[0-9]{{1,{0}}}".format(longest),
        "are 1 to {0} digits, without + or blanks{1}".format(longest, "" if zero else ", and without a zero in front"),
        "WA_PHONE_NUMBER_INVALID",
    )


def secret(code: str, fits: t.Callable[[str], bool], sentence: str) -> Kind:
    """A secret; C(sentence) says what it must be, without saying what it is."""

    def find(name: str, value: str) -> list[Finding]:
        return [] if fits(value) else [(code, "{0} {1}.".format(name, sentence))]

    return Kind("str", find)


DB_PASSWORD_REFUSED = "?{}&~!()^="
"""Characters that break the client's database password (reference 2.4)."""


def _find_db_password(name: str, value: str) -> list[Finding]:
    found = [character for character in DB_PASSWORD_REFUSED if character in value]
    if any(ord(character) < 32 for character in value):
        found.append("a control character, for example a line break")
    if not found:
        return []
    sentence = "{0} has {1}; the client cannot use any of {2} or control characters."
    return [("WA_DB_PASSWORD_CHARACTERS", sentence.format(name, " ".join(found), " ".join(DB_PASSWORD_REFUSED)))]


def _find_admin_password(name: str, value: str) -> list[Finding]:
    lacks = password_lacks(value)
    return [("WA_ADMIN_PASSWORD_POLICY", "{0} lacks {1}.".format(name, enumerate_all(lacks)))] if lacks else []


def _find_api_key(name: str, value: str) -> list[Finding]:
    """One that is set must have the length the client accepts (reference 2.4)."""
    found = []
    if not 12 <= len(value) <= 128:
        found.append(("WA_API_KEY_LENGTH", "{0} has {1} characters; allowed are 12 to 128.".format(name, len(value))))
    if re.search(r"\s", value):
        found.append(
            ("WA_API_KEY_BLANKS", "{0} has white space in it; it travels in a header and must not.".format(name))
        )
    return found


def _find_map(name: str, value: t.Any) -> list[Finding]:
    if isinstance(value, t.Mapping):
        return []
    return [("WA_VALUE_INVALID", "{0}; allowed is a map, {{}} for nothing.".format(stated(name, value)))]


def _find_log_options(name: str, value: t.Any) -> list[Finding]:
    """Options of a log driver are text: Docker takes no numbers."""
    if not isinstance(value, t.Mapping):
        return _find_map(name, value)
    message = "{0} has {1!r}: {2!r}; allowed are texts by name, numbers in quotes."
    return [
        ("WA_VALUE_INVALID", message.format(name, key, text))
        for key, text in value.items()
        if not (isinstance(key, str) and isinstance(text, str) and text)
    ]


def _find_media_share(_name: str, value: t.Any) -> list[Finding]:
    return [(problem.code, problem.message) for problem in inventory_share(value)[1]]


def _find_media_clients(name: str, value: t.Any) -> list[Finding]:
    wrong = [one for one in value if not client_allowed(one)] if isinstance(value, list) else [value]
    message = "{0}; allowed is a list of DNS names, addresses and networks such as 192.0.2.0/28."
    return [("WA_VALUE_INVALID", message.format(stated(name, one))) for one in wrong]


def _find_extra_hosts(name: str, value: t.Any) -> list[Finding]:
    if not isinstance(value, t.Mapping):
        return _find_map(name, value)
    found = []
    for host, address in value.items():
        if not isinstance(host, str) or not addresses.names_a_host(host) or addresses.looks_numeric(host):
            found.append("{0}: {1!r} is no DNS name; allowed is {{name: address}}.".format(name, host))
        elif address != "host-gateway" and (not isinstance(address, str) or addresses.ip_of(address) is None):
            found.append(
                "{0}.{1} is {2!r}; allowed are an IPv4 or IPv6 address, and host-gateway.".format(name, host, address)
            )
    return [("WA_ADDRESS_INVALID", sentence) for sentence in found]


OWN_ENVIRONMENT = {
    "COREAPP_EXTERNAL_PORTS": "wa_coreapp_port and wa_master_port",
    "COREAPP_HOSTNAME": "wa_address",
    "WA_API_KEY": "wa_api_key",
    "WA_APP_MULTICONNECT": None,
    "WA_CONFIG_ON_DB": None,
    "WA_DB_CONNECTION_IDLE_TIMEOUT": "wa_db_idle_timeout_ms",
    "WA_DB_ENGINE": "wa_db_engine",
    "WA_DB_HOSTNAME": "wa_db_host",
    "WA_DB_NAME_PREFIX": "wa_db_name_prefix",
    "WA_DB_PASSWORD": "wa_db_password",
    "WA_DB_PORT": "wa_db_port",
    "WA_DB_SSL_CA": "wa_db_ssl_ca",
    "WA_DB_SSL_CERT": "wa_db_ssl_cert",
    "WA_DB_SSL_KEY": "wa_db_ssl_key",
    "WA_DB_UPGRADE": None,
    "WA_DB_USERNAME": "wa_db_username",
    "WA_MASTER_NODE": None,
    "WA_WEB_JWT_CRYPTO_KEY": "wa_jwt_key",
    "WEBAPP_EXTERNAL_PORTS": "wa_webapp_port",
    "WEBAPP_HOSTNAME": "wa_address",
}
"""What the roles put into the environment of a node by themselves, and the variable each comes from, if any."""


def _find_environment(name: str, value: t.Any) -> list[Finding]:
    """Values may be secrets, for example WA_SECRET, and are not shown."""
    if not isinstance(value, t.Mapping):
        return [("WA_VALUE_INVALID", "{0} is not a map; allowed is {{NAME: value}}, {{}} for nothing.".format(name))]
    found = []
    for key, entry in value.items():
        if not isinstance(key, str) or not re.match(r"[A-Za-z_][A-Za-z0-9_]*\Z", key):
            sentence = "{0}: {1!r} is no name of an environment variable; allowed are letters, digits and _."
            found.append(("WA_ENVIRONMENT_NAME", sentence.format(name, key)))
        elif key in OWN_ENVIRONMENT:
            variable = OWN_ENVIRONMENT[key]
            instead = "set {0} instead".format(variable) if variable else "leave it out"
            found.append(
                ("WA_ENVIRONMENT_OWN", "{0}: {1} is set by the roles themselves; {2}.".format(name, key, instead))
            )
        elif not isinstance(entry, str):
            sentence = "{0}.{1} is {2} and not text; put its value in quotes."
            found.append(("WA_ENVIRONMENT_NOT_TEXT", sentence.format(name, key, _type_word(entry))))
    return found


def _type_word(value: t.Any) -> str:
    words = ((bool, "true or false"), (int, "a number"), (float, "a number"), (dict, "a map"), (list, "a list"))
    return next((word for kind, word in words if isinstance(value, kind)), "null" if value is None else "no text")


def _is_list_of_text(value: t.Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) and one for one in value)


PEM_CERTIFICATES = Kind("str", _pem("CERTIFICATE"), lines=True)
PEM_KEY = Kind("str", _pem("PRIVATE KEY"), lines=True)
LIST_OF_TEXT = Kind("list", _only(_is_list_of_text, "is a list of texts, numbers in quotes"), text=False)
LIST_OF_HOSTS = Kind(
    "list",
    _only(_is_list_of_text, 'is a list of hosts as the inventory names them, such as ["rack-b-1"]'),
    text=False,
)
HOOK = text(
    r"[^\x00-\x1f]*/[^\x00-\x1f]+|[a-z0-9_]+(?:\.[a-z0-9_]+){2}",
    "are the path of a task file on the machine that runs Ansible, with a slash in it, and the full name of a role, as"
    " waent.fleet.aws",
)
ABSOLUTE_PATH = text(r"[^\x00-\x1f]+", "is the path of a file on the machine that runs Ansible")
PIN = secret("WA_PIN_INVALID", _matches("[0-9]{6}"), "must be exactly 6 digits")


# --- the table -------------------------------------------------------------------------------------------------------

_REACH = "every node needs it to reach the database"
_REGISTER = "registering the number needs it; set wa_register to false to leave the number alone"
_FIRST_LOGIN = "the first login must replace the password every new installation has"

VARIABLES: tuple[Variable, ...] = (
    # What runs.
    Variable("wa_name_prefix", of_the_shape("str")),
    Variable("wa_cluster_name", LABEL),
    Variable("wa_version", of_the_shape("str"), empty=True),
    Variable("wa_shards", of_the_shape("int")),
    Variable("wa_survive", of_the_shape("dict")),
    Variable("wa_allow_no_ha", SWITCH),
    Variable("wa_without_hosts", LIST_OF_HOSTS),
    Variable("wa_image_registry", REGISTRY),
    Variable("wa_webapp_image", IMAGE, follows=("wa_image_registry",)),
    Variable("wa_coreapp_image", IMAGE, follows=("wa_image_registry",)),
    # Where it runs.
    Variable("wa_address", of_the_shape("str"), empty=True),
    Variable("wa_api_address", of_the_shape("str"), empty=True, follows=("wa_address",)),
    Variable("wa_extra_hosts", Kind("dict", _find_extra_hosts, text=False)),
    Variable("wa_network", NETWORK, follows=("wa_cluster_name",)),
    Variable("wa_publish_address", BIND_ADDRESS),
    Variable("wa_webapp_port", of_the_shape("int")),
    Variable("wa_coreapp_port", of_the_shape("int")),
    Variable("wa_master_port", of_the_shape("int")),
    # Storage.
    Variable("wa_media", VOLUME, follows=("wa_cluster_name",)),
    Variable("wa_media_share", Kind("dict", _find_media_share, text=False)),
    Variable("wa_data", VOLUME, empty=True),
    Variable("wa_container_uid", whole(0)),
    # Logs.
    Variable("wa_log_driver", choice("WA_LOG_DRIVER_INVALID", *DRIVERS)),
    Variable("wa_log_options", Kind("dict", _find_log_options, text=False)),
    Variable("wa_disk_free_mb", whole(0)),
    # Database.
    Variable("wa_db_engine", choice("WA_DB_ENGINE_INVALID", "MYSQL", "PGSQL"), must=True),
    Variable("wa_db_host", HOST, needed=_REACH),
    Variable("wa_db_port", port("WA_DB_PORT_INVALID"), must=True),
    Variable("wa_db_username", text(r"[^\x00-\x1f]+", "is one line of text"), needed=_REACH),
    Variable("wa_db_password", Kind("str", _find_db_password), secret=True, needed=_REACH),
    Variable(
        "wa_db_name_prefix", text(r"[A-Za-z0-9_$-]{1,51}", "are up to 51 letters, digits, _, $ and -"), empty=True
    ),
    Variable("wa_db_idle_timeout_ms", whole(1)),
    Variable("wa_db_ssl_ca", ABSOLUTE_PATH, empty=True),
    Variable("wa_db_ssl_cert", ABSOLUTE_PATH, empty=True),
    Variable("wa_db_ssl_key", ABSOLUTE_PATH, empty=True),
    Variable("wa_db_ssl_check_hostname", SWITCH),
    Variable("wa_db_check_host", HOST, empty=True, follows=("wa_db_host",)),
    Variable("wa_db_check_port", port("WA_DB_PORT_INVALID"), follows=("wa_db_port",)),
    # Database of our own.
    Variable("wa_database_image", TAGGED_IMAGE),
    Variable("wa_database_address", DATABASE_BIND_ADDRESS, follows=("wa_publish_address",)),
    Variable("wa_database_port", port(), follows=("wa_db_port",)),
    Variable("wa_database_volume", VOLUME, follows=("wa_cluster_name",)),
    Variable("wa_database_max_connections", whole(0)),
    Variable("wa_database_arguments", LIST_OF_TEXT),
    # Size.
    Variable("wa_messages_per_second", NUMBER),
    Variable(
        "wa_database_class",
        text(r"(?:db\.)?(?!db\.)[a-z0-9]+\.[a-z0-9]+", "is a class such as db.m4.large"),
        empty=True,
    ),
    # API.
    Variable("wa_validate_certs", SWITCH),
    Variable("wa_api_ca_path", ABSOLUTE_PATH, empty=True),
    Variable(
        "wa_api_ca_fingerprint",
        text(
            r"[0-9A-Fa-f]{2}(?::?[0-9A-Fa-f]{2}){31}",
            "is a SHA-256 fingerprint, 64 hexadecimal digits with or without colons, in quotes",
        ),
        empty=True,
    ),
    Variable("wa_api_certificate", PEM_CERTIFICATES, empty=True),
    Variable("wa_api_certificate_key", PEM_KEY, secret=True, empty=True),
    Variable("wa_api_names", LIST_OF_TEXT),
    Variable("wa_webhook_ca", PEM_CERTIFICATES, empty=True),
    Variable("wa_admin_password", Kind("str", _find_admin_password), secret=True, needed=_FIRST_LOGIN),
    Variable("wa_admin_initial_password", ANY_TEXT, secret=True),
    Variable("wa_admin_former_password", ANY_TEXT, secret=True, empty=True),
    Variable("wa_api_key", Kind("str", _find_api_key), secret=True, empty=True),
    Variable("wa_jwt_key", ANY_TEXT, secret=True, empty=True),
    Variable("wa_extra_environment", Kind("dict", _find_environment, text=False), secret=True),
    Variable("wa_settings", Kind("dict", _find_map, text=False)),
    # Registration.
    Variable("wa_register", SWITCH),
    Variable("wa_cc", digits(3, zero=False), needed=_REGISTER, needed_for="register"),
    Variable("wa_phone_number", digits(14), needed=_REGISTER, needed_for="register"),
    Variable("wa_cert", ANY_TEXT, secret=True, needed=_REGISTER, needed_for="register"),
    Variable("wa_registration_method", choice("WA_REGISTRATION_METHOD_INVALID", "sms", "voice")),
    Variable(
        "wa_registration_code",
        text(r"[ -]*(?:[0-9][ -]*){3,10}", "are the digits that were received, with or without a dash, in quotes"),
        empty=True,
    ),
    Variable("wa_pin", PIN, secret=True, empty=True),
    # Rollout.
    Variable("wa_stop_single_connect", SWITCH),
    Variable("wa_recreate_at_once", SWITCH),
    Variable("wa_check_ports", SWITCH),
    Variable("wa_health_timeout_seconds", whole(1)),
    Variable("wa_health_delay_seconds", whole(0)),
    Variable("wa_secure_logging", SWITCH),
    Variable("wa_report", ABSOLUTE_PATH, empty=True),
    # Of a host: no role has a default for them.
    Variable("wa_coreapps", of_the_shape("int"), role=""),
    Variable("wa_masters", of_the_shape("int"), role=""),
    Variable("wa_webapps", of_the_shape("int"), role=""),
    Variable("wa_drained", SWITCH, role=""),
    # Of upgrade.yml.
    Variable("wa_webapp_drain", ABSOLUTE_PATH, empty=True, role="rollout"),
    Variable("wa_webapp_undrain", ABSOLUTE_PATH, empty=True, role="rollout"),
    Variable("wa_db_snapshot", ABSOLUTE_PATH, empty=True, role="rollout"),
    Variable("wa_reshard_before", HOOK, empty=True, role="rollout"),
    Variable("wa_reshard_after", HOOK, empty=True, role="rollout"),
    Variable("wa_message_cleanup_seconds", whole(0), role="rollout"),
    Variable("wa_message_cleanup_wait", ABSOLUTE_PATH, empty=True, role="rollout"),
    Variable("wa_schema_timeout_seconds", whole(1), role="rollout"),
    Variable("wa_planned_heartbeat_interval", whole(1), role="rollout"),
    Variable("wa_planned_unhealthy_interval", whole(1), role="rollout"),
    Variable("wa_planned_wait_seconds", whole(0), role="rollout"),
    Variable("wa_expiry_warning_days", whole(0), role="rollout"),
    Variable("wa_rollout_settle_seconds", whole(0), role="rollout"),
    Variable("wa_rollout_error_seconds", NUMBER, role="rollout"),
    Variable("wa_rollout_error_percent", NUMBER, role="rollout"),
    # Where no engine answers.
    Variable("wa_engine_packages", LIST_OF_TEXT, role="docker_engine"),
    Variable("wa_engine_timeout_seconds", whole(1), role="docker_engine"),
    # Of the roles media_share and media_server.
    Variable("wa_media_from", VOLUME, empty=True, role="media_share"),
    Variable("wa_media_server_clients", Kind("list", _find_media_clients, text=False), role="media_server"),
    # Of drill.yml.
    Variable("wa_production", SWITCH, role="drill"),
    Variable("wa_drill_deadline_seconds", whole(30), role="drill"),
    # Of backup.yml.
    Variable("wa_backup_password", ANY_TEXT, secret=True, empty=True, role="backup"),
    Variable(
        "wa_backup_directory", text(r"[^\x00-\x1f]+", "is a directory on the machine that runs Ansible"), role="backup"
    ),
    Variable("wa_backup_users", LIST_OF_TEXT, role="backup"),
    Variable(
        "wa_backup_host", text(r"[^\x00-\x1f,]+", "is a host as the inventory names it"), empty=True, role="backup"
    ),
    Variable(
        "wa_backup_schedule",
        text(SCHEDULE, "is a calendar event of systemd, such as daily or Mon *-*-* 03:00"),
        role="backup",
    ),
    Variable("wa_backup_keep", whole(1), role="backup"),
    Variable("wa_backup_recipient", ABSOLUTE_PATH, empty=True, role="backup"),
    # Of logs.yml.
    Variable(
        "wa_logs_directory", text(r"[^\x00-\x1f]+", "is a directory on the machine that runs Ansible"), role="logs"
    ),
    Variable("wa_logs_megabytes", whole(1), role="logs"),
    Variable("wa_logs_host_megabytes", whole(1), role="logs"),
    Variable("wa_logs_seconds", whole(1), role="logs"),
    # Of an environment on AWS; wa_aws_plan checks what they say together, before the first call.
    Variable("wa_aws_environment", ANY_TEXT, empty=True, role="aws"),
    Variable("wa_aws_region", ANY_TEXT, empty=True, role="aws"),
    Variable(
        "wa_aws_name",
        text(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*", "are lower-case letters, digits and inner hyphens"),
        role="aws",
    ),
    Variable("wa_aws_zones", LIST_OF_TEXT, role="aws"),
    Variable("wa_aws_cidr", ANY_TEXT, role="aws"),
    Variable("wa_aws_vpc", ANY_TEXT, empty=True, role="aws"),
    Variable("wa_aws_subnets", LIST_OF_TEXT, role="aws"),
    Variable("wa_aws_clients", LIST_OF_TEXT, role="aws"),
    Variable("wa_aws_admins", LIST_OF_TEXT, role="aws"),
    Variable("wa_aws_hosts", whole(0), role="aws"),
    Variable("wa_aws_instance_type", ANY_TEXT, empty=True, role="aws"),
    Variable("wa_aws_image", ANY_TEXT, role="aws"),
    Variable("wa_aws_disk_gb", whole(8), role="aws"),
    Variable("wa_aws_key_name", ANY_TEXT, empty=True, role="aws"),
    Variable("wa_aws_db_class", ANY_TEXT, empty=True, role="aws"),
    Variable("wa_aws_db_version", ANY_TEXT, role="aws"),
    Variable("wa_aws_log_days", whole(0), role="aws"),
    Variable("wa_aws_wait_seconds", whole(0), role="aws"),
    Variable("wa_aws_boot_seconds", whole(1), role="aws"),
    # Of uninstall.yml.
    Variable("wa_remove_data", SWITCH, role="uninstall"),
    # Whose name it has to be is known once the hosts are read.
    Variable("wa_remove_database", ANY_TEXT, empty=True, role="uninstall"),
)

BY_NAME: dict[str, Variable] = {variable.name: variable for variable in VARIABLES}

RACK = "rack"
"""Variable of a host, without our prefix as it belongs to the machine: the rack it stands in, any text."""

COMMAND_LINE = {
    "backup": ("restore",),
    "confirm": (
        *("site", "reshard", "upgrade", "drain", "uninstall", "drill"),
        *("certificates", "restore", "rotate", "aws", "aws_remove", "adopt"),
    ),
    "drill": ("drill",),
    "drill_report": ("drill",),
    "host": ("drain",),
    "into": ("adopt",),
    "really": ("drill",),
    "rotate": ("rotate",),
    "shards": ("reshard", "aws"),
    "since": ("logs",),
    "target": ("drill",),
    "upgrade_strategy": ("upgrade",),
    "version": ("upgrade",),
}
"""Names that are given with -e alone, since they hold for one run, and the playbooks that read them."""

HOOK_INPUTS = {
    "wa_webapp_drain": ("wa_node",),
    "wa_webapp_undrain": ("wa_node",),
    "wa_reshard_before": ("wa_reshard_shards",),
    "wa_reshard_after": ("wa_reshard_shards",),
    "wa_message_cleanup_wait": ("wa_cleanup_begun", "wa_cleanup_nodes"),
}
"""What a task file of the user's gets, by the variable that names the file."""

INTERNAL = frozenset(
    ("wa_images_missing", "wa_network_missing", "wa_nodes", "wa_one_shot_name", "wa_volumes_missing")
).union(*HOOK_INPUTS.values())
"""Names that plays, roles and hooks use among themselves: known, and not for inventories."""

OF_EXAMPLES = frozenset(
    ("wa_haproxy_drained", "wa_haproxy_socket", "wa_webhook_lines", "wa_webhook_log", "wa_webhook_reports")
)
"""Names in the hooks of docs/examples, which users copy."""


def value_problems(given: t.Mapping[str, t.Any]) -> list[Problem]:
    """What is wrong with single variables in C(given), by their names without C(wa_); one that is left out has None."""
    found: list[Problem] = []
    wrong: set[str] = set()
    for variable in VARIABLES:
        value = given.get(variable.key)
        if any(name in wrong and _made_of(value, given.get(name[len("wa_") :])) for name in variable.follows):
            continue
        problems = variable.problems(value, _is_needed(variable, given))
        found += problems
        wrong |= {variable.name for _problem in problems[:1]}
    return found


def _made_of(value: t.Any, source: t.Any) -> bool:
    return str(source) in str(value)


def _is_needed(variable: Variable, given: t.Mapping[str, t.Any]) -> bool:
    return variable.needed is not None and (
        variable.needed_for is None or switch_on(given.get(variable.needed_for, False))
    )


def unknown_names(names: t.Iterable[str]) -> tuple[list[Problem], list[str]]:
    """Variables that begin like ours and are none of them: problems where one is misspelt, and warnings for others."""
    known = set(BY_NAME) | INTERNAL | OF_EXAMPLES
    problems, warnings = [], []
    for name in sorted(set(names) - known):
        if not re.match(r"wa[-_]", name, re.IGNORECASE):
            continue
        meant = misspelt(name, BY_NAME)
        if meant is not None:
            message = "{0} is no variable of this collection; {1} is. Correct the name, or give yours another one."
            problems.append(Problem("WA_VARIABLE_UNKNOWN", message.format(name, meant), name))
            continue
        like = nearest(name, BY_NAME)
        hint = "; the nearest one is {0}".format(like) if like else ""
        warnings.append("{0} is no variable of this collection and changes nothing{1}.".format(name, hint))
    return problems, warnings
