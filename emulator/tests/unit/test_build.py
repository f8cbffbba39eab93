"""What the images are built from does not depend on whose checkout it is."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

import build


@pytest.mark.parametrize("umask", [0o077, 0o027, 0o022, 0o002, 0o000])
def test_the_files_of_an_image_have_the_same_modes_under_any_umask(tmp_path: Path, umask: int) -> None:
    part = tmp_path / "part"
    part.mkdir(mode=0o777 & ~umask)
    for name, mode in (("program", 0o777), ("text", 0o666), ("Dockerfile", 0o666)):
        (part / name).touch()
        (part / name).chmod(mode & ~umask)
    with tarfile.open(fileobj=build._context(part / "Dockerfile", {"part": part})) as archive:
        found = {entry.name: (oct(entry.mode), entry.uid, entry.gname) for entry in archive}
    assert found == {
        "Dockerfile": ("0o644", 0, "root"),
        "part": ("0o755", 0, "root"),
        "part/Dockerfile": ("0o644", 0, "root"),
        "part/program": ("0o755", 0, "root"),
        "part/text": ("0o644", 0, "root"),
    }
