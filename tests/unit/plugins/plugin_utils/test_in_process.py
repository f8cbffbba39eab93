# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module's work in the controller's process ends as that of its own process does, and leaves nothing behind."""

from __future__ import annotations

import importlib
import json
import os
import sys
import typing as t
from dataclasses import dataclass, field

import pytest
from ansible.module_utils import basic
from ansible.module_utils.common import warnings as module_warnings
from ansible_collections.waent.fleet.plugins.modules import wa_database_info, wa_login, wa_sizing
from ansible_collections.waent.fleet.plugins.plugin_utils.controller_action import ControllerAction
from ansible_collections.waent.fleet.plugins.plugin_utils.in_process import Crashed, answer_of
from ansible_collections.waent.fleet.tests.support.checkout import MODULES, ROOT
from ansible_collections.waent.fleet.tests.support.module_process import run_module_process
from ansible_collections.waent.fleet.tests.support.playbook_runs import play
from ansible_collections.waent.fleet.tests.support.scripted_api import META, ScriptedApi

CANARY = "Canary-Of-The-Process-1"
NUMBER = {"cc": "1", "phone_number": "5550100200"}
TOKEN = {"users": [{"token": "new-token-77", "expires_after": "2026-09-14 15:29:26+00:00"}], "meta": META}
SETTINGS = {"settings": {"application": {"heartbeat_interval": 5, "webhooks": {"url": "https://a:b@c.example/"}}}}
DATABASE = {"db_host": "127.0.0.1", "db_port": 9, "db_username": "waent", "db_password": CANARY, "db_timeout": 1}
SHOWS_IT = "{{ 'of ' + 'a template' }}"


@dataclass(frozen=True)
class Case:
    """A module with options and what the API answers: C([method, path, body, status])."""

    module: str
    options: dict[str, t.Any] = field(default_factory=dict)
    answers: tuple[tuple[t.Any, ...], ...] = ()
    check: bool = False
    api: bool = True

    def __str__(self) -> str:
        return "-".join([self.module, *(str(part) for answer in self.answers for part in answer[1:2])])


LOGIN, APPLICATION = "/v1/users/login", "/v1/settings/application"
WEBHOOK_CA = "/v1/certificates/webhooks/ca"
PROVIDERS = "/v1/settings/application/media/providers"
CASES = [
    Case("wa_login", {"password": CANARY}, (("POST", LOGIN, TOKEN),)),
    Case("wa_login", {"password": CANARY}, (("POST", LOGIN, TOKEN),), check=True),
    Case("wa_login", {"password": "short"}),
    Case("wa_login", {"password": CANARY, "nonsense": 1}),
    Case("wa_login", {"state": "present"}),
    # A server that says what it was given.
    Case("wa_login", {"password": CANARY}, (("POST", LOGIN, {"errors": [{"code": 1, "title": CANARY}]}, 400),)),
    Case("wa_login", {"state": "absent"}, (("POST", "/v1/users/logout", {"meta": META}),)),
    Case("wa_settings", {"settings": {"heartbeat_interval": 5}}, (("GET", APPLICATION, SETTINGS),)),
    Case("wa_settings", {"settings": {"heartbeat_interval": 9}}, (("GET", APPLICATION, SETTINGS),), check=True),
    Case("wa_settings", {"settings": {"heartbeat_interval": "soon"}}),
    Case("wa_settings", {"settings": "no dictionary"}),
    Case("wa_settings", {"state": "reset"}, (("GET", APPLICATION, SETTINGS), ("DELETE", APPLICATION, {}))),
    Case("wa_settings", {"state": "reset"}, (("GET", APPLICATION, SETTINGS),), check=True),
    Case("wa_settings", {"state": "present"}),
    Case("wa_support_info", {"api_url": None}),
    Case("wa_backup", {"state": "saved", "encryption_password": CANARY}),
    Case("wa_backup", {"state": "kept", "encryption_password": CANARY, "document": CANARY}),
    Case("wa_account", NUMBER, (("GET", "/v1/health", {"errors": [{"code": 1005, "title": SHOWS_IT}]}, 403),)),
    Case("wa_account", {**NUMBER, "pin": "12"}),
    Case("wa_shards", {**NUMBER, "shards": 3}),
    Case("wa_shards", {**NUMBER, "shards": "many", "pin": "123456"}),
    Case("wa_user", {"username": "bob", "password": CANARY}, (("GET", "/v1/users/bob", {}, 404),), check=True),
    Case("wa_user", {"username": "admin", "state": "absent"}),
    Case("wa_two_step", {"pin": "12"}),
    Case("wa_two_step", {"pin": "123456"}, check=True),
    Case("wa_media_providers", {"providers": [{"name": "shop"}]}),
    Case("wa_media_providers", {"providers": [{"name": "shop", "bearer": CANARY}]}, (("GET", PROVIDERS, {}),)),
    Case("wa_profile", {"about": ""}),
    Case("wa_certificate", {"purpose": "webhook", "certificate": "no PEM"}),
    Case("wa_certificate", {"purpose": "webhook", "state": "absent"}, (("GET", WEBHOOK_CA, {}, 404),)),
    Case("wa_certificate", {"purpose": "api"}),
    Case("wa_profile", {"photo": ""}, (("GET", "/v1/settings/profile/photo", b"no JSON"),), check=True),
    Case("wa_message_cleanup", {}, (("PUT", "/v1/services/message/gc", {"services": {"message": {"gc": {"n": {}}}}}),)),
    Case("wa_message_cleanup", check=True),
    Case("wa_error_rate", {"seconds": 0}, (("GET", "/metrics?format=prometheus", b""),)),
    Case("wa_cluster_health", {"api_token": None}, (("GET", "/v1/health", b"no JSON"),)),
    Case("wa_cluster_health", {"placement": [{"kind": "webapp"}]}),
    Case("wa_cluster_health", {"level": "walking"}),
    Case("wa_api_authority", {"path": ""}),
    Case("wa_api_authority", {"state": "query"}, (("GET", "/v1/health", {"health": {}, "meta": META}),)),
    Case("wa_drill_watch", {"shards": 2, "since": 0, "timeout": "soon"}),
    Case("wa_database_info", DATABASE, api=False),
    Case("wa_database_info", {}, api=False),
    Case("wa_sizing", {"shards": 8}, api=False),
    Case("wa_sizing", {"shards": 7}, api=False),
    # Refused before AWS is asked: there is nobody to ask.
    Case("wa_aws_plan", {"shards": 3, "image": "debian"}, api=False),
    Case("wa_aws_plan", {"shards": 3}, api=False),
]


