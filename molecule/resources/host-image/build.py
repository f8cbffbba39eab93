# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the image of a test host: a Debian machine in a container, with its own Docker Engine and SSH server.

    python build.py            prints the image's name; progress goes to standard error
    python build.py trixie     the same for a bare machine of that release of Debian

The image is named after what it is made of, so it is built only when that changes: the packages (about 40 s) and,
on top of them, the files under root/ (1 s). The engine is installed and does not run: starting it is the
collection's work. Debian's docker-registry is in it too, because the registry of the tests is one more such container.

A bare machine has Python and nothing else that the collection needs. What site.yml installs there lies in a package
source of its own, with the release's own packages.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGES = HERE.parents[2] / "tools" / "packages.sh"
SUITE = "bookworm"
REPOSITORY = "waent-testhost"
LABEL = "waent.fleet.test=host-image"
PACKAGES = (
    "ca-certificates",
    "docker.io",
    "docker-registry",
    "iproute2",
    "iptables",
    "libfaketime",  # a host whose clock is wrong: see tests/integration
    "openssh-server",
    "openssl",
    "procps",
    "python3",
    "python3-apt",  # what Ansible's apt module needs, which could not fetch it: test hosts have no package source
    "python3-pymysql",
    "python3-requests",
    "sudo",
    "tini",
)
BARE_PACKAGES = ("ca-certificates", "iproute2", "openssh-server", "openssl", "procps", "python3", "sudo", "tini")
# Interpreters too old to run Ansible's modules, where a release has some: 2.7 and 3.7.
OLD_PYTHONS = {"bullseye": ("python2.7", "pypy3")}
STOCK = HERE / "stock-packages"
LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")


class BuildError(Exception):
    """What stopped the build, in one sentence for the person who started it."""


def report(text: str) -> None:
    """Progress, for the person who waits; standard output is for the image's name alone."""
    print(text, file=sys.stderr, flush=True)


def digest(*parts: bytes) -> str:
    """The first 12 hexadecimal digits of a hash over all parts and their boundaries."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "big"))
        whole.update(part)
    return whole.hexdigest()[:12]


class Recipe(t.NamedTuple):
    """What a root file system is made of. stock: a program that puts a package source into it; None for none."""

    suite: str
    packages: tuple[str, ...]
    stock: Path | None = None

    @property
    def base_name(self) -> str:
        """The name of the image that holds the packages only."""
        parts = [text.encode() for text in (self.suite, *self.packages, *LEFT_OUT)]
        parts += [self.stock.read_bytes()] if self.stock else []
        return "{0}-base:{1}".format(REPOSITORY, digest(*parts))


def recipe_of(bare_suite: str | None) -> Recipe:
    """bare_suite: release of Debian for a bare machine, None for one that has all it needs."""
    if bare_suite is None:
        return Recipe(SUITE, PACKAGES)
    return Recipe(bare_suite, BARE_PACKAGES + OLD_PYTHONS.get(bare_suite, ()), STOCK)


def image_name(base: str) -> str:
    """The name of the finished image: it changes with the packages, the Dockerfile and every file under root/."""
    files = sorted(path for path in (HERE / "root").rglob("*") if path.is_file())
    parts = [base.encode(), (HERE / "Dockerfile").read_bytes()]
    for path in files:
        runs = b"x" if os.access(path, os.X_OK) else b"-"  # the rest of a mode depends on the checkout's umask
        parts += [str(path.relative_to(HERE)).encode(), runs, path.read_bytes()]
    return "{0}:{1}".format(REPOSITORY, digest(*parts))


def have_image(name: str) -> bool:
    """Whether the engine of this machine holds the image."""
    found = subprocess.run(["docker", "image", "ls", "--quiet", name], capture_output=True, text=True, check=False)
    if found.returncode != 0:
        raise BuildError("The Docker Engine of this machine does not answer: {0}".format(found.stderr.strip()))
    return bool(found.stdout.strip())


def need_mmdebstrap() -> None:
    """Install mmdebstrap where it is missing and this may be done without asking for a password."""
    if shutil.which("mmdebstrap"):
        return
    if not shutil.which("apt-get"):
        raise BuildError("mmdebstrap is missing and this is no Debian machine: install it by hand.")
    install = [str(PACKAGES), "Making a test host", "mmdebstrap"]
    if os.geteuid() != 0:
        install = ["sudo", "--non-interactive", *install]
    report("Installing mmdebstrap")
    if subprocess.run(install, stdout=sys.stderr, check=False).returncode != 0:
        raise BuildError("mmdebstrap is missing and could not be installed: sudo apt-get install mmdebstrap")


def build_base(recipe: Recipe) -> None:
    """Make the packages' root file system and hand it to the engine without storing it in between."""
    need_mmdebstrap()
    name = recipe.base_name
    report("Making the root file system of the test hosts with mmdebstrap ({0}, about 40 s)".format(recipe.suite))
    command = ["mmdebstrap", "--quiet", "--variant=minbase", "--include=" + ",".join(recipe.packages)]
    command += ['--aptopt=APT::Install-Recommends "false"']
    command += ["--dpkgopt=path-exclude=" + pattern for pattern in LEFT_OUT]
    command += ["--customize-hook={0}".format(recipe.stock)] if recipe.stock else []
    import_to = ["docker", "import", "--change", "LABEL " + LABEL, "-", name]
    with subprocess.Popen([*command, recipe.suite, "-"], stdout=subprocess.PIPE) as tree:
        imported = subprocess.run(import_to, stdin=tree.stdout, stdout=subprocess.DEVNULL, check=False)
    if tree.returncode != 0 or imported.returncode != 0:
        # A truncated tar may have been imported: it must not be taken for the real one next time.
        subprocess.run(["docker", "image", "rm", name], capture_output=True, check=False)
        raise BuildError(
            "mmdebstrap ended with {0}, docker import with {1}.".format(tree.returncode, imported.returncode)
        )


def build_image(name: str, base: str) -> None:
    """Put our files on top of the packages."""
    command = ["docker", "build", "--quiet", "--build-arg", "BASE=" + base, "--label", LABEL, "--tag", name, str(HERE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError("docker build of {0} failed:\n{1}".format(name, done.stderr.strip()))


def main() -> int:
    """Build what is missing; returns the process's exit code."""
    recipe = recipe_of(sys.argv[1] if len(sys.argv) > 1 else None)
    name = image_name(recipe.base_name)
    try:
        if not have_image(name):
            if not have_image(recipe.base_name):
                build_base(recipe)
            build_image(name, recipe.base_name)
    except BuildError as problem:
        report(str(problem))
        return 1
    print(name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
