# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every container of the cluster is what the product needs it to be."""

from __future__ import annotations

from collections import Counter

MKNOD = 27  # the capability's number in the kernel
CORE_PORTS = (6250, 6251, 6252, 6253)  # messaging, contacts, control, health
MEDIA = "/usr/local/wamedia"

testinfra_hosts = ["ansible://wa_cluster"]


def kernel_status(host, container):
    """Fields of /proc/<pid>/status of the container's first process: the kernel's word, not the engine's."""
    text = host.file("/proc/{0}/status".format(container.inspected["State"]["Pid"])).content_string
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)


def test_the_host_runs_the_nodes_it_must(machine, nodes):
    assert Counter(node.kind for node in nodes) == machine.expected_nodes


def test_nodes_are_named_in_order(machine, nodes, variables):
    prefix = variables.get("wa_name_prefix", "wa")
    desired = {
        "{0}-{1}-{2}".format(prefix, kind, index)
        for kind, count in machine.expected_nodes.items()
        for index in range(1, count + 1)
    }
    assert {node.name for node in nodes} == desired


def test_a_node_calls_itself_by_its_container_name(nodes):
    assert {node.name: node.inspected["Config"]["Hostname"] for node in nodes} == {
        node.name: node.name for node in nodes
    }


def test_all_containers_run(containers):
    assert containers
    assert {c.name: c.inspected["State"]["Status"] for c in containers} == {c.name: "running" for c in containers}


def test_nodes_come_back_by_themselves(nodes):
    for node in nodes:
        assert node.inspected["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped", node.name


def test_nodes_cannot_make_devices(host, nodes):
    for node in nodes:
        may = int(kernel_status(host, node)["CapBnd"], 16)
        assert not may >> MKNOD & 1, node.name
        assert may, "{0}: all capabilities are gone, so this test shows nothing".format(node.name)


def test_image_label_and_inventory_name_the_same_version(nodes, variables):
    desired = "v" + str(variables["wa_version"]).lstrip("v")
    for node in nodes:
        assert node.inspected["Config"]["Image"].endswith(":" + desired), node.name
        assert node.labels["waent.fleet.version"] == desired, node.name


def test_webapps_run_the_web_image_and_the_others_the_coreapp_image(nodes):
    for node in nodes:
        image = node.inspected["Config"]["Image"].rsplit(":", 1)[0].rsplit("/", 1)[1]
        assert image == ("web" if node.kind == "webapp" else "coreapp"), node.name


def test_every_node_is_started_by_the_published_two_words(nodes):
    for node in nodes:
        assert node.inspected["Config"]["Cmd"] == [
            "/opt/whatsapp/bin/wait_on_mysql.sh",
            "/opt/whatsapp/bin/launch_within_docker.sh",
        ], node.name


def test_only_masters_are_masters_and_all_are_of_a_cluster(nodes):
    for node in nodes:
        assert node.environment["WA_APP_MULTICONNECT"] == "1", node.name
        assert (node.environment.get("WA_MASTER_NODE") == "1") == (node.kind == "master"), node.name


def test_core_nodes_advertise_their_host(machine, nodes):
    for node in nodes:
        if node.kind != "webapp":
            assert node.environment["COREAPP_HOSTNAME"] == machine.address, node.name


def test_advertised_ports_are_the_published_ones(nodes):
    for node in nodes:
        if node.kind == "webapp":
            assert [int(port) for port in node.environment["WEBAPP_EXTERNAL_PORTS"].split(",")] == [node.published[443]]
        else:
            advertised = [int(port) for port in node.environment["COREAPP_EXTERNAL_PORTS"].split(",")]
            assert advertised == [node.published[port] for port in CORE_PORTS], node.name


def test_no_two_containers_publish_the_same_port(containers):
    taken = Counter(port for container in containers for port in container.published.values())
    assert taken
    assert max(taken.values()) == 1


def test_published_ports_answer(host, containers):
    for container in containers:
        for port in container.published.values():
            assert host.socket("tcp://0.0.0.0:{0}".format(port)).is_listening, (container.name, port)


def test_media_is_one_writable_store_for_all_nodes_of_the_host(host, nodes, variables):
    desired = variables.get("wa_media", "whatsappMedia")
    for node in nodes:
        mount = node.mount(MEDIA)
        assert mount["RW"], node.name
        assert (mount["Source"] if desired.startswith("/") else mount["Name"]) == desired, node.name
    writer, reader = nodes[0], nodes[-1]
    file = MEDIA + "/acceptance-test"
    host.check_output("docker exec %s sh -c 'echo shared >%s'", writer.name, file)
    try:
        assert host.check_output("docker exec %s cat %s", reader.name, file) == "shared"
    finally:
        host.check_output("docker exec %s rm %s", writer.name, file)


def test_configuration_volume_is_mounted_only_where_asked_for(nodes, variables):
    data = variables.get("wa_data", "")
    for node in nodes:
        targets = [mount["Destination"] for mount in node.inspected["Mounts"]]
        assert ("/usr/local/waent/data" in targets) == bool(data), node.name


def test_what_is_on_an_attached_directory_is_seen_by_the_nodes(host, nodes, variables):
    attached = {MEDIA: variables.get("wa_media", ""), "/usr/local/waent/data": variables.get("wa_data", "")}
    for target, source in attached.items():
        if source.startswith("/"):
            assert nodes[0].mount(target)["Source"] == source
            assert host.check_output("docker exec %s cat %s/was-here", nodes[0].name, target) == "from before"


def test_nodes_share_the_network(nodes, variables):
    for node in nodes:
        assert list(node.inspected["NetworkSettings"]["Networks"]) == [variables.get("wa_network", "waent")], node.name


def test_logs_cannot_fill_the_disk(containers):
    for container in containers:
        log = container.inspected["HostConfig"]["LogConfig"]
        assert log["Type"] == "json-file", container.name
        assert log["Config"]["max-size"] and int(log["Config"]["max-file"]) > 0, container.name
