#!/bin/sh
# The container of a client: User-mode Linux is its only process, and has its network address.
# The guest's root is the container's own, so what the guest writes is still there when the container is started again.
set -eu
address=$(ip -4 -oneline address show dev eth0 | awk '{print $4}')
# The guest has the hardware address that the container came with, the same at every boot: who knew another one of it would send to
# that for most of a minute.
mac=$(cat /sys/class/net/eth0/address)
ip link set dev eth0 address "02:00${mac#??:??}"
ip link add name br0 type bridge
ip tuntap add dev tap0 mode tap
ip address flush dev eth0
for port in eth0 tap0; do
  ip link set dev "$port" master br0
  ip link set dev "$port" up
done
ip link set dev br0 up
# A disk of its own, which the guest knows as block device 98:0: for what its root, a directory of another kernel, is no use.
truncate -s 128m /guest-disk
# The memory of the guest is a file in TMPDIR, of which it runs code.
TMPDIR=/guest-memory exec linux mem=512m rootfstype=hostfs rootflags=/ rw init=/nfs/guest.sh \
  ubd0=/guest-disk vec0:transport=tap,ifname=tap0,depth=128,gro=1,mac="$mac" con=null con0=fd:0,fd:1 \
  waent_address="$address" waent_name="$(hostname)"
