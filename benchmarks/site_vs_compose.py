"""How long site.yml takes on one machine, fresh and again, beside the plain way: docker-compose and curl by hand.

Both ways use the same images, start from nothing (no container, network, volume) and end in the same state: the number
registered, one coreapp connected, three core nodes standing by. Needs what `make demo` prepares.

    .venv/bin/python benchmarks/site_vs_compose.py [--rounds 3]

Prints seconds of every round, medians, the ratio fresh/compose, the number of tasks, and each container's peak memory.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import re
import ssl
import statistics
import subprocess
import sys
import time
import typing as t
import urllib.error
import urllib.request
from pathlib import Path

import docker

ROOT = Path(__file__).resolve().parent.parent
COMPOSE = ["docker-compose", "-p", "waentbench", "-f", str(ROOT / "benchmarks/compose/multiconnect-compose.yml")]
PLAYBOOK = [str(ROOT / ".venv/bin/ansible-playbook"), "-i", "inventories/local"]
PASSWORD = "Bench-Password-1"
POLL_SECONDS = 0.25


def api(method: str, path: str, body: t.Any = None, auth: str = "") -> tuple[int, t.Any]:
    """One call to https://127.0.0.1:9090; (0, None) while nobody answers."""
    request = urllib.request.Request(
        "https://127.0.0.1:9090" + path, None if body is None else json.dumps(body).encode(), method=method
    )
    request.add_header("Content-Type", "application/json")
    request.add_header("Authorization", auth)
    context = ssl._create_unverified_context()  # the images' own certificate is self-signed
    try:
        with urllib.request.urlopen(request, timeout=10, context=context) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        return error.code, None
    except OSError:
        return 0, None


def until(what: str, probe: t.Callable[[], t.Any], seconds: float = 180) -> t.Any:
    """The first true answer of probe; ends the benchmark when none comes in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = probe()
        if answer:
            return answer
        time.sleep(POLL_SECONDS)
    sys.exit("No {0} within {1} s.".format(what, seconds))


def by_hand() -> None:
    """The documented steps after `up`: log in with a new password, request a code, verify, check health."""
    basic = "Basic " + base64.b64encode(b"admin:secret").decode()

    def login() -> str | None:
        status, body = api("POST", "/v1/users/login", {"new_password": PASSWORD}, basic)
        return body["users"][0]["token"] if status == 200 else None

    bearer = "Bearer " + until("login", login)
    account = {"cc": "1", "phone_number": "5550100200", "method": "sms", "cert": "ZGVtbw=="}
    until("registration", lambda: api("POST", "/v1/account", account, bearer)[0] in (201, 202))
    until("verification", lambda: api("POST", "/v1/account/verify", {"code": "123456"}, bearer)[0] == 201)
    until("healthy cluster", lambda: healthy(api("GET", "/v1/health", auth=bearer)[1]))


def healthy(body: t.Any) -> bool:
    """One shard: one coreapp connected, three other core nodes disconnected (reference of the product, health)."""
    nodes = list((body or {}).get("health", {}).values())
    states = sorted((n.get("role", "").rpartition("_")[2], n.get("gateway_status")) for n in nodes)
    return states == [
        ("coreapp", "connected"),
        ("coreapp", "disconnected"),
        ("master", "disconnected"),
        ("master", "disconnected"),
    ]


def timed(action: t.Callable[[], t.Any]) -> tuple[float, t.Any]:
    begin = time.monotonic()
    result = action()
    return time.monotonic() - begin, result


def run(command: list[str], **environment: str) -> str:
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        sys.exit("{0} failed:\n{1}\n{2}".format(" ".join(command), done.stdout[-3000:], done.stderr[-3000:]))
    return done.stdout


def compose_round() -> float:
    def work() -> None:
        run([*COMPOSE, "up", "-d"], WA_API_VERSION="2.19.4")
        by_hand()

    seconds, _ = timed(work)
    run([*COMPOSE, "down", "-v", "-t", "5"], WA_API_VERSION="2.19.4")
    return seconds


def uninstall() -> None:
    run([*PLAYBOOK, "playbooks/uninstall.yml", "-e", "confirm=yes", "-e", "wa_remove_data=true"])


def site() -> tuple[float, int, int]:
    """Seconds, tasks run, tasks changed."""
    seconds, output = timed(lambda: run([*PLAYBOOK, "playbooks/site.yml"]))
    recap = re.search(r"wa-local\s+: ok=(\d+)\s+changed=(\d+)", output)
    if recap is None:
        sys.exit("site.yml printed no recap:\n" + output[-2000:])
    return seconds, int(recap.group(1)), int(recap.group(2))


def peak_memory_mb() -> dict[str, float]:
    """Peak of each running container of the demo since its start, from its control group."""
    peaks = {}
    for container in docker.from_env().containers.list(filters={"label": "waent.fleet.cluster"}):
        for pattern in (
            "/sys/fs/cgroup/memory/docker/{0}/memory.max_usage_in_bytes",
            "/sys/fs/cgroup/system.slice/docker-{0}.scope/memory.peak",
        ):
            path = Path(pattern.format(container.id))
            if path.exists():
                peaks[container.name] = int(path.read_text()) / 1e6
    return peaks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    uninstall()
    compose, fresh, again = [], [], []
    for number in range(1, rounds + 1):
        compose.append(compose_round())
        seconds, tasks, _changed = site()
        fresh.append(seconds)
        peaks = peak_memory_mb()
        seconds, tasks_again, changed = site()
        again.append(seconds)
        if changed:
            sys.exit("The second run changed {0} things; it must change none.".format(changed))
        uninstall()
        print(
            "round {0}: compose {1:.1f} s, site fresh {2:.1f} s, site again {3:.1f} s".format(
                number, compose[-1], fresh[-1], again[-1]
            ),
            flush=True,
        )
    ratio = statistics.median(fresh) / statistics.median(compose)
    print(
        "median:  compose {0:.1f} s, site fresh {1:.1f} s (ratio {2:.2f}), site again {3:.1f} s".format(
            statistics.median(compose), statistics.median(fresh), ratio, statistics.median(again)
        )
    )
    print("tasks:   {0} fresh, {1} again".format(tasks, tasks_again))
    for name, peak in sorted(peaks.items()):
        print("peak memory of {0}: {1:.0f} MB".format(name, peak))


if __name__ == "__main__":
    main()
