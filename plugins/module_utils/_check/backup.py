# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a backup of a registration holds, and whether it fits an installation. Internal to waent.fleet. Pure.

The client's own backup (reference 6.8) holds settings and registration keys and says nothing about the cluster they
come from. So the facts stand beside it, in the same encrypted file: whoever restores it finds out before anything is
changed that it does not fit.
"""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem, Refusal
from ansible_collections.waent.fleet.plugins.module_utils._common.text import enumerate_all
from ansible_collections.waent.fleet.plugins.module_utils._common.version import parse_version
from ansible_collections.waent.fleet.plugins.module_utils._desired.app_settings import differences

FORMAT, FORMAT_VERSION = "waent.fleet.backup", 1

PASSWORD_CHARACTERS = 16
"""The fewest that a password has which encrypts a registration: whoever has the file may try as often as he likes."""

FACTS: dict[str, type] = {
    "number": str,
    "shards": int,
    "masters": int,
    "coreapps": int,
    "version": str,
    "settings": dict,
    "users": dict,
}
"""What is kept of the cluster. users: the role by name. settings: those of the application, as the API has them."""


class Backup(t.NamedTuple):
    """facts: by FACTS. data: the client's own backup. password: with which it was made, new for each. made: in UTC."""

    facts: dict[str, t.Any]
    data: str
    password: str
    made: str


def written(backup: Backup) -> str:
    """The text that is encrypted."""
    document = {"format": FORMAT, "format_version": FORMAT_VERSION, **backup._asdict()}
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def read(text: str) -> Backup:
    """What C(written) made. Raises Refusal for anything else."""
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise Refusal("BACKUP_INVALID", "The file holds something else than a backup of this collection.")
    if document.get("format_version") != FORMAT_VERSION:
        text = "The backup has format version {0!r}; this release of the collection reads {1}."
        raise Refusal("BACKUP_INVALID", text.format(document.get("format_version"), FORMAT_VERSION))
    facts = document.get("facts")
    facts = facts if isinstance(facts, dict) else {}
    texts = [text for text in map(document.get, ("data", "password", "made")) if isinstance(text, str) and text]
    if len(texts) != 3 or [name for name, kind in FACTS.items() if not _is(facts.get(name), kind)]:
        raise Refusal("BACKUP_INVALID", "The backup is not complete; make another one.")
    return Backup({name: facts[name] for name in FACTS}, *texts)


def _is(value: t.Any, kind: type) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def facts_of(
    cluster: t.Mapping[str, t.Any], settings: t.Mapping[str, t.Any], users: t.Mapping[str, str]
) -> tuple[dict[str, t.Any], list[Problem]]:
    """The facts of a cluster, C(cluster) of wa_cluster_health, and what keeps it from being backed up."""
    kinds = [node["kind"] for node in cluster["nodes"]]
    facts = {
        "number": cluster.get("registered_number") or "",
        "shards": cluster.get("shards"),
        "masters": kinds.count("master"),
        "coreapps": kinds.count("coreapp"),
        "version": cluster.get("version") or "",
        "settings": dict(settings),
        "users": dict(users),
    }
    if cluster.get("registered") is False:
        text = "No number is registered here, so there is nothing to back up."
        return facts, [Problem("BACKUP_NOT_REGISTERED", text)]
    if cluster.get("registered") is None or not facts["number"] or not facts["shards"]:
        text = "Which number is registered, with how many shards, cannot be read, so the backup could not be checked."
        return facts, [Problem("BACKUP_UNKNOWN", text + " Is the cluster healthy?")]
    return facts, []


def password_problems(password: t.Any) -> list[Problem]:
    """What is wrong with the password that encrypts the file."""
    if not password:
        text = "wa_backup_password is not set; backups of a registration are encrypted with it, so keep it in a vault."
        return [Problem("BACKUP_PASSWORD_MISSING", text, "wa_backup_password")]
    if len(str(password)) < PASSWORD_CHARACTERS:
        text = "wa_backup_password has {0} characters; allowed are {1} and more.".format(
            len(str(password)), PASSWORD_CHARACTERS
        )
        return [Problem("BACKUP_PASSWORD_SHORT", text, "wa_backup_password")]
    return []


THERE_ALREADY = "This number is registered here already, so there is nothing to restore."


def question(facts: t.Mapping[str, t.Any]) -> str:
    """What to ask before a backup is restored."""
    text = (
        "Any other installation of {0} has to be off, and stay off: two with one registration get the number banned."
        " Restore it here?"
    )
    return text.format(facts["number"])


