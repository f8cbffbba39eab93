# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is pinned, what is offered, what follows: never another authority than the one that is meant."""

from __future__ import annotations

import hashlib

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.authority import (
    CHANGED,
    DAY,
    DIFFERS,
    EXPIRED,
    FINGERPRINT,
    MISSING,
    SOON,
    UPLOADED,
    Authority,
    decide,
    fingerprint,
    is_generated,
    names_count,
    normal,
    not_of_the_host,
    not_signed,
    pinned_notes,
    pinned_problems,
    pinned_sentence,
    place,
)
from hypothesis import given
from hypothesis import strategies as st

NOW = 1_800_000_000
SUBJECT = (
    (("organizationName", "WhatsApp Inc"),),
    (("organizationalUnitName", "Enterprise Client - AutoGen CA"),),
)

digests = st.sampled_from([fingerprint(bytes([number])) for number in range(3)])
forms = st.sampled_from([str, lambda text: text.replace(":", ""), str.lower])
moments = st.integers(-2 * SOON, 2 * SOON).map(NOW.__add__)
authorities = st.builds(Authority, digests, st.just(NOW - SOON), moments, st.booleans(), st.just("PEM"))
offers = st.lists(authorities, max_size=2, unique_by=lambda one: one.sha256)
pins = st.lists(authorities, max_size=1)
meant = st.one_of(st.just(""), st.tuples(digests, forms).map(lambda both: both[1](both[0])))


def authority(name=b"a", ends=NOW + 300 * DAY, generated=True):
    return Authority(fingerprint(name), NOW - DAY, ends, generated)


@given(offers, pins, meant)
def test_only_what_is_meant_is_pinned(offered, pinned, asked):
    found = decide(offered, pinned, asked, NOW, "/pin")
    if found.pin:
        assert not pinned, "a pin is never replaced"
        assert found.pin in offered and found.problem is None
        assert found.pin.ends > NOW
        assert found.pin.sha256 == normal(asked) if asked else found.pin.generated and len(offered) == 1


@given(offers, pins, meant)
def test_a_second_run_keeps_what_the_first_has_pinned(offered, pinned, asked):
    found = decide(offered, pinned, asked, NOW, "/pin")
    if found.pin:
        assert decide(offered, [found.pin], asked, NOW, "/pin") == (None, None)


@given(offers, pins, meant)
def test_without_a_pin_there_is_a_reason_and_another_authority_is_named_with_the_one_that_is_meant(
    offered, pinned, asked
):
    pin, problem = decide(offered, pinned, asked, NOW, "/pin")
    if not pin and not problem:
        assert {one.sha256 for one in offered} & {one.sha256 for one in pinned}
    if problem and problem.code == CHANGED:
        assert offered[0].sha256 in problem.message and pinned[0].sha256 in problem.message
    if problem and problem.code == DIFFERS:
        assert normal(asked) in problem.message
        assert all(one.sha256 in problem.message for one in offered)


@pytest.mark.parametrize(
    "offered, asked, code",
    [
        ([], "", MISSING),
        ([authority()], fingerprint(b"b"), DIFFERS),
        ([authority(generated=False)], "", UPLOADED),
        ([authority(), authority(b"b")], "", UPLOADED),
        ([authority(ends=NOW)], "", EXPIRED),
        ([authority(ends=NOW)], fingerprint(b"a"), EXPIRED),
    ],
)
def test_what_is_refused(offered, asked, code):
    found = decide(offered, [], asked, NOW, "/pin")
    assert found.pin is None and found.problem.code == code


def test_an_uploaded_one_is_pinned_where_its_fingerprint_is_given():
    offered = [authority(generated=False), authority(b"b", generated=False)]
    assert decide(offered, [], fingerprint(b"b"), NOW, "/pin").pin == offered[1]


@given(st.binary(), forms)
def test_a_fingerprint_has_one_form(data, form):
    plain = hashlib.sha256(data).hexdigest()
    shown = fingerprint(data)
    assert normal(form(shown)) == normal(plain) == shown
    assert FINGERPRINT.match(form(shown)) and FINGERPRINT.match(plain)


@given(st.lists(authorities, max_size=3), st.integers(0, 2))
def test_names_count_unless_every_authority_is_an_installation_s_own(found, others):
    own = bool(found) and not others and all(one.generated for one in found)
    assert names_count(found, others) is not own


