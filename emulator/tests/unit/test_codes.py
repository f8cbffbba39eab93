"""The README's table of error codes against the code (reference 5)."""

from __future__ import annotations

import re
from pathlib import Path

from waemu import codes

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| ([0-9][0-9, -]*) \| (.+) \|$", re.MULTILINE)


def table() -> dict[int, str]:
    """What the README says of each code."""
    text = (ROOT / "README.md").read_text()
    section = text[text.index("### Error codes") :]
    section = section[: section.index("\n### ", 1)]
    found: dict[int, str] = {}
    for cell, said in ROW.findall(section):
        for part in cell.split(","):
            first, _, last = part.strip().partition("-")
            for code in range(int(first), int(last or first) + 1):
                if code in codes.TITLES or code in codes.MESSAGE_TITLES:
                    assert code not in found, f"{code} stands there twice"
                    found[code] = said
    return found


def test_every_code_stands_in_the_table() -> None:
    assert set(table()) == {*codes.TITLES, *codes.MESSAGE_TITLES}


def test_what_is_never_raised_is_not() -> None:
    never = {code for code, said in table().items() if said.startswith("never")}
    assert {1003, 1004, 1007, 1022, 2011, 2024} <= never
    sources = [file for file in (ROOT / "src").rglob("*.py") if file.name != "codes.py"]
    raised = re.compile(rf"(?:Error\(|return |yield |error_item\()({'|'.join(map(str, never))})\b")
    found = {file.name: raised.findall(file.read_text()) for file in sources}
    assert {name: numbers for name, numbers in found.items() if numbers} == {}
    names = ("NOT_A_GROUP_PARTICIPANT", "ALREADY_EXISTS", "RECIPIENT_BLOCKED", "WEBHOOK_NOT_CONFIGURED")
    for file in sources:
        if file.name != "errors.py":
            assert not any(f"Code.{name}" in file.read_text() for name in names), file
