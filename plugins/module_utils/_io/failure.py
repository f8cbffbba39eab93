# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An error of the API, or a refusal, as a failed module. Internal to waent.fleet: may change in any release."""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.api_codes import (
    ACCESS_DENIED,
    NOT_PRIMARY_MASTER,
    NOT_READY,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal
from ansible_collections.waent.fleet.plugins.module_utils._io.client import (
    ApiError,
    AuthError,
    ClientError,
    PasswordChangeRequired,
)
from ansible_collections.waent.fleet.plugins.module_utils._io.refused import Fails, end

#: What the vendor's servers say since new registrations ended on 2024-07-01 (reference 4.3, 9).
_SUNSET_MARK = "biz_link_on_prem_reg_blocked"


def failure(error: ClientError | Refusal) -> dict[str, t.Any]:
    """C({code, message, details}) of an error, for playbooks to branch on."""
    if isinstance(error, Refusal):
        return error.as_failure()
    message = " ".join(part for part in (error.message, advice(error)) if part)
    return {"code": failure_code(error), "message": message, "details": error.details}


def failure_code(error: ClientError) -> str:
    """The stable code of a client error; the ended registration has one of its own."""
    if registration_blocked(error):
        return "REGISTRATION_BLOCKED"
    return error.failure_code


def fail(module: Fails, error: ClientError | Refusal, **result: t.Any) -> t.NoReturn:
    """Ends the module with the sentence, C(failure) and whatever else the module always returns."""
    end(module, failure(error), result)


def registration_blocked(error: Exception) -> bool:
    """True when the vendor refuses any new registration."""
    return isinstance(error, ApiError) and _SUNSET_MARK in (error.title + error.api_details)


def advice(error: ClientError) -> str:
    """What to do next about an error, empty where the message already says it."""
    if registration_blocked(error):
        return (
            "The vendor has blocked new registrations of the On-Premises API since 2024-07-01, so this number cannot be"
            " registered here; numbers that were registered before, or restored from a backup, are not concerned."
        )
    if isinstance(error, PasswordChangeRequired):
        return "The account still has its first password: log in with waent.fleet.wa_login, which sets a new one."
    if isinstance(error, AuthError):
        return (
            "The user name, password, token or API key was not accepted. A token lasts 7 days and only on webapps that"
            " share one JWT key: get a new one with waent.fleet.wa_login."
        )
    if isinstance(error, ApiError):
        return _advice_by_code(error)
    return ""


def _advice_by_code(error: ApiError) -> str:
    if error.code == ACCESS_DENIED and "expired" in (error.title + error.api_details).lower():
        return "This build of the client has expired: upgrade the cluster to a newer version."
    if error.code == ACCESS_DENIED:
        return "The user's role does not allow this call (account and settings calls need admin), or the cert is wrong."
    if error.code == NOT_READY:
        return "No core is ready: coreapps and masters start, or cannot; their logs (docker logs) say why."
    if error.code == NOT_PRIMARY_MASTER:
        return "There is no primary master at the moment: check the masters with waent.fleet.wa_cluster_health."
    return ""
