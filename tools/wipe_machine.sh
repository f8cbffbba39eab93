#!/usr/bin/env bash
# Brings a Debian machine to the state of one on which this project never ran, and no Docker Engine ever did, so that README's two
# commands can be tried as a newcomer meets them. DESTROYS DATA: every container, image, volume and network of the machine's Docker
# Engine goes, whoever made them.
#   tools/wipe_machine.sh                                    shows what would go, touches nothing, ends with 1
#   tools/wipe_machine.sh --yes-destroy-all-docker-data      does it
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

CONSENT=--yes-destroy-all-docker-data
# What tools/ and the tests install, and what those packages cannot do without.
PACKAGES=(docker.io containerd runc docker-compose haproxy mmdebstrap)
ENGINE_PLACES=(/var/lib/docker /var/lib/containerd /etc/docker /run/docker /run/docker.sock /run/docker.pid /run/containerd /var/log/docker.log)
CHECKOUT_PLACES=(.venv .cache .ansible .pytest_cache .mypy_cache .ruff_cache .hypothesis emulator/.pytest_cache emulator/.hypothesis
  inventories/local/group_vars/all/{secrets.yml,.secrets.yml.new,vault.yml} .demo-vault-password)
HOME_PLACES=("$HOME/.ansible" "$HOME/.cache/ansible-compat" "$HOME/.cache/molecule" "$HOME/.cache/pip" "$HOME/antsibull.log")
APT_LISTS=/var/lib/apt/lists
OF_DOCKER='DOCKER|docker0|br-[0-9a-f]{12}'

# there PATH...: those that exist, one a line; a link counts although it may lead nowhere.
there() {
  local path
  for path in "$@"; do
    if [ -e "$path" ] || [ -L "$path" ]; then echo "$path"; fi
  done
}

# engine_pid: the process of the machine's engine; nothing where none runs. Engines inside test hosts have other files.
engine_pid() {
  local pid
  pid=$(cat /run/docker.pid 2>/dev/null) || return 0
  if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dockerd ]; then echo "$pid"; fi
}

