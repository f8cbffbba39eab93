# shellcheck shell=bash
# What the scripts beside this file share. Sourced, never run.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Ansible refuses to start with a locale that the machine does not have, or that is not UTF-8. A machine that was just set up has
# none but C's, whatever an SSH client sends along (LANG=en_US.UTF-8).
[ "$(locale charmap 2>&1)" = UTF-8 ] || export LC_ALL=C.UTF-8

# One sentence that says what to do, and the end.
die() {
  printf '%s\n' "$*" >&2
  exit 1
}

# install_packages WHY PACKAGE...: Debian packages, where this user may install them; otherwise says so and ends.
install_packages() {
  local why=$1
  shift
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    die "$why needs the packages $*: install them (on Debian as root: apt-get install $*), then run this again."
  fi
  echo "installing $* ($why)"
  local -a apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300)
  local log
  log=$(mktemp)
  # A machine that was just set up has no package lists; one that has them is not made to wait for new ones.
  if ! "${apt[@]}" install --no-install-recommends "$@" >"$log" 2>&1 &&
    ! { "${apt[@]}" update && "${apt[@]}" install --no-install-recommends "$@"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    die "The packages $* could not be installed: see the lines above."
  fi
  rm -f "$log"
}

# seconds_since MILLISECONDS: how long ago, as "12.3 s".
now_ms() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }
seconds_since() {
  local ms=$(($(now_ms) - $1))
  printf '%d.%d s' $((ms / 1000)) $((ms % 1000 / 100))
}

# indented COMMAND...: runs it and shows what it says below the line that is open, two spaces in.
# Returns the command's own code. A command that says nothing leaves the line open.
said_something=no
indented() {
  local -a codes
  set +e
  "$@" 2>&1 | awk 'NR == 1 { print "" } { print "      " $0; fflush() } END { exit NR > 0 ? 3 : 0 }'
  codes=("${PIPESTATUS[@]}")
  set -e
  said_something=no
  [ "${codes[1]}" = 3 ] && said_something=yes
  return "${codes[0]}"
}

# remove_images_labelled LABEL: every image with it, those first that others are made from last. Says which are left, and why.
remove_images_labelled() {
  local label=$1 ids id progress=yes left=0
  ids=$(docker image ls --all --quiet --filter "label=$label" | sort -u) || return 1
  # An image goes only after those that were made from it: as long as one went, another try may get further.
  while [ -n "$ids" ] && [ "$progress" = yes ]; do
    progress=no
    for id in $ids; do
      docker image rm --force "$id" >/dev/null 2>&1 && progress=yes
    done
    ids=$(docker image ls --all --quiet --filter "label=$label" | sort -u) || return 1
  done
  for id in $ids; do
    echo "image $id stays: $(docker image rm "$id" 2>&1 >/dev/null | tail -n 1)" >&2
    left=1
  done
  return "$left"
}

# step TITLE COMMAND...: one line with the duration; what the command says stands below its title.
step() {
  local title=$1 start code=0
  shift
  start=$(now_ms)
  printf '%-24s' "$title"
  indented "$@" || code=$?
  [ "$said_something" = yes ] && printf '%-24s' "  $title"
  if [ "$code" != 0 ]; then
    printf 'failed after %s\n' "$(seconds_since "$start")"
    exit "$code"
  fi
  printf '%s\n' "$(seconds_since "$start")"
}
