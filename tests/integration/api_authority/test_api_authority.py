# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS of the API from the first run on: the authority of a cluster of containers is pinned, and nothing else accepted.

The order of the tests matters: each goes on with what the one before has left. The webapp is reached by an address that
its certificate does not name.
"""

from __future__ import annotations

import subprocess
import typing as t
from pathlib import Path

import docker
import pytest
from ansible_collections.waent.fleet.tests.support.certificates import GENERATED, Authority
from ansible_collections.waent.fleet.tests.support.live_cluster import GATEWAY_IMAGE, OK, LiveCluster, Shape
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, Run
from ansible_collections.waent.fleet.tests.support.printed import commands_after
from ansible_collections.waent.fleet.tests.support.this_machine import machine_address
from waemu.web.tls import certificates_of

PREFIX = "pinned"
WRONG = ":".join(["AB"] * 32)


class Cluster(LiveCluster):
    """One webapp."""

    @property
    def pin(self) -> Path:
        """Where its authority is pinned."""
        return self.home / ".wa_api_ca_{0}.pem".format(PREFIX)

    @property
    def sha256(self) -> str:
        """Of what is pinned."""
        return sha256_of(self.pin.read_text())

    @property
    def authority(self) -> str:
        """The certificate of the authority that the installation has made for itself, as its database has it."""
        (_name, pem) = self._sql("SELECT pem FROM configStore.certificates WHERE kind = 'authority'").splitlines()
        return certificates_of(pem.replace("\\n", "\n"))

    def have_authority(self, pem: str) -> None:
        """Put another one, with its key, in its place."""
        self._sql("UPDATE configStore.certificates SET pem = '{0}' WHERE kind = 'authority'".format(pem))
        assert certificates_of(pem) == self.authority

    def restart_webapp(self) -> None:
        """As a person does on its host."""
        self.engine.containers.get(PREFIX + "-webapp-1").restart(timeout=1)


def sha256_of(pem: str) -> str:
    """The fingerprint of a certificate, by another program."""
    command = ["openssl", "x509", "-noout", "-fingerprint", "-sha256"]
    shown = subprocess.run(command, check=True, capture_output=True, text=True, input=pem)
    return shown.stdout.strip().partition("=")[2]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Cluster]:
    """Prepared only: nothing of it runs."""
    address = machine_address(docker.from_env(timeout=120), GATEWAY_IMAGE)
    reached = {"wa_api_address": address}
    shape = Shape(PREFIX, 22800, shards=1, webapps=1, reached=reached, more={"wa_validate_certs": True})
    made = Cluster(tmp_path_factory.mktemp(PREFIX), shape)
    try:
        made.prepare()
        yield made
    finally:
        made.pin.unlink(missing_ok=True)
        made.remove()


@pytest.fixture
def installed(cluster: Cluster) -> None:
    """In service and pinned, whatever ran before."""
    if not cluster.pin.exists():
        run = cluster.play("site.yml")
        assert run.code == OK, run.output


def said(run: Run) -> str:
    """What it said, without the folding of long lines."""
    return " ".join(run.output.split())


def removes_and_runs(run: Run, code: str) -> list[str]:
    """That it says to remove the file and run site.yml; returns with which arguments."""
    assert "remove the file and run playbooks/site.yml" in said(run), run.output
    (command, *_) = commands_after(run.output, "[{0}]".format(code))
    assert command.playbook == "site"
    return command.given()


def check_healthy(cluster: Cluster, run: Run) -> None:
    """It ended well, and nothing is left to do."""
    assert run.code == OK, run.output
    assert cluster.sha256 == sha256_of(cluster.authority)
    status = cluster.play("status.yml")
    assert status.code == OK, status.output
    assert cluster.faults(1) == []


def changes(run: Run) -> set[int]:
    return {numbers["changed"] for numbers in run.recap.values()}


def test_check_mode_pins_nothing(cluster: Cluster) -> None:
    run = cluster.play("site.yml", "--check")
    assert run.code == OK and not cluster.pin.exists(), run.output


def test_another_fingerprint_than_the_given_one_is_refused_with_both(cluster: Cluster) -> None:
    run = cluster.play("site.yml", "-e", "wa_api_ca_fingerprint=" + WRONG)
    assert run.code == FAILED and "[API_AUTHORITY_DIFFERS]" in said(run), run.output
    assert WRONG in said(run) and not cluster.pin.exists()


def test_the_first_run_pins_it_and_shows_its_fingerprint(cluster: Cluster) -> None:
    run = cluster.play("site.yml")
    assert run.code == OK, run.output
    assert "SHA-256 {0}, valid from".format(cluster.sha256) in said(run)
    assert "is pinned in {0}".format(cluster.pin) in said(run)
    assert cluster.faults(1) == []


def test_the_second_run_changes_nothing_and_status_is_green(cluster: Cluster) -> None:
    again = cluster.play("site.yml", "-e", "wa_api_ca_fingerprint=" + cluster.sha256.replace(":", "").lower())
    assert (again.code, changes(again)) == (OK, {0}), again.output
    status = cluster.play("status.yml")
    assert status.code == OK, status.output


def test_a_pin_that_is_not_meant_is_refused_before_any_host_is_contacted(cluster: Cluster) -> None:
    for playbook, more in (("site.yml", []), ("reshard.yml", ["-e", "shards=2"])):
        run = cluster.play(playbook, *more, "-e", "wa_api_ca_fingerprint=" + WRONG)
        assert (run.code, run.codes) == (FAILED, ["API_AUTHORITY_DIFFERS"]), run.output
        assert WRONG in said(run) and cluster.sha256 in said(run)
        assert "Read every host" not in run.output


@pytest.mark.thorough
@pytest.mark.usefixtures("installed")
def test_an_authority_whose_year_is_over_is_refused_until_another_one_is_made(cluster: Cluster, tmp_path: Path) -> None:
    """Both the pin and what the webapps offer, which make another one when they start again."""
    old = Authority(tmp_path, "old", GENERATED, days=-2)
    cluster.have_authority(old.with_key)
    cluster.pin.write_bytes(old.ca.read_bytes())
    site, status = cluster.play("site.yml"), cluster.play("status.yml")
    assert (site.code, site.codes) == (FAILED, ["API_AUTHORITY_EXPIRED"]), site.output
    assert (status.code, status.codes) == (FAILED, ["API_AUTHORITY_EXPIRED"]), status.output
    arguments = removes_and_runs(site, "API_AUTHORITY_EXPIRED")
    cluster.pin.unlink()
    # Without the restart that is asked for as well, it is asked for again.
    early = cluster.play("site.yml", *arguments)
    assert early.code == FAILED and not cluster.pin.exists(), early.output
    assert "restart the webapps one after the other" in said(early), early.output
    (command, *_) = commands_after(early.output, "[API_AUTHORITY_EXPIRED]")
    cluster.restart_webapp()
    check_healthy(cluster, cluster.play(command.playbook + ".yml", *command.given()))
    assert cluster.sha256 not in (sha256_of(old.ca.read_text()), WRONG)


@pytest.mark.thorough
@pytest.mark.usefixtures("installed")
def test_a_pin_that_is_none_is_removed_and_pinned_again_elsewhere(cluster: Cluster) -> None:
    cluster.pin.write_text("nothing that begins like a certificate")
    site = cluster.play("site.yml")
    assert (site.code, site.codes) == (FAILED, ["WA_API_CA_PATH"]), site.output
    assert "remove it and run playbooks/site.yml" in said(site)
    # Somebody removes it, and would rather have it elsewhere.
    cluster.pin.unlink()
    elsewhere = ("-e", "wa_api_ca_path={0}".format(cluster.home / "elsewhere.pem"))
    status = cluster.play("status.yml", *elsewhere)
    assert status.code == FAILED, status.output
    (command, *_) = commands_after(status.output, "elsewhere.pem, and there is no such file")
    assert command.playbook == "site"
    run = cluster.play("site.yml", *elsewhere, *command.given())
    assert run.code == OK, run.output
    assert (cluster.home / "elsewhere.pem").read_text().endswith(cluster.authority), "under a line that says what it is"
    healthy = cluster.play("status.yml", *elsewhere)
    assert healthy.code == OK and not cluster.pin.exists(), healthy.output


@pytest.mark.thorough
@pytest.mark.usefixtures("installed")
def test_a_cluster_in_service_of_before_is_pinned_before_its_nodes_are_recreated(cluster: Cluster) -> None:
    """As one that was installed without verification: whether it serves can be asked, and is."""
    cluster.pin.unlink(missing_ok=True)
    status = cluster.play("status.yml")
    assert status.code == FAILED, status.output
    (command, *_) = commands_after(status.output, "signed by an authority that this host does not know")
    assert command.playbook == "site"
    cluster.declare(lasting=True, wa_api_key="canary-another-key-4Rw8sJ")
    run = cluster.play("site.yml", "-e", "confirm=yes", *command.given())
    assert run.code == OK and cluster.pin.exists(), run.output
    order = [run.output.index(words) for words in ("Show | Show the plan", "is pinned in", "PLAY [Do the steps")]
    assert order == sorted(order)
    again = cluster.play("site.yml")
    assert (again.code, changes(again)) == (OK, {0}), again.output


def test_another_installation_is_refused_with_what_to_do_and_that_works(cluster: Cluster) -> None:
    """Removed with its data, and with it what was pinned, and installed again; a colleague still has the former pin."""
    former, kept = cluster.sha256, cluster.pin.read_bytes()
    cluster.uninstall()
    assert not cluster.pin.exists()
    cluster.pin.write_bytes(kept)
    run = cluster.play("site.yml")
    assert run.code == FAILED and "[API_AUTHORITY_CHANGED]" in said(run), run.output
    assert former in said(run)
    arguments = removes_and_runs(run, "API_AUTHORITY_CHANGED")
    assert cluster.pin.read_bytes() == kept
    status = cluster.play("status.yml")
    assert status.code == FAILED and "API_AUTHORITY_CHANGED" in status.codes, status.output
    assert former in said(status)
    assert removes_and_runs(status, "API_AUTHORITY_CHANGED") == arguments
    # Somebody has asked on the installation itself which one is right.
    given = ("-e", "wa_api_ca_fingerprint=" + sha256_of(cluster.authority))
    differs = cluster.play("site.yml", *given)
    assert (differs.code, differs.codes) == (FAILED, ["API_AUTHORITY_DIFFERS"]), differs.output
    assert removes_and_runs(differs, "API_AUTHORITY_DIFFERS") == arguments
    cluster.pin.write_text(cluster.authority)
    first = cluster.play("status.yml")
    assert first.code == FAILED and "FIRST_PASSWORD" in first.codes, first.output
    (command, *_) = commands_after(first.output, "[FIRST_PASSWORD]")
    assert (command.playbook, command.given()) == ("site", arguments)
    cluster.pin.unlink()
    check_healthy(cluster, cluster.play("site.yml", *given, *arguments))
    assert cluster.sha256 != former
