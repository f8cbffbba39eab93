#!/usr/bin/env bash
# Makes sure that a Docker Engine answers this user. Silent and instant where one does.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

answer=$(timeout 30 docker version --format '{{.Server.Version}}' 2>&1) && exit 0

if [ -n "${DOCKER_HOST:-}" ]; then
  die "No Docker Engine answers at DOCKER_HOST=$DOCKER_HOST: start that one, or unset DOCKER_HOST to use this machine's. docker says: ${answer:-nothing within 30 s}"
fi
if command -v docker >/dev/null; then
  case $answer in
    *"permission denied"*)
      die "A Docker Engine runs here, but the user $(id -un) may not use it: join its group (usermod -aG docker $(id -un), as root; then log in again), or run this as root."
      ;;
    # Nobody listens: the one answer to which installing and starting an engine is the remedy. The second is a newer docker's.
    *"Cannot connect to the Docker daemon"* | *"failed to connect to the docker API"*) ;;
    *)
      die "$(command -v docker) reports no version of an engine, and one may be running here all the same, so none is installed beside it. docker says: ${answer:-nothing within 30 s}"
      ;;
  esac
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  die "No Docker Engine answers: install and start one (as root on Debian this would be done for you: package docker.io), then run this again."
fi
echo "no Docker Engine answers: installing and starting Debian's"
exec .venv/bin/ansible-playbook -i inventories/local playbooks/engine.yml