SAME = (
    ("masters", "masters"),
    ("coreapps", "coreapps"),
)


def shards_to_set(facts: t.Mapping[str, t.Any], cluster: t.Mapping[str, t.Any]) -> int:
    """How many shards an installation without a number needs first, as it begins with one; 0 where it has them."""
    differs = (cluster.get("shards") or 1) != facts["shards"]
    return int(facts["shards"]) if differs and cluster.get("registered") is False else 0


def misfits(facts: t.Mapping[str, t.Any], cluster: t.Mapping[str, t.Any], number: str) -> list[Problem]:
    """Why a backup cannot be restored here. cluster: as for C(facts_of). number: that of the inventory, with cc."""
    found = []
    if number and facts["number"] != number:
        text = "The backup is of the number {0}, and the inventory is of {1} (wa_cc and wa_phone_number)."
        found.append(Problem("BACKUP_NUMBER_DIFFERS", text.format(facts["number"], number), "wa_phone_number", number))
    here = cluster.get("registered_number")
    if cluster.get("registered") is None:
        text = "Whether a number is registered here already cannot be read; restore when the cluster answers."
        found.append(Problem("BACKUP_TARGET_UNKNOWN", text))
    elif cluster.get("registered") and here != facts["number"]:
        text = (
            "The number {0} is registered here, and the backup is of {1}: it would be replaced. Restore it elsewhere."
        )
        found.append(Problem("BACKUP_TARGET_REGISTERED", text.format(here or "of somebody else", facts["number"])))
    # An installation that never had a number has one shard.
    shards = cluster.get("shards") or 1
    if shards != facts["shards"]:
        text = "The backup is of {0} shards, this installation has {1}; the client takes no other number than its own."
        found.append(Problem("BACKUP_SHARDS_DIFFER", text.format(facts["shards"], shards), "wa_shards", shards))
    kinds = [node["kind"] for node in cluster["nodes"]]
    for name, words in SAME:
        count = kinds.count(name[:-1])
        if count != facts[name]:
            text = "The backup is of a cluster with {0} {2}, this installation has {1}; a move takes the same number."
            found.append(Problem("BACKUP_NODES_DIFFER", text.format(facts[name], count, words), name, count))
    ours, theirs = parse_version(cluster.get("version")), parse_version(facts["version"])
    if ours and theirs and ours < theirs:
        text = "The backup is of version {0}, this installation has {1}: an older client does not read it."
        found.append(Problem("BACKUP_VERSION_OLDER", text.format(theirs, ours), "wa_version", str(ours)))
    return found


def is_there(facts: t.Mapping[str, t.Any], cluster: t.Mapping[str, t.Any]) -> bool:
    """Whether the number of the backup is registered here already: then there is nothing to restore."""
    return cluster.get("registered") is True and cluster.get("registered_number") == facts["number"]


def notes_after(facts: t.Mapping[str, t.Any], settings: t.Mapping[str, t.Any], users: t.Mapping[str, str]) -> list[str]:
    """What differs from the facts once it is restored, and is left to the user."""
    found = []
    changed = sorted(name for name, _now, _then in differences(dict(facts["settings"]), dict(settings)))
    if changed:
        found.append("Other than in the backup: settings {0}.".format(enumerate_all(changed)))
    missing = sorted(set(facts["users"]) - set(users))
    if missing:
        text = "No user {0} is here: users and their passwords are in no backup; create them again."
        found.append(text.format(enumerate_all(missing)))
    return found


def steps_before(shards: int) -> list[str]:
    """What is done before it is restored. shards: of C(shards_to_set)."""
    text = "First the shards of this installation are set to {0}: the client takes the backup only with as many."
    return [text.format(shards)] if shards else []


def shown(facts: t.Mapping[str, t.Any], made: str) -> list[str]:
    """The facts for a reader."""
    head = "number {number}, {shards} shards, {masters} masters, {coreapps} coreapps, version {version}".format(**facts)
    return [
        "Backup of {0}: {1}".format(made, head),
        "users: {0}".format(", ".join(sorted(facts["users"])) or "none read"),
    ]


def file_name(cluster: str, moment: str) -> str:
    """Name of a backup's file. moment: C(20261129T190000Z)."""
    return "{0}-registration-{1}.vault".format(re.sub(r"[^A-Za-z0-9_.-]", "_", cluster).lstrip(".") or "_", moment)
