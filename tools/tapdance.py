# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs behind tap and tun devices, as virtual machines and VPNs are: they read and write frames or packets.

::

    tapdance.py ask tap0 192.168.3.102 192.168.3.103    # ARP: who has .103? tell .102; prints the answer
    tapdance.py guest tap1 192.168.3.103                # a guest: answers ARP and ping for its address
    tapdance.py guest /dev/tap7 192.168.3.103           # the same behind a macvtap device, whose MAC is the guest's
    tapdance.py far-end tun0                            # the far end of a tun: answers ping for any address
    tapdance.py machine tap1 192.168.3.103/24 192.168.3.1    # a machine with a network stack of its own, behind the tap

Each prints one line per frame or packet of interest. ``guest`` and ``far-end`` print ``ready`` first, and go on
until they are ended. So does ``machine``, which prints its pid and MAC after it: commands are run in the machine by
entering the network namespace of that process.
"""

from __future__ import annotations

import argparse
import ctypes
import fcntl
import os
import pwd
import select
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

# linux/if_tun.h
TUNSETIFF = 0x400454CA
CLONE_NEWNET = 0x40000000
IFF_TUN, IFF_TAP, IFF_NO_PI = 0x1, 0x2, 0x1000

ETHERTYPE_IPV4, ETHERTYPE_ARP = 0x0800, 0x0806
ARP_REQUEST, ARP_REPLY = 1, 2
ICMP, ECHO_REPLY, ECHO_REQUEST = 1, 0, 8
ETHERNET_HEADER = 14
BROADCAST = b"\xff" * 6
LARGEST = 65536


class Arp(NamedTuple):
    """An ARP message (RFC 826) for IPv4 over Ethernet; MACs and addresses as bytes."""

    operation: int
    sender_mac: bytes
    sender: bytes
    target_mac: bytes
    target: bytes

    def frame(self) -> bytes:
        """Return it as an Ethernet frame: a request to all, a reply to the one who asked."""
        destination = BROADCAST if self.operation == ARP_REQUEST else self.target_mac
        header = struct.pack("!6s6sH", destination, self.sender_mac, ETHERTYPE_ARP)
        return header + struct.pack("!HHBBH6s4s6s4s", 1, ETHERTYPE_IPV4, 6, 4, *self)

    @classmethod
    def parse(cls, frame: bytes) -> Arp | None:
        """Return the ARP message in a frame, None if there is none."""
        if len(frame) < ETHERNET_HEADER + 28 or frame[12:14] != struct.pack("!H", ETHERTYPE_ARP):
            return None
        return cls(*struct.unpack("!H6s4s6s4s", frame[20:42]))


def checksum(data: bytes) -> int:
    """Return the Internet checksum (RFC 1071)."""
    words = struct.unpack(f"!{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2))
    total: int = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def echo_reply(packet: bytes) -> bytes | None:
    """Return the IPv4 packet that answers an echo request (RFC 792), None for any other packet."""
    if len(packet) < 28 or packet[0] >> 4 != 4 or packet[9] != ICMP:
        return None
    header = (packet[0] & 0xF) * 4
    message = packet[header : struct.unpack("!H", packet[2:4])[0]]
    if len(message) < 8 or message[0] != ECHO_REQUEST:
        return None
    # Swapping the addresses leaves the header's checksum right.
    turned = packet[:12] + packet[16:20] + packet[12:16] + packet[20:header]
    blank = struct.pack("!BBH", ECHO_REPLY, 0, 0) + message[4:]
    return turned + blank[:2] + struct.pack("!H", checksum(blank)) + blank[4:]


def attach(device: str, kind: int) -> int:
    """Open the device through /dev/net/tun, or a macvtap's own file; it has to be there, as the playbook made it."""
    if device.startswith("/"):
        queue = os.open(device, os.O_RDWR | os.O_CLOEXEC)
        # Without this, each frame has a header of virtio's before it.
        fcntl.ioctl(queue, TUNSETIFF, struct.pack("16sH22x", b"", kind | IFF_NO_PI))
        return queue
    if not Path("/sys/class/net", device).exists():
        # The kernel would make a new one, which nobody wired to anything.
        sys.exit(f"tapdance: there is no device {device}")
    return opened(device, kind)


def opened(device: str, kind: int) -> int:
    """Open the device through /dev/net/tun, or make it."""
    queue = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
    fcntl.ioctl(queue, TUNSETIFF, struct.pack("16sH22x", device.encode(), kind | IFF_NO_PI))
    return queue


