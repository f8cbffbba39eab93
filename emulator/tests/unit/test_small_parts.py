"""Versions, shards, settings, certificates, schema levels, log lines, errors on the wire, delays."""

from __future__ import annotations

import base64
import datetime as dt
import logging
import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waemu import appsettings, codes, logs, requestid, shards, versions
from waemu.clock import Clock
from waemu.core.backoff import Backoff
from waemu.protocol.nodes import CoreError
from waemu.schema import version
from waemu.schema.tables import GROUPS
from waemu.whatsapp import certificate


@given(st.from_regex(r"[0-9]{5,20}", fullmatch=True), st.sampled_from(shards.ALLOWED_COUNTS))
def test_shard_is_stable_and_in_range(wa_id: str, count: int) -> None:
    shard = shards.shard_of(wa_id, count)
    assert 0 <= shard < count
    assert shard == shards.shard_of(wa_id, count)


def test_shards_are_spread() -> None:
    spread = [0] * 8
    for number in range(8000):
        spread[shards.shard_of(str(15550000 + number), 8)] += 1
    assert min(spread) > 800


def test_ranges() -> None:
    assert shards.ranges({0, -1}) == [[-1, -1], [0, 0]]


@pytest.mark.parametrize("text", ["v2.19.4", "2.19.4"])
def test_versions(text: str) -> None:
    assert str(versions.parse(text)) == "v2.19.4"


@pytest.mark.parametrize("text", ["vv2.19.4", "2.19", "latest", "2.19.4 ", ""])
def test_bad_versions(text: str) -> None:
    with pytest.raises(ValueError, match="not of the form"):
        versions.parse(text)


def test_versions_compare_as_numbers() -> None:
    assert versions.parse("2.9.0") < versions.parse("2.19.4") < versions.parse("2.19.10")


def test_odd_middle_numbers_are_public() -> None:
    assert versions.parse("2.19.4").life == dt.timedelta(days=180)
    assert versions.parse("2.20.1").life == dt.timedelta(days=45)


def test_same_line_wants_the_same_schema() -> None:
    assert version.required(versions.parse("2.19.4")) == version.required(versions.parse("2.19.7"))


def test_later_lines_want_more() -> None:
    older, newer = version.required(versions.parse("2.19.4")), version.required(versions.parse("2.43.1"))
    assert version.behind(older, newer) == ["config", "contact", "message"]
    assert version.behind(newer, older) == []
    assert version.behind({}, older) == list(GROUPS)


leaf = st.one_of(st.booleans(), st.integers(), st.text(max_size=5), st.lists(st.text(max_size=3)))


@given(st.dictionaries(st.sampled_from([name for name, _ in appsettings.leaves(appsettings.DEFAULTS)]), leaf))
def test_settings_leaves_survive_nesting(stored: dict[str, object]) -> None:
    shown = dict(appsettings.leaves(appsettings.nested(stored)))
    assert shown == {**dict(appsettings.leaves(appsettings.DEFAULTS)), **stored}


def _certificate(**values: str) -> str:
    return base64.b64encode(msgspec.json.encode(values)).decode()


def test_any_base64_is_a_certificate() -> None:
    assert certificate.parse("YWJj").vname == certificate.DEFAULT_NAME


def test_certificate_can_say_more() -> None:
    given = certificate.parse(_certificate(vname="Shop", expires="2024-01-31", phone_number="15550100"))
    assert given.vname == "Shop"
    assert given.expired(dt.date(2024, 2, 1))
    assert not given.expired(dt.date(2024, 1, 31))
    assert given.fits("15550100")
    assert not given.fits("15550101")


@pytest.mark.parametrize("text", ["", "not base64!", _certificate(expires="soon")])
def test_bad_certificates(text: str) -> None:
    with pytest.raises(certificate.BadCertificate):
        certificate.parse(text)


def test_log_line() -> None:
    record = logging.LogRecord("waemu.master", logging.WARNING, "", 0, "Lost %s", ("it",), None)
    with requestid.following("abc"):
        line = logs.LineFormat().format(record)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} W master req_id=abc Lost it", line)


def test_core_errors_travel_unchanged() -> None:
    error = CoreError(1005, "Certificate error: wrong")
    again = CoreError.of_reply(error.http_status, error.body())
    assert (again.http_status, again.errors) == (403, error.errors)
    assert again.errors[0].title == "Access denied"


def test_a_reply_of_another_shape_is_an_internal_error() -> None:
    assert CoreError.of_reply(502, b"<html>").code == 1014


def test_documented_statuses() -> None:
    assert [codes.status(code) for code in (1009, 1024, 1005, 1006, 1004, 1015, 1023, 1017)] == [
        400,
        401,
        403,
        404,
        409,
        429,
        500,
        503,
    ]


def test_backoff_grows_to_the_longest_and_starts_again() -> None:
    backoff = Backoff()
    assert [backoff.next() for _ in range(5)] == [1.0, 2.0, 4.0, 8.0, 8.0]
    backoff.reset()
    assert backoff.next() == 1.0


def test_clock_scales_both_ways() -> None:
    clock = Clock(10)
    assert clock.scaled(30) == 3
    assert clock.product(3) == 30
