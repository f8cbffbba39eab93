# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a failed module says, by kind of error."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal
from ansible_collections.waent.fleet.plugins.module_utils._io.client import (
    ApiError,
    AuthError,
    LostAnswer,
    PasswordChangeRequired,
    Unreachable,
)
from ansible_collections.waent.fleet.plugins.module_utils._io.failure import fail, failure

URL = "https://h/v1/x"


def api_error(code, title="", details="", status=400, kind=ApiError):
    return kind(code, title, details, status=status, url=URL)


@pytest.mark.parametrize(
    "error, code, advice",
    [
        (
            api_error(1005, "Access denied", "Unknown error: biz_link_on_prem_reg_blocked"),
            "REGISTRATION_BLOCKED",
            "since 2024-07-01",
        ),
        (api_error(1005, "Access denied", "App expired"), "API_1005", "This build of the client has expired"),
        (api_error(1005, "Access denied", status=403), "API_1005", "role does not allow this call"),
        (api_error(1011, "Service not ready", status=503), "API_1011", "(docker logs) say why"),
        (api_error(1017, "Not Primary Master", status=503), "API_1017", "no primary master"),
        (api_error(1009, "Parameter value is not valid"), "API_1009", ""),
        (api_error(None, status=500), "API_HTTP_500", ""),
        (api_error(None, status=401, kind=AuthError), "API_AUTH", "A token lasts 7 days"),
        (api_error(1024, status=401, kind=PasswordChangeRequired), "API_1024", "wa_login, which sets a new one"),
        (Unreachable("Nobody there.", url=URL), "API_UNREACHABLE", ""),
        (LostAnswer("Lost.", url=URL), "API_ANSWER_LOST", ""),
    ],
)
def test_failure(error, code, advice):
    failed = failure(error)
    assert failed["code"] == code
    assert failed["message"].startswith(error.message)
    assert advice in failed["message"]
    assert (failed["message"] == error.message) is (advice == "")
    assert failed["details"]["url"] == URL


def test_refusal():
    failed = failure(Refusal("NO", "We do not.", {"why": "because"}))
    assert failed == {"code": "NO", "message": "We do not.", "details": {"why": "because"}}


def test_fail_ends_the_module_with_everything():
    class Module:
        def fail_json(self, msg, **kwargs):
            self.said = dict(kwargs, msg=msg)

    module = Module()
    fail(module, Refusal("NO", "We do not."), changed=False, token=None)
    assert module.said == {
        "msg": "We do not.",
        "failure": {"code": "NO", "message": "We do not.", "details": {}},
        "changed": False,
        "token": None,
    }
