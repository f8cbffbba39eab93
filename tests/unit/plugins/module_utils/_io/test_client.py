# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP client against a real HTTPS server: what is repeated, what is not, and every sentence."""

from __future__ import annotations

import json
import socket
import ssl
import threading

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._io.client import (
    NO_RETRY,
    ApiError,
    AuthError,
    Backoff,
    BadAddress,
    Client,
    LostAnswer,
    PasswordChangeRequired,
    Reply,
    TlsError,
    UnexpectedReply,
    Unreachable,
    path_segment,
)
from ansible_collections.waent.fleet.tests.support.scripted_api import DROP, GARBAGE, META, certificate
from hypothesis import given
from hypothesis import strategies as st

HEALTH = {"health": {"gateway_status": "connected"}, "meta": META}


def free_port():
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def make(clock):
    """A client whose time is the manual clock."""

    def build(*apis, **options):
        urls = [item if isinstance(item, str) else item.url for item in apis]
        ca_path = next((item.ca_path for item in apis if not isinstance(item, str)), None)
        options.setdefault("ca_path", ca_path)
        options.setdefault("token", "the-token")
        return Client(urls, clock=clock, sleep=clock.sleep, chance=lambda: 1.0, **options)

    return build


def test_get_sends_the_token_and_parses_json(api, make):
    api.on("GET", "/v1/support", {"support": {"x": 1}, "meta": META})
    reply = make(api).get("/v1/support")
    assert (reply.status, reply.version, reply.member("support", "x")) == (200, "v2.19.4", 1)
    assert reply.member("support", "x", "y") is None
    assert Reply(200, {"users": [{"a": 1}, {"a": 2}]}, "u").first("users") == {"a": 1}
    for odd in (None, [], {"users": None}, {"users": []}, {"users": [1]}, {"users": {"a": 1}}):
        assert Reply(200, odd, "u").first("users") == {}
    assert api.calls[0].authorization == "Bearer the-token"


def test_health_prefers_the_static_key(api, make):
    api.on("GET", "/v1/health", HEALTH)
    make(api, api_key="the-api-key-12").health()
    make(api).health()
    assert [call.authorization for call in api.calls] == ["Apikey the-api-key-12", "Bearer the-token"]


def test_login_sends_basic_and_only_then_a_body(api, make):
    api.on("POST", "/v1/users/login", {"users": [{"token": "t"}], "meta": META})
    make(api).login("admin", "pä:ss")
    make(api).login("admin", "old", "new")
    assert [call.body for call in api.calls] == [None, {"new_password": "new"}]
    assert api.calls[0].authorization == "Basic YWRtaW46cMOkOnNz"


@pytest.mark.parametrize("body", [b"", b"null", b"{}", b"  \n"])
def test_empty_successes(api, make, body):
    api.on("PATCH", "/v1/settings/application", body)
    assert make(api).call("PATCH", "/v1/settings/application", body={"a": 1}).body in (None, {})
    assert api.calls[0].body == {"a": 1}


@pytest.mark.parametrize(
    "status, body, kind, code",
    [
        (400, {"errors": [{"code": 1009, "title": "t", "details": "d"}]}, ApiError, "API_1009"),
        (200, {"errors": [{"code": 1014, "title": "t"}]}, ApiError, "API_1014"),
        (401, {"errors": [{"code": 1005, "title": "Access denied"}]}, AuthError, "API_AUTH"),
        (401, None, AuthError, "API_AUTH"),
        (401, {"errors": [{"code": 1024, "title": "Password Change Required"}]}, PasswordChangeRequired, "API_1024"),
        (200, {"errors": [{"code": 1024}]}, PasswordChangeRequired, "API_1024"),
        (403, {"meta": META}, ApiError, "API_HTTP_403"),
        (500, GARBAGE, ApiError, "API_HTTP_500"),
        (418, {"errors": ["plain text"]}, ApiError, "API_HTTP_418"),
        (404, {"errors": [{"code": "1006", "title": "Resource not found"}]}, ApiError, "API_1006"),
    ],
)
def test_error_is_decided_by_its_code_first(api, make, status, body, kind, code):
    api.on("GET", "/v1/support", body, status=status)
    with pytest.raises(kind) as caught:
        make(api).get("/v1/support")
    assert caught.value.failure_code == code
    assert caught.value.details["status"] == status
    assert len(api.calls) == 1


