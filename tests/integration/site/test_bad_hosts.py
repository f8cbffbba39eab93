# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only the hosts and the database can show: site.yml checks all of them, reports everything, and changes nothing.

The hosts are real, and so is what is wrong with them: a process on the port, a directory without permission, a mount
for reading only, a database with such a user. Only the clock is not: containers share the kernel's, so the other host's
Python gets another time.
"""

from __future__ import annotations

import re
import time
import typing as t

import pytest
from ansible_collections.waent.fleet.tests.support import valid_variables
from ansible_collections.waent.fleet.tests.support.container_hosts import DATABASE_IMAGE, ContainerHosts
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, Run
from ansible_collections.waent.fleet.tests.support.sample import sampled

TOO_OLD = "10.1.48-MariaDB"
LACKING = "canary-lacking-2Hs6"
CLOSED_PORT = 3399


@pytest.fixture(scope="module")
def database(fleet: ContainerHosts) -> t.Iterator[str]:
    """A database outside the cluster, on host one: port 3306, and on 3307 one that says it is old: their address."""
    password = valid_variables.SECRETS["wa_db_password"]
    for name, port, *options in (("outside", 3306), ("ancient", 3307, "--version=" + TOO_OLD)):
        fleet.run(
            "one",
            "docker run --detach --name %s --publish %s:3306 --env MYSQL_ROOT_PASSWORD=%s %s " + " ".join(options),
            name,
            port,
            password,
            DATABASE_IMAGE,
        )
    statement = "create user lacking identified by '{0}'; grant select, insert on *.* to lacking".format(LACKING)
    for name in ("outside", "ancient"):
        wait_for_database(fleet, name, password)
    fleet.run("one", "docker exec outside mysql --user=root --password=%s --execute=%s", password, statement)
    yield fleet.address("one")
    fleet.run("one", "docker rm --force --volumes outside ancient")


def wait_for_database(fleet: ContainerHosts, name: str, password: str) -> None:
    """Return when the database in this container lets root in."""
    deadline = time.monotonic() + 60
    shell = fleet.shell("one")
    command = "docker exec %s mysql --user=root --password=%s --execute='select 1'"
    while True:
        answer = shell.run(command, name, password)
        if answer.rc == 0:
            return
        assert time.monotonic() < deadline, answer.stderr
        time.sleep(0.5)


@pytest.fixture
def refused(fleet: ContainerHosts, database: str) -> t.Callable[..., Run]:
    """Run site.yml with something wrong; returns the run when it was refused and nothing has changed anywhere."""

    def work(hosts: t.Mapping[str, t.Mapping[str, t.Any]], *arguments: str, **changes: t.Any) -> Run:
        fleet.write_hosts(
            {name: {"ansible_become": True, "wa_address": fleet.address(name), **hosts[name]} for name in hosts}
        )
        variables = valid_variables.but(**{"wa_db_host": database, "wa_db_username": "root", **changes})
        before = {name: fleet.state(name) for name in fleet.names}
        run = fleet.site(variables, *arguments)
        assert run.code == FAILED, run.output
        assert "nothing was changed" in run.output
        assert all(host["changed"] == 0 for host in run.recap.values()), run.recap
        assert {name: fleet.state(name) for name in fleet.names} == before
        assert {name for name in valid_variables.SECRETS if variables[name] in run.output} == set()
        assert "Traceback" not in run.output
        return run

    return work


@pytest.fixture
def port_taken(fleet: ContainerHosts) -> t.Iterator[None]:
    """A process on host one that holds the first port of the first coreapp."""
    start = "start-stop-daemon --start --background --make-pidfile --pidfile /run/taken.pid --exec /usr/bin/python3"
    fleet.run("one", start + " -- -m http.server 6250")
    yield
    fleet.run("one", "start-stop-daemon --stop --pidfile /run/taken.pid --exec /usr/bin/python3")


@pytest.fixture
def media_paths(fleet: ContainerHosts) -> t.Iterator[None]:
    """On host one a directory of root's, on host two a read-only mount."""
    fleet.run("one", "install -d -m 0755 /srv/media")
    fleet.run("two", "install -d /srv/media && mount -t tmpfs -o ro,size=1m tmpfs /srv/media")
    yield
    fleet.run("two", "umount /srv/media")


