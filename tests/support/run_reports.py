# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report that a run of site.yml, upgrade.yml, reshard.yml or drain.yml has written, as a program reads it."""

from __future__ import annotations

import json
import stat
import typing as t
from pathlib import Path

import jsonschema
from ansible_collections.waent.fleet.tests.support.checkout import ROOT
from ansible_collections.waent.fleet.tests.support.valid_variables import SECRETS

SCHEMA = json.loads((ROOT / "docs" / "run-report.schema.json").read_text())


def run_report(path: Path) -> dict[str, t.Any]:
    """It has the form that its schema describes, can be read by everybody, and holds no secret."""
    text = path.read_text()
    document: dict[str, t.Any] = json.loads(text)
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [name for name, value in SECRETS.items() if value in text] == []
    return document


def codes(report: t.Mapping[str, t.Any]) -> list[str]:
    """Of its problems."""
    return [problem["code"] for problem in report["problems"]]
