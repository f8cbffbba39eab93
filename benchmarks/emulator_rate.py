"""Whether the emulator carries the product's top documented rate: 250 messages/s through 3 webapps onto 8 shards.

    .venv/bin/python benchmarks/emulator_rate.py [--rate 250] [--seconds 60] [--webhook]

With --webhook everything is reported to a webhook on this machine as well: that a message was delivered, and that it
was read, in a POST each. Prints the probe's table, latencies by ten seconds and who used how much processor time; exit
code 1 when a message failed, was lost or came twice, the 99th percentile is over 500 ms, or the webhook did not get
every callback, once each. Needs the images of emulator/build.py.
"""

from __future__ import annotations

import argparse
import contextlib
import resource
import sys
import time
import typing as t
from collections import Counter

from ansible_collections.waent.fleet.tests.support.emulator_rig import Failed, Rig
from ansible_collections.waent.fleet.tests.support.webhook_receiver import Heard, Receiver
from waemu.probe import Probe, Report, table
from waemu.probe.report import Sent, percentile

GOAL_MS = 500.0
REPORTED = ("delivered", "read")  # the statuses of each message that a webhook gets by default
CALLBACK_SECONDS = 120.0  # how long callbacks may take after the last message
STEP = 10.0  # seconds of one line of latencies


def processor_seconds(rig: Rig, receiver: Receiver | None) -> Counter[str]:
    """Seconds of processor time so far, by kind of container; probe and webhook are no containers."""
    found: Counter[str] = Counter()
    for kind, container in rig.containers.items():
        usage = container.stats(stream=False, one_shot=True)["cpu_stats"]["cpu_usage"]["total_usage"]
        found[kind.rstrip("0123456789")] += usage / 1e9
    own = resource.getrusage(resource.RUSAGE_SELF)
    found["(probe)"] = own.ru_utime + own.ru_stime
    if receiver is not None:
        found["(webhook)"] = receiver.heard().processor_seconds
    return found


def by_time(sends: t.Sequence[Sent], heard: Heard | None, started_at: float) -> str:
    """Lines of latencies, and of callbacks where there are any, one for each STEP. Pure."""
    lines = ["from s   p50 ms   p99 ms   max ms   callbacks"]
    for step in range(int(max((send.at for send in sends), default=0.0) // STEP) + 1):
        took = [send.took * 1000 for send in sends if send.at // STEP == step]
        came = 0
        if heard is not None:
            came = sum((at - started_at) // STEP == step for at in heard.times.values())
        p50, p99, most = percentile(took, 0.5), percentile(took, 0.99), max(took, default=0.0)
        lines.append(f"{step * STEP:6.0f} {p50:8.0f} {p99:8.0f} {most:8.0f} {came:11d}")
    return "\n".join(lines)


def configure(rig: Rig, receiver: Receiver) -> None:
    """Set the webhook; its CA is read when the coreapps restart, as set-shards makes them. Raises Failed."""
    rig.upload("/certificates/webhooks/ca", receiver.ca)
    status, _ = rig.api("PATCH", "/settings/application", {"webhooks": {"url": receiver.url}})
    if status != 200:
        raise Failed(f"settings/application answered {status}")


def await_callbacks(receiver: Receiver, expected: int) -> float:
    """Wait until so many came, or none came any more for CALLBACK_SECONDS in all; returns the seconds it took."""
    started = time.monotonic()
    while receiver.count() < expected and time.monotonic() - started < CALLBACK_SECONDS:
        time.sleep(0.2)
    return time.monotonic() - started


def callbacks(rig: Rig, sends: t.Sequence[Sent], heard: Heard, waited: float) -> tuple[str, bool]:
    """A line about the callbacks, and whether each that was due came once."""
    due = {(send.message_id, status) for send in sends if send.ok for status in REPORTED}
    missing = len(due - heard.counts.keys())
    more = sum(number > 1 for number in heard.counts.values())
    lags = [(heard.times[key] - at) * 1000 for key, at in rig.receipts(REPORTED).items() if key in heard.times]
    line = (
        f"callbacks: {len(due & heard.counts.keys())} of {len(due)}, {missing} missing, {more} more than once; after "
        f"WhatsApp's report p50 {percentile(lags, 0.5):.0f} ms, p99 {percentile(lags, 0.99):.0f} ms; "
        f"the last one {waited:.1f} s after the last message was in the ledger"
    )
    return line, not missing and not more


def run(rig: Rig, given: argparse.Namespace, receiver: Receiver | None) -> bool:
    """One run of a rig that was started; prints what was found; returns whether it was good. Raises Failed."""
    rig.register()
    if receiver is not None:
        configure(rig, receiver)
    rig.set_shards(given.shards)
    before = processor_seconds(rig, receiver)
    probe = Probe(rig.options(rate=given.rate, seconds=given.seconds))
    report = probe.run()
    print(table(report), flush=True)
    waited = await_callbacks(receiver, len(REPORTED) * report.accepted) if receiver is not None else 0.0
    used = processor_seconds(rig, receiver) - before
    heard = receiver.heard() if receiver is not None else None
    print(f"\n{by_time(probe.sends, heard, report.started_at)}\n")
    complete = True
    if heard is not None:
        line, complete = callbacks(rig, probe.sends, heard, waited)
        print(line)
    print("processor seconds: " + ", ".join(f"{kind} {seconds:.1f}" for kind, seconds in used.most_common()))
    return complete and _good(report)


def _good(report: Report) -> bool:
    return report.ok and not report.failed and not report.skipped and report.p99_ms <= GOAL_MS


def main() -> int:
    """Exit 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=float, default=250.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--shards", type=int, default=8)
    parser.add_argument("--webhook", action="store_true", help="report what becomes of messages to a webhook")
    given = parser.parse_args()
    with contextlib.ExitStack() as stack:
        rig = stack.enter_context(Rig("rate"))
        try:
            rig.start(masters=2, coreapps=given.shards + 1, webapps=3)
            # Only a container that runs shows how it sees this machine.
            receiver = stack.enter_context(Receiver(rig.host)) if given.webhook else None
            good = run(rig, given, receiver)
        except Failed as error:
            print(error, file=sys.stderr)
            return 1
    callbacks_too = ", every callback once" if given.webhook else ""
    print(f"goal: none failed, lost or twice, p99 under {GOAL_MS:.0f} ms{callbacks_too}: {'ok' if good else 'MISSED'}")
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
