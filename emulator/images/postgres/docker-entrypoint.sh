#!/bin/bash
# Starts the server on /var/lib/postgresql/data; an empty directory gets the data directory made with the image.
# Environment, at the first start only: POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE (required), POSTGRES_USER (a
# superuser; default postgres) and POSTGRES_DB (default: the name of that user).
set -eu
data=$PGDATA

case "${1:-postgres}" in
    -*) set -- postgres "$@" ;;
    postgres) ;;
    *) exec "$@" ;;
esac

if [ "$(id -u)" = 0 ]; then
    install -d -o postgres -g postgres -m 700 "$data"
    chown postgres:postgres "$data" /run/postgresql
    chmod 700 "$data"
    if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then
        POSTGRES_PASSWORD=$(cat "$POSTGRES_PASSWORD_FILE") # readable for root only, as a rule
        export POSTGRES_PASSWORD
        unset POSTGRES_PASSWORD_FILE
    fi
    exec setpriv --reuid=postgres --regid=postgres --clear-groups "$0" "$@"
fi

quoted() { # a string for SQL
    printf "'%s'" "${1//\'/\'\'}"
}

name() { # an identifier for SQL
    printf '"%s"' "${1//\"/\"\"}"
}

statements() { # one per line: a server without clients takes them like that
    local user=${POSTGRES_USER:-postgres}
    local database=${POSTGRES_DB:-$user}
    if [ "$user" != postgres ]; then
        echo "CREATE ROLE $(name "$user") SUPERUSER LOGIN;"
    fi
    echo "ALTER ROLE $(name "$user") PASSWORD $(quoted "$POSTGRES_PASSWORD");"
    if [ "$database" != postgres ]; then
        echo "CREATE DATABASE $(name "$database") OWNER $(name "$user");"
    fi
}

if [ -e "$data/PG_VERSION" ] && [ ! -e "$data/.waent-seeding" ]; then
    unset POSTGRES_PASSWORD
    exec "$@" # a data directory that is ready, or of somebody else's making: leave it as it is
fi
if [ -z "${POSTGRES_PASSWORD:-}" ]; then
    echo "POSTGRES_PASSWORD is not set; it is required at the first start." >&2
    exit 1
fi
touch "$data/.waent-seeding"
find "$data" -mindepth 1 -maxdepth 1 ! -name .waent-seeding ! -name lost+found -exec rm -rf {} +
cp -a --sparse=always /opt/postgresql/seed/. "$data/"
# Through a pipe: the password is in no file and no argument, and an error does not show its statement.
if ! said=$(statements | postgres --single -D "$data" -c exit_on_error=on -c log_min_error_statement=panic postgres 2>&1); then
    grep -E "ERROR|FATAL" <<<"$said" >&2 || echo "$said" >&2
    exit 1
fi
rm -f "$data/.waent-seeding"
unset POSTGRES_PASSWORD
exec "$@"
