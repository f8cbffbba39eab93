# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a play stops of itself: what it meets while it acts, with code and sentence. Internal. Pure.

What is wrong before anything is changed is a problem of C(_check); a step that failed is worded in C(step_failure.py),
which quotes these.
"""

from __future__ import annotations

import string
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.instruction import instruction

STOPS: dict[str, tuple[str, str]] = {
    "aws_hosts_not_found": (
        "AWS_HOSTS_NOT_FOUND",
        "The hosts are made, but the inventory has no {hosts} in the group wa_cluster: it has to look in their region"
        " for the environment {environment} (docs/guides/aws.md). Correct that, and run "
        + instruction("aws_hosts_not_found")
        + ", which changes nothing of them.",
    ),
    "certificates_missing": (
        "CERTIFICATES_MISSING",
        "Neither wa_api_certificate nor wa_webhook_ca is set, so there is nothing to bring to the cluster.",
    ),
    "code_missing": (
        "REGISTRATION_CODE_MISSING",
        "The cluster runs, but its number is not registered yet: a code was sent to +{cc} {number} by {method}. Run "
        + instruction("registration_code_missing")
        + "; what is done already stays as it is.",
    ),
    "drill_not_prepared": (
        "DRILL_STOPPED",
        "Nothing was broken: the script that restores it could not be written on {hosts}, where another drill may have"
        " begun at the same moment.",
    ),
    "engine_before_share": (
        "ENGINE_BEFORE_SHARE",
        "Docker Engine is stopped on {host}, and starts by itself what nodes it holds, before anybody knows whether the"
        " host has the media share. Nothing was changed there. Run "
        + instruction("engine_before_share")
        + ", which mounts the share first, and proves it.",
    ),
    "host_lost": ("HOST_LOST", "{host} cannot be reached any more: {why}"),
    "hosts_lost": ("HOST_LOST", "Lost so far: {hosts}"),
    "hosts_not_prepared": ("HOST_LOST", "{hosts} could not be prepared."),
    "media_from_missing": (
        "MEDIA_COPY_NO_SOURCE",
        "wa_media_from is empty; allowed is the name of a Docker volume of the hosts, or a path, where media are now.",
    ),
    "share_not_remounted": (
        "",
        "{why} What was mounted before is sound, and the nodes of {host} run on it again.",
    ),
    "share_lost": (
        "",
        "{why} Nodes of {host} stay stopped: without the share they would write to a directory of the host itself.",
    ),
    "not_prepared": ("", "No node was stopped; fix the reason and run {0}.".format(instruction("hosts_not_prepared"))),
    "schema_container_gone": (
        "SCHEMA_UPGRADE_FAILED",
        "The container {container} was removed while it upgraded the schema.",
    ),
    "schema_upgrade_failed": ("SCHEMA_UPGRADE_FAILED", "The schema upgrade ended with code {exit_code}."),
    "schema_upgrade_slow": (
        "SCHEMA_UPGRADE_SLOW",
        "The schema upgrade has not ended after {seconds} s (wa_schema_timeout_seconds). It goes on in the container"
        " {container}, and the next run waits for it again.",
    ),
}


def facts_of(reason: str) -> set[str]:
    """The names that the sentence of a reason needs. Raises KeyError for one that is not in C(STOPS)."""
    return {name for _text, name, _spec, _conversion in string.Formatter().parse(STOPS[reason][1]) if name}


def stop_message(reason: str, **facts: t.Any) -> str:
    """C([CODE] sentence), without the code where the reason before it has one; a list among the facts is joined.

    Raises KeyError for an unknown reason or a lacking fact.
    """
    code, sentence = STOPS[reason]
    words = {
        name: ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value).strip()
        for name, value in facts.items()
    }
    return ("[{0}] ".format(code) if code else "") + sentence.format(**words)
