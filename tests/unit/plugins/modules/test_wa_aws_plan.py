# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_aws_plan as a process, the way Ansible runs it: what is wrong is found before anything is asked of AWS."""

from __future__ import annotations

from ansible_collections.waent.fleet.tests.support.module_process import run_module_process

GIVEN = {"name": "waent", "region": "eu-central-1", "cidr": "10.60.0.0/20", "image": "ami-0123456789abcdef0"}


def codes(**options):
    result = run_module_process("wa_aws_plan", **{**GIVEN, **options})
    assert result["failed"] is True
    assert result["failure"]["code"] == "WA_AWS_REFUSED"
    assert result["stacks"] == []
    return result["failure"]["details"]["codes"]


def test_bad_input():
    assert codes(environment="test", shards=3) == ["AWS_ENVIRONMENT_UNKNOWN", "AWS_SHARDS_INVALID"]
    small = codes(environment="production", shards=8, instance_type="c5.large", db_class="db.r5.large")
    assert small == ["AWS_DB_CLASS_TOO_SMALL", "AWS_INSTANCE_TOO_SMALL"]
    assert codes(stage="remove", environment="test") == ["AWS_ENVIRONMENT_UNKNOWN"]


def test_without_libraries_or_credentials_it_is_one_sentence():
    (code,) = codes(environment="production", shards=2)
    assert code in ("AWS_CREDENTIALS", "LIBRARY_MISSING")
