# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first run pins the authority of the API, every later one verifies with it, and a password goes to nobody else.

The tasks are those of site.yml up to the pin, run by ansible-playbook against a real HTTPS server that knows logins.
Its certificate names a container, as the client's own do.
"""

from __future__ import annotations

import json
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.certificates import GENERATED, Authority
from ansible_collections.waent.fleet.tests.support.checkout import ROOT, load
from ansible_collections.waent.fleet.tests.support.playbook_runs import (
    FAILED,
    OK,
    Run,
    play,
    write_inventory,
    write_variables,
)
from ansible_collections.waent.fleet.tests.support.scripted_api import META, ScriptedApi
from ansible_collections.waent.fleet.tests.support.valid_variables import but

LOGIN, LOGOUT = ("POST", "/v1/users/login"), ("POST", "/v1/users/logout")
HEALTH, AUTHORITY = ("GET", "/v1/health"), ("GET", "/v1/certificates/external/ca")
TOKEN = "canary-token-7c"
WRONG = "ab" * 32
LAST = "Pin the authority of the API"


def tasks_of_site() -> dict[str, t.Any]:
    """The play of site.yml that works with the API, up to the pin, and logging out."""
    (whole,) = (one for one in load(ROOT / "playbooks" / "site.yml") if one.get("hosts") == "_wa_act_api")
    (work,) = whole["tasks"]
    names = [task["name"] for task in work["block"]]
    block = work["block"][: names.index(LAST) + 1]
    return {**whole, "hosts": "wa_cluster", "tasks": [{**work, "block": block}]}


class Site:
    """An inventory with one webapp, whose authority is another one in each call of C(install)."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.servers: list[ScriptedApi] = []
        self.pin = home / ".wa_api_ca_waent.pem"
        desired = {"ansible.builtin.import_role": {"name": "waent.fleet.preflight", "tasks_from": "desired"}}
        first = {"hosts": "wa_cluster", "gather_facts": False, "tasks": [desired]}
        self.playbook = home / "run.yml"
        self.playbook.write_text(json.dumps([first, tasks_of_site()]))

    def install(self) -> tuple[Authority, ScriptedApi]:
        """A new installation."""
        authority = Authority(self.home, "installation-{0}".format(len(self.servers)), GENERATED)
        server = ScriptedApi(*authority.sign("wa-webapp-1"))
        server.on(*LOGIN, {"users": [{"token": TOKEN, "expires_after": "2026-12-06 00:00:00+00:00"}], "meta": META})
        server.on(*LOGOUT, {"meta": META}).on(*HEALTH, None, status=401)
        server.on(*AUTHORITY, authority.ca.read_bytes())
        self.servers.append(server)
        return authority, server

    def run(self, *more: str, address: str = "127.0.0.1", **variables: t.Any) -> Run:
        """One run, against the installation that there is now."""
        port = self.servers[-1].port
        reached = {"wa_address": "wa-1", "wa_api_address": address, "wa_webapp_port": port}
        here = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, "rack": "a"}
        inventory = write_inventory(self.home / "hosts.yml", {"one": {**here, **reached}})
        given = but(wa_validate_certs=True, wa_health_timeout_seconds=5, **variables)
        del self.servers[-1].calls[:]
        return play(str(self.playbook), "-i", inventory, "-e", write_variables(self.home / "v.json", given), *more)

    def asked(self) -> list[tuple[str, str]]:
        """What the installation was asked with credentials."""
        return [call.what for call in self.servers[-1].calls if call.authorization]


@pytest.fixture
def site(tmp_path: Path) -> t.Iterator[Site]:
    made = Site(tmp_path)
    yield made
    for server in made.servers:
        server.close()


def said(run: Run) -> str:
    """What it said, without the folding of long lines."""
    return " ".join(run.output.split())


def changes(run: Run) -> set[int]:
    return {numbers["changed"] for numbers in run.recap.values()}


