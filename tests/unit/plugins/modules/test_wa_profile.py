# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_profile through main() against a real HTTPS server."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._desired.business_profile import digest
from ansible_collections.waent.fleet.plugins.modules import wa_profile
from ansible_collections.waent.fleet.tests.support.scripted_api import META, run_module

BUSINESS, ABOUT, PHOTO = "/v1/settings/business/profile", "/v1/settings/profile/about", "/v1/settings/profile/photo"
PNG, JPEG = b"\x89PNG\r\n\x1a\n-one", b"\xff\xd8\xff-two"
NOT_FOUND = {"errors": [{"code": 1006, "title": "Resource not found"}]}
DESIRED = {"email": "hello@example.com", "websites": ["https://a.example", "https://b.example"], "about": "Open"}


class Server:
    """A profile that calls change. encodes: what becomes of a photo that it was sent."""

    def __init__(self, api, *, takes=True, encodes=lambda content: content):
        self.profile = {"address": "", "description": "", "email": "", "vertical": "", "websites": []}
        self.about = ""
        self.photo = None
        self.takes = takes
        self.encodes = encodes
        api.on(
            "GET", BUSINESS, lambda _call: (200, {"settings": {"business": {"profile": self.profile}}, "meta": META})
        )
        api.on("GET", ABOUT, lambda _call: (200, {"settings": {"profile": {"about": {"text": self.about}}}}))
        api.on("GET", PHOTO, lambda _call: (200, self.photo) if self.photo else (404, NOT_FOUND))
        api.on("POST", BUSINESS, self.write)
        api.on("PATCH", ABOUT, self.write_about)
        api.on("POST", PHOTO, self.write_photo)
        api.on("DELETE", PHOTO, self.delete_photo)

    def write(self, call):
        if self.takes:
            self.profile.update(call.body)
        return 200, {"meta": META}

    def write_about(self, call):
        self.about = call.body["text"]
        return 200, None

    def write_photo(self, call):
        self.photo = self.encodes(call.body)
        return 200, None

    def delete_photo(self, _call):
        self.photo = None
        return 200, None


@pytest.fixture
def run(capfd, access, clock):
    """Runs the module."""

    def call(**args):
        return run_module(wa_profile, capfd, **dict(access, **args))

    return call


@pytest.fixture
def photo(tmp_path):
    """A file with a photo."""
    path = tmp_path / "logo"
    path.write_bytes(PNG)
    return path


def test_check_real_again_and_diff(api, run, photo):
    server = Server(api)
    desired = dict(DESIRED, photo=str(photo))
    checked = run(check=True, diff=True, **desired)
    assert checked["changed"] and checked["changes"] == ["email", "websites", "about", "photo"] and api.writes == []
    assert checked["diff"] == {
        "before": {"email": "", "websites": [], "about": "", "photo": ""},
        "after": dict(DESIRED, photo=digest(PNG)),
    }
    real = run(diff=True, **desired)
    assert (real["changes"], real["diff"]) == (checked["changes"], checked["diff"])
    assert (server.about, server.photo, server.profile["email"]) == ("Open", PNG, "hello@example.com")
    assert api.writes == [("POST", BUSINESS), ("PATCH", ABOUT), ("POST", PHOTO)]
    again = run(diff=True, **desired)
    assert not again["changed"] and again["diff"] == {"before": {}, "after": {}}
    assert len(api.writes) == 3


def test_only_what_is_asked_for_is_read_and_sent(api, run):
    server = Server(api)
    server.profile.update(email="old@example.com", vertical="Shops")
    assert run(email="")["changes"] == ["email"]
    assert server.profile["vertical"] == "Shops"
    assert {path for _method, path in api.whats} == {BUSINESS}
    assert not run()["changed"]


def test_fields_that_the_api_does_not_answer_are_empty(api, run):
    Server(api).profile.clear()
    assert not run(address="", websites=[])["changed"]


@pytest.mark.parametrize("content, mime", [(PNG, "image/png"), (JPEG, "image/jpeg")])
def test_a_photo_says_what_it_is(api, run, photo, content, mime):
    photo.write_bytes(content)
    Server(api)
    run(photo=str(photo))
    (sent,) = [call for call in api.calls if call.method == "POST"]
    assert (sent.body, sent.content_type) == (content, mime)


def test_a_photo_is_removed(api, run):
    server = Server(api)
    server.photo = PNG
    assert run(photo="", check=True)["changed"] and server.photo == PNG
    assert run(photo="")["changes"] == ["photo"] and server.photo is None
    assert not run(photo="")["changed"]


def test_a_photo_that_is_encoded_again(api, run, photo):
    server = Server(api, encodes=lambda _content: JPEG)
    assert run(photo=str(photo))["changed"] and server.photo == JPEG
    assert run(photo=str(photo))["changed"]
    assert not run(photo=str(photo), update_photo="on_create")["changed"]


def test_a_server_that_takes_nothing(api, run):
    Server(api, takes=False)
    result = run(**DESIRED)
    assert result["failure"]["code"] == "PROFILE_NOT_TAKEN" and "email, websites" in result["msg"]
    assert result["changed"], "the about text did change"


def test_all_refusals_before_any_call(api, run, tmp_path):
    page = tmp_path / "page"
    page.write_bytes(b"<html>")
    long = {"address": "a" * 257, "email": "e" * 129, "websites": ["a", "b", "c" * 257], "about": " "}
    result = run(photo=str(page), **long)
    assert [problem["message"] for problem in result["problems"]] == [
        "address has 257 characters; 256 at most are allowed.",
        "email has 129 characters; 128 at most are allowed.",
        "websites has 3 entries; 2 at most are allowed.",
        "websites has 257 characters; 256 at most are allowed.",
        "about is empty; 1 to 139 characters are allowed.",
        "photo is {0}, which is neither a PNG nor a JPEG image.".format(page),
    ]
    assert result["failure"]["code"] == "PROFILE_INVALID" and api.calls == []


def test_a_photo_that_cannot_be_read(api, run, tmp_path):
    result = run(photo=str(tmp_path / "none"), about="a" * 140)
    assert [problem["message"] for problem in result["problems"]] == [
        "about has 140 characters; 139 at most are allowed.",
        "photo is {0}, which cannot be read (No such file or directory).".format(tmp_path / "none"),
    ]
    assert api.calls == []