@pytest.fixture
def clock_ahead(fleet: ContainerHosts) -> t.Iterator[dict[str, str]]:
    """Host two reads a clock that is a minute ahead, in Python and in date; gives the variables it needs for that."""
    ahead = "LD_PRELOAD=/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1 FAKETIME=+60s exec /usr/bin/date"
    fleet.run("two", "printf '#!/bin/sh\\n%s \"$@\"\\n' >/usr/local/bin/date && chmod 0755 /usr/local/bin/date", ahead)
    yield {"ansible_python_interpreter": "/usr/local/bin/python3-minute-ahead"}
    fleet.run("two", "rm /usr/local/bin/date")


def assert_reported(run: Run, code: str, *patterns: str) -> None:
    """The sentences of this code are these, in any order, one pattern each."""
    reported = run.sentences(code)
    assert len(reported) == len(patterns), (code, reported)
    for pattern in patterns:
        assert any(re.fullmatch(pattern, sentence) for sentence in reported), (pattern, reported)


def test_all_hosts_and_the_database_are_checked_together(
    refused, database, port_taken, media_paths, clock_ahead
) -> None:
    run = refused(
        {"one": {}, "two": clock_ahead},
        wa_version="v2.99.0",
        wa_db_username="nobody",
        wa_media="/srv/media",
        wa_container_uid=12345,
        wa_disk_free_mb=99999999,
    )
    assert_reported(
        run,
        "PORT_TAKEN",
        r"one: Port 6250, needed by wa-coreapp-1, is taken by process python3 \(pid \d+\);"
        r" free it or change wa_coreapp_port\.",
    )
    assert_reported(
        run,
        "MEDIA_NOT_WRITABLE",
        r"one: wa_media is /srv/media, which user id 12345 of the containers cannot write \(Permission denied\);"
        r" make it writable\.",
        r"two: wa_media is /srv/media, which user id 12345 of the containers cannot write \(Read-only file system\);"
        r" make it writable\.",
    )
    low = r"{0}: \d+ MB are free at {1}; wa_disk_free_mb asks for 99999999 MB\."
    # The media of host two is a file system of its own, on host one it lies beside the images.
    assert_reported(
        run, "DISK_LOW", *(low.format(host, path) for host in ("one", "two") for path in ("/var/.+", "/srv/media"))
    )
    assert_reported(
        run,
        "CLOCK_DIFFERS",
        r"(one: The clock is at least (5[5-9]|6\d)\.\d s behind that of two"
        r"|two: The clock is at least (5[5-9]|6\d)\.\d s ahead of that of one)"
        r"; at most 5 s are allowed, set up time synchronisation\.",
    )
    assert_reported(
        run,
        "IMAGE_MISSING",
        *(
            r"{0}: Image docker\.whatsapp\.biz/{1}:v2\.99\.0 is not on the host, and docker\.whatsapp\.biz has no"
            r" {1}:v2\.99\.0; check wa_version and wa_image_registry\.".format(host, image)
            for host in ("one", "two")
            for image in ("web", "coreapp")
            if (host, image) != ("two", "web")  # the one webapp is on host one
        ),
    )
    assert_reported(
        run,
        "DB_REFUSED",
        r"The database at {0}:3306 refuses wa_db_username nobody with wa_db_password from this host \(.+\)\.".format(
            re.escape(database)
        ),
    )
    assert set(run.codes) == {
        "PORT_TAKEN",
        "MEDIA_NOT_WRITABLE",
        "DISK_LOW",
        "CLOCK_DIFFERS",
        "IMAGE_MISSING",
        "DB_REFUSED",
    }


def test_a_media_path_that_is_not_there_is_not_made(fleet, refused) -> None:
    run = refused({"one": {}}, wa_media="/srv/nothing-here")
    assert run.problems == [
        (
            "MEDIA_MISSING",
            "one: wa_media is /srv/nothing-here, which does not exist; mount the share there first.",
        )
    ]
    assert not fleet.shell("one").file("/srv/nothing-here").exists


ANSWERS = """
import socket, struct, sys
with socket.create_server(("", int(sys.argv[1]))) as link:
    while True:
        caller, address = link.accept()
        asked = caller.recv(4096)
        if len(asked) >= 8 and sys.argv[2] == "answers":
            body = asked[4:8] + struct.pack(">5I", 1, 0, 0, 0, 0)
            caller.sendall(struct.pack(">I", 0x80000000 | len(body)) + body)
            caller.close()
"""
"""What a server says to the call that does nothing (RFC 5531), all that is needed before a mount."""


