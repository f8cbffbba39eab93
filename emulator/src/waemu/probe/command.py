"""The command: C(python -m waemu.probe), C(emulator probe)."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from waemu.probe.api import Options, ProbeError
from waemu.probe.probe import Probe
from waemu.probe.report import table

TOKEN, PASSWORD, GATEWAY = "WAEMU_PROBE_TOKEN", "WAEMU_PROBE_PASSWORD", "WAEMU_PROBE_GATEWAY"


def options(arguments: Sequence[str] | None = None) -> tuple[Options, Path | None]:
    """What the command line and the environment ask for, and where the JSON goes."""
    parser = argparse.ArgumentParser(
        prog="emulator probe",
        description="Send messages through the webapps and follow each to the gateway's ledger. "
        "Exit code 1 when a message was lost or came twice, or the number was banned; 2 when nothing could be sent.",
        epilog=f"The token is taken from {TOKEN}, or the password from {PASSWORD}, or from --password-file.",
    )
    parser.add_argument("--rate", type=float, default=10.0, help="messages per second (default 10)")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long (default 60)")
    parser.add_argument("--webapps", required=True, help="URLs of the webapps, separated by commas")
    parser.add_argument("--gateway", default=os.environ.get(GATEWAY, ""), help=f"admin URL of the gateway ({GATEWAY})")
    parser.add_argument("--user", default="admin", help="who sends (default admin)")
    parser.add_argument("--password-file", type=Path, help="file with the password")
    parser.add_argument("--shards", type=int, default=0, help="shard count to report by (default: read from the API)")
    parser.add_argument("--settle", type=float, default=30.0, help="seconds to wait for the last ones (default 30)")
    parser.add_argument("--json", type=Path, help="write the report as JSON here; - for standard output")
    given = parser.parse_args(arguments)
    password = os.environ.get(PASSWORD, "")
    if given.password_file:
        password = given.password_file.read_text().strip()
    chosen = Options(
        webapps=tuple(url for url in given.webapps.split(",") if url),
        gateway=given.gateway,
        rate=given.rate,
        seconds=given.seconds,
        token=os.environ.get(TOKEN, ""),
        user=given.user,
        password=password,
        shards=given.shards,
        settle=given.settle,
    )
    return chosen, given.json


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when all is well, 1 when something was lost, twice or banned, 2 when the probe could not work."""
    try:
        chosen, target = options(arguments)
        probe = Probe(chosen)
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda _number, _frame: probe.ask_to_stop())
        report = probe.run()
    except (ProbeError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    text = json.dumps(report.as_dict(), indent=2)
    if target is not None and str(target) == "-":
        print(text)
    else:
        if target is not None:
            target.write_text(text + "\n")
        print(table(report))
    if not report.accepted:
        print("No message was accepted.", file=sys.stderr)
        return 2
    return 0 if report.ok else 1