def test_check_first_again_and_another_installation(site: Site) -> None:
    authority, _server = site.install()
    checked = site.run("--check")
    assert checked.code == OK and "{0}, valid from".format(authority.sha256) in said(checked), checked.output
    assert "would be pinned in {0}".format(site.pin) in said(checked) and not site.pin.exists()
    first = site.run()
    assert (first.code, changes(first)) == (OK, {1}), first.output
    assert authority.sha256 in said(first) and "is pinned in {0}".format(site.pin) in said(first)
    assert site.asked() == [LOGIN, AUTHORITY, LOGOUT]
    kept = site.pin.read_bytes()
    again = site.run(wa_api_ca_fingerprint=authority.sha256)
    assert (again.code, changes(again), site.asked()) == (OK, {0}, [LOGIN, LOGOUT]), again.output
    site.install()
    another = site.run()
    assert another.code == FAILED and "[API_AUTHORITY_CHANGED]" in said(another), another.output
    assert authority.sha256 in said(another) and site.asked() == [] and site.pin.read_bytes() == kept
    site.pin.unlink()
    assert site.run().code == OK and site.pin.read_bytes() != kept, "what the sentence says to do works"


def test_another_authority_than_the_given_one(site: Site) -> None:
    authority, _server = site.install()
    refused = site.run(wa_api_ca_fingerprint=WRONG)
    assert refused.code == FAILED and "[API_AUTHORITY_DIFFERS]" in said(refused), refused.output
    assert authority.sha256 in said(refused) and ":".join(["AB"] * 32) in said(refused)
    assert site.asked() == [LOGIN, AUTHORITY, LOGOUT] and not site.pin.exists()


def test_somebody_in_between_gets_no_password(site: Site) -> None:
    """At another address than on the host itself, with an authority that looks like an installation's."""
    _authority, webapp = site.install()
    between = ScriptedApi(*Authority(site.home, "between", GENERATED).sign("wa-webapp-1"), ("127.0.0.2", webapp.port))
    between.on(*HEALTH, None, status=401)
    site.servers.insert(0, between)
    run = site.run(address="127.0.0.2")
    assert run.code == FAILED and "[API_CERTIFICATE_DIFFERS]" in said(run), run.output
    assert [call for call in between.calls if call.authorization] == site.asked() == []
    assert not site.pin.exists()


def test_a_file_that_is_named_is_made_and_used(site: Site) -> None:
    site.install()
    named = site.home / "named.pem"
    for expected in (1, 0):
        run = site.run(wa_api_ca_path=str(named))
        assert (run.code, changes(run)) == (OK, {expected}), run.output
    assert named.exists() and not site.pin.exists()


def test_preflight_asks_a_cluster_that_is_not_pinned_yet_and_pins_nothing(site: Site) -> None:
    """As one that was installed without verification; where nobody answers on the host, nobody is trusted."""
    site.install()
    tasks = [
        {"ansible.builtin.import_role": {"name": "waent.fleet.preflight", "tasks_from": file}}
        for file in ("desired", "in_service")
    ]
    site.playbook.write_text(json.dumps([{"hosts": "wa_cluster", "gather_facts": False, "tasks": tasks}]))
    run = site.run()
    assert run.code == OK and not site.pin.exists(), run.output
    assert site.asked()[0] == LOGIN and site.asked()[-1] == LOGOUT
    site.servers[-1].close()
    silent = site.run()
    assert silent.code == OK, silent.output


def test_what_preflight_has_trusted_counts_no_more_where_the_webapp_was_recreated_since(site: Site) -> None:
    """It serves another certificate then."""
    authority, server = site.install()
    first, *others = json.loads(site.playbook.read_text())
    stale = {"_wa_served": {"url": server.url, "sha256": WRONG}}
    first["tasks"].append({"ansible.builtin.set_fact": stale})
    site.playbook.write_text(json.dumps([first, *others]))
    run = site.run()
    assert run.code == OK and authority.sha256 in site.pin.read_text(), run.output


def test_verification_that_is_off_pins_nothing(site: Site) -> None:
    site.install()
    run = site.run("-e", json.dumps({"wa_validate_certs": False}))
    assert (run.code, changes(run)) == (OK, {0}), run.output
    assert not site.pin.exists()
