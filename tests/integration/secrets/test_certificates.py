# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""certificates.yml on a cluster of one shard, two webapps behind HAProxy, whose API is verified.

Every run is as talkative as it gets, and no part of a key may be in what it says.
"""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._io.tls import served_certificate
from ansible_collections.waent.fleet.tests.support.balancer import Balancer
from ansible_collections.waent.fleet.tests.support.certificates import Authority, bundle
from ansible_collections.waent.fleet.tests.support.live_cluster import OK, LiveCluster
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, Run
from ansible_collections.waent.fleet.tests.support.run_reports import run_report

TALK = ("-vvv", "--diff", "-e", "confirm=yes")


def serves(live: LiveCluster) -> list[str]:
    """Fingerprints of what the webapps serve."""
    return [served_certificate(url, 10) for url in live.webapps()]


def started(live: LiveCluster, before: dict[str, tuple[str, str]]) -> list[str]:
    """The kinds of the nodes that were created since, in the order in which they were started."""
    new = [(moment, name) for name, (made, moment) in live.containers().items() if before.get(name, ("",))[0] != made]
    return [name.split("-")[-2] for _moment, name in sorted(new)]


def silent(run: Run, *keys: str) -> Run:
    """The run, after a look whether it shows a line of a key."""
    assert not [line for key in keys for line in key.splitlines()[1:-1] if line in run.output]
    return run


def words(output: str) -> str:
    """As one line: Ansible breaks long sentences."""
    return " ".join(output.split())


def test_nothing_to_bring_is_said(live: LiveCluster) -> None:
    run = live.play("certificates.yml", *TALK)
    assert run.code == FAILED and "[CERTIFICATES_MISSING] Neither wa_api_certificate" in words(run.output), run.output


def test_what_is_wrong_is_refused_before_anything_is_changed(live: LiveCluster, tmp_path: Path) -> None:
    good, other = bundle(tmp_path / "one", "127.0.0.1"), bundle(tmp_path / "two", "api.example.com")
    before, served = live.containers(), serves(live)
    live.declare(**other.variables())
    live.declare(wa_api_certificate_key=good.key)
    try:
        run = silent(live.play("certificates.yml", *TALK), good.key, other.key)
        assert (run.code, run.codes) == (FAILED, ["WA_CERTIFICATE_KEY", "WA_CERTIFICATE_NAME"]), run.output
        assert "Nothing was changed." in run.output
    finally:
        live.declare(wa_api_certificate="", wa_api_certificate_key="", wa_api_ca_path="")
    assert (live.containers(), serves(live)) == (before, served)


def test_both_are_brought_under_load_and_not_again(live: LiveCluster, balancer: Balancer, tmp_path: Path) -> None:
    """Coreapps with a switchover, webapps one after the other, from the installation's own authority to another one."""
    mine, hook = bundle(tmp_path / "one", "127.0.0.1", "api.example.com"), Authority(tmp_path, "hook")
    before, served = live.containers(), serves(live)
    live.declare(**mine.variables(), wa_api_names=["api.example.com"], wa_webhook_ca=hook.ca.read_text())
    check = silent(live.play("certificates.yml", *TALK, "--check"), mine.key)
    assert check.code == OK, check.output
    assert "it is uploaded, and then 2 webapps are restarted." in words(check.output)
    assert "it is uploaded, and then 2 coreapps are restarted." in words(check.output)
    assert "Warning: wa_api_certificate: CN=127.0.0.1 is valid until" in words(check.output)
    assert (live.containers(), serves(live)) == (before, served), "check mode changes nothing"

    path = tmp_path / "run.json"
    with live.probe(webapps=[balancer.url]) as probe:
        run = silent(live.play("certificates.yml", *TALK, "-e", "wa_report={0}".format(path)), mine.key)
    assert run.code == OK, run.output
    assert started(live, before) == ["coreapp"] * 2 + ["webapp"] * 2
    written = run_report(path)
    assert (written["playbook"], written["result"]) == ("certificates", "done")
    assert {step["state"] for step in written["steps"]} == {"done"}
    assert any(
        line.startswith("The certificate of the API is for api.example.com and 127.0.0.1")
        for line in written["changes"]
    )
    assert [line for line in mine.key.splitlines()[1:-1] if line in path.read_text()] == []
    report = probe.report
    assert (report.lost, report.twice, report.bans) == ([], [], [])
    assert report.accepted > 0
    assert len(set(serves(live))) == 1 and serves(live) != served
    assert live.faults(1) == []

    after = live.containers()
    again = silent(live.play("certificates.yml", *TALK), mine.key)
    assert again.code == OK and "nothing to do" in words(again.output), again.output
    assert again.recap[live.shape.host]["changed"] == 0, again.output
    site = live.play("site.yml")
    assert site.code == OK and site.recap[live.shape.host]["changed"] == 0, site.output
    assert live.containers() == after


@pytest.mark.thorough
def test_coreapps_that_site_recreates_are_not_restarted_once_more_for_their_ca(
    live: LiveCluster, tmp_path: Path
) -> None:
    """They took it when they started, and nobody can see that but by what was written down then."""
    hook = Authority(tmp_path, "hook")
    live.declare(wa_webhook_ca=hook.ca.read_text())
    first = live.play("certificates.yml", *TALK)
    assert first.code == OK, first.output
    before = live.containers()
    given: dict[str, t.Any] = live._given["wa_extra_environment"]
    live.declare(wa_extra_environment={**given, "OF_NO_USE": "1"})
    site = live.play("site.yml", "-e", "confirm=yes")
    assert site.code == OK, site.output
    assert started(live, before).count("coreapp") == 2
    again = live.play("certificates.yml", *TALK)
    assert again.code == OK and "nothing to do" in words(again.output), again.output
    assert again.recap[live.shape.host]["changed"] == 0, again.output


@pytest.mark.thorough
def test_a_run_that_was_killed_is_finished_by_the_next(live: LiveCluster, balancer: Balancer, tmp_path: Path) -> None:
    mine = bundle(tmp_path / "three", "127.0.0.1", "api.example.com")
    # Another certificate of another authority: what is trusted changes from the one to the other.
    live.declare(**mine.variables(), wa_api_names=["api.example.com"])
    before = live.containers()
    with live.probe(webapps=[balancer.url]) as probe:
        killed = live.killed("certificates.yml", "Replace | Return the webapp to the balancer", *TALK)
        assert started(live, before) == ["webapp"], killed.output
        run = silent(live.play("certificates.yml", *TALK), mine.key)
    assert run.code == OK, run.output
    assert started(live, before) == ["webapp"] * 2
    assert (probe.report.lost, probe.report.twice, probe.report.bans) == ([], [], [])
    assert len(set(serves(live))) == 1
    assert live.play("certificates.yml", *TALK).recap[live.shape.host]["changed"] == 0
