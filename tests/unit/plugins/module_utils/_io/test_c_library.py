# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the C library answers is either well or an error."""

from __future__ import annotations

import errno
import os

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._io import media_share
from ansible_collections.waent.fleet.plugins.module_utils._io.c_library import call


def test_a_call_that_fails_says_why(tmp_path):
    call("access", os.fsencode(tmp_path), os.R_OK)
    with pytest.raises(FileNotFoundError):
        call("access", os.fsencode(tmp_path / "absent"), os.R_OK)


def test_a_share_that_cannot_be_queried_is_not_one_without_a_proof(tmp_path, monkeypatch):
    assert media_share.read_proof(str(tmp_path), 5.0, None) == {"proof": None, "error": None}

    def fails(*_arguments):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(media_share, "call", fails)
    found = media_share.read_proof(str(tmp_path), 5.0, None)
    assert found["proof"] is None and found["error"]["name"] == "EIO"


@pytest.mark.parametrize("absent", [AttributeError("statx"), OSError(errno.ENOSYS, "Function not implemented")])
def test_a_host_without_that_call_reads_as_ever(tmp_path, monkeypatch, absent):
    def fails(*_arguments):
        raise absent

    monkeypatch.setattr(media_share, "call", fails)
    assert media_share.read_proof(str(tmp_path), 5.0, None) == {"proof": None, "error": None}
