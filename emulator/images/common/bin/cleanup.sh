#!/bin/bash
# Log cleanup, run daily through docker exec: old crash logs go, long logs keep their last 50 MB.
set -eu
if [ -d /usr/local/waent/logs ]; then
    find /usr/local/waent/logs -name 'wa-service-*-crash.log' -mtime +7 -delete
fi
for file in /var/log/whatsapp/web.log /var/log/lighttpd/error.log /usr/local/waent/logs/wa-service.log; do
    if [ -f "$file" ] && [ "$(stat -c %s "$file")" -gt 52428800 ]; then
        tail -c 52428800 "$file" >"$file.kept"
        cat "$file.kept" >"$file" # the same file: the writer has it open
        rm "$file.kept"
    fi
done