def module_of(name: str) -> t.Any:
    return importlib.import_module("ansible_collections.waent.fleet.plugins.modules." + name)


def here(name: str, environment: t.Mapping[str, t.Any] | None = None, **options: t.Any) -> dict[str, t.Any]:
    """The answer from this process."""
    given = {"_ansible_remote_tmp": "/tmp", "_ansible_check_mode": False, "_ansible_module_name": name, **options}
    return answer_of(module_of(name), given, environment or {})


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_answer_is_that_of_a_process(case, api, access):
    for answer in case.answers:
        api.on(*answer)
    options = {**(access if case.api else {}), **case.options}
    options = {name: value for name, value in options.items() if value is not None}
    expected = run_module_process(case.module, check_mode=case.check, _ansible_module_name=case.module, **options)
    calls = list(api.calls)
    api.calls.clear()
    found = here(case.module, _ansible_check_mode=case.check, **options)
    for one in (expected, found):
        one.pop("waited_seconds", None)
        assert CANARY not in json.dumps(one)
    assert found == expected
    assert api.calls == calls


def test_every_module_of_the_controller_is_compared():
    of_controller = set()
    for path in MODULES:
        if (ROOT / "plugins" / "action" / path.name).exists():
            plugin = importlib.import_module("ansible_collections.waent.fleet.plugins.action." + path.stem).ActionModule
            if issubclass(plugin, ControllerAction):
                of_controller.add(path.stem)
                assert plugin.module is module_of(path.stem)
    assert of_controller == {case.module for case in CASES}


def test_nothing_is_left_behind(api, access, monkeypatch):
    monkeypatch.setenv("WA_KEPT", "kept")
    before = (dict(os.environ), basic._ANSIBLE_ARGS, wa_login.AnsibleModule, sys.stdout, sys.stderr)
    options = {**access, "api_url": None}
    answer = here("wa_login", {"WA_API_URL": api.url, "WA_KEPT": 1, "WA_NEW": ""}, state="present", password="x", **{
        name: value for name, value in options.items() if value is not None
    })  # fmt: skip
    assert answer["failed"] and answer["invocation"]["module_args"]["api_url"] == [api.url]
    assert (dict(os.environ), basic._ANSIBLE_ARGS, wa_login.AnsibleModule, sys.stdout, sys.stderr) == before
    assert not module_warnings._global_warnings and not module_warnings._global_deprecations


