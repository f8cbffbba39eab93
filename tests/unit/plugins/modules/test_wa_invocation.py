# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_invocation as a process, the way Ansible runs modules that have no action plugin."""

from __future__ import annotations

import yaml
from ansible_collections.waent.fleet.plugins.action.wa_invocation import DEFAULT_CLUSTER_NAME
from ansible_collections.waent.fleet.tests.support.checkout import ROOT
from ansible_collections.waent.fleet.tests.support.module_process import run_module_process

NAMES = ("wa_cluster", "wa_webapp_hosts", "wa_master_hosts", "wa_coreapp_hosts")


def run(**options):
    return run_module_process("wa_invocation", **options)


def test_a_good_call():
    result = run(playbook="reshard", groups={key: ["a"] for key in NAMES}, hosts=["a"], shards="4")
    assert result["changed"] is False and result["without"] == [] and "failed" not in result


def test_a_bad_call():
    result = run(playbook="reshard", groups={key: ["a"] for key in NAMES[:-1]}, hosts=["a"])
    assert result["failed"] is True
    assert result["failure"]["code"] == "WA_INVOCATION_INVALID"
    assert result["failure"]["details"]["codes"] == ["SHARDS_MISSING", "WA_GROUP_MISSING"]
    assert result["msg"].startswith("2 problems were found, nothing was changed.\n[WA_GROUP_MISSING] ")


def test_a_host_to_go_on_without():
    groups = {key: ["a", "b"] for key in NAMES}
    assert run(playbook="site", groups=groups, hosts=["a", "b"], without=["b"])["without"] == ["b"]
    refused = run(playbook="site", groups=groups, hosts=["a", "b"], without=["c"])
    assert refused["failure"]["details"]["codes"] == ["WITHOUT_HOST_UNKNOWN"] and refused["without"] == []


def test_the_default_name_of_a_cluster_is_that_of_the_role():
    defaults = yaml.safe_load((ROOT / "roles" / "variables" / "defaults" / "main.yml").read_text())
    assert defaults["wa_cluster_name"] == DEFAULT_CLUSTER_NAME
