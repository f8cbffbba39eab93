#!/usr/bin/env bash
# Makes sure that HAProxy is here, and openssl for its certificate, for the tests that upgrade webapps behind it. Silent and
# instant where they are.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

for package in haproxy openssl; do
  # Debian keeps the first where only root looks.
  PATH=$PATH:/usr/sbin command -v "$package" >/dev/null || install_packages "The test of webapps behind a balancer" "$package"
done