def test_error_message_says_what_the_server_said(api, make):
    api.refuse("GET", "/v1/support", 1009, "Parameter value is not valid", "pin: six digits")
    with pytest.raises(ApiError) as caught:
        make(api).get("/v1/support")
    expected = "{0}/v1/support answered error 1009 (Parameter value is not valid: pin: six digits)."
    assert str(caught.value) == expected.format(api.url)


@pytest.mark.parametrize("code", [1011, 1015, 1016, 1017, 1018])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_not_now_codes_are_repeated_for_every_method(api, make, clock, code, method):
    api.refuse(method, "/v1/account", code, status=503).on(method, "/v1/account", {"meta": META}, status=201)
    assert make(api).call(method, "/v1/account", body={"x": 1} if method == "POST" else None).status == 201
    assert len(api.calls) == 2 and clock.slept == [1.0]


@pytest.mark.parametrize("status", [429, 503])
def test_not_now_statuses_are_repeated(api, make, status):
    api.on("POST", "/v1/users", None, status=status).on("POST", "/v1/users", {"users": []}, status=201)
    assert make(api).call("POST", "/v1/users", body={}).status == 201


@pytest.mark.parametrize("code, status", [(1005, 403), (1008, 400), (1014, 500), (1023, 500), (1000, 503)])
def test_other_errors_are_not_repeated(api, make, code, status):
    api.refuse("POST", "/v1/users", code, "no", status=status)
    with pytest.raises(ApiError):
        make(api).call("POST", "/v1/users", body={})
    assert len(api.calls) == 1


def test_core_not_reached_is_repeated_only_where_it_does_no_harm(api, make):
    text = "Could not reach core at wacore:6252"
    api.refuse("GET", "/v1/support", 1014, "Internal error", text, status=500).on("GET", "/v1/support", {})
    api.refuse("POST", "/v1/account/shards", 1014, "Internal error", text, status=500)
    make(api).get("/v1/support")
    with pytest.raises(ApiError):
        make(api).call("POST", "/v1/account/shards", body={})
    assert api.whats.count(("POST", "/v1/account/shards")) == 1


def test_back_off_doubles_up_to_its_cap_and_ends(api, make, clock):
    api.refuse("GET", "/v1/health", 1011, status=503)
    with pytest.raises(ApiError):
        make(api, backoff=Backoff(retries=6)).health()
    assert clock.slept == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    assert len(api.calls) == 7


@pytest.mark.parametrize(
    "said, slept", [("7", 7.0), ("0", 1.0), ("9999", 60.0), ("Wed, 21 Oct 2026 07:28:00 GMT", 1.0)]
)
def test_retry_after_is_honoured_with_a_cap(api, make, clock, said, slept):
    api.on("GET", "/v1/health", None, status=429, Retry_After=said).on("GET", "/v1/health", HEALTH)
    make(api).health()
    assert clock.slept == [slept]


def test_patience_can_be_a_time(api, make, clock):
    api.refuse("GET", "/v1/health", 1011, status=503)
    with pytest.raises(ApiError):
        make(api, backoff=Backoff(for_seconds=30, cap=2.0)).health()
    assert 30 <= clock.now <= 32


@given(st.integers(0, 40), st.floats(0, 1), st.none() | st.floats(0, 1e6))
def test_delay_stays_within_its_bounds(attempt, chance, retry_after):
    backoff = Backoff()
    delay = backoff.delay(attempt, chance, retry_after)
    assert 0.5 <= delay <= max(backoff.cap, backoff.retry_after_cap)
    assert retry_after is None or delay >= min(retry_after, backoff.retry_after_cap)


def test_next_url_takes_over_and_is_preferred(api, make, clock):
    dead = "https://127.0.0.1:{0}".format(free_port())
    api.on("GET", "/v1/health", HEALTH)
    client = make(dead, api)
    client.health()
    assert client.urls[0] == api.url
    assert clock.slept == []


