# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests, chaos scripts and benchmarks share, imported as C(ansible_collections.waent.fleet.tests.support.NAME).

The import path stands in pyproject.toml, for pytest and, by tools/venv.sh, for all programs of .venv; nothing edits it.
"""
