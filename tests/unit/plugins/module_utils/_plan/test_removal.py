# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes with a cluster and what stays: hosts at random, on an engine that is as strict as Docker's."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._plan.removal import (
    STAGES,
    Asked,
    Stores,
    database_problems,
    databases,
    left_over,
    pin_stays,
    plan_removal,
    planned_changes,
    result_lines,
    unread_hosts,
)
from ansible_collections.waent.fleet.plugins.module_utils._state.engine import STATES
from ansible_collections.waent.fleet.tests.support.observed_host import container, engine, network, observed
from hypothesis import given
from hypothesis import strategies as st

READ = {"message": ""}
KEEP, DATA = Asked(), Asked(data=True)
KINDS = ("webapp", "coreapp", "schema-upgrade", "master", "database", None, "of-a-later-release")


def volume(name, cluster=None):
    return {"name": name, "cluster": cluster, "path": "/var/lib/docker/volumes/{0}/_data".format(name)}


def node(name, cluster="a", kind="webapp", **changes):
    return container(name, cluster=cluster, kind=kind, **changes)


@st.composite
def hosts(draw):
    """Two clusters and containers of nobody on one host, with networks and volumes that anybody may use."""
    owners = st.sampled_from(["a", "b", None])
    networks = [network("n{0}".format(i), cluster=draw(owners)) for i in range(draw(st.integers(0, 3)))]
    volumes = [volume("v{0}".format(i), draw(owners)) for i in range(draw(st.integers(0, 3)))]
    # A mount is identified by the volume's name, or by a path, which may lie inside a volume.
    sources = [source for one in volumes for source in (one["name"], one["path"], one["path"] + "/sub")] + ["/srv", "v"]
    containers = []
    for i in range(draw(st.integers(0, 6))):
        joined = draw(st.lists(st.sampled_from([one["name"] for one in networks]), unique=True)) if networks else []
        mounted = draw(st.lists(st.sampled_from(sources), max_size=2))
        running = draw(st.booleans())
        containers.append(
            node(
                "c{0}".format(i),
                draw(owners),
                draw(st.sampled_from(KINDS)),
                networks=joined,
                mounts={"/m{0}".format(n): source for n, source in enumerate(mounted)},
                state="running" if running else "exited",
            )
        )
        for one in networks:
            if running and one["name"] in joined:
                one["endpoints"].append("c{0}".format(i))
    return observed(containers=containers, networks=networks, volumes=volumes)


def uses(entry, source):
    inside = "/volumes/{0}/".format(source)
    return source in entry["mounts"].values() or any(inside in str(m) for m in entry["mounts"].values())


asked = st.builds(Asked, st.booleans(), st.sampled_from(["", "v0", "v1", "other"]))
stores = st.builds(Stores, st.sampled_from(["", "v0"]), st.lists(st.sampled_from(["v1", "v2"])).map(tuple))


@given(hosts(), asked, stores)
def test_nothing_of_others_is_touched_and_nothing_fails_half_way(host, wants, known):
    plan = plan_removal(host, "a", wants, known)
    left = {c["name"]: c for c in host["containers"]}
    for name in plan.containers:
        assert left.pop(name)["cluster"] == "a"
    # As the engine has it: a network with an endpoint and a volume with a container, running or not, do not go.
    of = {one["name"]: one["cluster"] for one in host["networks"]}
    for one in plan.networks:
        assert of[one["name"]] == "a"
        assert [name for name, c in left.items() if one["name"] in c["networks"]] == []
    of = {one["name"]: one["cluster"] for one in host["volumes"]}
    for name in plan.volumes:
        assert wants.data and of[name] == "a"
        assert [c["name"] for c in left.values() if uses(c, name)] == []


@given(hosts(), asked, stores)
def test_a_database_goes_only_by_its_name_whatever_shows_that_it_is_one(host, wants, known):
    """An independent reading: what only nodes of another kind have, or the inventory has for them, is none."""
    plan = plan_removal(host, "a", wants, known)
    ours = [c for c in host["containers"] if c["cluster"] == "a"]
    for name in plan.volumes:
        users = [c["kind"] for c in ours if uses(c, name)]
        harmless = name != known.database and "database" not in users and (users or name in known.others)
        assert harmless or name == wants.database


