#!/usr/bin/env python3
"""Build the emulator's images: `python emulator/build.py`. A second run finds nothing to do and says so.

The root file systems come from debian:bookworm-slim where a registry (or the engine) has it, else from mmdebstrap.
Each image carries a hash of what it was made from, so only what changed is built again.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import docker
from docker.errors import APIError, BuildError, DockerException, ImageNotFound
from docker.models.images import Image

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "src"))

from waemu import versions  # noqa: E402 - from the checkout, without being installed

CONTENT = "waent.emulator.content"  # label: hash of what an image was made from
REGISTRY = "docker.whatsapp.biz"
DEFAULT_VERSIONS = ("v2.19.4", "v2.19.7")
BASE = "waent/emulator-base:latest"
MARIADB = "waent/mariadb:10.11"
POSTGRES = "waent/postgres:15"
GATEWAY = f"waent/gateway:{tomllib.loads((HERE / 'pyproject.toml').read_text())['project']['version']}"
DEBIAN = "debian:bookworm-slim"
ROOTS = {
    "waent/root-python:bookworm": ("ca-certificates", "curl", "python3"),
    "waent/root-mariadb:bookworm": ("mariadb-client-core", "mariadb-server-core"),
    "waent/root-postgres:bookworm": ("postgresql-15",),
}
# Further options of mmdebstrap: no first data directory from Debian's scripts, and not the 110 MB of a compiler.
ROOT_OPTIONS = {
    "waent/root-postgres:bookworm": (
        "--dpkgopt=path-exclude=/usr/lib/*/libLLVM-*",
        "--essential-hook=mkdir -p $1/etc/postgresql-common"
        " && echo create_main_cluster = false >$1/etc/postgresql-common/createcluster.conf",
    ),
}
PULL_SECONDS = 60  # without a sign of life from the engine
INSTALLING = threading.Lock()  # root file systems are made side by side; apt-get does not bear that
EXPIRY_MARGIN = dt.timedelta(days=30)  # an image closer to its expiry is built again
LEFT_OUT = ("doc", "man", "info", "locale", "lintian", "bug", "i18n/locales")
SKIPPED = shutil.ignore_patterns("__pycache__", "*.pyc")


class Failed(Exception):
    """One sentence for the person who runs this."""


@dataclass(frozen=True)
class Target:
    """An image to be: its name, a hash of all it depends on, and how to build it."""

    tag: str
    content: str
    build: Callable[[], None]


class Builder:
    """Knows the engine, and what each image is made of."""

    def __init__(self, client: docker.DockerClient, expires_on: dt.date | None) -> None:
        self.client = client
        self.given_expiry = expires_on
        self.expires_on = expires_on or dt.date.today() + versions.PUBLIC_LIFE
        self.started = time.monotonic()

    def report(self, text: str) -> None:
        """One line of progress with the seconds gone by."""
        print(f"[{time.monotonic() - self.started:5.1f} s] {text}", flush=True)

    # -- what there is -------------------------------------------------------------------------------------

    def has(self, tag: str, content: str) -> bool:
        """Whether an image is there and made from exactly this content, and not about to expire."""
        image = self.image(tag)
        if image is None or image.labels.get(CONTENT) != content:
            return False
        expiry = image.labels.get("EXPIRES_ON")
        if expiry is None:
            return True
        date = dt.date.fromisoformat(expiry)
        return date == self.given_expiry if self.given_expiry else date - EXPIRY_MARGIN > dt.date.today()

    def image(self, tag: str) -> Image | None:
        """The image of that name, if any."""
        try:
            return self.client.images.get(tag)
        except ImageNotFound:
            return None

    # -- what there should be ------------------------------------------------------------------------------

    def final(self, client_versions: Iterable[str], *, postgres: bool = False) -> list[Target]:
        """The images people use: web and coreapp of every version, the gateway, and the databases."""
        base = self.base_content()
        gateway = _hash(base, *_files("images/gateway"))
        images = [
            Target(MARIADB, self.mariadb_content(), self.build_mariadb),
            Target(GATEWAY, gateway, lambda: self.build_gateway(gateway)),
        ]
        if postgres:
            images.append(Target(POSTGRES, self.postgres_content(), self.build_postgres))
        for version in client_versions:
            for name in ("web", "coreapp"):
                content = _hash(base, version, *_files(f"images/{name}"))
                tag = f"{REGISTRY}/{name}:{version}"
                images.append(Target(tag, content, self._client_build(name, tag, version, content)))
        return images

    def base_content(self) -> str:
        """Of what web and coreapp share."""
        return _hash(
            *ROOTS["waent/root-python:bookworm"],
            *_files("images/base"),
            *_files("images/common"),
            *_files("src"),
            *_files("requirements.txt"),
        )

    def mariadb_content(self) -> str:
        """Of the MySQL-compatible database."""
        return _hash(*ROOTS["waent/root-mariadb:bookworm"], *_files("images/mariadb"))

    def postgres_content(self) -> str:
        """Of the PostgreSQL database."""
        root = "waent/root-postgres:bookworm"
        return _hash(*ROOTS[root], *ROOT_OPTIONS[root], *_files("images/postgres"))

    def run(self, client_versions: Iterable[str], *, postgres: bool = False) -> int:
        """Build what is missing or out of date; returns how many images were built."""
        final = self.final(client_versions, postgres=postgres)
        missing = [image for image in final if not self.has(image.tag, image.content)]
        databases = [image for image in missing if image.tag in (MARIADB, POSTGRES)]
        clients = [image for image in missing if image.tag not in (MARIADB, POSTGRES)]
        with ThreadPoolExecutor(max_workers=4) as pool:
            jobs: list[Future[None] | Future[Path]] = [pool.submit(image.build) for image in databases]
            if clients and not self.has(BASE, self.base_content()):
                packages = pool.submit(self.python_packages)
                jobs.append(pool.submit(self.build_base, packages.result))
                jobs.append(packages)
            for job in jobs:
                job.result()
        for image in clients:
            image.build()
        return len(missing)

    # -- building ------------------------------------------------------------------------------------------

    def build_base(self, packages: Callable[[], Path]) -> None:
        """What web and coreapp share."""
        root = self.root("waent/root-python:bookworm")
        self._build(
            BASE,
            self.base_content(),
            "images/base/Dockerfile",
            {"src": HERE / "src", "lib": packages(), "common": HERE / "images/common"},
            {"ROOT": root},
        )

    def build_mariadb(self) -> None:
        """The MySQL-compatible database."""
        root = self.root("waent/root-mariadb:bookworm")
        parts = {"mariadb": HERE / "images/mariadb"}
        self._build(MARIADB, self.mariadb_content(), "images/mariadb/Dockerfile", parts, {"ROOT": root})

    def build_postgres(self) -> None:
        """The PostgreSQL database."""
        root = self.root("waent/root-postgres:bookworm")
        parts = {"postgres": HERE / "images/postgres"}
        self._build(POSTGRES, self.postgres_content(), "images/postgres/Dockerfile", parts, {"ROOT": root})

    def build_gateway(self, content: str) -> None:
        """The gateway."""
        self._build(GATEWAY, content, "images/gateway/Dockerfile", {}, {"BASE": BASE})

    def _client_build(self, name: str, tag: str, version: str, content: str) -> Callable[[], None]:
        arguments = {"BASE": BASE, "VERSION": version, "EXPIRES_ON": self.expires_on.isoformat()}
        parts = {name: HERE / "images" / name}
        return lambda: self._build(tag, content, f"images/{name}/Dockerfile", parts, arguments)

    def _build(
        self, tag: str, content: str, dockerfile: str, parts: dict[str, Path], arguments: dict[str, str]
    ) -> None:
        self.report(f"Building {tag}")
        try:
            self.client.images.build(
                fileobj=_context(HERE / dockerfile, parts),
                custom_context=True,
                tag=tag,
                buildargs=arguments,
                labels={CONTENT: content},
                rm=True,
                forcerm=True,
            )
        except BuildError as error:
            log = "".join(line.get("stream", "") for line in error.build_log)
            raise Failed(f"{tag} could not be built: {error.msg}\n{log[-2000:]}") from error

    def root(self, tag: str) -> str:
        """The name of a root file system with the packages of this tag; made, unless Debian's can be pulled."""
        content = _hash(*ROOTS[tag], *ROOT_OPTIONS.get(tag, ()))
        if self.has(tag, content):
            return tag
        if self._pull():
            return DEBIAN
        self._bootstrap(tag, content)
        return tag

    def _pull(self) -> bool:
        if self.image(DEBIAN) is not None:
            return True
        try:
            with contextlib.closing(docker.from_env(timeout=PULL_SECONDS)) as patient:
                patient.images.pull(DEBIAN)
        except (DockerException, OSError):  # a registry that never answers is none
            return False
        return True

    def _bootstrap(self, tag: str, content: str) -> None:
        tool = _mmdebstrap(self.report)
        self.report(f"Making the root file system {tag} with mmdebstrap (no registry has {DEBIAN})")
        options = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in LEFT_OUT]
        options += ROOT_OPTIONS.get(tag, ())
        command = [tool, "--quiet", "--variant=minbase", *options, f"--include={','.join(ROOTS[tag])}", "bookworm"]
        with tempfile.TemporaryDirectory() as directory:
            archive = Path(directory, "root.tar")
            done = subprocess.run([*command, str(archive)], capture_output=True, text=True, check=False)
            if done.returncode:
                raise Failed(f"mmdebstrap could not make {tag}: {done.stderr.strip().splitlines()[-1:]}")
            repository, _, name = tag.partition(":")
            label = [f"LABEL {CONTENT}={content}"]
            self.client.api.import_image_from_file(str(archive), repository=repository, tag=name, changes=label)

    def python_packages(self) -> Path:
        """The pinned packages as wheels for the image's Python 3.11, unpacked; kept for the next build."""
        requirements = HERE / "requirements.txt"
        target = HERE.parent / ".cache" / "emulator" / f"lib-{_hash(*_files('requirements.txt'))}"
        if target.exists():
            return target
        self.report("Fetching the Python packages")
        part = target.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
        command += ["--target", str(part), "--requirement", str(requirements), "--no-deps", "--only-binary=:all:"]
        command += ["--implementation=cp", "--python-version=3.11"]
        command += [f"--platform=manylinux{name}_x86_64" for name in ("2014", "_2_17", "_2_28", "_2_34")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failed(f"pip could not fetch the packages: {done.stderr.strip()}")
        part.rename(target)
        return target


def _mmdebstrap(report: Callable[[str], None]) -> str:
    with INSTALLING:
        return _mmdebstrap_installed(report)


def _mmdebstrap_installed(report: Callable[[str], None]) -> str:
    tool = shutil.which("mmdebstrap")
    if tool:
        return tool
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Failed(f"No registry has {DEBIAN} and mmdebstrap is missing: run apt-get install mmdebstrap as root.")
    report("Installing mmdebstrap")
    install = [str(HERE.parent / "tools" / "packages.sh"), "Making a root file system", "mmdebstrap"]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    tool = shutil.which("mmdebstrap")
    if done.returncode or not tool:
        raise Failed(f"apt-get could not install mmdebstrap: {done.stderr.strip()}")
    return tool


def _files(place: str) -> Iterator[str]:
    """Path and content of every file at a place, in order, for a hash."""
    top = HERE / place
    paths = sorted(path for path in top.rglob("*") if path.is_file()) if top.is_dir() else [top]
    for path in paths:
        if "__pycache__" in path.parts or path.suffix == ".pyc" or any(p.endswith(".egg-info") for p in path.parts):
            continue
        mode = "x" if os.access(path, os.X_OK) else "-"
        yield f"{path.relative_to(HERE)} {mode} {hashlib.sha256(path.read_bytes()).hexdigest()}"


def _hash(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _context(dockerfile: Path, parts: dict[str, Path]) -> io.BytesIO:
    """A build context of a Dockerfile and some directories, the same bytes for the same content."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.add(dockerfile, "Dockerfile", filter=_plain)
        for name, path in parts.items():
            archive.add(path, name, filter=_plain)
    stream.seek(0)
    return stream


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Without caches, owned by root whoever builds, with the same modes under any umask."""
    if "__pycache__" in entry.name or entry.name.endswith((".pyc", ".egg-info")):
        return None
    entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry


def _engine() -> docker.DockerClient:
    try:
        client = docker.from_env(timeout=600)
        client.ping()
    except DockerException as error:
        raise Failed("No Docker Engine answers: start it, or set DOCKER_HOST to one that runs.") from error
    return client


def ours(client: docker.DockerClient) -> list[str]:
    """The names of all images made here."""
    images = client.images.list(filters={"label": CONTENT})
    return sorted(tag for image in images for tag in image.tags)


def remove(client: docker.DockerClient) -> None:
    """Remove the images made here, and no others."""
    for tag in sorted(ours(client), key=lambda tag: (tag.startswith("waent/root"), tag == BASE)):
        client.images.remove(tag)
        print(f"Removed {tag}")
    if remove_untagged(client):
        print("Removed what had lost its name to a newer build")


def remove_untagged(client: docker.DockerClient, label: str = CONTENT) -> bool:
    """Remove images made here whose name a newer one has taken; whether there were any. What runs stays."""
    return bool(client.images.prune(filters={"dangling": True, "label": label})["ImagesDeleted"])


def _version(text: str) -> str:
    try:
        return str(versions.parse(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Build the emulator's images.")
    parser.add_argument("--version", action="append", type=_version, default=[], help="one more client version")
    parser.add_argument("--postgres", action="store_true", help=f"the database {POSTGRES} as well")
    parser.add_argument("--expires-on", type=dt.date.fromisoformat, help="EXPIRES_ON of the images: YYYY-MM-DD")
    parser.add_argument("--list", action="store_true", help="only list the images made here")
    parser.add_argument("--remove", action="store_true", help="only remove the images made here")
    return parser.parse_args()


def main() -> int:
    """Exit 0 when all images are there, 1 with one clear sentence otherwise."""
    arguments = _arguments()
    try:
        client = _engine()
        if arguments.list:
            print("\n".join(ours(client)))
        elif arguments.remove:
            remove(client)
        else:
            builder = Builder(client, arguments.expires_on)
            built = builder.run(dict.fromkeys([*DEFAULT_VERSIONS, *arguments.version]), postgres=arguments.postgres)
            builder.report(f"{built} images built" if built else "All images are up to date")
    except (Failed, APIError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
