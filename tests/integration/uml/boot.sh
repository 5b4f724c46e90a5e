#!/bin/sh
# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# The init of a User Mode Linux on the host's own files, which are read-only: runs one integration target, notes how it
# went in the folder OUT of the host, and ends. ROOT is the checkout, PYTHON the modules' interpreter. What the target
# writes stays in /run.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /dev/shm /dev/pts # Python wants the one, Ansible may want the other
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t devpts devpts /dev/pts
mkdir -p /run/out /run/home /run/netns /run/tmp
mount -t hostfs -o "$OUT" none /run/out
# Others' settings that targets look for, and what they write
cp -a /etc /run/etc
mount --bind /run/etc /etc
# ovsdb-server knows no other place for what it needs for a moment. The checkout may be there, too, and stays.
case $ROOT in /tmp/*) mkdir -p "/run$ROOT" && mount --bind "$ROOT" "/run$ROOT" ;; esac
mount --rbind /run/tmp /tmp
export HOME=/run/home TMPDIR=/run/home
cd /run/home || exit
ip link set lo up
"$PYTHON" "$ROOT/tests/integration/uml/machine.py" load bridge br_netfilter veth vxlan tun dummy 8021q macvlan macvtap ipvlan ipvtap geneve vrf nlmon openvswitch
uname -r >/run/out/kernel
sh /run/out/command >/run/out/log 2>&1
echo $? >/run/out/code
sync
"$PYTHON" "$ROOT/tests/integration/uml/machine.py" off
