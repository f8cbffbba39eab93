# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_log_archive: what is planned, what is written, and when the run ends red."""

from __future__ import annotations

import tarfile
from pathlib import Path

from ansible_collections.waent.fleet.plugins.modules.wa_log_archive import ARGUMENTS, answer

READ = {"container": "a", "kind": "webapp", "what": "log", "path": "a/container.log", "bytes": 1, "cut_bytes": 0,
        "state": "read", "reason": ""}  # fmt: skip


def ask(tmp_path, state, check_mode=False, **options):
    given = {name: option.get("default") for name, option in ARGUMENTS.items()}
    given.update(state=state, directory=str(tmp_path / "logs"), cluster_name="my cluster", since="3h")
    return answer({**given, **options, "check_mode": check_mode})


def test_check_mode_plans_and_writes_nothing(tmp_path):
    hosts = {"h1": {"containers": ["a"]}, "h2": {"reason": "away"}}
    result, problems = ask(tmp_path, "begun", check_mode=True, hosts=hosts)
    assert problems == [] and "work" not in result and not (tmp_path / "logs").exists()
    assert result["planned"][1:3] == ["  h1: a", "  h2: nothing, away."]


def test_from_the_beginning_to_the_end(tmp_path):
    work = ask(tmp_path, "begun")[0]["work"]
    log = Path(work) / "hosts" / "h1" / "a" / "container.log"
    log.parent.mkdir(parents=True)
    log.write_text("2026-11-29 19:00:00 E broke\n")
    documents = {"cluster/health.json": {"b": 1, "a": "canary-1"}, "cluster/text.txt": "canary-1\n"}
    result, problems = ask(
        tmp_path, "packed", work=work, hosts={"h1": {"pieces": [READ]}, "h2": {"reason": "away"}},
        documents=documents, missing_documents={"cluster/support.json": "no webapp answers"}, secrets=["canary-1"],
    )  # fmt: skip
    assert problems == [] and result["refusal"] == ""
    assert Path(result["archive"]).name.startswith("my_cluster-logs-") and Path(result["page"]).exists()
    assert result["lines"][0] == result["archive"]
    assert result["missing"] == [
        "[LOGS_HOST_NOT_READ] h2: Nothing was collected: away.",
        "[LOGS_DOCUMENT_MISSING] cluster/support.json is missing: no webapp answers.",
    ]
    with tarfile.open(result["archive"]) as archive:
        assert not [member.name for member in archive if b"canary" in archive.extractfile(member).read()]
    assert not Path(work).exists()


def test_an_archive_without_one_log_is_made_and_ends_red(tmp_path):
    work = ask(tmp_path, "begun")[0]["work"]
    result, problems = ask(tmp_path, "packed", work=work, hosts={"h1": {"reason": "away"}})
    assert problems == [] and result["refusal"].startswith("[LOGS_NOTHING_READ] ")
    assert Path(result["archive"]).exists()


def test_a_directory_that_cannot_be_made_is_a_sentence_with_its_variable(tmp_path):
    (tmp_path / "logs").write_text("a file")
    result, (problem,) = ask(tmp_path, "begun")
    assert (problem.code, problem.variable) == ("LOGS_NOT_WRITTEN", "wa_logs_directory")
    assert result["refusal"] == "[LOGS_NOT_WRITTEN] " + problem.message
    assert "give another directory as wa_logs_directory" in problem.message
