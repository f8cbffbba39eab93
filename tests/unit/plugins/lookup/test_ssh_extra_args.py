# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is set for ssh comes first, in whatever way it is set."""

from __future__ import annotations

import pytest
from ansible import context
from ansible.utils.context_objects import CLIArgs
from ansible_collections.waent.fleet.plugins.lookup.ssh_extra_args import NOTICES_SILENCE, LookupModule


@pytest.mark.parametrize("way", ["nothing", "environment", "command line"])
def test_what_is_set_comes_first(monkeypatch, way):
    monkeypatch.delenv("ANSIBLE_SSH_EXTRA_ARGS", raising=False)
    monkeypatch.setattr(context, "CLIARGS", CLIArgs({"ssh_extra_args": "-o A=b" if way == "command line" else None}))
    if way == "environment":
        monkeypatch.setenv("ANSIBLE_SSH_EXTRA_ARGS", "-o A=b")
    expected = NOTICES_SILENCE if way == "nothing" else "-o A=b " + NOTICES_SILENCE
    # The variables hold the default that asks: it does not read them.
    variables = {"ansible_ssh_extra_args": "{{ lookup('waent.fleet.ssh_extra_args') }}"}
    assert LookupModule().run([], variables) == [expected]
