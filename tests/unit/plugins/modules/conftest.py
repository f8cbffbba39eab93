# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of modules share."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.docker_stand_in import install_docker


@pytest.fixture
def docker(tmp_path: Path) -> Path:
    """The directory of a stand-in for the docker command."""
    install_docker(tmp_path)
    return tmp_path
