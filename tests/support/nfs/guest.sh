#!/bin/sh
# The first process of a guest: what an init system does at boot, as far as tests of mounts need it.
# waent_address and waent_name come from the kernel's command line.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=1777 tmpfs /tmp
mkdir -p /dev/pts
mount -t devpts -o newinstance,ptmxmode=0666 devpts /dev/pts
hostname "${waent_name:?}"
ip link set dev lo up
ip address add "${waent_address:?}" dev vec0
ip link set dev vec0 up
# As systemd does it: what is _netdev waits for the network, and what is nofail is not waited for.
mount -a -t nfs,nfs4 -O _netdev &
# The kernel keeps the time, but counts ticks until it knows how, and while it boots it loses those for which a busy machine
# has no time. What NTP does elsewhere, by one program and once: a new file has the date of the machine itself.
rm -f /clock
python3 -c 'import os, time
file = os.open("/clock", os.O_CREAT | os.O_EXCL)
time.clock_settime(time.CLOCK_REALTIME, os.fstat(file).st_mtime)'
mkdir -p /run/sshd
exec tini -- /usr/sbin/sshd -D -e -o StrictModes=no -o PermitRootLogin=yes -o UseDNS=no -o AuthorizedKeysFile=/key.pub
