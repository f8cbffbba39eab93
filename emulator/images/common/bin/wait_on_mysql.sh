#!/bin/bash
exec "$(dirname "$0")/wait_on_database.sh" "$@"
