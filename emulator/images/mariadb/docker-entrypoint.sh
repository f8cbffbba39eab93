#!/bin/bash
# Starts the server on /var/lib/mysql; an empty directory gets the data directory that was made with the image.
# Environment, at the first start only: MYSQL_ROOT_PASSWORD or MYSQL_ROOT_PASSWORD_FILE (required, unless
# MYSQL_ALLOW_EMPTY_PASSWORD is set), MYSQL_DATABASE, MYSQL_USER and MYSQL_PASSWORD.
set -eu
data=/var/lib/mysql
ready=$data/.waent-initialised # written by the server after it ran the statements below

case "${1:-mysqld}" in
    -*) set -- mysqld "$@" ;;
    mysqld | mariadbd) ;;
    *) exec "$@" ;;
esac
shift

if [ "$(id -u)" = 0 ]; then
    chown mysql:mysql "$data" /run/mysqld
    if [ -n "${MYSQL_ROOT_PASSWORD_FILE:-}" ]; then
        MYSQL_ROOT_PASSWORD=$(cat "$MYSQL_ROOT_PASSWORD_FILE") # readable for root only, as a rule
        export MYSQL_ROOT_PASSWORD
        unset MYSQL_ROOT_PASSWORD_FILE
    fi
    exec setpriv --reuid=mysql --regid=mysql --clear-groups "$0" mysqld "$@"
fi

options=()
for option in "$@"; do
    case "$option" in
        --default-authentication-plugin=* | --default-authentication-plugin) ;; # of MySQL; MariaDB has no such option
        *) options+=("$option") ;;
    esac
done

quoted() { # a string for SQL
    local text=${1//\\/\\\\}
    printf "'%s'" "${text//\'/\'\'}"
}

statements() {
    local password
    password=$(quoted "${MYSQL_ROOT_PASSWORD:-}")
    echo "CREATE USER IF NOT EXISTS root@'%' IDENTIFIED BY $password;"
    echo "GRANT ALL PRIVILEGES ON *.* TO root@'%' WITH GRANT OPTION;"
    echo "ALTER USER root@localhost IDENTIFIED BY $password;"
    if [ -n "${MYSQL_DATABASE:-}" ]; then
        echo "CREATE DATABASE IF NOT EXISTS \`${MYSQL_DATABASE//\`/}\`;"
    fi
    if [ -n "${MYSQL_USER:-}" ]; then
        echo "CREATE USER IF NOT EXISTS $(quoted "$MYSQL_USER")@'%' IDENTIFIED BY $(quoted "${MYSQL_PASSWORD:-}");"
        if [ -n "${MYSQL_DATABASE:-}" ]; then
            echo "GRANT ALL PRIVILEGES ON \`${MYSQL_DATABASE//\`/}\`.* TO $(quoted "$MYSQL_USER")@'%';"
        fi
    fi
    echo "SELECT 'done' INTO OUTFILE '$ready';"
}

if [ -e "$data/mysql" ] && [ ! -e "$data/.waent-seeding" ]; then
    exec mariadbd "${options[@]}" # a data directory of somebody else's making: leave it as it is
fi
if [ ! -e "$ready" ]; then
    if [ -z "${MYSQL_ROOT_PASSWORD:-}${MYSQL_ALLOW_EMPTY_PASSWORD:-}" ]; then
        echo "MYSQL_ROOT_PASSWORD is not set; it is required at the first start." >&2
        exit 1
    fi
    if [ ! -e "$data/.waent-seeded" ]; then
        touch "$data/.waent-seeding"
        cp -a --sparse=always /opt/mariadb/seed/. "$data/"
        touch "$data/.waent-seeded"
    fi
    exec {first}< <(statements) # through a pipe: the password is in no file and no argument
    unset MYSQL_ROOT_PASSWORD MYSQL_PASSWORD
    exec mariadbd --init-file="/dev/fd/$first" "${options[@]}"
fi
unset MYSQL_ROOT_PASSWORD MYSQL_PASSWORD
exec mariadbd "${options[@]}"
