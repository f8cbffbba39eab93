# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What docker_container would do to a container, by its own code, without an engine: as in check mode with diff.

Its internals may move with a newer community.docker; tests/integration/containers asks the module itself.
"""

from __future__ import annotations

import copy
import importlib


def _internal(name):
    base = "ansible_collections.community.docker.plugins.module_utils.{0}module_container.{1}"
    try:
        return importlib.import_module(base.format("_", name))
    except ModuleNotFoundError:
        return importlib.import_module(base.format("", name))


BASE, MODULE, API = _internal("base"), _internal("module"), _internal("docker_api")
API_VERSION = "1.41"
PLAIN = {
    "cleanup": False, "comparisons": None, "container_default_behavior": "no_defaults", "command_handling": "correct",
    "debug": False, "default_host_ip": None, "force_kill": False, "healthy_wait_timeout": 300,
    "image_comparison": "desired-image", "image_label_mismatch": "ignore", "image_name_mismatch": "recreate",
    "keep_volumes": True, "kill_signal": None, "networks_cli_compatible": True, "output_logs": False, "paused": None,
    "pull": "never", "pull_check_mode_behavior": "image_not_present", "recreate": False,
    "removal_wait_timeout": None, "restart": False, "state": "started",
}  # fmt: skip
FOLLOW = {"image", "exposed_ports"}
"""Differences that follow from others: a tag's content from its name, and exposed ports from published ones."""


class _Module:
    check_mode, _diff = True, True

    def __init__(self, params):
        self.params, self.argument_spec = params, {}

    def fail_json(self, **result):
        raise AssertionError(result)

    def warn(self, text):
        raise AssertionError(text)


class _Client:
    """An engine that has every network it is asked about."""

    def get_json(self, _path, params):
        (name,) = params["filters"].split('"')[3:4]
        return [{"Name": name, "Id": "id of " + name}]

    def fail(self, text, **_more):
        raise AssertionError(text)


class _Driver(API.DockerAPIEngineDriver):
    """Knows one container, and one image of whatever name."""

    def __init__(self, entry, image):
        self.entry, self.image = entry, image

    def get_api_version(self, client):
        return API_VERSION

    def get_host_info(self, client):
        return {}

    def create_container_supports_more_than_one_network(self, client):
        return False

    def inspect_container_by_name(self, client, container_name):
        return self.entry

    def inspect_image_by_id(self, client, image_id):
        return self.image

    def inspect_image_by_name(self, client, repository, tag):
        return self.image


def _params(options):
    """As Ansible fills an argument specification."""
    specs = {name: spec for group in BASE.OPTIONS for name, spec in group.argument_spec.items()}
    params = {**dict.fromkeys(specs), **PLAIN, **copy.deepcopy(dict(options))}
    for name in ("networks", "mounts"):
        parts = specs[name]["options"]
        empty = {part: parts[part].get("default") for part in parts}
        params[name] = [{**empty, **entry} for entry in params[name] or []] or None
    return params


def predicted_changes(options, entry):
    """C((names of the options that differ, whether another container is made)).

    options: of docker_container, all of them. entry: C(docker inspect) of the container; its image has no more than a
    variable and a label.
    """
    bindings = entry["HostConfig"]["PortBindings"]
    config = {**entry["Config"], "ExposedPorts": {port: {} for port in bindings}}
    image = {"Id": "sha256:i", "Config": {"Env": ["PATH=/bin"], "Labels": {"maintainer": "of the image"}}}
    state = {"Running": True, "Status": "running"}
    whole = {"Id": "c", "Name": "/x", "Image": image["Id"], "State": state, **entry, "Config": config}
    groups = [group for group in BASE.OPTIONS if group.supports_engine("docker_api")]
    kept = [(option, option.comparison) for group in groups for option in group.all_options]
    try:
        manager = MODULE.ContainerManager(_Module(_params(options)), _Driver(whole, image), _Client(), groups)
        manager.run()
    finally:
        for option, comparison in kept:  # the module changes them, as it lives for one task
            option.comparison = comparison
    names = set(manager.results["diff"]["after"]) - FOLLOW
    again = any("removed" in action for action in manager.results["actions"])
    return {"image" if name == "image_name" else _option_of(name) for name in names}, again


def _option_of(name):
    return "networks" if name.startswith("network.") else name
