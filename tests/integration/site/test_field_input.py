# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventories as users write them, in YAML: what can be known from them is reported before any host is contacted.

YAML's own reading of a value is part of these tests: 0612 is 394 for it, 12:30 is 750, no is false.
"""

from __future__ import annotations

import sys
import textwrap
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.waent.fleet.plugins.module_utils._desired.variables import VARIABLES
from ansible_collections.waent.fleet.plugins.module_utils._io.client import checked_base_url
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, OK, ROOT, Doorbell, Run, play
from ansible_collections.waent.fleet.tests.support.wrong_values import wrong_values

GOOD = """
wa_version: v2.19.4
wa_db_host: mysql.example.com
wa_db_check_host: ""
wa_db_username: waent
wa_db_password: Sup3rgeheim
wa_admin_password: "Canary-admin-5Kd9wQ"
wa_cc: "39"
wa_phone_number: "0612345670"
wa_cert: "Y2FuYXJ5LWNlcnRpZmljYXRl"
wa_registration_code: "123456"
"""
KINDS = ("wa_webapp_hosts", "wa_master_hosts", "wa_coreapp_hosts")
Site = t.Callable[..., tuple[Run, int]]


@pytest.fixture(scope="module")
def bell() -> t.Iterator[Doorbell]:
    """The SSH port of every host."""
    made = Doorbell()
    yield made
    made.close()


@pytest.fixture
def site(bell: Doorbell, tmp_path: Path) -> Site:
    """Run site.yml with lines of YAML in place of those of GOOD; returns the run, and the calls at hosts' doors."""

    def work(lines: str = "", *groups: str, hosts: t.Sequence[str] = ("one",)) -> tuple[Run, int]:
        reached = {"ansible_host": "127.0.0.1", "ansible_port": bell.port}
        own = {} if "wa_address:" in lines else {name: {"wa_address": name + ".example.com"} for name in hosts}
        machines = {name: {**reached, **own.get(name, {})} for name in hosts}
        children: dict[str, t.Any] = {kind: {"hosts": dict.fromkeys(hosts)} for kind in (*KINDS, *groups)}
        children["wa_cluster"] = {"children": dict.fromkeys(KINDS)}
        (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": machines, "children": children}}))
        variables = tmp_path / "group_vars" / "all"
        variables.mkdir(parents=True, exist_ok=True)
        (variables / "1.yml").write_text(GOOD)
        (variables / "2.yml").write_text(textwrap.dedent(lines))
        before = bell.calls
        run = play("playbooks/site.yml", "-i", str(tmp_path))
        return run, bell.calls - before

    return work


def refusals(run: Run, calls: int) -> str:
    """All sentences, of a run that ended red before any host was contacted and without a traceback."""
    assert run.code == FAILED and calls == 0, run.output
    assert "Traceback" not in run.output and run.codes, run.output
    return "\n".join(sentence for _code, sentence in run.problems)


def test_good_input_goes_on_to_the_hosts(site: Site) -> None:
    """The refusals below show something only because this is what happens without a mistake."""
    run, calls = site()
    assert calls > 0 and run.codes == ["HOST_NOT_READ"], run.output


REFUSED: dict[str, dict[str, str]] = {
    "digits that YAML reads otherwise": {
        "wa_cc: 039": "wa_cc",
        "wa_phone_number: 0612345670": "wa_phone_number",
        "wa_registration_code: 123456": "wa_registration_code",
        "wa_pin: 012345": "wa_pin",
        "wa_cert: 12e+5": "wa_cert",
        "wa_version: 2.30": "wa_version",
        "wa_db_username: 1_000": "wa_db_username",
        "wa_db_password: 12:30": "wa_db_password",
        "wa_name_prefix: 0612": "wa_name_prefix",
        "wa_db_host: 1.5": "wa_db_host",
    },
    "words that YAML reads otherwise": {
        "wa_cc: no": "wa_cc",
        "wa_phone_number: 2024-01-01": "wa_phone_number",
        "wa_db_username: yes": "wa_db_username",
        "wa_db_password: on": "wa_db_password",
        "wa_pin:": "wa_pin",
        "wa_cert: ~": "wa_cert",
        "wa_api_key: [k]": "wa_api_key",
        "wa_registration_code: 12:34": "wa_registration_code",
        "wa_cluster_name: off": "wa_cluster_name",
        "wa_admin_password: {a: b}": "wa_admin_password",
        "wa_settings:": "wa_settings",
        "wa_db_engine: Null": "wa_db_engine",
    },
    "what a container would not take": {
        "wa_extra_environment: {WA_DB_PERSISTENT: 1, WA_SECRET: off, A B: c, WA_DB_PASSWORD: x}": "WA_DB_PERSISTENT",
        "wa_extra_hosts: {db: db.example.com}": "wa_extra_hosts",
        "wa_publish_address: web.example.com": "wa_publish_address",
        "wa_network: host": "wa_network",
        "wa_webapp_image: registry/web:v2.19.4": "wa_webapp_image",
        "wa_media: ./media": "wa_media",
    },
    "what the API would not take": {
        "wa_settings: {webhooks: {url: 'http://h.example.com', max_concurrent_requests: 10}, heartbeat_intervall: 5}": (
            "webhooks.url"
        ),
        "wa_registration_method: SMS": "wa_registration_method",
        "wa_api_key: short": "wa_api_key",
        "wa_api_ca_path: /no/such/ca.pem": "wa_api_ca_path",
    },
    "a database that nodes cannot reach": {
        "wa_db_host: 127.0.0.1": "wa_db_host",
        "wa_survives: {hosts: 1}": "wa_survive",
    },
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_before_any_host_is_contacted(site: Site, name: str) -> None:
    sentences = refusals(*site("\n".join(REFUSED[name])))
    assert {variable for variable in REFUSED[name].values() if variable not in sentences} == set()


def test_every_part_of_a_map_is_reported(site: Site) -> None:
    sentences = refusals(
        *site("\n".join([*REFUSED["what a container would not take"], *REFUSED["what the API would not take"]]))
    )
    for part in ("WA_SECRET", "A B", "WA_DB_PASSWORD", "max_concurrent_requests", "heartbeat_intervall"):
        assert part in sentences


def test_a_database_of_our_own_has_the_user_root_only(site: Site) -> None:
    sentences = refusals(*site("wa_db_username: waent\nwa_db_host: db\nwa_db_engine: PGSQL", "wa_database_hosts"))
    assert "wa_db_username is 'waent'" in sentences and "wa_db_engine is 'PGSQL'" in sentences


def test_a_host_that_differs_is_named(site: Site) -> None:
    sentences = refusals(
        *site("wa_media: \"{{ 'ok' if inventory_hostname == 'one' else './media' }}\"", hosts=("one", "two"))
    )
    assert sentences.startswith("two: wa_media is './media'")


def test_secrets_of_the_vault_are_text(bell: Doorbell, site: Site, tmp_path: Path) -> None:
    """And are accepted: what the vault holds is text, whatever it looks like."""
    (tmp_path / "password").write_text("of the vault")
    lines = play_vault("012345", tmp_path / "password")
    site("wa_pin: " + lines)
    run = play("playbooks/site.yml", "-i", str(tmp_path), "--vault-password-file", str(tmp_path / "password"))
    assert run.codes == ["HOST_NOT_READ"], run.output


def play_vault(secret: str, password: Path) -> str:
    """A value as ansible-vault encrypts it."""
    from ansible.parsing.vault import VaultLib, VaultSecret

    made = VaultLib([("default", VaultSecret(password.read_bytes()))]).encrypt(secret)
    return "!vault |\n" + textwrap.indent(made.decode(), "  ")


# Those that others are made of, or that decide which others are needed, are wrong in a run of their own.
APART = {"wa_register"} | {variable.name for variable in VARIABLES if variable.follows}

# What belongs to how a playbook is called is checked before the desired state, and refused by itself.
CALL = {"wa_without_hosts"}


@pytest.mark.parametrize("place", ["first", "second", "middle", "last", "apart"])
def test_every_variable_is_refused_by_its_name_in_one_answer(site: Site, place: str) -> None:
    """One wrong value for every declared variable, all in one run."""
    wrong = {
        variable.name: wrong_values(variable)
        for variable in VARIABLES
        if (variable.name in APART) == (place == "apart") and variable.name not in CALL
    }
    index = {"first": lambda n: 0, "second": lambda n: 1, "middle": lambda n: n // 2, "last": lambda n: n - 1}.get(
        place, lambda n: 2
    )
    given = {name: values[index(len(values))] for name, values in wrong.items()}
    sentences = refusals(*site(yaml.safe_dump(given)))
    assert {name for name in given if name not in sentences} == set()


@pytest.mark.parametrize("name", sorted(CALL))
def test_a_variable_of_the_call_is_refused_by_its_name(site: Site, name: str) -> None:
    (variable,) = (one for one in VARIABLES if one.name == name)
    for value in wrong_values(variable):
        assert name in refusals(*site(yaml.safe_dump({name: value}))), value


def test_an_ipv6_address_gets_its_brackets(tmp_path: Path) -> None:
    """What the roles make of a node's address is what the client takes."""
    node = {"kind": "webapp", "api_address": "2001:db8::15", "ports": [9090]}
    book = tmp_path / "show.yml"
    show = "{{ _wa_api_access.api_url | join }}"
    book.write_text(
        yaml.safe_dump(
            [
                {
                    "hosts": "localhost",
                    "gather_facts": False,
                    "vars": {"__wa_desired": {"nodes": [node]}},
                    "tasks": [
                        {"ansible.builtin.include_vars": str(ROOT / "roles/variables/vars/main.yml")},
                        {"ansible.builtin.copy": {"content": show, "dest": str(tmp_path / "url"), "mode": "0600"}},
                    ],
                }
            ]
        )
    )
    run = play(str(book), "-i", "localhost,", "-c", "local", "-e", "ansible_python_interpreter=" + sys.executable)
    assert run.code == OK, run.output
    assert checked_base_url((tmp_path / "url").read_text()) == "https://[2001:db8::15]:9090"
