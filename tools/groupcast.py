# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A program that sends to a multicast group from one namespace, joins it in a second, and counts what arrives there and in a third.

::

    groupcast.py 239.1.2.3 sender member other

Each namespace has an ``eth0``. Prints JSON: what was sent, and how much of it came to the devices of the other two.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import socket
import sys
import time

CLONE_NEWNET = 0x40000000
ETH_P_IP = 0x0800
DEVICE = "eth0"
PORT = 5007
COUNT = 10
SETTLE_SECONDS = 0.5
"""For a report to reach the bridge, and for what was sent to arrive."""

libc = ctypes.CDLL(None, use_errno=True)


def enter(netns: str) -> None:
    """Go into a named network namespace: sockets made then stay there."""
    descriptor = os.open(f"/run/netns/{netns}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.setns(descriptor, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), netns)
    finally:
        os.close(descriptor)


def ear() -> socket.socket:
    """What hears all IPv4 packets that the device of this namespace gets, wanted or not."""
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
    sock.bind((DEVICE, ETH_P_IP))
    # Else the device itself drops what it did not ask for: struct packet_mreq with PACKET_MR_PROMISC.
    mreq = socket.if_nametoindex(DEVICE).to_bytes(4, sys.byteorder) + (1).to_bytes(2, sys.byteorder) + bytes(10)
    sock.setsockopt(263, 1, mreq)  # SOL_PACKET, PACKET_ADD_MEMBERSHIP
    sock.setblocking(False)
    return sock


def heard(sock: socket.socket, group: bytes) -> int:
    """How many packets for our port of the group have come."""
    found = 0
    while True:
        try:
            packet = sock.recv(2048)
        except BlockingIOError:
            return found
        header = (packet[0] & 15) * 4
        ours = packet[9] == socket.IPPROTO_UDP and packet[16:20] == group
        found += ours and int.from_bytes(packet[header + 2 : header + 4], "big") == PORT


def main() -> None:
    """Send, and count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("group", "sender", "member", "other"):
        parser.add_argument(name)
    asked = parser.parse_args()
    group = socket.inet_aton(asked.group)
    ears = {}
    for netns in (asked.member, asked.other):
        enter(netns)
        ears[netns] = ear()
    enter(asked.member)
    membership = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    interface = bytes(4) + socket.if_nametoindex(DEVICE).to_bytes(4, sys.byteorder)
    membership.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group + interface)
    time.sleep(SETTLE_SECONDS)
    enter(asked.sender)
    mouth = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    mouth.setsockopt(
        socket.IPPROTO_IP, socket.IP_MULTICAST_IF, bytes(8) + socket.if_nametoindex(DEVICE).to_bytes(4, sys.byteorder)
    )
    for _number in range(COUNT):
        mouth.sendto(b"to the group", (asked.group, PORT))
    time.sleep(SETTLE_SECONDS)
    print(json.dumps({"sent": COUNT, **{netns: heard(sock, group) for netns, sock in ears.items()}}))
    membership.close()


if __name__ == "__main__":
    main()
