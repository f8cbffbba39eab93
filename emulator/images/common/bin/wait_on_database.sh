#!/bin/bash
# Waits until the database accepts TCP connections, then runs the command it was given, if any.
# It says nothing about user name, password or schema: the client itself does.
set -u
trap 'exit 143' TERM
trap 'exit 130' INT

answers() {
    # shellcheck disable=SC2016 # the inner shell expands them: they are its arguments
    timeout 3 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$WA_DB_HOSTNAME" "$WA_DB_PORT" 2>/dev/null &
    wait $!
}

if [ -n "${WA_DB_HOSTNAME:-}" ] && [ -n "${WA_DB_PORT:-}" ]; then
    until answers; do
        echo "Waiting for the database at $WA_DB_HOSTNAME:$WA_DB_PORT"
        sleep "${delay:=0.3}" &
        wait $!
        delay=1
    done
fi
[ $# -eq 0 ] || exec "$@"
