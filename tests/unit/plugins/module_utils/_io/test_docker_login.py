# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The login that docker login has left: in the client's file, or with a helper, which is a real program here."""

from __future__ import annotations

import base64
import json
import os
import typing as t
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._io.docker_login import HUB, HUB_KEY, NoLogin, login_for

REGISTRY = "registry.example.com:5000"
PASSWORD = "canary:with colon"
AUTH = {"auth": base64.b64encode("wa:{0}".format(PASSWORD).encode()).decode()}
LOGIN = {"username": "wa", "password": PASSWORD, "serveraddress": REGISTRY}
HELPER = """#!/bin/sh
read -r key
case "$key" in
    {registry}) echo '{answer}' ;;
    *) echo 'credentials not found in native keychain'; exit 1 ;;
esac
"""


@pytest.fixture
def login(tmp_path: Path) -> t.Callable[..., t.Any]:
    """The login for a registry with this file of the client."""

    def find(settings: t.Any, registry: str = REGISTRY) -> t.Any:
        if settings is not None:
            text = settings if isinstance(settings, str) else json.dumps(settings)
            (tmp_path / "config.json").write_text(text)
        environ = {"DOCKER_CONFIG": str(tmp_path), "PATH": "{0}:{1}".format(tmp_path, os.defpath)}
        return login_for(registry, environ, timeout=5)

    return find


@pytest.fixture
def helper(tmp_path: Path) -> t.Callable[[t.Any], None]:
    """Make the helper C(test) give this answer."""

    def make(answer: t.Any) -> None:
        program = tmp_path / "docker-credential-test"
        program.write_text(HELPER.format(registry=REGISTRY, answer=json.dumps(answer)))
        program.chmod(0o755)

    return make


@pytest.mark.parametrize(
    ("settings", "registry", "found"),
    [
        (None, REGISTRY, None),
        ({}, REGISTRY, None),
        ({"auths": {REGISTRY: AUTH}}, REGISTRY, LOGIN),
        ({"auths": {"https://{0}/v1/".format(REGISTRY): AUTH}}, REGISTRY, LOGIN),
        ({"auths": {REGISTRY: {"username": "wa", "password": PASSWORD}}}, REGISTRY, LOGIN),
        ({"auths": {REGISTRY: {"identitytoken": "t"}}}, REGISTRY, {"identitytoken": "t", "serveraddress": REGISTRY}),
        ({"auths": {REGISTRY: {"registrytoken": "t"}}}, REGISTRY, {"registrytoken": "t", "serveraddress": REGISTRY}),
        ({"auths": {REGISTRY: AUTH}}, "registry.example.com", None),
        ({"auths": {"other.example.com": AUTH, REGISTRY: {}}}, REGISTRY, None),
        ({"auths": {HUB_KEY: AUTH}}, HUB, {**LOGIN, "serveraddress": HUB_KEY}),
    ],
)
def test_the_clients_file(login, settings, registry, found) -> None:
    assert login(settings, registry) == found


@pytest.mark.parametrize("settings", [{"credHelpers": {REGISTRY: "test"}}, {"credsStore": "test"}])
@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ({"ServerURL": REGISTRY, "Username": "wa", "Secret": PASSWORD}, LOGIN),
        ({"Username": "<token>", "Secret": "t"}, {"identitytoken": "t", "serveraddress": REGISTRY}),
    ],
)
def test_a_helper_is_asked_before_the_file(login, helper, settings, answer, found) -> None:
    helper(answer)
    assert login({**settings, "auths": {REGISTRY: {"username": "other", "password": "x"}}}) == found


def test_a_helper_that_knows_nothing_of_the_registry_is_no_login(login, helper) -> None:
    helper({})
    assert login({"credsStore": "test"}, "other.example.com") is None


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("no json", "config.json cannot be read"),
        ({"auths": {REGISTRY: {"auth": "abc"}}}, "no base64"),
        ({"credsStore": "gone"}, "docker-credential-gone failed: No such file"),
        ({"credsStore": "test"}, "docker-credential-test gave an answer that is none"),
    ],
)
def test_a_login_that_cannot_be_read_is_not_none(login, helper, settings, words) -> None:
    helper({"Secret": PASSWORD})
    with pytest.raises(NoLogin, match=words) as raised:
        login(settings)
    assert PASSWORD not in str(raised.value)