def test_nobody_there(make, clock):
    dead = ["https://127.0.0.1:{0}".format(free_port()) for _number in range(2)]
    with pytest.raises(Unreachable) as caught:
        make(*dead, backoff=Backoff(retries=2)).health()
    message = str(caught.value)
    assert all(url + " (connection refused)" in message for url in dead)
    assert message.endswith("Tried 3 times in 3 s.")
    assert caught.value.failure_code == "API_UNREACHABLE"


def test_name_that_does_not_resolve(make):
    with pytest.raises(Unreachable) as caught:
        make("https://no-such-host.invalid:9090", backoff=NO_RETRY).health()
    assert "(name does not resolve)" in str(caught.value)


def test_server_that_never_answers(make):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = "https://127.0.0.1:{0}".format(silent.getsockname()[1])
        with pytest.raises(Unreachable) as caught:
            make(url, backoff=NO_RETRY, timeout=0.2).health()
    assert "(timeout)" in str(caught.value)


def test_lost_answer_of_a_read_is_repeated(api, make):
    api.on("GET", "/v1/health", DROP).on("GET", "/v1/health", HEALTH)
    assert make(api).health().status == 200


def test_lost_answer_of_a_write_is_not(api, make, start_api):
    other = start_api()
    api.on("POST", "/v1/account/shards", DROP)
    with pytest.raises(LostAnswer) as caught:
        make(api, other).call("POST", "/v1/account/shards", body={"shards": 2})
    assert len(api.calls) == 1 and other.calls == []
    assert caught.value.failure_code == "API_ANSWER_LOST"


def test_lost_answer_of_a_harmless_post_is_repeated(api, make):
    api.on("POST", "/v1/users/login", DROP).on("POST", "/v1/users/login", {"users": []})
    assert make(api).login("admin", "x").status == 200


def test_cut_body_of_a_write_is_a_lost_answer(api, make):
    # A length that is longer than the body makes the client wait for what never comes.
    api.on("POST", "/v1/account/shards", b"{}", status=201, Content_Length="500")
    with pytest.raises(LostAnswer):
        make(api, timeout=0.5).call("POST", "/v1/account/shards", body={})


@pytest.mark.parametrize(
    "url, sentence",
    [
        (
            "http://h:9090",
            "api_url has http://h:9090, which is plain HTTP; the API answers HTTPS only: write https://h:9090.",
        ),
        ("h:9090", "api_url has h:9090; every entry has to look like https://host:port."),
        ("", "api_url has ''; every entry has to look like https://host:port."),
        ("https://", "api_url has https://; every entry has to look like https://host:port."),
        ("https://h:99999", "api_url has https://h:99999; every entry has to look like https://host:port."),
        (
            "https://admin:canary-pw@h:9090",
            "api_url has credentials in https://h:9090; give them with the options meant for them.",
        ),
        (
            "http://admin:canary-pw@h",
            "api_url has http://h, which is plain HTTP; the API answers HTTPS only: write https://h.",
        ),
        (
            "https://h:9090/v1",
            "api_url has https://h:9090/v1; give only https://h:9090, the paths of the API are added to it.",
        ),
    ],
)
def test_addresses_that_are_refused(url, sentence):
    with pytest.raises(BadAddress) as caught:
        Client([url])
    assert str(caught.value) == sentence


def test_no_address_at_all():
    with pytest.raises(BadAddress, match="api_url is empty"):
        Client([])


def test_trailing_slash_and_blanks_are_fine():
    assert Client([" https://h:9090/ ", "https://[::1]:9090"]).urls == ["https://h:9090", "https://[::1]:9090"]


def test_self_signed_certificate(api, make):
    with pytest.raises(TlsError) as caught:
        make(api, ca_path=None).health()
    assert str(caught.value) == (
        "The certificate of {0}/v1/health is self-signed or signed by an authority that this host does not know, as it"
        " is with the web application out of the box. Either run playbooks/site.yml, which fetches the authority of the"
        " cluster and pins it, or give the file with its authority as wa_api_ca_path.".format(api.url)
    )
    assert api.calls == []


def test_verification_can_be_switched_off(api, make):
    api.on("GET", "/v1/health", HEALTH)
    assert make(api, ca_path=None, validate_certs=False).health().status == 200
    assert make(api, ca_path="/no/such/file", validate_certs=False).health().status == 200


