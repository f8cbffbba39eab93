# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What modules on hosts import: Ansible sends it as source, and each run compiles it again, most of what it costs."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from ansible_collections.waent.fleet.tests.support.checkout import ROOT

OF_THE_CONTROLLER = (
    "_io.client", "_io.failure", "_io.database", "_desired.variables", "_check.without", "_check.health",
)  # fmt: skip
"""The API's client, the database, and the checks of the inventory."""

ON_EVERY_HOST = [
    "wa_host_info", "wa_node_info", "wa_ports", "wa_containers", "wa_node_environment", "wa_backup_timer",
    "wa_media_copy",
]  # fmt: skip

SHOW = "import sys, json, {0}; print(json.dumps(sorted(sys.modules)))"


@pytest.mark.parametrize("module", ON_EVERY_HOST)
def test_a_module_on_a_host_leaves_what_is_the_controllers_there(module: str) -> None:
    name = "ansible_collections.waent.fleet.plugins.modules." + module
    done = subprocess.run(
        [sys.executable, "-c", SHOW.format(name)], cwd=ROOT / ".collections", check=True, capture_output=True, text=True
    )
    imported = json.loads(done.stdout)
    ours = {one.partition("module_utils.")[2] for one in imported if ".waent.fleet.plugins.module_utils." in one}
    assert ours, "it uses something of ours"
    assert ours & set(OF_THE_CONTROLLER) == set()
    assert "ansible.module_utils.urls" not in imported or module == "wa_containers", "that is of community.docker"