# packages_to_go: ours that are installed, and what was installed only because of them; what apt could remove anyway stays.
packages_to_go() {
  local -a ours
  mapfile -t ours < <(dpkg-query --show --showformat '${db:Status-Abbrev} ${Package}\n' "${PACKAGES[@]}" 2>/dev/null | awk '$1 != "un" { print $NF }')
  [ ${#ours[@]} != 0 ] || return 0
  comm -23 <(removed_by --autoremove purge "${ours[@]}") <(removed_by autoremove)
}
removed_by() { apt-get --simulate "$@" 2>/dev/null | awk '$1 == "Remv" || $1 == "Purg" { print $2 }' | sort -u; }

interfaces() { ip -oneline link show type bridge | awk -F ': ' '{ print $2 }' | grep -xE 'docker0|br-[0-9a-f]{12}' || true; }

refuse_foreign_engines() {
  local pid binary
  pid=$(engine_pid)
  if [ -n "${DOCKER_HOST:-}" ]; then
    die "DOCKER_HOST is set ($DOCKER_HOST), so the engine in use is not this machine's: unset it first. Nothing was touched."
  fi
  if [ -n "$pid" ]; then
    binary=$(readlink "/proc/$pid/exe")
    dpkg --search "${binary% (deleted)}" 2>/dev/null | grep -q '^docker.io:' ||
      die "The engine that runs here ($binary) is not of Debian's package docker.io, so this project did not bring it. Nothing was touched."
  fi
  if grep -qs '"data-root"' /etc/docker/daemon.json; then
    die "/etc/docker/daemon.json keeps the engine's data elsewhere (data-root): this project never does that. Nothing was touched."
  fi
}

announce() {
  local pid
  pid=$(engine_pid)
  echo "What goes, for good:"
  if [ -n "$pid" ]; then
    echo "  the Docker Engine that runs (process $pid), and with it, whoever made them:"
    echo "    $(docker ps --all --quiet | wc -l) containers, $(docker image ls --quiet | sort -u | wc -l) images," \
      "$(docker volume ls --quiet | wc -l) volumes, $(docker network ls --quiet --filter type=custom | wc -l) networks"
  fi
  there "${ENGINE_PLACES[@]}" | sed 's/^/  /'
  interfaces | sed 's/^/  network interface /'
  echo "  rules of iptables and ip6tables that name ${OF_DOCKER//|/, }; forwarding is off again where /etc/sysctl* does not ask for it"
  packages_to_go | sed 's/^/  package /'
  if getent group docker >/dev/null; then echo "  group docker"; fi
  there "$APT_LISTS" | sed 's/$/: the package lists, and the downloaded packages/; s/^/  /'
  there "${HOME_PLACES[@]}" | sed 's/^/  /'
  there "${CHECKOUT_PLACES[@]}" | sed "s|^|  $PWD/|"
  echo "  $PWD/**/__pycache__"
  echo "What else is on this machine stays, a docker command line that no package brought among it."
}

end_engine() {
  local pid tries
  if [ -d /run/systemd/system ]; then
    systemctl stop docker.socket docker.service containerd.service 2>/dev/null || true
  fi
  pid=$(engine_pid)
  [ -n "$pid" ] || return 0
  # What runs goes with the engine at once, instead of after ten seconds each.
  docker ps --quiet | xargs --no-run-if-empty docker rm --force --volumes >/dev/null
  kill "$pid"
  for ((tries = 0; tries < 300; tries++)); do
    [ -n "$(engine_pid)" ] || return 0
    sleep 0.1
  done
  die "The engine (process $pid) has not ended within 30 s: end it by hand, then run this again."
}

remove_engine_data() {
  local mounted
  for mounted in $(findmnt --raw --noheadings --output TARGET | grep -E '^/(var/lib|run)/(docker|containerd)(/|$)' | sort --reverse); do
    umount "$mounted"
  done
  rm -rf --one-file-system "${ENGINE_PLACES[@]}"
}

remove_network() {
  local name tables
  for name in $(interfaces); do
    ip link delete "$name"
  done
  for tables in iptables ip6tables; do
    command -v "$tables-save" >/dev/null || continue
    # Where there was no rule at all, no line is left, which is no failure.
    "$tables-save" | { grep -vE "$OF_DOCKER" || true; } | "$tables-restore"
  done
  grep -qsE '^[^#]*net.ipv4.ip_forward' /etc/sysctl.conf /etc/sysctl.d/*.conf && return 0
  # The engine closes forwarding to others only where it was the one to switch it on.
  if command -v iptables >/dev/null; then iptables --policy FORWARD ACCEPT; fi
  echo 0 >/proc/sys/net/ipv4/ip_forward
}

remove_packages() {
  local -a packages
  local log
  mapfile -t packages < <(packages_to_go)
  if [ ${#packages[@]} != 0 ]; then
    log=$(mktemp)
    DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 purge "${packages[@]}" >"$log" 2>&1 ||
      { tail -n 20 "$log" >&2 && die "The packages could not be removed: see the lines above."; }
    rm -f "$log"
  fi
  if getent group docker >/dev/null; then groupdel docker; fi
  apt-get clean
  find "$APT_LISTS" -mindepth 1 -maxdepth 1 ! -name lock ! -name partial -exec rm -rf {} +
}

remove_files() {
  rm -rf --one-file-system "${CHECKOUT_PLACES[@]}" "${HOME_PLACES[@]}"
  find . -path ./.git -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
}

if [ $# -gt 1 ] || { [ $# = 1 ] && [ "$1" != "$CONSENT" ]; }; then
  die "usage: tools/wipe_machine.sh [$CONSENT]"
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  die "This works as root on Debian only. Nothing was touched."
fi
refuse_foreign_engines
announce
if [ $# = 0 ]; then
  die "Nothing was touched. To destroy all of this: tools/wipe_machine.sh $CONSENT"
fi
end_engine
# Rules before packages: iptables may go with them.
remove_network
remove_engine_data
remove_packages
remove_files
echo "This machine is as one that never ran the project. Next: make demo, then make test."