@given(hosts(), asked, stores)
def test_of_ours_everything_goes_or_is_reported_to_stay(host, wants, known):
    plan = plan_removal(host, "a", wants, known)
    ours = {kind: {one["name"] for one in host[kind] if one["cluster"] == "a"} for kind in ("networks", "volumes")}
    staying = {text.split(",")[0] for text in plan.stays}
    assert set(plan.containers) == {c["name"] for c in host["containers"] if c["cluster"] == "a"}
    assert {one["name"] for one in plan.networks} | {s[8:] for s in staying if s.startswith("network ")} == ours[
        "networks"
    ]
    assert set(plan.volumes) | {s[7:] for s in staying if s.startswith("volume ")} == ours["volumes"]
    assert len(plan.sentences("h")) == sum(map(len, (plan.containers, plan.networks, plan.volumes, plan.stays)))


@given(hosts())
def test_the_database_goes_last(host):
    kinds = {c["name"]: c["kind"] for c in host["containers"]}
    order = [kinds[name] for name in plan_removal(host, "a", KEEP).containers]
    assert order == sorted(order, key=lambda kind: (kind == "database", kind in ("master", None, KINDS[-1])))


@given(hosts())
def test_when_the_others_are_gone_nothing_stays(host):
    alone = {**host, "containers": [c for c in host["containers"] if c["cluster"] == "a"]}
    names = {c["name"] for c in alone["containers"]}
    alone["networks"] = [{**one, "endpoints": [e for e in one["endpoints"] if e in names]} for one in host["networks"]]
    # One name at a time, and again: what goes by the name of a database is somebody's decision.
    for _database, _host in databases([alone], "a", {}):
        plan = plan_removal(alone, "a", Asked(True, _database))
        alone["volumes"] = [one for one in alone["volumes"] if one["name"] not in plan.volumes]
    assert plan_removal(alone, "a", DATA).stays == ()


def test_what_is_said():
    host = observed(
        containers=[
            node("a-db", kind="database", mounts={"/var/lib/mysql": "aData"}, networks=["waent"]),
            node("a-webapp-1", mounts={"/usr/local/wamedia": "whatsappMedia"}, networks=["waent"]),
            node("b-webapp-1", "b", mounts={"/usr/local/wamedia": "whatsappMedia"}, networks=["waent"], state="exited"),
        ],
        networks=[network("waent", cluster="a", endpoints=["a-webapp-1", "stray"])],
        volumes=[volume("whatsappMedia", "a"), volume("aData", "a")],
    )
    assert plan_removal(host, "a", Asked(True, "aData")).sentences("h1") == [
        "h1: container a-webapp-1",
        "h1: container a-db",
        "h1: volume aData, with its data",
        "h1: stays: network waent, used by b-webapp-1, stray",
        "h1: stays: volume whatsappMedia, used by b-webapp-1",
    ]
    database = "h1: stays: volume aData, the database, with the registration and all messages ({0} removes it)"
    both = "-e wa_remove_data=true -e wa_remove_database=aData"
    for wants in (KEEP, DATA, Asked(True, "another")):
        assert database.format(both) in plan_removal(host, "a", wants).sentences("h1")
    alone = observed(volumes=[volume("whatsappMedia", "a")], networks=[])
    media = "h1: stays: volume whatsappMedia, which holds data (-e wa_remove_data=true removes it)"
    assert plan_removal(alone, "a", KEEP, Stores(others=("whatsappMedia",))).sentences("h1") == [media]


def test_a_volume_with_files_for_tls_is_no_database_though_its_containers_are_gone():
    host = observed(volumes=[volume("a-db-ssl-0123456789ab", "a"), volume("old", "a")], networks=[])
    assert plan_removal(host, "a", DATA).volumes == ("a-db-ssl-0123456789ab",)


@pytest.mark.parametrize(
    ("wants", "known", "words"),
    [
        (DATA, {}, ""),
        (Asked(True, "aData"), {}, ""),
        # It is gone already, or its host is away: the inventory has the name.
        (Asked(True, "gone"), {"h9": Stores(database="gone")}, ""),
        (
            Asked(True, "adata"),
            {},
            "is adata; allowed is the volume that holds the database of cluster a: aData on h1.",
        ),
        (Asked(True, "bData"), {"h2": Stores(database="x")}, "of cluster a: aData on h1 and x on h2."),
        (Asked(False, "aData"), {}, "data stays as long as nobody wants it removed; add -e wa_remove_data=true"),
    ],
)
def test_a_name_that_is_not_that_of_the_database_is_refused(wants, known, words):
    host = observed(
        containers=[node("a-db", kind="database", mounts={"/var/lib/mysql": "aData"})],
        volumes=[volume("aData", "a"), volume("bData", "b")],
    )
    problems = database_problems(wants, [host], "a", known)
    assert [problem.code for problem in problems] == (["WA_REMOVE_DATABASE"] if words else [])
    assert all(words in problem.message for problem in problems)