@pytest.fixture
def share(fleet: ContainerHosts) -> t.Iterator[t.Callable[..., dict[str, t.Any]]]:
    """Variables for a share of a server on host one, which answers, or takes calls and says nothing."""
    start = "start-stop-daemon --start --background --make-pidfile --pidfile /run/nfs-%s.pid --exec /usr/bin/python3"
    for port, word in ((20491, "answers"), (20492, "silent")):
        fleet.run("one", start + " -- -c %s %s %s", port, ANSWERS, port, word)
    fleet.run("one", "install -d /srv/share && touch /srv/share/photo")

    def variables(port: int) -> dict[str, t.Any]:
        share = {"server": fleet.address("one"), "export": "/media", "path": "/srv/share"}
        return {"wa_media": "/srv/share", "wa_media_share": {**share, "opts": ["port={0}".format(port)]}}

    yield variables
    for port in (20491, 20492):
        fleet.run("one", "start-stop-daemon --stop --pidfile /run/nfs-%s.pid", port)
    fleet.run("one", "rm -r /srv/share")


def test_a_share_that_would_hide_files(fleet, refused, share) -> None:
    run = refused({"one": {}, "two": {}}, **share(20491))
    assert run.codes == ["MEDIA_SHARE_IN_THE_WAY"]
    assert run.sentences("MEDIA_SHARE_IN_THE_WAY") == [
        "one: {0}:/media cannot be mounted: the directory /srv/share of the host itself holds files, which it would"
        " hide; move it away, or copy the files to the share first.".format(fleet.address("one"))
    ]


def test_a_share_whose_server_says_nothing(refused, share) -> None:
    run = refused({"one": {}, "two": {}}, **share(20492))
    assert run.codes == ["MEDIA_SHARE_NO_ANSWER"] * 2


OPERATIONS = [("upgrade", "version=2.19.7"), ("reshard", "shards=2"), ("drain", "host=two")]


@pytest.mark.parametrize("arguments", sampled(OPERATIONS, OPERATIONS[:1]))
def test_no_operation_begins_where_the_share_is_not_proved(fleet, share, arguments) -> None:
    playbook, argument = arguments
    fleet.write_hosts({name: {"ansible_become": True, "wa_address": fleet.address(name)} for name in ("one", "two")})
    before = {name: fleet.state(name) for name in fleet.names}
    run = fleet.play(playbook, valid_variables.but(**share(20491)), "-e", argument)
    assert run.code == FAILED
    # A host that is being drained need not have it: there may be no other way to repair it.
    expected = ["one"] if playbook == "drain" else ["one", "two"]
    assert run.codes == ["MEDIA_SHARE_NOT_MOUNTED"] * len(expected)
    assert [sentence.partition(":")[0] for sentence in run.sentences("MEDIA_SHARE_NOT_MOUNTED")] == expected
    silent = fleet.play(playbook, valid_variables.but(**share(20492)), "-e", argument)
    assert silent.codes == ["MEDIA_SHARE_NO_ANSWER"]
    assert {name: fleet.state(name) for name in fleet.names} == before


def test_status_shows_the_share_and_is_red_where_it_is_not_proved(fleet, share) -> None:
    fleet.write_hosts({name: {"ansible_become": True, "wa_address": fleet.address(name)} for name in ("one", "two")})
    run = fleet.play("status", valid_variables.but(**share(20491)))
    assert run.code == FAILED
    assert "media share {0}:/media at /srv/share".format(fleet.address("one")) in run.output
    assert len(re.findall(r"^\W*(?:one|two) .* - +- +no\W*$", run.output, re.MULTILINE)) == 2, run.output
    assert len(run.sentences("MEDIA_SHARE_NOT_MOUNTED")) == 2


def test_status_says_where_hosts_have_media_each_for_itself(fleet) -> None:
    fleet.write_hosts({name: {"ansible_become": True, "wa_address": fleet.address(name)} for name in ("one", "two")})
    for name in ("one", "two"):
        fleet.run(name, "install -d -m 0777 /srv/bare")
    run = fleet.play("status", valid_variables.but(wa_media="/srv/bare"))
    said = " ".join(run.output.split())
    assert re.search(
        r"Media are in /srv/bare, a directory of a local file system \(\w+\) on one and two, which no other host has",
        said,
    ), run.output
    assert "is mounted and proved with wa_media_share" in said


def test_a_database_that_is_not_there(refused, database) -> None:
    run = refused({"one": {}}, wa_db_port=CLOSED_PORT)
    assert_reported(
        run,
        "DB_UNREACHABLE",
        r"wa_db_host is {0}:{1}, and no database can be reached there \(.*refused.*\)\.".format(
            re.escape(database), CLOSED_PORT
        ),
    )
    assert_reported(
        run,
        "NOT_REACHABLE",
        r"one: The host cannot connect to {0} port {1} \(.*refused.*\), which the nodes need\.".format(
            re.escape(database), CLOSED_PORT
        ),
    )


