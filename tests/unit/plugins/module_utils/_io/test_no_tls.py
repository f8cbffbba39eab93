# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an error of TLS says of the other side."""

from __future__ import annotations

import ssl

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._io.no_tls import speaks_no_tls


@pytest.mark.parametrize(
    ("reason", "plain"),
    [
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), True),
        (ssl.SSLError(1, "[SSL] record layer failure (_ssl.c:1006)"), True),
        (ssl.SSLError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate"), False),
        (OSError("WRONG_VERSION_NUMBER"), False),
    ],
)
def test_who_answers_in_the_clear_is_not_taken_for_one_who_is_not_trusted(reason, plain):
    assert speaks_no_tls(reason) is plain
