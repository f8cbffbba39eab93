# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The database that the inventory asks for."""

from __future__ import annotations

testinfra_hosts = ["ansible://wa_database_hosts"]


def database(containers):
    """The one database container of the host."""
    (found,) = [container for container in containers if container.kind == "database"]
    return found


def test_the_database_comes_back_even_after_it_was_stopped(containers):
    assert database(containers).inspected["HostConfig"]["RestartPolicy"]["Name"] == "always"


def test_the_data_outlives_the_container(containers, variables):
    mount = database(containers).mount("/var/lib/mysql")
    assert mount["RW"]
    assert mount["Name"] == variables.get("wa_database_volume", "waentDatabase")


def test_the_cluster_keeps_its_state_in_it(host, containers, variables):
    """Names are the product's: configStore and clusterStore are made by the first master (2.5)."""
    name = database(containers).name
    # The password is in the container's environment already: so it is in no argument and no output.
    found = host.check_output(
        "docker exec %s sh -c 'MYSQL_PWD=$MYSQL_ROOT_PASSWORD mysql --user=%s --batch --skip-column-names "
        '--execute="show databases"\'',
        name,
        variables["wa_db_username"],
    ).split()
    prefix = variables.get("wa_db_name_prefix", "")
    assert {prefix + "configStore", prefix + "clusterStore"} <= set(found)