def mac_of(address: str) -> bytes:
    """Return a made-up MAC: locally administered, its end the address."""
    return b"\x52\x54" + socket.inet_aton(address)


def in_words(mac: bytes) -> str:
    """Return a MAC as people write it."""
    return mac.hex(":")


def ask(device: str, address: str, wanted: str, seconds: float = 3.0) -> int:
    """Send an ARP request into a tap, wait for the reply to come out of it; return the exit code."""
    queue = attach(device, IFF_TAP)
    mine, target = socket.inet_aton(address), socket.inet_aton(wanted)
    question = Arp(ARP_REQUEST, mac_of(address), mine, bytes(6), target).frame()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        os.write(queue, question)
        # Asked again every half second, as a kernel does too: the other program may not be listening yet.
        until = min(time.monotonic() + 0.5, deadline)
        while select.select([queue], [], [], max(0.0, until - time.monotonic()))[0]:
            arp = Arp.parse(os.read(queue, LARGEST))
            if arp and arp.operation == ARP_REPLY and (arp.sender, arp.target) == (target, mine):
                print(f"{wanted} is at {in_words(arp.sender_mac)}")
                return 0
    print(f"nobody says where {wanted} is")
    return 1


def guest(device: str, address: str) -> None:
    """Be a machine with one network card and one address, which answers ARP and ping."""
    queue, mine, mac = attach(device, IFF_TAP), socket.inet_aton(address), mac_of(address)
    print("ready", flush=True)
    while True:
        frame = os.read(queue, LARGEST)
        arp = Arp.parse(frame)
        if arp and arp.operation == ARP_REQUEST and arp.target == mine:
            asker = socket.inet_ntoa(arp.sender)
            print(f"arp: {asker} at {in_words(arp.sender_mac)} asks for {address}", flush=True)
            os.write(queue, Arp(ARP_REPLY, mac, mine, arp.sender_mac, arp.sender).frame())
        elif frame[:6] == mac and frame[12:14] == struct.pack("!H", ETHERTYPE_IPV4):
            reply = echo_reply(frame[ETHERNET_HEADER:])
            if reply:
                print(f"ping: from {socket.inet_ntoa(reply[16:20])}", flush=True)
                os.write(queue, frame[6:12] + mac + frame[12:14] + reply)


def far_end(device: str) -> None:
    """Be the network behind a tun, where every address answers ping."""
    queue = attach(device, IFF_TUN)
    print("ready", flush=True)
    while True:
        reply = echo_reply(os.read(queue, LARGEST))
        if reply:
            here, there = socket.inet_ntoa(reply[12:16]), socket.inet_ntoa(reply[16:20])
            print(f"packet: {len(reply)} bytes, {there} to {here}, echo request", flush=True)
            os.write(queue, reply)


def machine(device: str, address: str, gateway: str) -> None:
    """Be the hardware of a machine: carry frames between the tap and the eth0 of a network namespace without a name.

    What is behind the tap is then a network stack like any other, with an address and a default route.
    """
    outside = attach(device, IFF_TAP)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    inside = opened("eth0", IFF_TAP)
    mac = in_words(mac_of(address.partition("/")[0]))
    for words in (
        "link set dev lo up",
        f"link set dev eth0 address {mac} up",
        f"address add {address} dev eth0",
        f"route add default via {gateway}",
    ):
        subprocess.run(["ip", *words.split()], check=True)
    print(f"ready {os.getpid()} {mac}", flush=True)
    other = {outside: inside, inside: outside}
    while True:
        for queue in select.select([outside, inside], [], [])[0]:
            os.write(other[queue], os.read(queue, LARGEST))


def main() -> int:
    """Run one command line; return its exit code."""
    parser = argparse.ArgumentParser(prog="tapdance.py", description="A program behind a tap or tun device.")
    parser.add_argument("--user", help="whom to be, when the device is opened")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, arguments in (
        ("ask", ("device", "address", "wanted")),
        ("guest", ("device", "address")),
        ("far-end", ("device",)),
        ("machine", ("device", "address", "gateway")),
    ):
        command = commands.add_parser(name)
        for argument in arguments:
            command.add_argument(argument)
    found = parser.parse_args()
    if found.user:
        os.setgroups([])
        os.setuid(pwd.getpwnam(found.user).pw_uid)
    if found.command == "ask":
        return ask(found.device, found.address, found.wanted)
    if found.command == "guest":
        guest(found.device, found.address)
    elif found.command == "machine":
        machine(found.device, found.address, found.gateway)
    else:
        far_end(found.device)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except OSError as error:
        sys.exit(f"tapdance: {error.strerror}")