@pytest.mark.parametrize(
    ("known", "where"),
    [
        ({"h1": Stores(server="db.example.com:3306")}, "on db.example.com:3306, where nothing is removed"),
        ({"h1": Stores(database="/srv/db")}, "on the path /srv/db on h1, where nothing is removed"),
        ({}, "on no host that was read"),
    ],
)
def test_of_a_database_that_is_in_no_volume_nothing_is_removed(known, where):
    (problem,) = database_problems(Asked(True, "waent"), [observed(volumes=[])], "a", known)
    assert where in problem.message


@pytest.mark.parametrize("state", STATES)
def test_only_an_engine_that_answers_or_was_never_there_has_nothing(state):
    host = observed(engine=engine(state, reason="because"))
    unread = unread_hosts([host], {"h1": READ})
    assert (unread == {}) == (state in ("answers", "absent"))
    assert all(problem.code.startswith("ENGINE_") for problem in unread.values())


def test_an_engine_that_never_ran_has_nothing():
    assert unread_hosts([observed(engine=engine("stopped", empty=True))], {"h1": READ}) == {}


def test_a_host_that_was_not_read():
    (problem,) = unread_hosts([observed()], {"h1": READ, "h2": {"message": "Failed.\nConnection refused. "}}).values()
    assert (problem.code, problem.host) == ("HOST_NOT_READ", "h2")
    assert problem.message == "The host could not be read (Connection refused)."
    (problem,) = unread_hosts([], {"h1": READ}).values()
    assert problem.message == "The host could not be read."


def test_a_host_that_was_not_read_for_a_reason_of_its_own():
    failure = {"code": "PYTHON_TOO_OLD", "message": "Python 3.6.8 runs Ansible's modules here.", "details": {}}
    (problem,) = unread_hosts([], {"h1": failure}).values()
    assert (problem.code, problem.host, problem.message) == ("PYTHON_TOO_OLD", "h1", failure["message"])


@given(hosts())
def test_stages_hold_every_container_once_and_end_with_the_database(host):
    plan = plan_removal(host, "a", KEEP)
    assert len(plan.stages) == len(STAGES)
    assert [name for stage in plan.stages for name in stage] == list(plan.containers)
    kinds = {c["name"]: c["kind"] for c in host["containers"]}
    assert {kinds[name] for name in plan.stages[0]} <= {"webapp"}
    assert {kinds[name] for name in plan.stages[-1]} <= {"database"}


@given(hosts(), asked, stores, st.data())
def test_what_is_left_after_a_removal_that_ended_anywhere_is_named(host, wants, known, data):
    """A run may have ended at any point; what it planned and did not do is named, and nothing else is."""
    plan = plan_removal(host, "a", wants, known)
    gone = set(data.draw(st.lists(st.sampled_from(plan.containers), unique=True)) if plan.containers else [])
    after = {**host, "containers": [c for c in host["containers"] if c["name"] not in gone]}
    found = left_over(["h1"], [after], {"h1": READ}, "a", wants, {"h1": known})
    left = plan_removal(after, "a", wants, known)
    assert bool(found) == left.anything
    if found:
        assert found["h1"].code == "REMOVAL_INCOMPLETE"
        assert all(name in found["h1"].message for name in (*left.containers, *left.volumes))


def test_a_host_that_cannot_be_read_again_is_not_one_that_has_nothing():
    unknown = left_over(["h1", "h2"], [observed("h1")], {"h1": READ, "h2": {"message": "Connection reset"}}, "a", DATA)
    assert set(unknown) == {"h2"}
    assert unknown["h2"].code == "REMOVAL_UNKNOWN"
    assert "Connection reset" in unknown["h2"].message


def test_why_something_did_not_go_stands_with_it():
    after = observed("h1", containers=[node("a-db", kind="database")])
    found = left_over(["h1"], [after], {"h1": {"message": "[NOT_REMOVED] the engine\nsaid no."}}, "a", KEEP)
    assert found["h1"].message == "Still there: a-db ([NOT_REMOVED] the engine said no)."


