"""What a probe found: pure functions from single sends to a report."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Sent:
    """One send. Times are seconds since the start of the probe.

    message_id: what a 201 named, empty otherwise. why: of a failure: HTTP status and error code, or what broke.
    """

    token: str
    shard: int
    webapp: str
    at: float
    took: float = 0.0
    message_id: str = ""
    why: str = ""

    @property
    def ok(self) -> bool:
        """Whether the webapp answered 201."""
        return bool(self.message_id)


@dataclass(frozen=True)
class Window:
    """Sends of one shard failed from here to there: first failed send, next good one (the end when none followed)."""

    start: float
    end: float
    failed: int
    why: dict[str, int]

    @property
    def seconds(self) -> float:
        """How long."""
        return self.end - self.start


@dataclass(frozen=True)
class ShardReport:
    """One shard: sends that got a 201, sends that did not, and when."""

    shard: int
    accepted: int
    failed: int
    windows: list[Window]


@dataclass(frozen=True)
class Report:
    """Everything. lost: accepted with 201 and not in the ledger; twice: there more than once, as different messages.

    repeats: messages the gateway got again with the same id, which it drops, as WhatsApp does. uncertain: sends without
    a 201 that are in the ledger all the same: their answer got lost. p50_ms and p99_ms are of accepted sends; skipped:
    sends that were due while too many others waited for their answer.
    """

    started_at: float
    seconds: float
    rate: float
    sends: int
    accepted: int
    failed: int
    skipped: int
    lost: list[str]
    twice: list[str]
    uncertain: int
    repeats: int
    bans: list[dict[str, Any]]
    p50_ms: float
    p99_ms: float
    max_ms: float
    ledger_p99_ms: float
    shards: list[ShardReport]
    errors: dict[str, int] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Nothing lost, nothing twice, nobody banned."""
        return not (self.lost or self.twice or self.bans)

    @property
    def failing_shards(self) -> list[int]:
        """Shards with a failed send."""
        return [shard.shard for shard in self.shards if shard.failed]

    @property
    def longest_window(self) -> float:
        """Seconds of the longest window of any shard, 0 without one."""
        return max((window.seconds for shard in self.shards for window in shard.windows), default=0.0)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "ok": self.ok, "longest_window": self.longest_window}


def missing(sends: Sequence[Sent], ids: Collection[str]) -> list[str]:
    """Ids of messages that got a 201 and are not in the ledger. ids: of all its entries."""
    return [send.message_id for send in sends if send.ok and send.message_id not in ids]


def summary(
    sends: Sequence[Sent],
    seen: Mapping[str, Sequence[Mapping[str, Any]]],
    *,
    started_at: float,
    seconds: float,
    rate: float,
    skipped: int,
    repeats: int,
    bans: list[dict[str, Any]],
) -> Report:
    """The report of one run. seen: entries of the ledger by token. started_at: Unix time."""
    accepted = [send for send in sends if send.ok]
    took = [send.took * 1000 for send in accepted]
    to_ledger = [
        (seen[send.token][0]["accepted_at"] - started_at - send.at) * 1000 for send in accepted if send.token in seen
    ]
    return Report(
        started_at=started_at,
        seconds=round(seconds, 3),
        rate=rate,
        sends=len(sends),
        accepted=len(accepted),
        failed=len(sends) - len(accepted),
        skipped=skipped,
        lost=missing(sends, {entry["id"] for entries in seen.values() for entry in entries}),
        twice=sorted(token for token, entries in seen.items() if len(entries) > 1),
        uncertain=sum(not send.ok and send.token in seen for send in sends),
        repeats=repeats,
        bans=bans,
        p50_ms=round(percentile(took, 0.5), 1),
        p99_ms=round(percentile(took, 0.99), 1),
        max_ms=round(max(took, default=0.0), 1),
        ledger_p99_ms=round(percentile(to_ledger, 0.99), 1),
        shards=by_shard(sends, seconds),
        errors=dict(Counter(send.why for send in sends if not send.ok)),
    )


def windows(sends: Sequence[Sent], end: float) -> list[Window]:
    """The failing windows of one shard; sends in the order of their start."""
    found: list[Window] = []
    failed: list[Sent] = []
    for send in sends:
        if not send.ok:
            failed.append(send)
        elif failed:
            found.append(_window(failed, send.at))
            failed = []
    if failed:
        found.append(_window(failed, max(end, failed[-1].at + failed[-1].took)))
    return found


def _window(failed: Sequence[Sent], end: float) -> Window:
    return Window(round(failed[0].at, 3), round(end, 3), len(failed), dict(Counter(send.why for send in failed)))


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile, 0 of nothing."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)] if ordered else 0.0


def by_shard(sends: Sequence[Sent], end: float) -> list[ShardReport]:
    """One report per shard that was sent to."""
    reports = []
    for shard in sorted({send.shard for send in sends}):
        mine = sorted((send for send in sends if send.shard == shard), key=lambda send: send.at)
        accepted = sum(send.ok for send in mine)
        reports.append(ShardReport(shard, accepted, len(mine) - accepted, windows(mine, end)))
    return reports


def table(report: Report) -> str:
    """For people."""
    lines = [
        f"{report.sends} sends in {report.seconds:.1f} s: {report.accepted} accepted, {report.failed} failed, "
        f"{len(report.lost)} lost, {len(report.twice)} twice, {len(report.bans)} bans",
        f"latency p50 {report.p50_ms:.0f} ms, p99 {report.p99_ms:.0f} ms, max {report.max_ms:.0f} ms; "
        f"p99 to the ledger {report.ledger_p99_ms:.0f} ms",
        "",
        "shard  accepted  failed  windows (s since start)",
    ]
    for shard in report.shards:
        shown = ", ".join(f"{w.start:.1f}-{w.end:.1f} ({w.seconds:.1f} s, {_whys(w.why)})" for w in shard.windows)
        lines.append(f"{shard.shard:5d}  {shard.accepted:8d}  {shard.failed:6d}  {shown or '-'}")
    extra = [("skipped", report.skipped), ("uncertain", report.uncertain), ("repeats", report.repeats)]
    shown = ", ".join(f"{name} {count}" for name, count in extra if count)
    if shown:
        lines += ["", shown]
    lines += [f"lost: {message_id}" for message_id in report.lost[:10]]
    lines += [f"twice: {message_id}" for message_id in report.twice[:10]]
    lines += [f"ban: +{ban['number']}: {ban['reason']}: {', '.join(ban['nodes'])}" for ban in report.bans]
    return "\n".join(lines)


def _whys(why: dict[str, int]) -> str:
    return ", ".join(f"{count}x {reason}" for reason, count in sorted(why.items(), key=lambda item: -item[1])[:3])
