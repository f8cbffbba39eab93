"""The parts without I/O: passwords, tokens, rate limits, bodies, metrics."""

from __future__ import annotations

import datetime as dt
import string
import typing as t

import jwt
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waemu import codes, passwords
from waemu.web import metrics, ratelimit, tokens
from waemu.web.bodies import Body, decode
from waemu.web.errors import ApiError, Code

NOW = dt.datetime(2024, 5, 1, 12, 0, 0, tzinfo=dt.UTC)
KEY = "k" * 40


@pytest.mark.parametrize(
    ("password", "lacking"),
    [
        ("aB3!aB3", "8 to 64"),
        ("aB3!" * 17, "8 to 64"),
        ("aBcdefg!", "digit"),
        ("ab3defg!", "upper-case"),
        ("AB3DEFG!", "lower-case"),
        ("aB3defgh", "special"),
        ("aB3defg ", "special"),
        ("aB3defgé", "special"),
    ],
)
def test_weak_passwords(password: str, lacking: str) -> None:
    found = passwords.weakness(password)
    assert found is not None
    assert lacking in found


@pytest.mark.parametrize("special", sorted(passwords.SPECIAL))
def test_every_special_character_counts(special: str) -> None:
    assert passwords.weakness("aB3defg" + special) is None


@settings(max_examples=15, deadline=None)
@given(st.text(max_size=64), st.text(max_size=64))
def test_hashes_match_their_own_password_only(one: str, other: str) -> None:
    hashed = passwords.hash_password(one)
    assert passwords.matches(one, hashed)
    assert passwords.matches(other, hashed) == (one == other)
    assert hashed != passwords.hash_password(one)


@pytest.mark.parametrize("stored", ["", "x", "md5$1$a$b", "scrypt$x$YQ==$YQ==", "scrypt$8192$!$YQ=="])
def test_unknown_hashes_match_nothing(stored: str) -> None:
    assert not passwords.matches("secret", stored)


def test_tokens_carry_their_user_and_expire() -> None:
    token, expires = tokens.issue("admin", key=KEY, epoch=5, now=NOW, life_seconds=100)
    assert expires == NOW + dt.timedelta(seconds=100)
    assert tokens.expires_text(expires) == "2024-05-01 12:01:40+00:00"
    claims = tokens.read(token, key=KEY, now=NOW + dt.timedelta(seconds=99))
    assert (claims.username, claims.expires) == ("admin", expires)
    assert claims.fits(5)
    assert not claims.fits(6)
    with pytest.raises(tokens.InvalidToken, match="expired"):
        tokens.read(token, key=KEY, now=expires)
    with pytest.raises(tokens.InvalidToken, match="not valid"):
        tokens.read(token, key=KEY + "x", now=NOW)


@pytest.mark.parametrize("claim", ["user", "iat", "exp", "wa:rand"])
def test_tokens_without_a_claim_are_refused(claim: str) -> None:
    token, _ = tokens.issue("admin", key=KEY, epoch=5, now=NOW, life_seconds=100)
    claims = jwt.decode(token, KEY, algorithms=["HS256"], options={"verify_exp": False, "verify_iat": False})
    del claims[claim]
    with pytest.raises(tokens.InvalidToken):
        tokens.read(jwt.encode(claims, KEY, algorithm="HS256"), key=KEY, now=NOW)


@given(st.lists(st.floats(min_value=0, max_value=5), min_size=1, max_size=400))
def test_no_window_lets_more_than_rate_and_burst_through(gaps: list[float]) -> None:
    bucket = ratelimit.Bucket(ratelimit.Limit(rate=20, burst=60))
    now, passed = 1000.0, 0
    for gap in gaps:
        now += gap
        passed += bucket.take(now)
        assert passed <= 60 + 20 * (now - 1000.0) + 1e-6


def test_a_steady_stream_at_the_rate_passes() -> None:
    bucket = ratelimit.Bucket(ratelimit.MESSAGES)
    assert all(bucket.take(i / 50) for i in range(2000))
    flood = [bucket.take(40.0) for _ in range(200)]
    assert flood.count(True) in (149, 150)


def test_factor_zero_switches_limits_off() -> None:
    limits = ratelimit.RateLimits((2, 63, 0), 0)
    assert all(limits.allows("/v1/health", 0.0) for _ in range(1000))


def test_messages_and_the_rest_have_buckets_of_their_own() -> None:
    limits = ratelimit.RateLimits((2, 25, 3))
    assert [limits.allows("/v1/users", 0.0) for _ in range(61)].count(True) == 60
    assert [limits.allows("/v1/messages/x", 0.0) for _ in range(151)].count(True) == 150
    assert not limits.allows("/v1/messages", 0.0)


def test_before_2_25_3_messages_have_the_limit_of_the_rest() -> None:
    limits = ratelimit.RateLimits((2, 25, 2))
    assert [limits.allows("/v1/messages", 0.0) for _ in range(61)].count(True) == 60
    assert [limits.allows("/v1/messages", 1.0) for _ in range(21)].count(True) == 20
    assert limits.allows("/v1/users", 0.0)


class Inner(Body):
    """For the tests below."""

    number: t.Annotated[int, msgspec.Meta(ge=1)]


class Outer(Body):
    """For the tests below."""

    inner: Inner
    kind: t.Literal["a", "b"] = "a"
    many: list[Inner] = []


@pytest.mark.parametrize(
    ("raw", "code", "named"),
    [
        (b"{}", 1008, "inner"),
        (b'{"inner":{}}', 1008, "inner.number"),
        (b'{"inner":{"number":1,"x":2}}', 1010, "inner.x"),
        (b'{"inner":{"number":1},"x":2}', 1010, "x"),
        (b'{"inner":{"number":0}}', 1009, "inner.number"),
        (b'{"inner":{"number":"1"}}', 1009, "inner.number"),
        (b'{"inner":{"number":1},"kind":"c"}', 1009, "kind"),
        (b'{"inner":{"number":1},"many":[{"number":1},{}]}', 1008, "many[1].number"),
        (b"[]", 1009, "body"),
        (b"null", 1009, "body"),
    ],
)
def test_what_does_not_fit_is_named(raw: bytes, code: int, named: str) -> None:
    with pytest.raises(ApiError) as refused:
        decode(raw, Outer)
    assert refused.value.code == code
    assert f"'{named}'" in refused.value.details
    assert refused.value.status == 400


@given(st.binary(max_size=60))
def test_any_bytes_decode_or_are_an_api_error(raw: bytes) -> None:
    try:
        decode(raw, Outer)
    except ApiError as error:
        assert error.status == 400


def test_every_code_has_a_title_and_a_status() -> None:
    for code in Code:
        assert codes.title(code)
        assert (codes.title(code) == codes.TITLES[1000]) == (code == Code.GENERIC)
        assert 400 <= codes.status(code) <= 503


@given(st.text(string.printable), st.floats(allow_nan=False, allow_infinity=False))
def test_prometheus_text_is_one_line_per_sample(label: str, value: float) -> None:
    text = metrics.as_prometheus([metrics.Metric("m", "help\ntext", "gauge", (({"l": label}, value),))])
    help_line, type_line, sample, rest = text.split("\n", 3)
    assert help_line == "# HELP m help\\ntext"
    assert type_line == "# TYPE m gauge"
    assert sample.startswith('m{l="')
    assert float(sample.rpartition(" ")[2]) == value
    assert rest == ""