def test_expired_certificate(start_api, make, tmp_path):
    expired = start_api(certificate(tmp_path, days=-1))
    with pytest.raises(TlsError, match=r"has expired: install a new one in the cluster"):
        make(expired).health()


def test_certificate_for_another_name(start_api, make, tmp_path):
    other = start_api(certificate(tmp_path, names=("wa.example.com",)))
    with pytest.raises(TlsError, match=r"is for another name .* set wa_api_address to a name that it holds"):
        make(other).health()


def test_missing_ca_file():
    with pytest.raises(TlsError, match=r"ca_path is /no/such/ca.pem, and there is no such file on this host:"):
        Client(["https://h"], ca_path="/no/such/ca.pem")


def test_port_that_speaks_plain_http(start_api, make):
    plain = start_api(None)
    with pytest.raises(TlsError, match=r"does not speak TLS. Is this the HTTPS port of the web application"):
        make(plain, ca_path=None).health()


def test_something_else_that_speaks_https(api, make):
    api.on("GET", "/v1/health", GARBAGE)
    with pytest.raises(UnexpectedReply, match=r"answered something that is not JSON .*not ours"):
        make(api).health()


def test_redirects_are_not_followed(api, make):
    api.on("GET", "/v1/health", None, status=302, Location="https://elsewhere.example.com/")
    with pytest.raises(UnexpectedReply, match=r"answered with a redirect \(HTTP status 302\)"):
        make(api).health()


def test_proxy_and_netrc_are_left_out(api, make, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:{0}".format(free_port()))
    monkeypatch.setenv("no_proxy", "")
    api.on("GET", "/v1/support", {})
    make(api).get("/v1/support")
    assert api.calls[0].authorization == "Bearer the-token"


def test_connection_that_is_closed_in_the_handshake(make, clock):
    """As a published port does whose container does not listen yet."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def slam():
            for _number in range(2):
                peer, _address = listener.accept()
                peer.recv(1)
                peer.close()

        thread = threading.Thread(target=slam, daemon=True)
        thread.start()
        url = "https://127.0.0.1:{0}".format(listener.getsockname()[1])
        with pytest.raises(Unreachable):
            make(url, backoff=Backoff(retries=1)).login("admin", "x")
        thread.join(5)
    assert clock.slept == [1.0]


def test_clones_keep_what_they_do_not_change(api, make):
    api.on("GET", "/v1/support", {})
    client = make("https://127.0.0.1:1", api)
    client.at(api.url).with_token("other").patient(NO_RETRY).get("/v1/support")
    assert api.calls[0].authorization == "Bearer other"
    assert len(client.urls) == 2 and client.has_token


@pytest.mark.parametrize(
    ("options", "most"),
    [
        ({"validate_certs": False, "ca_path": None}, 0),
        # Read twice: who is in the file, and to verify with it.
        ({}, 2),
        # All that the system has: of those there are hundreds.
        ({"ca_path": None}, 2),
    ],
)
def test_authorities_are_read_once_for_all_calls(api, make, monkeypatch, options, most):
    read = []
    for name in ("set_default_verify_paths", "load_verify_locations"):
        real = getattr(ssl.SSLContext, name)

        def noted(context, *args, real=real, name=name, **given):
            read.append(name)
            return real(context, *args, **given)

        monkeypatch.setattr(ssl.SSLContext, name, noted)
    api.on("GET", "/v1/support", {"meta": META})
    client = make(api, **options)
    for _call in range(5):
        try:
            client.at(api.url).get("/v1/support")
        except TlsError:
            assert options == {"ca_path": None}  # the test's own authority is none of the system's
    assert len(read) <= most, read


def test_path_segments_are_quoted():
    assert path_segment("a/b c?") == "a%2Fb%20c%3F"


@given(st.binary(max_size=60), st.integers(200, 599))
def test_any_body_is_an_answer_or_a_typed_error(raw, status):
    from ansible_collections.waent.fleet.plugins.module_utils._io import client as module

    try:
        reply = module._interpret(status, raw, "https://h/v1/x", None, module.JSON)
    except module.ClientError as error:
        json.dumps(error.details)
        assert str(error)
    else:
        assert 200 <= reply.status < 300
