# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls with which a playbook cannot do its work end red, with a sentence, before any host is contacted.

Every playbook with every mistake: Ansible by itself would end each of these runs with 0.
"""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.waent.fleet.plugins.module_utils._check.invocation import MAKES_HOSTS
from ansible_collections.waent.fleet.tests.support import valid_variables
from ansible_collections.waent.fleet.tests.support.playbook_runs import (
    FAILED,
    OK,
    ROOT,
    Doorbell,
    Run,
    play,
    write_variables,
)
from ansible_collections.waent.fleet.tests.support.sample import pairs, sampled

KINDS = ("wa_webapp_hosts", "wa_master_hosts", "wa_coreapp_hosts")
INTERNAL = {"roll", *MAKES_HOSTS}
"""Imported by others only, beside those whose name begins with an underscore; or there before any host is."""
PUBLIC = sorted(
    path.stem for path in (ROOT / "playbooks").glob("*.yml") if path.stem not in INTERNAL and path.stem[0] != "_"
)
GIVEN = {"reshard": ("-e", "shards=4"), "upgrade": ("-e", "version=v2.19.7"), "uninstall": ("-e", "confirm=yes"),
         "drain": ("-e", "host=one"), "drill": ("-e", "drill=coreapp"),
         "restore": ("-e", "backup=/nowhere"), "rotate": ("-e", "rotate=api_key")}  # fmt: skip
WHOLE = {
    "site",
    "status",
    "reshard",
    "upgrade",
    "drain",
    "drill",
    "backup",
    "restore",
    "adopt",
    "certificates",
    "rotate",
}


@pytest.fixture(scope="module")
def doorbell() -> t.Iterator[Doorbell]:
    """The SSH port of every host in these tests."""
    bell = Doorbell()
    yield bell
    bell.close()


@pytest.fixture
def call(doorbell: Doorbell, tmp_path: Path) -> t.Callable[..., Run]:
    """Run a playbook on an inventory of our own; no host may have been contacted."""

    def work(playbook: str, groups: t.Mapping[str, t.Any], *arguments: str, **extra: str) -> Run:
        reached = {"ansible_host": "127.0.0.1", "ansible_port": doorbell.port}
        hosts = {name: {**reached, "wa_address": name + ".example.com"} for name in ("one", "two", "bystander")}
        (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts, "children": dict(groups)}}))
        given = write_variables(tmp_path / "variables.json", valid_variables.but(wa_db_check_host=""))
        before = doorbell.calls
        inventory = str(tmp_path / "hosts.yml")
        run = play(str(Path("playbooks", playbook)) + ".yml", "-i", inventory, "-e", given, *arguments, **extra)
        assert doorbell.calls == before
        assert "Traceback" not in run.output
        return run

    return work


def groups(**changes: t.Sequence[str] | None) -> dict[str, t.Any]:
    """The groups of two hosts that may run everything; None leaves one out, also as a child of wa_cluster."""
    members: dict[str, t.Sequence[str] | None] = {**{key: ["one", "two"] for key in KINDS}, **changes}
    found: dict[str, t.Any] = {
        name.replace("DASH", "-"): {"hosts": dict.fromkeys(hosts)}
        for name, hosts in members.items()
        if hosts is not None
    }
    found["wa_cluster"] = {"children": {name: None for name in found if name.startswith("wa")}}
    return found


def cluster_named(name: str | None) -> dict[str, t.Any]:
    """The same with another name for wa_cluster, or without it."""
    found = groups()
    cluster = found.pop("wa_cluster")
    return {**found, name: cluster} if name else found


MISTAKES: dict[str, tuple[dict[str, t.Any], str, str]] = {
    "no group": (cluster_named(None), "WA_GROUP_MISSING", "wa_cluster"),
    "dash": (cluster_named("wa-cluster"), "WA_GROUP_MISSING", "wa-cluster"),
    "letter": (cluster_named("wa_custer"), "WA_GROUP_MISSING", "wa_custer"),
    "empty": ({**groups(), "wa_cluster": {"hosts": {}}}, "WA_GROUP_EMPTY", "wa_cluster"),
    "nothing at all": ({}, "WA_GROUP_MISSING", "wa_coreapp_hosts"),
    "kind missing": (groups(wa_master_hosts=None), "WA_GROUP_MISSING", "wa_master_hosts"),
    "kind empty": (groups(wa_webapp_hosts=[]), "WA_GROUP_EMPTY", "wa_webapp_hosts"),
    "kind misspelt": (
        groups(wa_coreapp_hosts=None, wa_corapp_hosts=["one"]),
        "WA_GROUP_MISSING",
        "wa_corapp_hosts",
    ),
    "kind misspelt, child right": (
        {**groups(wa_coreapp_hosts=[]), "wa_coreapps_hosts": {"hosts": {"two": None}}},
        "WA_GROUP_EMPTY",
        "wa_coreapp_hosts",
    ),
    "kind outside": (
        {**groups(), "wa_cluster": {"hosts": {"one": None}}},
        "WA_GROUP_OUTSIDE",
        "two of the group wa_master_hosts",
    ),
    "database misspelt": (
        {**groups(), "wa_database_host": {"hosts": {"one": None}}},
        "WA_GROUP_UNKNOWN",
        "wa_database_host ",
    ),
}

EVERYWHERE = {"no group", "dash", "empty", "kind misspelt"}
"""Mistakes that every playbook is tried with; one is enough for the others, since the check is the same."""


def refused(run: Run, code: str, words: str) -> None:
    """Red, with the code, and the words in its sentence."""
    assert run.code == FAILED, run.output
    assert any(words in sentence for sentence in run.sentences(code)), run.output
    assert all(host["changed"] == 0 and host["ok"] == 0 for host in run.recap.values())


@pytest.mark.parametrize(
    ("playbook", "name"),
    [*pairs(PUBLIC, sorted(EVERYWHERE)), *(("site", name) for name in MISTAKES if name not in EVERYWHERE)],
)
def test_groups(call: t.Callable[..., Run], playbook: str, name: str) -> None:
    written, code, words = MISTAKES[name]
    refused(call(playbook, written, *GIVEN.get(playbook, ())), code, words)


@pytest.mark.parametrize(
    ("playbook", "option", "tag"),
    [(playbook, "--tags", "coreapp") for playbook in PUBLIC]
    + [("site", "--tags", "always"), ("site", "--skip-tags", "always"), ("site", "--skip-tags", "all")],
)
def test_tags(call: t.Callable[..., Run], playbook: str, option: str, tag: str) -> None:
    run = call(playbook, groups(), *GIVEN.get(playbook, ()), option, tag)
    refused(run, "TAGS_NOT_ALLOWED", "{0} {1}".format(option, tag))


ALL = sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml"))


def in_the_middle(playbook: str) -> str:
    """Name of a task of the playbook that Ansible finds, as it lists them itself."""
    listed = play("playbooks/{0}.yml".format(playbook), "-i", "localhost,", "--list-tasks")
    assert listed.code == OK, listed.output
    names = re.findall(r"^ {6}(\S.*?)\s+TAGS: ", listed.output, re.MULTILINE)
    return str(names[len(names) // 2])


def no_start_at(call: t.Callable[..., Run], playbook: str, task: str) -> None:
    """Ansible skips the tasks before it, our checks among them, and all of them where there is no such task."""
    run = call(playbook, groups(), *GIVEN.get(playbook, ()), "--start-at-task", task)
    assert run.code != OK and "PLAY [" not in run.output, run.output
    if playbook[0] == "_" and playbook != "_validate":
        assert "is used by the playbooks of this collection" in run.text
        return
    (sentence,) = run.sentences("START_AT_TASK_NOT_ALLOWED")
    assert run.codes == ["START_AT_TASK_NOT_ALLOWED"], run.output
    assert sentence.startswith("{0}.yml ".format(playbook)) and repr(task) in sentence
    assert sentence.endswith("run the playbook again without --start-at-task.")


@pytest.mark.parametrize("playbook", ALL)
def test_a_task_to_start_at_that_is_not_there(call: t.Callable[..., Run], playbook: str) -> None:
    no_start_at(call, playbook, "No such task")


@pytest.mark.parametrize("playbook", sampled([name for name in ALL if name[0] != "_"], ["site", "reshard", "status"]))
def test_a_task_to_start_at(call: t.Callable[..., Run], playbook: str) -> None:
    no_start_at(call, playbook, in_the_middle(playbook))


def test_a_task_to_start_at_without_a_name(call: t.Callable[..., Run]) -> None:
    no_start_at(call, "site", "")


def test_a_task_to_start_at_in_a_playbook_of_the_user_s(call: t.Callable[..., Run], tmp_path: Path) -> None:
    """Ours is a part of it, and would be skipped, or run without its beginning."""
    own = {"name": "Own", "hosts": "localhost", "tasks": [{"name": "Mine", "ansible.builtin.debug": {"msg": "x"}}]}
    ours = {"name": "Ours", "ansible.builtin.import_playbook": str(ROOT / "playbooks" / "site.yml")}
    (tmp_path / "book.yml").write_text(yaml.safe_dump([ours, own]))
    for task in ("Mine", "Gather | Read every host"):
        run = call(str(tmp_path / "book"), groups(), "--start-at-task", task)
        assert run.code != OK and run.codes == ["START_AT_TASK_NOT_ALLOWED"], run.output


@pytest.mark.parametrize("playbook", PUBLIC)
def test_a_limit(call: t.Callable[..., Run], playbook: str) -> None:
    """To no host of the cluster always; to some of them where the playbook works on the whole."""
    none = "LIMIT_NOT_ALLOWED" if playbook in WHOLE else "LIMIT_EXCLUDES_CLUSTER"
    refused(call(playbook, groups(), *GIVEN.get(playbook, ()), "--limit", "bystander"), none, "--limit bystander")
    if playbook in WHOLE:
        refused(call(playbook, groups(), *GIVEN.get(playbook, ()), "--limit", "two"), none, "--limit two")


@pytest.mark.parametrize("playbook", sampled(PUBLIC, ["site", "status", "engine"]))
def test_a_limit_does_not_hide_a_missing_group(call: t.Callable[..., Run], playbook: str) -> None:
    run = call(playbook, cluster_named("wa-cluster"), *GIVEN.get(playbook, ()), "--limit", "one")
    refused(run, "WA_GROUP_MISSING", "wa-cluster")


@pytest.mark.parametrize(
    ("playbook", "code", "words"),
    [("reshard", "SHARDS_MISSING", "-e shards="), ("upgrade", "VERSION_MISSING", "-e version=")],
)
def test_what_the_command_has_to_say(call: t.Callable[..., Run], playbook: str, code: str, words: str) -> None:
    refused(call(playbook, groups()), code, words)


def test_a_number_that_could_be_meant_in_two_ways(call: t.Callable[..., Run]) -> None:
    run = call("reshard", groups(), "-e", "shards=04")
    assert run.code == FAILED
    (sentence,) = run.sentences("WA_SHARDS_INVALID")
    assert sentence == "wa_shards is '04'; allowed are the whole numbers 1, 2, 4, 8, 16 and 32."


def test_become_for_all_is_not_for_the_controller(call: t.Callable[..., Run]) -> None:
    """With a sudo that fails: none may be asked for."""
    variables = ("-e", "ansible_become_exe=/bin/false", "--become")
    refused(call("site", cluster_named("wa-cluster"), *variables), "WA_GROUP_MISSING", "wa-cluster")


def test_somebody_else_s_configuration(call: t.Callable[..., Run], tmp_path: Path) -> None:
    """Another strategy, facts gathered by default, and the setting with which Ansible ends in the middle."""
    configuration = tmp_path / "ansible.cfg"
    configuration.write_text(
        "[defaults]\ncollections_path = {0}\nstrategy = free\ngathering = implicit\n".format(ROOT / ".collections")
        + "[inventory]\nhost_pattern_mismatch = error\n"
    )
    run = call("site", groups(), ANSIBLE_CONFIG=str(configuration))
    refused(run, "PATTERN_MISMATCH_NOT_ALLOWED", "host_pattern_mismatch")