def test_a_database_user_without_the_grants(refused) -> None:
    run = refused({"one": {}}, wa_db_username="lacking", wa_db_password=LACKING)
    databases = "axolotlStore, callbackStore, clusterStore, configStore, contactStore, jobqueueStore, messageStore"
    assert run.problems == [
        (
            "DB_GRANTS_MISSING",
            "wa_db_username lacking lacks UPDATE, DELETE, CREATE, ALTER, INDEX, DROP on {0}; it needs SELECT, INSERT,"
            " UPDATE, DELETE, CREATE, ALTER, INDEX, DROP on every database it creates.".format(databases),
        )
    ]


def test_a_database_with_too_few_connections_for_a_new_cluster(refused) -> None:
    """The guard of reshard.yml: whoever declares 250 messages a second needs 1750 of them."""
    run = refused({"one": {}}, wa_messages_per_second=250)
    assert_reported(
        run,
        "DB_CONNECTIONS_TOO_FEW",
        r"1 shards need about 1750 database connections at 250 messages a second, .* but the database allows \d+ .*",
    )
    assert set(run.codes) == {"DB_CONNECTIONS_TOO_FEW"}


def test_a_database_that_is_too_old(refused) -> None:
    """A real server that gives an old version's number: the number is what the product's documents speak of."""
    run = refused({"one": {}}, wa_db_port=3307)
    assert run.problems == [
        ("DB_TOO_OLD", "wa_db_host is a MariaDB 10.1.48; the client needs MariaDB 10.2 or newer."),
    ]


def test_a_single_connect_container_stops_the_rollout(fleet, refused) -> None:
    """Started by hand, as the product's guides for one container say; it waits for a database that never comes."""
    image = "docker.whatsapp.biz/coreapp:v2.19.4"
    fleet.run("one", "docker run --detach --name wacore --env WA_DB_HOSTNAME=nowhere %s sleep 600", image)
    try:
        run = refused({"one": {}})
        assert run.problems == [
            (
                "SINGLE_CONNECT_RUNNING",
                "one: wacore runs the client in single-connect mode; next to a cluster of the same number both would"
                " evict each other and the number be banned. Stop what runs, or add -e wa_stop_single_connect=true"
                " to the command to have it stopped first.",
            )
        ]
    finally:
        fleet.run("one", "docker rm --force wacore")


def test_a_cluster_that_a_compose_file_started_stops_the_rollout(fleet, refused) -> None:
    """In cluster mode, on other ports, from an image with another tag: it is known by what it runs."""
    start = (
        "docker run --detach --name wacore1 --publish 7250:6250 --env WA_APP_MULTICONNECT=1 --entrypoint /bin/sh"
        " mirror/client:1 -c %s"
    )
    fleet.run("one", "docker tag docker.whatsapp.biz/coreapp:v2.19.4 mirror/client:1")
    fleet.run("one", start, "sleep 600; exec /opt/whatsapp/bin/launch_within_docker.sh")
    try:
        run = refused({"one": {}})
        ((code, sentence),) = run.problems
        assert code == "UNMANAGED_NODES_RUNNING"
        assert sentence.startswith("one: wacore1 runs the client in cluster mode, and no label says of which cluster;")
        assert "docker stop wacore1" in sentence
    finally:
        fleet.run("one", "docker rm --force wacore1 && docker rmi mirror/client:1")


def test_a_host_that_is_lost_stops_everything(fleet, refused) -> None:
    run = refused({"one": {}, "two": {"ansible_host": "127.0.0.1", "ansible_port": 9}})
    (sentence,) = run.sentences("HOST_NOT_READ")
    assert run.codes == ["HOST_NOT_READ"] and sentence.startswith("two: The host could not be read"), run.output
    assert """add -e '{"wa_without_hosts": ["two"]}' to the command""" in sentence


def test_a_host_without_the_python_that_it_is_said_to_have(refused) -> None:
    """One of a kind: tests/hosts has every playbook, and interpreters that are there and too old."""
    run = refused({"one": {}, "two": {"ansible_python_interpreter": "/usr/bin/python3.6"}})
    ((code, sentence),) = run.problems
    assert code == "PYTHON_MISSING"
    assert sentence.startswith("two: There is no Python /usr/bin/python3.6 to run Ansible's modules; 3.")
    assert "module_stdout" not in run.output