def test_the_end_says_what_is_done_and_what_is_not():
    assert result_lines(["h1", "h2"], ["h3"], {"h2": None}) == [
        "Removed, and read again to see that it is gone: h1.",
        "Not done: h2, h3; run the playbook again when this is fixed. What is done already is left out then.",
    ]
    assert result_lines([], [], {}) == []


@pytest.mark.parametrize(
    ("wants", "limited", "unread", "database", "words"),
    [
        (DATA, False, [], False, ""),
        (KEEP, False, [], False, "-e wa_remove_data=true removes it"),
        (DATA, True, [], False, "--limit"),
        (DATA, False, ["h2"], False, "may go on where nothing could be read"),
        (DATA, False, [], True, "as the database stays"),
    ],
)
def test_the_pinned_authority_goes_with_the_last_of_the_cluster(wants, limited, unread, database, words):
    why = pin_stays("/inv/.wa_api_ca_a.pem", wants, limited, unread, database)
    assert (why == "") == (words == "") and words in why
    lines = planned_changes("a", {}, {}, ("/inv/.wa_api_ca_a.pem", why))
    assert (lines[0] == "Of cluster a this goes:") == (why == "")
    assert lines[1].startswith("  here: stays: " if why else "  here: the authority of the API")


def test_the_script_of_a_drill_that_was_never_restored_goes():
    host = observed("h1", containers=[])
    host["drill"] = {"path": "/root/.waent-drill-a.sh", "drill": "host", "what": "x"}
    plan = plan_removal(host, "a", KEEP)
    assert plan.files == ("/root/.waent-drill-a.sh",) and plan.anything
    assert plan.sentences("h1") == ["h1: the script /root/.waent-drill-a.sh, with which a drill was to be restored"]


# --- the media share --------------------------------------------------------------------------------------------------

SOURCE, PATH = "nas-1:/media", "/srv/media"


def share(**changes):
    """As wa_host_info reads it where it is mounted and nobody has it."""
    found = {"source": SOURCE, "path": PATH, "mount": {"source": SOURCE}, "fstab": [], "users": [], "containers": []}
    return {**found, **changes}


OURS = node("a-webapp-1", id="a1" * 32)
OTHERS = node("b-webapp-1", "b", id="b1" * 32)
GOES = ({"source": SOURCE, "path": PATH},)


@pytest.mark.parametrize(
    ("seen", "containers", "goes", "users"),
    [
        (share(), [], GOES, None),
        (share(mount=None, fstab=[[SOURCE, PATH, "nfs4", "hard"]]), [], GOES, None),
        (share(mount={"source": "NAS-1:/media/"}), [], GOES, None),
        (share(users=["java in a1a1a1a1a1a1"], containers=["a1a1a1a1a1a1"]), [OURS], GOES, None),
        # Of others: mounted or in fstab at the same path, in use, or by a container that is stopped and has it.
        (share(mount={"source": "nas-2:/media"}), [], (), None),
        (share(mount=None, fstab=[["nas-2:/media", PATH, "nfs4", "hard"]]), [], (), None),
        (share(mount=None), [], (), None),
        (None, [], (), None),
        (share(users=["java in b1b1b1b1b1b1"], containers=["b1b1b1b1b1b1"]), [OURS, OTHERS], (), "b-webapp-1"),
        (share(users=["sleep"], containers=[""]), [], (), "sleep"),
        (share(), [node("b-db", "b", mounts={"/m": PATH + "/sub"}, state="exited")], (), "b-db"),
    ],
)
def test_the_mount_of_the_media_share_goes_unless_others_have_it(seen, containers, goes, users):
    host = observed(containers=containers, media_share=seen)
    plan = plan_removal(host, "a", False)
    assert plan.shares == goes and plan.as_dict()["shares"] == list(goes)
    assert [text for text in plan.stays if "media share" in text] == (
        ["media share nas-1:/media at /srv/media, used by " + users] if users else []
    )
    line = "h1: the mount of the media share nas-1:/media at /srv/media, and its line in fstab; its files stay"
    assert (line in plan.sentences("h1")) is bool(goes)
    left = left_over(["h1"], [host], {}, "a", False)
    assert bool(left) is plan.anything
    if goes:
        assert PATH in left["h1"].message