def test_a_fault_of_the_module_is_one_sentence_without_its_secrets(monkeypatch):
    def broken(_access):
        raise KeyError("no\nroom for " + DATABASE["db_password"])

    monkeypatch.setattr(wa_database_info, "read_database", broken)
    with pytest.raises(Crashed) as caught:
        here("wa_database_info", **DATABASE)
    assert str(caught.value).startswith("wa_database_info has a fault of its own and gave no answer (KeyError: ")
    assert "\n" not in str(caught.value)
    assert "broken" in caught.value.trace
    assert CANARY not in str(caught.value) + caught.value.trace


@pytest.mark.parametrize("error", [KeyboardInterrupt, BaseException])
def test_what_ends_the_task_ends_the_module(monkeypatch, error):
    """A timeout of Ansible's is raised within it."""

    def main():
        raise error

    monkeypatch.setattr(wa_sizing, "main", main)
    with pytest.raises(error):
        here("wa_sizing")


def test_no_answer_is_a_fault(monkeypatch):
    monkeypatch.setattr(wa_sizing, "main", lambda: None)
    with pytest.raises(Crashed, match="wa_sizing ended without an answer"):
        here("wa_sizing")


PLAYBOOK = """
- hosts: localhost
  gather_facts: false
  # What is set for hosts, and does not reach the controller.
  become: true
  vars:
    ansible_python_interpreter: /nowhere/python
    ansible_become_exe: /nowhere/sudo
    canary: "{{ lookup('ansible.builtin.env', 'WA_TEST_CANARY') }}"
  tasks:
    - {name: Environment, waent.fleet.wa_login: {password: "{{ canary }}", ca_path: "%(ca)s"}, register: logged_in,
       environment: {WA_API_URL: "%(url)s"}}
    - ansible.builtin.assert:
        that: [logged_in.token == 'new-token-77']
    - name: Loop
      waent.fleet.wa_sizing: {shards: "{{ item }}"}
      register: sized
      loop: [8, 7, 16]
      failed_when: false
    - ansible.builtin.assert:
        that:
          - sized.results | map(attribute='needs.connections', default=0) | list == [700, 0, 1400]
          - sized.results[1].msg is search('value of shards must be one of')
    - name: Hidden
      waent.fleet.wa_login: {api_url: "%(url)s", ca_path: "%(ca)s", password: "{{ canary }}-2"}
      no_log: true
      register: hidden
    - ansible.builtin.assert:
        that: [hidden.token == 'new-token-77']
    - name: Untrusted
      waent.fleet.wa_account: {api_url: "%(url)s", ca_path: "%(ca)s", api_token: t, cc: '1', phone_number: '5550100200'}
      register: refused
      failed_when: false
    - ansible.builtin.assert:
        that: ["'{' ~ '{' in refused.msg"]
    - name: Check
      waent.fleet.wa_message_cleanup: {api_url: "%(url)s", ca_path: "%(ca)s", api_token: t}
      check_mode: true
    - name: Late
      waent.fleet.wa_error_rate: {api_url: "%(url)s", ca_path: "%(ca)s", seconds: 60}
      timeout: 1
      register: late
      ignore_errors: true
    - ansible.builtin.assert:
        that: [late is failed, late.elapsed | default(1) | int < 30]
    - name: In the background
      waent.fleet.wa_sizing: {shards: 8}
      async: 20
      register: behind
      ignore_errors: true
    - ansible.builtin.assert:
        that: ["behind.msg is search('async')"]
"""


def test_what_ansible_adds_to_a_task_holds(tmp_path, start_api, api: ScriptedApi):
    api.on("POST", LOGIN, TOKEN)
    api.on("GET", "/v1/health", {"errors": [{"code": 1005, "title": SHOWS_IT}]}, status=403)
    api.on("GET", "/metrics?format=prometheus", b'api_requests_duration_ms_count{method="a",result="201"} 5\n')
    file = tmp_path / "play.yml"
    file.write_text(PLAYBOOK % {"url": api.url, "ca": api.ca_path})
    done = play(str(file), "-i", "localhost,", "-vvv", WA_TEST_CANARY=CANARY)
    assert done.code == 0, done.output
    assert CANARY not in done.output
    assert done.seconds < 60
    # No module was built or started for any of them.
    assert "AnsiballZ" not in done.output
