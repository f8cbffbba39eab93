#!/bin/sh
# The container of the server: nfs-ganesha with the exports of ganesha.conf, which are file systems of their own.
set -eu
mkdir -p /run/ganesha /var/lib/nfs/ganesha
# Without it the server ends at once, though NFSv4 has no use for it.
rpcbind
exec ganesha.nfsd -F -N NIV_EVENT -L /dev/stderr -f /nfs/ganesha.conf -p /run/ganesha/pid
