# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an error of TLS says of the other side. Internal to waent.fleet: may change in any release."""

from __future__ import annotations

import ssl
import typing as t

MARKS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE")


def speaks_no_tls(reason: t.Any) -> bool:
    """Whether a connection failed because the other side speaks something else than TLS, most likely plain HTTP."""
    return isinstance(reason, ssl.SSLError) and any(mark in ssl_words(reason) for mark in MARKS)


def ssl_words(reason: ssl.SSLError) -> str:
    """The error as OpenSSL writes its names."""
    return str(reason).upper().replace(" ", "_")
