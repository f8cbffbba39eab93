"""What a probe reports: windows, percentiles, what counts as a failure of the cluster."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waemu.probe import Options, Probe, ProbeError
from waemu.probe.report import Report, Sent, by_shard, percentile, summary, table, windows


def sends(pattern: str, shard: int = 0) -> list[Sent]:
    """One send a second: + is accepted, - is refused."""
    return [
        Sent(f"t{at}", shard, "w", float(at), 0.1, message_id="m" if sign == "+" else "", why="HTTP 503 code 1018")
        for at, sign in enumerate(pattern)
    ]


def report(**changes: object) -> Report:
    """A report of a good run, with changes."""
    values = {
        **dict.fromkeys(("started_at", "seconds", "rate", "p50_ms", "p99_ms", "max_ms", "ledger_p99_ms"), 1.0),
        **dict.fromkeys(("sends", "accepted", "failed", "skipped", "uncertain", "repeats"), 0),
        "lost": [],
        "twice": [],
        "bans": [],
        "shards": [],
        **changes,
    }
    return Report(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("+++", []),
        ("+--+", [(1.0, 3.0, 2)]),
        ("-+-", [(0.0, 1.0, 1), (2.0, 9.0, 1)]),
        ("---", [(0.0, 9.0, 3)]),
        ("", []),
    ],
)
def test_windows_last_from_the_first_failure_to_the_next_success(
    pattern: str, expected: list[tuple[float, float, int]]
) -> None:
    assert [(w.start, w.end, w.failed) for w in windows(sends(pattern), 9.0)] == expected


@given(st.text("+-", max_size=40), st.text("+-", max_size=40))
def test_every_failed_send_is_in_one_window_of_its_shard(first: str, second: str) -> None:
    mixed = sends(first, 0) + sends(second, 1)
    for shard in by_shard(mixed, 50.0):
        pattern = first if shard.shard == 0 else second
        assert (shard.accepted, shard.failed) == (pattern.count("+"), pattern.count("-"))
        assert sum(window.failed for window in shard.windows) == shard.failed
        assert all(one.end <= other.start for one, other in zip(shard.windows, shard.windows[1:], strict=False))


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1))
def test_percentile_is_one_of_the_values_and_grows(values: list[float], share: float) -> None:
    assert percentile(values, share) in values
    assert percentile(values, share) <= percentile(values, 1.0) == max(values)


@pytest.mark.parametrize(
    "change", [{"lost": ["m"]}, {"twice": ["t"]}, {"bans": [{"number": "1", "reason": "r", "nodes": []}]}]
)
def test_lost_twice_or_banned_is_not_ok_and_is_shown(change: dict[str, object]) -> None:
    assert report().ok
    bad = report(**change)
    assert not bad.ok
    assert not bad.as_dict()["ok"]
    assert {"lost": "lost: m", "twice": "twice: t", "bans": "ban: +1: r"}[next(iter(change))] in table(bad)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"rate": 0}, "rate"),
        ({"seconds": 1e9}, "seconds"),
        ({"rate": 2000, "seconds": 86400}, "rate times seconds"),
        ({"webapps": ()}, "webapps"),
        ({"gateway": "gateway:8080"}, "gateway:8080"),
        ({"password": ""}, "password"),
    ],
)
def test_a_probe_that_cannot_work_is_refused_with_a_sentence(change: dict[str, object], word: str) -> None:
    values = {"webapps": ("https://w",), "gateway": "http://g", "password": "p", **change}
    with pytest.raises(ProbeError, match=word):
        Probe(Options(**values))  # type: ignore[arg-type]


def test_secrets_are_not_shown() -> None:
    assert "hush" not in repr(Options(("https://w",), "http://g", token="hush", password="hush"))


def test_the_summary_compares_what_was_answered_with_the_ledger() -> None:
    sends = [
        Sent("run-0", 0, "w", 0.0, 0.010, "m0"),
        Sent("run-1", 1, "w", 1.0, 0.020, "m1"),  # answered, and never in the ledger
        Sent("run-2", 0, "w", 2.0, 0.030, "m2"),  # there as two messages
        Sent("run-3", 1, "w", 3.0, 0.040, why="TimeoutError"),  # its answer got lost
        Sent("run-4", 1, "w", 4.0, 0.050, why="HTTP 503 code 1011"),
    ]
    seen = {
        "run-0": [{"id": "m0", "accepted_at": 1000.005}],
        "run-2": [{"id": "m2", "accepted_at": 1002.007}, {"id": "other", "accepted_at": 1002.5}],
        "run-3": [{"id": "m3", "accepted_at": 1003.001}],
    }
    found = summary(sends, seen, started_at=1000.0, seconds=5.0, rate=1.0, skipped=6, repeats=7, bans=[])
    assert (found.sends, found.accepted, found.failed, found.skipped, found.repeats) == (5, 3, 2, 6, 7)
    assert (found.lost, found.twice, found.uncertain) == (["m1"], ["run-2"], 1)
    assert (found.p50_ms, found.max_ms, found.ledger_p99_ms) == (20.0, 30.0, 7.0)
    assert found.errors == {"TimeoutError": 1, "HTTP 503 code 1011": 1}
    assert not found.ok
