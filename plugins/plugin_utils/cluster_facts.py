# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of the cluster that a play is about, from its variables and results. Internal to waent.fleet.

Each fact names the variables it reads, and no other is filled in for it: a template that fails elsewhere is no matter
here. What is made of them is decided by pure functions in module_utils. The files of C(facts/) make them, by subject.
"""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.plugin_utils.facts import (
    adopt,
    api,
    aws,
    checks,
    desired,
    drill,
    hosts,
    logs,
    media,
)
from ansible_collections.waent.fleet.plugins.plugin_utils.facts.play import Play

FACTS: dict[str, t.Callable[[Play], t.Any]] = {
    **adopt.FACTS,
    **api.FACTS,
    **desired.FACTS,
    **hosts.FACTS,
    **checks.FACTS,
    **media.FACTS,
    **drill.FACTS,
    **logs.FACTS,
    **aws.FACTS,
}