def test_the_subject_of_an_installation_s_own():
    assert is_generated(SUBJECT)
    assert not is_generated(SUBJECT[:1]) and not is_generated(SUBJECT[1:]) and not is_generated(())
    assert not is_generated((SUBJECT[0], (("organizationalUnitName", "Another"),)))


# --- where it is ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given_path, directory, expected",
    [
        ("/etc/ca.pem", "/inv", "/etc/ca.pem"),
        ("/etc/ca.pem", "", "/etc/ca.pem"),
        ("", "/inv", "/inv/.wa_api_ca_waent.pem"),
        ("", "/", "/.wa_api_ca_waent.pem"),
        ("", "", ""),
        ("", "/collections/waent/fleet", ""),
        ("", "/collections/waent/fleet/inventories/single", ""),
        ("", "/collections/waent/fleets", "/collections/waent/fleets/.wa_api_ca_waent.pem"),
    ],
)
def test_where_it_is_pinned(given_path, directory, expected):
    assert place(given_path, directory, "waent", "/collections/waent/fleet") == expected


@given(st.text(min_size=1, max_size=8), st.text(min_size=1, max_size=8))
def test_two_clusters_of_an_inventory_have_two_files_in_its_directory(one, other):
    files = [place("", "/inv", name, "/collection") for name in (one, other)]
    assert (files[0] == files[1]) is (one == other)
    assert all(file.rpartition("/")[0] == "/inv" and file.startswith("/inv/.") for file in files)


# --- what is pinned ---------------------------------------------------------------------------------------------------


@given(st.lists(authorities, min_size=1, max_size=3), st.integers(-SOON, SOON))
def test_its_end_is_warned_of_and_then_refused_never_both(pinned, passed):
    now = NOW + passed
    last = max(one.ends for one in pinned)
    problems, notes = pinned_problems(pinned, "", now, "/pin"), pinned_notes(pinned, now, "/pin")
    assert [problem.code for problem in problems] == ([EXPIRED] if last <= now else [])
    assert bool(notes) is (now < last <= now + SOON)
    assert all("/pin" in text for text in [*notes, *(problem.message for problem in problems)])


@given(st.lists(authorities, min_size=1, max_size=2, unique_by=lambda one: one.sha256), meant)
def test_a_file_holds_the_one_with_the_given_fingerprint_and_nothing_else(pinned, asked):
    fine = not asked or [one.sha256 for one in pinned] == [normal(asked)]
    differing = [one for one in pinned_problems(pinned, asked, 0, "/pin") if one.code == DIFFERS]
    assert bool(differing) is not fine
    if differing and len(pinned) == 1:
        assert pinned[0].sha256 in differing[0].message and normal(asked) in differing[0].message


def test_what_to_do_about_its_end_depends_on_whose_it_is():
    (own,), (other,) = (
        pinned_problems([authority(ends=NOW, generated=generated)], "", NOW, "/pin") for generated in (True, False)
    )
    assert "restart the webapps" in own.message and "remove the file and run playbooks/site.yml" in own.message
    assert "restart" not in other.message and "into the file" in other.message


def test_what_is_shown_of_a_new_pin():
    said = pinned_sentence(authority(), "/inv/pin.pem", would=False)
    assert fingerprint(b"a") in said and "/inv/pin.pem" in said and "2027-01-14 to 2027-11-11" in said
    assert "the name in it is not compared" in said
    assert "would be pinned" in pinned_sentence(authority(), "/inv/pin.pem", would=True)
    assert "and the right name" in pinned_sentence(authority(generated=False), "/inv/pin.pem", would=False)


def test_what_is_said_of_a_certificate_that_is_not_its_own():
    said = not_signed("https://h:9090/v1/x", "SERVED", [authority()], "/pin")
    assert {"SERVED", "/pin", fingerprint(b"a"), "https://h:9090/v1/x"} <= {one.strip("(),:") for one in said.split()}
    assert "wa_api_ca_path" in not_signed("https://h", "SERVED", [authority(generated=False)], "/pin")
    said = not_of_the_host("https://h", "SERVED", ["MEANT"])
    assert "SERVED" in said and "MEANT" in said
