# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What messages say to run, each once, under the name of the message. Internal to waent.fleet. Pure.

A command that does not work is worse than none. So no sentence writes one out: it asks for it here, and tests hold that
each names a playbook and variables that there are, with values that are taken. docs/instructions.md has the test of
each, which runs it from the state in which it is printed.
"""

from __future__ import annotations

import json
import shlex
import string
import typing as t

OTHER, AGAIN, ADDED = "other", "again", "added"


class Instruction(t.NamedTuple):
    """One instruction.

    form: C(OTHER), to run the playbook that is named; C(AGAIN), the one that says it; C(ADDED), to add arguments to its
    command. playbook: without C(.yml); where the form leaves it open, the one that says it, if only one does.
    arguments: what is given with -e, by name; values are formats of the facts, and what is left for the user to fill in
    is in capitals. Where a value is one fact alone, it may be a map or a list. without: an option that is left out.
    """

    form: str
    playbook: str = ""
    arguments: t.Mapping[str, str] = {}
    without: str = ""


CODE = {"wa_registration_code": "CODE"}

INSTRUCTIONS: dict[str, Instruction] = {
    # How a playbook was called.
    "shards_missing": Instruction(ADDED, "reshard", {"shards": "SHARDS"}),
    "aws_shards_missing": Instruction(ADDED, "aws", {"shards": "SHARDS"}),
    "version_missing": Instruction(ADDED, "upgrade", {"version": "VERSION"}),
    "host_missing": Instruction(ADDED, "drain", {"host": "HOST"}),
    "backup_missing": Instruction(ADDED, "restore", {"backup": "FILE"}),
    "drill_missing": Instruction(ADDED, "drill", {"drill": "DRILL"}),
    "into_missing": Instruction(ADDED, "adopt", {"into": "DIRECTORY"}),
    "inventory_written": Instruction(OTHER, "adopt"),
    "rotate_missing": Instruction(ADDED, "rotate", {"rotate": "SECRET"}),
    "limit_not_allowed": Instruction(AGAIN, without="--limit"),
    "tags_not_allowed": Instruction(AGAIN, without="{option}"),
    "not_confirmed": Instruction(ADDED, arguments={"confirm": "yes"}),
    # Hosts and their engines.
    "engine_absent": Instruction(OTHER, "site"),
    "engine_absent_adopting": Instruction(OTHER, "engine"),
    "engine_not_started": Instruction(AGAIN),
    "engine_silent": Instruction(AGAIN),
    "single_connect_running": Instruction(ADDED, "site", {"wa_stop_single_connect": "true"}),
    "unmanaged_nodes": Instruction(OTHER, "adopt"),
    "hosts_not_prepared": Instruction(AGAIN),
    # Hosts that are away, come back, or leave.
    "host_not_read": Instruction(ADDED, arguments={"wa_without_hosts": "{hosts}"}),
    "host_gone": Instruction(OTHER, "site"),
    "host_behind": Instruction(OTHER, "site"),
    "without_host_lives": Instruction(AGAIN),
    "survive_impossible": Instruction(ADDED, arguments={"wa_survive": "{survive}"}),
    "node_unknown": Instruction(OTHER, "site"),
    "drain_unfinished": Instruction(OTHER, "site"),
    "node_not_running": Instruction(OTHER, "site"),
    # The media share.
    "media_share_unmounted": Instruction(OTHER, "site"),
    "media_share_unproved": Instruction(OTHER, "site"),
    "media_share_in_use": Instruction(OTHER, "site"),
    "engine_before_share": Instruction(OTHER, "site"),
    "media_share_apart": Instruction(OTHER, "site", {"wa_media_from": "{path}"}),
    "media_left_behind": Instruction(ADDED, "site", {"wa_media_from": "{volume}"}),
    "remount_no_spare": Instruction(OTHER, "site"),
    # Drills.
    "drill_in_production": Instruction(ADDED, "drill", {"really": "true"}),
    "rotate_other_changes": Instruction(OTHER, "site"),
    "drill_of_unhealthy": Instruction(OTHER, "status"),
    "drill_left": Instruction(OTHER, "drill", {"drill": "{drill}"}),
    # The API.
    "first_password": Instruction(OTHER, "site"),
    "api_key_refused": Instruction(OTHER, "site"),
    "service_unknown": Instruction(AGAIN),
    "service_unknown_at_once": Instruction(ADDED, "site", {"wa_recreate_at_once": "true"}),
    "no_webapp": Instruction(OTHER, "site"),
    "no_webapp_then": Instruction(AGAIN),
    "no_master": Instruction(OTHER, "site"),
    "no_master_then": Instruction(AGAIN),
    "owner_uncertain": Instruction(AGAIN),
    "state_unknown": Instruction(AGAIN),
    "settings_unread": Instruction(AGAIN),
    "settings_unread_start": Instruction(OTHER, "site"),
    # The authority of the API.
    "authority_expired": Instruction(OTHER, "site"),
    "authority_changed": Instruction(OTHER, "site"),
    "authority_differs": Instruction(OTHER, "site"),
    "authority_renewed": Instruction(OTHER, "site"),
    "authority_not_signed": Instruction(OTHER, "site"),
    "authority_absent": Instruction(OTHER, "site"),
    "authority_unknown": Instruction(OTHER, "site"),
    "authority_unreadable": Instruction(OTHER, "site"),
    # The number and its shards.
    "registration_code_missing": Instruction(AGAIN, "site", CODE),
    "code_refused": Instruction(AGAIN, "site", CODE),
    "code_refused_another": Instruction(ADDED, "site", {"wa_registration_code": ""}),
    "code_refused_too_often": Instruction(AGAIN, "site", CODE),
    "code_refused_resent": Instruction(AGAIN, "site", CODE),
    "not_registered": Instruction(OTHER, "site"),
    "shards_differ": Instruction(OTHER, "reshard", {"shards": "{shards}"}),
    "shards_unchanged": Instruction(AGAIN),
    "surplus_coreapps": Instruction(OTHER, "reshard", {"shards": "{shards}"}),
    "reshard_unfinished": Instruction(OTHER, "reshard", {"shards": "N"}),
    # Versions.
    "version_differs": Instruction(OTHER, "upgrade", {"version": "{version}"}),
    "upgrade_unfinished": Instruction(OTHER, "upgrade", {"version": "{version}"}),
    "timers_shortened": Instruction(OTHER, "upgrade", {"version": "{version}"}),
    "no_spare": Instruction(OTHER, "site"),
    "no_second_master": Instruction(OTHER, "site"),
    "node_secret_differs": Instruction(OTHER, "site", {"wa_version": "VERSION"}),
    # A step that failed.
    "step_failed": Instruction(AGAIN),
    "upgrade_back": Instruction(OTHER, "upgrade", {"version": "OLD"}),
    "reshard_back": Instruction(OTHER, "reshard", {"shards": "OLD"}),
    "schema_failed": Instruction(AGAIN),
    "schema_failed_back": Instruction(OTHER, "site", {"wa_version": "OLD"}),
    "node_absent": Instruction(AGAIN),
    "no_reason": Instruction(ADDED, arguments={"wa_secure_logging": "false"}),
    "backup_timer": Instruction(OTHER, "backup"),
    # AWS.
    "aws_stack_busy": Instruction(AGAIN),
    "aws_hosts_not_found": Instruction(AGAIN),
    "aws_stack_failed": Instruction(AGAIN),
    "aws_shards_differ": Instruction(OTHER, "reshard", {"shards": "{shards}"}),
    "aws_hosts_fewer": Instruction(OTHER, "reshard", {"shards": "{shards}"}),
    "aws_not_made": Instruction(OTHER, "aws", {"shards": "{shards}"}),
    "aws_host_occupied": Instruction(OTHER, "drain", {"host": "{host}"}),
    "aws_host_unread": Instruction(AGAIN),
    "aws_data_stays": Instruction(ADDED, "aws_remove", {"wa_remove_data": "true"}),
    "aws_database_stays": Instruction(
        ADDED, "aws_remove", {"wa_remove_data": "true", "wa_remove_database": "{database}"}
    ),
    # The end of a cluster.
    "data_stays": Instruction(ADDED, "uninstall", {"wa_remove_data": "true"}),
    "database_stays": Instruction(ADDED, "uninstall", {"wa_remove_data": "true", "wa_remove_database": "{database}"}),
    "nothing_removed": Instruction(AGAIN, "uninstall"),
}


def facts_of(name: str) -> set[str]:
    """The facts that an instruction needs. Raises KeyError for one that is not in C(INSTRUCTIONS)."""
    one = INSTRUCTIONS[name]
    return {fact for text in (*one.arguments.values(), one.without) for fact in _fields(text)}


def instruction(name: str, **facts: t.Any) -> str:
    """The words that follow C(run), or C(add) where arguments are added.

    C(playbooks/reshard.yml -e shards=4), C(the playbook again with -e wa_registration_code=CODE), C(-e confirm=yes).
    Raises KeyError for an unknown name or a lacking fact.
    """
    one = INSTRUCTIONS[name]
    words = [_argument(key, _value(text, facts)) for key, text in one.arguments.items()]
    if one.form == OTHER:
        words.insert(0, "playbooks/{0}.yml".format(one.playbook))
    elif one.form == AGAIN:
        words[:0] = ["the playbook again", *(["with"] if words else [])]
    if one.without:
        words += ["without", one.without.format(**facts)]
    return " ".join(words)


def _fields(text: str) -> list[str]:
    return [field for _text, field, _spec, _conversion in string.Formatter().parse(text) if field]


def _value(text: str, facts: t.Mapping[str, t.Any]) -> t.Any:
    """A value that is one fact alone keeps its type."""
    fields = _fields(text)
    return facts[fields[0]] if [text] == ["{" + field + "}" for field in fields] else text.format(**facts)


def _argument(name: str, value: t.Any) -> str:
    """As a shell takes it: maps and lists as JSON, which Ansible reads with its types, all else as text."""
    given = json.dumps({name: value}) if isinstance(value, (dict, list)) else "{0}={1}".format(name, value)
    return "-e " + shlex.quote(given)
