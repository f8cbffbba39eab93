"""Every refusal names the variable, the value and what is allowed; secrets are never in it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.this_machine import PATIENCE

from waemu import environment
from waemu.environment import ConfigError

SOURCE = Path(__file__).parents[2] / "src"

GOOD = {
    "WA_DB_ENGINE": "MYSQL",
    "WA_DB_HOSTNAME": "db",
    "WA_DB_PORT": "3306",
    "WA_DB_USERNAME": "root",
    "WA_DB_PASSWORD": "testpass",
    "WA_APP_MULTICONNECT": "1",
    "COREAPP_HOSTNAME": "10.0.0.1",
    "WAEMU_VERSION": "v2.19.4",
}

REFUSED = [
    ("WA_DB_ENGINE", "ORACLE", "MYSQL, PGSQL"),
    ("WA_DB_ENGINE", "", "required"),
    ("WA_DB_HOSTNAME", "", "required"),
    ("WA_DB_PORT", "tcp://172.17.0.2:3306", "1 to 65535"),
    ("WA_DB_PORT", "0", "1 to 65535"),
    ("WA_DB_CONNECTION_IDLE_TIMEOUT", "3m", "whole numbers"),
    ("WA_DB_NAME_PREFIX", "a-b", "letters, digits"),
    ("WA_DB_SSL_CA", "/no/such/file", "can be read"),
    ("WA_APP_MULTICONNECT", "yes", "0 and 1"),
    ("WA_MASTER_NODE", "true", "0 and 1"),
    ("WA_CONFIG_ON_DB", "2", "0 and 1"),
    ("COREAPP_HOSTNAME", "10.0.0.1 ", "without blanks"),
    ("COREAPP_HOSTNAME", "", "required"),
    ("COREAPP_EXTERNAL_PORTS", "6250,6251,6252", "ports"),
    ("COREAPP_EXTERNAL_PORTS", "6250,6251,6252,6252", "four different ports"),
    ("COREAPP_EXTERNAL_PORTS", "6250,6251,6252,70000", "1 to 65535"),
    ("WA_TCP_LISTEN_ADDRESS", "everywhere", "any or an IP address"),
    ("WA_RUNNING_ENV", "MOON", "AWS, AZURE, GCP"),
    ("WAEMU_TIME_DIVISOR", "0", "numbers from"),
    ("WAEMU_TIME_DIVISOR", "nan", "numbers from"),
    ("WAEMU_VERSION", "latest", "vN.N.N"),
    ("WAEMU_EXPIRES_ON", "soon", "YYYY-MM-DD"),
]


@pytest.mark.parametrize(("name", "value", "allowed"), REFUSED)
def test_refusals(name: str, value: str, allowed: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        environment.node_env({**GOOD, name: value})
    assert name in str(refusal.value)
    assert allowed in str(refusal.value)
    assert value in str(refusal.value)


@pytest.mark.parametrize("character", list("?{}&~!()^="))
def test_password_characters(character: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        environment.node_env({**GOOD, "WA_DB_PASSWORD": f"hunter{character}2"})
    assert "WA_DB_PASSWORD" in str(refusal.value)
    assert "hunter" not in str(refusal.value)


@pytest.mark.parametrize("length", [11, 129])
def test_api_key_length(length: int) -> None:
    with pytest.raises(ConfigError) as refusal:
        environment.web_env({**GOOD, "WA_API_KEY": "k" * length})
    assert str(length) in str(refusal.value)
    assert "k" * length not in str(refusal.value)


def test_defaults() -> None:
    env = environment.node_env(GOOD)
    assert env.ports == (6250, 6251, 6252, 6253)
    assert env.db.idle_timeout_ms == 180000
    assert env.divisor == 1
    assert env.multiconnect
    assert not env.is_master
    assert env.node_key == f"10.0.0.1:{env.container}"


def test_link_variables_are_nobodys_business() -> None:
    links = {"WACORE_PORT_6250-6253_TCP": "tcp://172.17.0.3:6250", "DB_PORT": "tcp://172.17.0.2:3306"}
    assert environment.node_env({**GOOD, **links}) == environment.node_env(GOOD)


def test_single_instance_needs_no_host_name() -> None:
    single = {name: value for name, value in GOOD.items() if name not in ("COREAPP_HOSTNAME", "WA_APP_MULTICONNECT")}
    assert not environment.node_env(single).multiconnect


def test_schema_upgrade_needs_no_host_name() -> None:
    oneshot = {**GOOD, "WA_DB_UPGRADE": "1", "COREAPP_HOSTNAME": ""}
    assert environment.node_env(oneshot).db_upgrade


def test_secrets_are_not_in_the_representation() -> None:
    text = repr(environment.node_env({**GOOD, "WA_DB_PASSWORD": "hunter2", "WA_SECRET": "hunter3"}))
    assert "hunter" not in text


@pytest.mark.parametrize("program", ["waemu.core", "waemu.web"])
@pytest.mark.parametrize("keeps_running", [False, True])
def test_a_bad_value_ends_the_container_unless_asked_otherwise(program: str, *, keeps_running: bool) -> None:
    variables = {**os.environ, **GOOD, "WA_DB_PORT": "x", "WAEMU_FAULT_KEEP_RUNNING": str(int(keeps_running))}
    process = subprocess.Popen(
        [sys.executable, "-m", program],
        cwd=SOURCE,
        env={**variables, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert "WA_DB_PORT is 'x'" in process.stdout.readline()
        if keeps_running:
            time.sleep(0.3)
            assert process.poll() is None
            process.terminate()
        assert process.wait(timeout=PATIENCE) == 1
    finally:
        process.kill()


def test_lease_of_another_length() -> None:
    assert environment.node_env(GOOD).lease_seconds == 30
    assert environment.node_env({**GOOD, "WAEMU_LEASE_SECONDS": "12"}).lease_seconds == 12
    with pytest.raises(ConfigError, match="WAEMU_LEASE_SECONDS is '1'"):
        environment.node_env({**GOOD, "WAEMU_LEASE_SECONDS": "1"})


def test_statuses_of_errors() -> None:
    assert environment.web_env({**GOOD, "WAEMU_ERROR_STATUS": "1018=500,1011=400"}).error_statuses == {
        1018: 500,
        1011: 400,
    }
    for bad in ("1018", "1018=200", "x=500", "1018=500,"):
        with pytest.raises(ConfigError, match="WAEMU_ERROR_STATUS is"):
            environment.web_env({**GOOD, "WAEMU_ERROR_STATUS": bad})


@pytest.mark.parametrize(
    ("text", "ids"),
    [("", ()), ("49170", ("49170",)), ("49170,49171", ("49170", "49171")), ("+49170", None), (",", None)],
)
def test_ids_of_nobody(text: str, ids: tuple[str, ...] | None) -> None:
    variables = {**GOOD, "WAEMU_NOT_ON_WHATSAPP": text}
    if ids is None:
        with pytest.raises(ConfigError, match="WAEMU_NOT_ON_WHATSAPP is"):
            environment.node_env(variables)
    else:
        assert environment.node_env(variables).not_on_whatsapp == ids
