# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_sizing as a process, the way Ansible runs it."""

from __future__ import annotations

from ansible_collections.waent.fleet.tests.support.module_process import run_module_process


def test_sizing():
    assert run_module_process("wa_sizing", shards=8)["needs"]["connections"] == 700
    result = run_module_process("wa_sizing", shards=16, shards_now=4, max_connections=636, database_class="db.m4.large")
    assert result["failure"]["details"]["codes"] == ["DB_CONNECTIONS_TOO_FEW"]
    assert result["needs"]["connections"] == 1400
    assert run_module_process("wa_sizing", messages_per_second=9999)["failure"]["code"] == "WA_SIZING_REFUSED"
