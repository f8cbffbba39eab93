#!/usr/bin/env bash
# Makes sure that HAProxy is here, for the tests that upgrade webapps behind it. Silent and instant where it is.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# Debian keeps it where only root looks.
PATH=$PATH:/usr/sbin command -v haproxy >/dev/null || install_packages "the test of webapps behind a balancer" haproxy
