# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""make clean: what it says is so. A stand-in for the engine's command holds images back as an engine does."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.checkout import ROOT

DOCKER = """#!/bin/sh
# Images as files: parent-child names hold each other; an image goes when none is made from it.
cd "{home}/images" || exit 9
case "$1 $2" in
  "image ls") ls ;;
  "image rm")
    for id in "$@"; do :; done
    for other in *; do
      if [ "$(cat "$other")" = "$id" ]; then
        echo "conflict: unable to delete $id (cannot be forced) - image has dependent child images" >&2; exit 1
      fi
    done
    rm "$id" ;;
  *) exit 9 ;;
esac
"""


def removed(tmp_path: Path, images: dict[str, str], held: str = "") -> tuple[int, str, set[str]]:
    """Code and output of removing images, and what is left. images: by id the one that each is made from."""
    (tmp_path / "images").mkdir()
    for name, parent in images.items():
        (tmp_path / "images" / name).write_text(parent)
    script = tmp_path / "docker"
    script.write_text(DOCKER.format(home=tmp_path))
    script.chmod(0o755)
    # As step runs it: in a condition, where no command ends the function by failing.
    call = '. tools/lib.sh; step Images remove_images_labelled waent.fleet.test; echo "Clean."'
    done = subprocess.run(
        ["bash", "-c", call, "tools/x"], cwd=ROOT, env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr, {path.name for path in (tmp_path / "images").iterdir()}


@pytest.mark.parametrize("images", [{}, {"a": ""}, {"a": "", "b": "a", "c": "b"}, {"c": "", "b": "c", "a": "b"}])
def test_clean_removes_images_that_others_are_made_from(tmp_path: Path, images: dict[str, str]) -> None:
    code, output, left = removed(tmp_path, images)
    assert (code, left) == (0, set()), output
    assert output.rstrip().endswith("Clean.")


def test_what_cannot_be_removed_is_named_and_nothing_is_called_clean(tmp_path: Path) -> None:
    """Images of a ring hold each other, as one does from which somebody else's image is made."""
    code, output, left = removed(tmp_path, {"a": "b", "b": "a", "c": "a"})
    assert (code, left) == (1, {"a", "b"})
    assert "image a stays: conflict: unable to delete a" in output
    assert "Clean." not in output
