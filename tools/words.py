#!/usr/bin/env python3
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The field's words: which word this project uses where it once had one of its own.

C(tools/words.py) prints every old word with its file, line and replacement, C(--counts) how many there are in each
area of the project; C(PATH ...) limits both. The check C(project) keeps the words out.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import typing as t
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Rule(t.NamedTuple):
    """An old word and the field's.

    old: regular expression. C(~) stands for the edge of a word, where C(_) and digits are no letters, so that
    names in code count. Case counts only where it begins with C(=). new: what to write in its place.
    """

    old: str
    new: str

    def pattern(self) -> str:
        """The expression as the module re understands it."""
        begin, end = "(?<![A-Za-z])", "(?![A-Za-z])"
        text = re.sub(r"^~", begin, self.old.lstrip("=")).replace("~", end)
        return text if self.old.startswith("=") else f"(?i:{text})"


MACHINES = (
    "API|engine|engines|daemon|database|databases|registry|registries|host|hosts|webapp|webapps|master|masters|coreapp|coreapps"
    "|node|nodes|cluster|gateway|server|servers|client|container|containers|image|images|kernel|probe"
)
ARTICLES = "the |a |an |every |each |its |another |any |our |that |all |this "

RULES = (
    # The cluster as it is, and as it should be.
    Rule(r"~wanted~", "desired (desired state)"),
    Rule(r"=\bWanted[A-Z]\w*", "DesiredX, ClusterSpec, HostSpec"),
    Rule(r"~wish(es|ed)?~", "desired state; request, specification"),
    Rule(r"=\b\w+Wish\b", "ClusterSpec, HostSpec, ReshardRequest"),
    Rule(r"~(not )?as declared~", "as desired, in the desired state; differs from the desired state"),
    Rule(r"~anew~", "recreate, restart; again"),
    Rule(r"~(make|makes|made|making)[ _](it |them |nodes |containers )?again~", "recreate"),
    Rule(r"~belongings~", "resources"),
    # Plans.
    Rule(r"~forecasts?~", "planned changes"),
    Rule(r"~fore(tell|tells|told|telling)~", "show the planned changes"),
    Rule(r"~fore(see|sees|seen|saw|seeing)~", "simulate, predict"),
    Rule(r"~hand(s|ed|ing)?[ _-](it |them |(its |their |the )shards? )?overs?~", "switchover (planned), switch over"),
    Rule(r"~handovers?~", "switchover"),
    Rule(r"=\bSurvive\b", "FaultTolerance"),
    Rule(r"=\bDeal\b", "Spread, Scheduler"),
    Rule(r"~deal(s|t|ing)? (out|the|them|shards|nodes|it)~", "spread; assign"),
    Rule(r"~warnings_found~", "plan_warnings"),
    Rule(r"~most_percent~", "max_error_percent"),
    Rule(r"~least_requests~", "min_requests"),
    # One word, no hyphen.
    Rule(r"~fail-overs?~", "failover"),
    Rule(r"~switch-overs?~", "switchover"),
    Rule(r"~log-ins?~", "login; log in (verb)"),
    Rule(r"~log-outs?~", "logout; log out (verb)"),
    Rule(r"~time-outs?~", "timeout"),
    Rule(r"~clean[-_]ups?~", "cleanup; clean up (verb)"),
    Rule(r"~head[-_ ]room~", "headroom"),
    Rule(r"~end[- ]points?~", "endpoint"),
    Rule(r"~back-off~", "backoff; back off (verb)"),
    Rule(r"~load-balancers?~", "load balancer"),
    # Reading.
    Rule(r"~look(s|ed|ing)?[ _]at~", "read, gather, check, inspect"),
    Rule(r"~look_again~", "gather again"),
    Rule(r"~tasks_from: look~|\blook\.yml", "gather"),
    Rule(r"=\bLook\b(?=[(:.\])])", "Observation"),
    Rule(r"=\bWatch\b(?=[(:.\])])", "HealthReader, Waiter"),
    Rule(rf"~ask(s|ed|ing)? (of |for )?({ARTICLES})?({MACHINES})~", "query, read"),
    Rule(rf"~({MACHINES}) (is|are|was|were|has been|be|can be|cannot be) asked~", "is queried, is read"),
    # Output.
    Rule(r"~(un)?told~", "reported, shown, named; known from"),
    Rule(r"~tells?~", "report, show, name"),
    Rule(r"~telling~", "reporting, showing"),
    Rule(r"= Say (what|where|that|how|who|why|when|which|so|it)\b|\bdef say\b", "report, show, print"),
    Rule(r"~judge(s|d)?~", "check"),
    Rule(r"~judging~", "checking"),
    Rule(r"~verdicts?~", "result"),
    Rule(r"~last words~|\bstopped\.j2", "last log lines; step_failed.j2"),
    # Doing.
    Rule(r"~(give|gives|given|gave|giving)[ _](((the|a|its) token|it|them) )?back~", "log out; return, requeue"),
    Rule(r"~lower(s|ed|ing)? ((the|both|all|its|failover) )?(interval|setting|timer)s?~", "shorten (failover timers)"),
    Rule(r"~tasks_from: lower~|\blower\.yml", "shorten_timers"),
    Rule(r"~(interval|setting|timer)s? (\w+ ){0,2}lowered~", "shortened (failover timers)"),
    Rule(r"~put(s|ting)?[ _](\w+ ){0,3}back~", "restore"),
    Rule(r"~mend(s|ed|ing)?~", "fix"),
    Rule(r"~(strike|strikes|struck|striking) off~", "remove"),
    Rule(r"~knock(s|ed|ing)?~", "connect; probe"),
    Rule(r"~(throw|throws|threw|thrown) (\w+ )?out~", "evict"),
    Rule(r"~strangers?~", "unknown node; secret mismatch"),
    Rule(r"~deeds?~", "action, step"),
    # Names of files, modules, classes.
    Rule(r"(?<!\w)wa_plan~", "wa_reshard_plan"),
    Rule(r"~siteplan~", "site"),
    Rule(r"~upgraderead~", "upgrade_state"),
    Rule(r"~hostread~", "host"),
    Rule(r"(?<![\w])roll\.yml", "_rollout.yml"),
    Rule(r"-e strategy=", "-e upgrade_strategy="),
    Rule(r"=\b(Lookout|Sight)\b", "FailureDetector; NodeView"),
    Rule(r"=\b(News|Silence)\b(?=[(:.,\])])", "Heartbeat; missed heartbeats"),
    Rule(r"~_doubt~", "_revalidate"),
    Rule(r"(?<=web/)requests\.py", "primary_api.py"),
    Rule(r"~made_version~", "fake_version"),
    Rule(r"~killing\.py|~(import|from) killing~", "kill_points"),
    Rule(r"~plugins/good\.py|~(import|from) good~", "valid_variables"),
)  # fmt: skip

