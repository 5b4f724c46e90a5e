#!/bin/sh
# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# The init of a guest (guest.py), of which there is nothing else but busybox. ADDRESS, GATEWAY and MAC come from the kernel's command line. Each
# line on the console is an order: a number, what to do, and with whom; what answers it is `guest`, the number, and how it went.
/bin/busybox mkdir -p /proc /sys
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox --install -s /bin 2>/dev/null # all but sh are made
export PATH=/bin
for module in /modules/*.ko; do
    [ ! -e "$module" ] || insmod "$module"
done
device=$(cd /sys/class/net && ls -d eth0 vec0 2>/dev/null) # Debian's kernel calls it the one, User Mode Linux the other
if [ -z "$device" ]; then
    echo "guest has no network card"
    poweroff -f
fi
ip link set lo up
ip link set "$device" address "$MAC"
ip address add "$ADDRESS" dev "$device"
ip link set "$device" up
[ -z "$GATEWAY" ] || ip route add default via "$GATEWAY"
echo "guest ready"
while read -r number order target; do
    case $order in
        ping) # three times, as the first frame may come before the bridge has learned anything
            if ping -c 1 -W 1 "$target" >/dev/null || ping -c 1 -W 1 "$target" >/dev/null || ping -c 1 -W 1 "$target" >/dev/null; then
                echo "guest $number yes"
            else
                echo "guest $number no"
            fi
            ;;
        off) poweroff -f ;;
    esac
done
