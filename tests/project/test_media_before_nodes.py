# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where there is a media share, no playbook touches a node before all hosts have proved it.

What only reads, says so in its documentation; what changes something and no node, is named here. All else may touch a
node: an action that nobody has thought of is found in whatever playbook does it before the proof.
"""

from __future__ import annotations

import ast
import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.waent.fleet.tests.support.checkout import MODULES, PLAYBOOKS, ROOT, load, name_of
from ansible_collections.waent.fleet.tests.support.task_files import IN_PROCESS, Task, action_of, tasks_of

IMPORT = "ansible.builtin.import_playbook"
PUBLIC = [path for path in PLAYBOOKS if not path.stem.startswith("_")]
PROOFS = ("main", "prove")
"""Parts of the role media_share that end with a proof, or with the play."""

READS = {
    "ansible.builtin.ping", "ansible.builtin.setup", "ansible.builtin.stat", "ansible.builtin.wait_for_connection",
    "community.docker.docker_image_info",
}  # fmt: skip
TOUCHES_NO_NODE = {
    "amazon.aws.cloudformation": "stacks; hosts that it makes have no node, and what it removes is no start",
    "waent.fleet.wa_api_authority": "keeps a certificate beside the inventory",
    "waent.fleet.wa_backup_timer": "a timer of the host",
    "waent.fleet.wa_confirm": "asks",
    "waent.fleet.wa_found_inventory": "writes an inventory",
    "waent.fleet.wa_log_archive": "collects logs",
    "waent.fleet.wa_login": "a session",
    "waent.fleet.wa_nfs_media": "the share itself",
    "waent.fleet.wa_user": "the password of a user of the API",
}
WITHOUT: dict[tuple[str, str], str] = {
    ("uninstall.yml", "roles/uninstall/tasks/remove.yml"): "it only removes, also where the share is gone",
    ("uninstall.yml", "roles/uninstall/tasks/remove_rest.yml"): "it only removes, also where the share is gone",
    ("uninstall.yml", "roles/uninstall/tasks/prove.yml"): "it only removes, also where the share is gone",
    ("backup.yml", "roles/backup/tasks/save.yml"): "it reads the registration, and writes a file",
    ("engine.yml", "roles/docker_engine/tasks/engine.yml"): "refused where an engine may hold nodes",
    ("_hook.yml", "roles/docker_engine/tasks/engine.yml"): "refused where an engine may hold nodes",
}
"""By playbook and task file, why it may act without the proof."""

NOT_PROVED_WHERE = {
    ("drill.yml", "groups['_wa_drill_left'] | default([]) | length == 0"): "a drill that was left is restored at once",
}
"""By playbook and the condition of its proof, why it may go on where that is not met."""


class Act(t.NamedTuple):
    """A task that may touch a node, and the files it is reached by."""

    playbook: str
    file: str
    action: str


def only_reads(module: Path) -> bool:
    """Whether it says that there is nothing for it to change, in its own words or by the fragment for that."""
    tree = ast.parse(module.read_text())
    texts = {
        one.targets[0].id: one.value.value
        for one in tree.body
        if isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name) and isinstance(one.value, ast.Constant)
    }
    document = yaml.safe_load(texts["DOCUMENTATION"])
    own = document.get("attributes", {}).get("diff_mode", {})
    fragments = document.get("extends_documentation_fragment", [])
    return "waent.fleet.attributes.info" in fragments or own.get("details") == ["There is nothing to change."]


HARMLESS = IN_PROCESS | READS | set(TOUCHES_NO_NODE) | {"waent.fleet." + one.stem for one in MODULES if only_reads(one)}


class Part(t.NamedTuple):
    """A play, the name of its file, and the conditions under which that was imported, from the outside in."""

    playbook: str
    conditions: tuple[tuple[str, str], ...]
    play: dict[str, t.Any]


def parts_of(playbook: Path, conditions: tuple[tuple[str, str], ...] = ()) -> t.Iterator[Part]:
    """All plays in their order, those of imported playbooks as well."""
    for play in load(playbook):
        if IMPORT in play:
            own = ((playbook.name, play["when"]),) if "when" in play else ()
            yield from parts_of(playbook.parent / play[IMPORT], conditions + own)
        else:
            yield Part(playbook.name, conditions, play)


def tasks_of_play(play: dict[str, t.Any]) -> list[Task]:
    """Its tasks, with those of its roles."""
    roles = [{"ansible.builtin.import_role": {"name": one["role"]}} for one in play.get("roles", [])]
    return list(tasks_of(ROOT / "playbooks" / "none.yml", [*roles, *play.get("tasks", [])], None))


class Proof(t.NamedTuple):
    """A proof by all hosts that have to have the share. group: where it is done only if somebody is in that group."""

    conditions: tuple[tuple[str, str], ...]
    group: str

    def holds(self, part: Part) -> bool:
        """Whether it was done wherever a later play is."""
        needed = tuple(one for one in self.conditions if one not in NOT_PROVED_WHERE)
        return part.conditions[: len(needed)] == needed and self.group in ("", part.play["hosts"])


ALL = ("_wa_media", "{{ '_wa_media' if _wa_playbook | mandatory(_wa_alone) }}")
SOME = re.compile(r"\{\{ '_wa_media' if groups\['(\w+)'\] \| default\(\[\]\) else '_wa_none' \}\}")


def proof_of(part: Part) -> Proof | None:
    """What a play proves, if anything. A host that fails has to end it for all."""
    tasks = part.play.get("tasks", [])
    roles = [
        task.get("ansible.builtin.import_role") or task.get("ansible.builtin.include_role") or {} for task in tasks
    ]
    mine = [one.get("tasks_from", "main") for one in roles if one.get("name") == "waent.fleet.media_share"]
    some = SOME.fullmatch(part.play["hosts"])
    if not set(mine) & set(PROOFS) or part.play.get("max_fail_percentage") != 0:
        return None
    return Proof(part.conditions, some.group(1) if some else "") if some or part.play["hosts"] in ALL else None


def changes(task: dict[str, t.Any]) -> bool:
    """Whether it may change anything. That it is never reported as a change does not count: it may be one."""
    arguments = task[action_of(task)]
    asks = isinstance(arguments, dict) and arguments.get("state") == "query"
    return not asks and task.get("check_mode") is not True and action_of(task) not in HARMLESS


def before_the_proof(playbook: Path) -> list[Act]:
    """What may touch a node before the share is proved."""
    found, proofs = [], []
    for part in parts_of(playbook):
        proof = proof_of(part)
        if proof:
            proofs.append(proof)
            continue
        if any(one.holds(part) for one in proofs):
            continue
        found += [
            Act(part.playbook, str(file.relative_to(ROOT)), action_of(task))
            for file, task, _host in tasks_of_play(part.play)
            if changes(task)
        ]
    return found


@pytest.mark.parametrize("playbook", PUBLIC, ids=name_of)
def test_no_node_is_touched_before_the_proof(playbook: Path) -> None:
    assert [act for act in before_the_proof(playbook) if (act.playbook, act.file) not in WITHOUT] == []


def test_what_is_allowed_without_it_is_there() -> None:
    met = {(act.playbook, act.file) for playbook in PUBLIC for act in before_the_proof(playbook)}
    assert met == set(WITHOUT)


def test_what_it_is_not_proved_for_is_there() -> None:
    met = {one for playbook in PUBLIC for part in parts_of(playbook) if proof_of(part) for one in part.conditions}
    assert met >= set(NOT_PROVED_WHERE)


def test_what_is_named_is_done_somewhere() -> None:
    done = {action_of(one.task) for path in PUBLIC for part in parts_of(path) for one in tasks_of_play(part.play)}
    assert set(TOUCHES_NO_NODE) | READS <= done
