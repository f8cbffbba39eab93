# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Error codes of the API that this collection acts on (reference 5.1). Internal to waent.fleet: may change. Pure."""

from __future__ import annotations

ACCESS_DENIED = 1005
NOT_FOUND = 1006
BAD_PARAMETER = 1009
NOT_READY = 1011
INTERNAL_ERROR = 1014
TOO_MANY_REQUESTS = 1015
OVERLOADED = 1016
NOT_PRIMARY_MASTER = 1017
NOT_SHARD_OWNER = 1018
PASSWORD_CHANGE_REQUIRED = 1024
