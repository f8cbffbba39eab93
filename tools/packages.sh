#!/usr/bin/env bash
# Installs Debian packages, also on a machine that was just set up: tools/packages.sh WHY PACKAGE...
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

[ $# -ge 2 ] || die "usage: tools/packages.sh WHY PACKAGE..."
install_packages "$@"