NOT_SEARCHED = (
    ("LICENSE", "somebody else's text"),
    ("CHANGELOG.rst", "history"),
    ("changelogs/", "history: it names what was renamed"),
    ("docs/reference/", "generated: what it is made of is searched"),
    ("requirements/", "names of packages"),
    ("tools/words.py", "this table"),
    ("tests/project/test_words.py", "its test"),
)
"""Paths, and why they may hold old words."""

EXCEPTIONS = (
    (r"_desired/backup_schedule\.py", r"\bWantedBy\b", "a key of systemd's units"),
    (r"", r"~(story|fortune)[- ]?tell~", "another word"),
    (r"^docs/product\.md$", r"\"[^\"]*\"", "what the product's documentation says, word for word"),
)
"""(path, text, reason), both regular expressions: such text is not searched in such files."""


class Finding(t.NamedTuple):
    """An old word: file below the root, line from 1 on (0: the file's own name), the word, and what to write."""

    path: str
    line: int
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.old!r}: write {self.new}"


_PATTERNS = [(re.compile(rule.pattern()), rule.new) for rule in RULES]
_ANY = re.compile("|".join(f"(?:{rule.pattern()})" for rule in RULES))
_EXCEPTIONS = [(re.compile(path), re.compile(text.replace("~", ""))) for path, text, _reason in EXCEPTIONS]


def old_words(path: str, number: int, text: str) -> t.Iterator[Finding]:
    """The old words in one line of a file."""
    if not _ANY.search(text):
        return
    for where, kept in _EXCEPTIONS:
        if where.search(path):
            text = kept.sub("", text)
    for pattern, new in _PATTERNS:
        for match in pattern.finditer(text):
            yield Finding(path, number, match.group().strip(), new)


def in_file(path: str) -> t.Iterator[Finding]:
    """The old words in the name and the text of a file, which is left out where it is not text."""
    yield from old_words(path, 0, path)
    try:
        lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        return
    for number, line in enumerate(lines, 1):
        yield from old_words(path, number, line)


def searched() -> list[str]:
    """All files of the project, tracked or about to be, below the root; links point to one of them."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    kept = tuple(path for path, _reason in NOT_SEARCHED)
    files = (name for name in names if not name.startswith(kept))
    return [name for name in files if (ROOT / name).is_file() and not (ROOT / name).is_symlink()]


def find(below: t.Sequence[str] = ("",)) -> list[Finding]:
    """The old words of all files whose path begins with one of the given ones."""
    return [finding for path in searched() if path.startswith(tuple(below)) for finding in in_file(path)]


def area(path: str) -> str:
    """The part of the project that somebody works on at a time: two levels, three in plugins."""
    parts = path.split("/")
    depth = 3 if path.startswith("plugins/module_utils/") else 2
    return "/".join(parts[:depth]) if len(parts) > depth else "/".join(parts[: len(parts) - 1]) or path


def counts(findings: t.Iterable[Finding]) -> str:
    """Two tables: old words in each area, and how often each replacement is due."""
    findings = list(findings)
    by_area = Counter(area(finding.path) for finding in findings)
    by_word = Counter(finding.new for finding in findings)
    lines = [f"{number:6} {name}" for name, number in sorted(by_area.items())]
    lines += ["", *(f"{number:6} {new}" for new, number in by_word.most_common())]
    return "\n".join([*lines, "", f"{len(findings)} old words"])


def main() -> int:
    """Returns the process's exit code: 1 when there are old words."""
    parser = argparse.ArgumentParser(description="Finds words that the field does not use.")
    parser.add_argument("paths", nargs="*", default=[""], help="beginnings of paths; all without")
    parser.add_argument("--counts", action="store_true", help="only how many there are in each area")
    options = parser.parse_args()
    findings = find(options.paths)
    print(counts(findings) if options.counts else "\n".join(map(str, findings)))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
