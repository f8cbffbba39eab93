"""Sends messages through the webapps and follows each to the gateway's ledger: was any lost, did any come twice?

    report = Probe(Options(webapps=("https://127.0.0.1:9090",), gateway="http://127.0.0.1:8080", password=...)).run()

or beside other work, for as long as that takes:

    with Probe(options) as probe:
        ...
    probe.report.lost == []
"""

from __future__ import annotations

from waemu.probe.api import Options, ProbeError
from waemu.probe.probe import Probe
from waemu.probe.report import Report, Sent, ShardReport, Window, table

__all__ = ["Options", "Probe", "ProbeError", "Report", "Sent", "ShardReport", "Window", "table"]
