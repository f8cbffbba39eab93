# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wrong values of every kind for every declared variable, as YAML loads them."""

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._desired.variables import VARIABLES, Variable

#: What YAML makes of 0612, 12:30, 1.5, yes, 2024-01-01, and what is no single value at all.
NOT_TEXT: tuple[t.Any, ...] = (394, 750, 1.5, True, False, datetime.date(2024, 1, 1), ["a"], {"a": "b"})
NOT_A_NUMBER: tuple[t.Any, ...] = ("x", -1, "-1", 1.5, True, False, "0o17", "1_000", "12e5", "", " 5 5", [1], {"a": 1})
BY_TYPE: dict[str, tuple[t.Any, ...]] = {
    "str": NOT_TEXT,
    "int": NOT_A_NUMBER,
    "float": tuple(value for value in NOT_A_NUMBER if value != 1.5),
    "bool": ("maybe", "", 2, 1.5, [True], {"a": True}),
    "dict": ("a", 5, True, ["a"]),
    "list": ("a", 5, True, [1], [None], [""], {"a": 1}),
}
PATHS = ("\ttab", "two\nlines", " blank")
HOSTS = (
    "a b",
    "http://db.example.com",
    "db.example.com:3306",
    "192.0.2.300",
    "1.2.3",
    "[2001:db8::5]",
    "2001:db8::g",
    "-x",
)
VOLUMES = ("./media", "~/media", "a:b", "C:\\media", "a b", 7)
PORTS = (0, 65536, "70000")
#: Beyond those of the type.
MORE: dict[str, tuple[t.Any, ...]] = {
    "wa_name_prefix": ("Wa", "wa_1", "-wa", "wa-", "", "w" * 33, " wa"),
    "wa_cluster_name": ("a'b", 'a"b', "a\\b", "", " a"),
    "wa_version": ("2.19", "latest", "v2.19.4 ", "2.19.4.1", 2.30, ""),
    "wa_shards": (0, 3, "64", "1.0"),
    "wa_survive": ({"hosts": 0}, {"hosts": "x"}, {"hosts": 1, "racks": 1}, {"machines": 1}, {"hosts": None}),
    "wa_image_registry": ("https://docker.example.com", "docker.example.com/", "a b", ""),
    "wa_webapp_image": ("registry/web:v2.19.4", "/web", "Web Image", "https://x/web", ""),
    "wa_coreapp_image": ("registry/core@sha256:00", "registry/CORE", ""),
    "wa_address": (
        "127.0.0.1",
        "localhost",
        "LOCALHOST.",
        "127.1.2.3",
        "0.0.0.0",
        "192.0.2.300",
        "::1",
        "2001:db8::7",
        "a b",
    ),
    "wa_api_address": ("a b", "192.0.2.300", "[2001:db8::7]", "https://one.example.com"),
    "wa_extra_hosts": ({"db": "db.example.com"}, {"db": 5}, {5: "192.0.2.1"}, {"db": None}, {"192.0.2.9": "192.0.2.1"}),
    "wa_network": ("host", "none", "a b", "container:x", ""),
    "wa_publish_address": ("one.example.com", "127.0.0.1", "[::]", "::1", "192.0.2.300", ""),
    "wa_webapp_port": PORTS,
    "wa_coreapp_port": PORTS,
    "wa_master_port": PORTS,
    "wa_media": (*VOLUMES, ""),
    "wa_media_share": (
        {"server": "nas-1"},
        {"server": "localhost", "export": "/media", "path": "/srv/media"},
        {"server": "nas-1", "export": "media", "path": "/srv/media"},
        {"server": "nas-1", "export": "/media", "path": "/"},
        {"server": "nas-1", "export": "/media", "path": "/srv/media", "opts": ["ro"]},
        {"server": "nas-1", "export": "/media", "path": "/srv/media", "opts": {"vers": 4}},
        {"server": "nas-1", "export": "/media", "path": "/srv/media", "state": "absent"},
        {"server": "nas-1", "export": "/media", "path": "/srv/media", "owner": -1},
        {"server": "nas-1", "export": "/media", "path": "/srv/media", "mode": 770},
        {"server": None, "export": "/media", "path": "/srv/media"},
    ),
    "wa_data": VOLUMES,
    "wa_log_driver": ("none", "splunk", "Syslog", "", "org/plugin:tag"),
    "wa_log_options": ({"max-size": 50}, {"max-size": None}, {7: "x"}, {"max-size": ""}),
    "wa_db_engine": ("mysql", "ORACLE", "", "POSTGRES"),
    "wa_db_host": (
        *HOSTS,
        "",
        "db ",
        "127.0.0.1",
        "127.8.9.10",
        "LocalHost",
        "localhost.",
        "::1",
        "0.0.0.0",
        "::",
        "a.localhost",
        "::ffff:127.0.0.1",
        "localhost.localdomain",
        "127.1",
        "0x7f000001",
    ),
    "wa_db_port": PORTS,
    "wa_db_username": ("", " waent", "two\nlines"),
    "wa_db_password": ("", "a?b", "a\nb"),
    "wa_db_name_prefix": ("a b", "a.b", "`a`", "x" * 52),
    "wa_db_ssl_ca": ("/no/such/ca.pem", "/", "/dev/null", __file__),
    "wa_db_check_host": HOSTS,
    "wa_db_check_port": PORTS,
    "wa_database_image": ("a b", "Maria:10", "https://x/mariadb", ""),
    "wa_database_address": ("db.example.com", "[::]", "192.0.2.300", ""),
    "wa_database_port": PORTS,
    "wa_database_volume": (*VOLUMES, ""),
    "wa_database_class": ("large", "db.m4"),
    "wa_api_ca_path": ("/no/such/ca.pem", "/", "/dev/null", __file__),
    "wa_api_ca_fingerprint": ("ab" * 31, "ab" * 33, "xy" * 32, ":" + "ab" * 32, "AB:" * 32),
    "wa_admin_password": ("", "secret", "Aaaaaaa1"),
    "wa_admin_initial_password": ("",),
    "wa_api_key": ("elevenchars", "k" * 129, "with a blank in it"),
    "wa_extra_environment": (
        {"A": 1},
        {"A": True},
        {"A": None},
        {"A": ["b"]},
        {"A B": "c"},
        {"1A": "b"},
        {"": "b"},
        {7: "b"},
        {"WA_DB_PASSWORD": "x"},
        {"WA_DB_SSL_CA": "/ca.pem"},
        {"COREAPP_HOSTNAME": "x"},
        {"WA_MASTER_NODE": "1"},
    ),
    "wa_settings": (
        {"webhooks": {"url": "http://h.example.com"}},
        {"webhooks": {"url": "https://"}},
        {"webhooks": {"url": 5}},
        {"webhooks": {"url": ["https://a"]}},
        {"webhooks": {"max_concurrent_requests": 10}},
        {"webhook": {"url": ""}},
        {"webhooks": "https://h.example.com"},
        {"heartbeat_intervall": 5},
        {"heartbeat_interval": 0},
        {"callback_persist": "yes"},
        {"webhooks.url": "https://h.example.com"},
        {"wa_id": "1"},
        {"media": {"auto_download": "image"}},
        {"unhealthy_interval": None},
    ),
    "wa_cc": ("", "+39", "1234", "3 9", "39\n", "0039", "039"),
    "wa_phone_number": ("", "+5550100", "555 0100", "5" * 15, "555-0100"),
    "wa_cert": ("", "no base64!", "eyJh"),
    "wa_registration_method": ("fax", "SMS", ""),
    "wa_registration_code": ("12", "abc", "12 34 5x"),
    "wa_pin": ("12345", "1234567", "12345a"),
    "wa_coreapps": ("two",),
    "wa_health_timeout_seconds": (0,),
    "wa_webapp_drain": PATHS,
    "wa_webapp_undrain": PATHS,
    "wa_db_snapshot": PATHS,
    "wa_message_cleanup_wait": PATHS,
}


def wrong_values(variable: Variable) -> list[t.Any]:
    """All that are wrong for one variable; nothing after the colon is wrong for every one of them."""
    return [None, *BY_TYPE[variable.kind.spec], *MORE.get(variable.name, ())]


def every_wrong_value() -> list[tuple[str, t.Any]]:
    """Name and value."""
    return [(variable.name, value) for variable in VARIABLES for value in wrong_values(variable)]
