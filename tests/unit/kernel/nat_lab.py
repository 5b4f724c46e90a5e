# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A router with containers behind two bridges and a host outside, and real packets between any two of them.

    .-- c1 --.  .-- c2 --.      .- other -.
    |  .9.10 |  |  .9.11 |      |  .8.10  |
    '---||---'  '---||---'      '---||----'
    .--[br0 192.168.9.1]---------[br1 192.168.8.1]--.
    |              the host, a router               |
    '------------[eth0 10.0.2.15, .16]--------------'
                        outside  10.0.2.2, has a route to 192.168.9.0/24

The same with IPv6: fd00:9::/64, fd00:8::/64, fd00:2::/64. A socket stays in the namespace in which it was opened, so that one
process can hold all ends.
"""

from __future__ import annotations

import selectors
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ansible_collections.linuxnet.vnet.tests.unit.kernel.throwaway_kernel import inside, ip

if TYPE_CHECKING:
    from collections.abc import Iterable

HOST = ""
"""The router itself: the namespace in which all is made."""

ADDRESSES: dict[int, dict[str, str]] = {
    4: {
        "c1": "192.168.9.10",
        "c2": "192.168.9.11",
        "gateway": "192.168.9.1",
        "other": "192.168.8.10",
        "other gateway": "192.168.8.1",
        "outside": "10.0.2.2",
        "uplink": "10.0.2.15",
        "uplink, second": "10.0.2.16",
        "loopback": "127.0.0.1",
    },
    6: {
        "c1": "fd00:9::10",
        "c2": "fd00:9::11",
        "gateway": "fd00:9::1",
        "other": "fd00:8::10",
        "other gateway": "fd00:8::1",
        "outside": "fd00:2::2",
        "uplink": "fd00:2::15",
        "uplink, second": "fd00:2::16",
        "loopback": "::1",
    },
}
NAMES = {version: {address: name for name, address in table.items()} for version, table in ADDRESSES.items()}
SPACES = ("c1", "c2", "other", "outside")
OF_HOST = ("gateway", "other gateway", "uplink", "uplink, second")
TCP_PORTS = (80, 7000, 7001, 7002, 8080, 8081, 8082, 9000, 9001, 9002, 9003)
UDP_PORTS = (53, 5000, 5001, 6000, 6001, 8080)
LINK_LOCAL = "fe80::10"
"""An address of c1, from which no router forwards."""
WAIT = 1.5
"""Seconds of silence after which nothing more will come: a SYN that was lost is sent again after one."""


class Attempt(NamedTuple):
    """Something to try: `ping`, `tcp` or `udp`, from a namespace to the address that goes by a name. `bound`: from this address."""

    what: str
    source: str
    target: str
    version: int
    port: int = 0
    bound: str = ""


def build(bridged_to_firewall: bool) -> None:
    """The hosts, their wires and addresses; forwarding on."""
    for name in SPACES:
        ip("", "netns", "add", name)
        ip(name, "link", "set", "lo", "up")
    ip("", "link", "set", "lo", "up")
    for bridge, gateway in (("br0", "gateway"), ("br1", "other gateway")):
        ip("", "link", "add", bridge, "type", "bridge")
        ip("", "link", "set", bridge, "up")
        addressed("", bridge, gateway)
    for name, bridge in (("c1", "br0"), ("c2", "br0"), ("other", "br1"), ("outside", "")):
        near = "eth0" if name == "outside" else f"v-{name}"
        ip("", "link", "add", near, "type", "veth", "peer", "name", "eth0", "netns", name)
        if bridge:
            ip("", "link", "set", near, "master", bridge)
        ip("", "link", "set", near, "up")
        ip(name, "link", "set", "eth0", "up")
        addressed(name, "eth0", name)
    ip("c1", "address", "add", f"{LINK_LOCAL}/64", "dev", "eth0", "nodad")
    addressed("", "eth0", "uplink, second", 6)
    addressed("", "eth0", "uplink")  # which the kernel prefers: the first of IPv4, the last of IPv6
    addressed("", "eth0", "uplink, second", 4)
    for version, table in ADDRESSES.items():
        for name, gateway in (("c1", "gateway"), ("c2", "gateway"), ("other", "other gateway"), ("outside", "uplink")):
            ip(name, f"-{version}", "route", "add", "default", "via", table[gateway])
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1", encoding="ascii")
    Path("/proc/sys/net/ipv6/conf/all/forwarding").write_text("1", encoding="ascii")
    for family in ("ip", "ip6"):
        path = Path(f"/proc/sys/net/bridge/bridge-nf-call-{family}tables")
        if path.exists():
            path.write_text("1" if bridged_to_firewall else "0", encoding="ascii")


def addressed(netns: str, device: str, name: str, *versions: int) -> None:
    for version in versions or (4, 6):
        length = ("/24",) if version == 4 else ("/64", "nodad")
        ip(netns, "address", "add", ADDRESSES[version][name] + length[0], "dev", device, *length[1:])


def opened(netns: str, version: int, kind: int) -> socket.socket:
    with inside(netns):
        found = socket.socket(socket.AF_INET if version == 4 else socket.AF_INET6, kind)
    found.setblocking(False)
    return found


class Services:
    """What listens in every namespace, and answers with its own name and the address that it sees."""

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()
        for netns in (HOST, *SPACES):
            for version in (4, 6):
                # What the host listens on is not what it forwards: a connection there that is not forwarded fails.
                for port in TCP_PORTS if netns else (80,):
                    self._listen(netns, version, socket.SOCK_STREAM, port)
                # Bound to one address it also answers from there; of the host's it would else choose one.
                for name in ("",) if netns else (*OF_HOST, "loopback"):
                    for port in UDP_PORTS if netns else (53,):
                        self._listen(netns, version, socket.SOCK_DGRAM, port, name)

    def _listen(self, netns: str, version: int, kind: int, port: int, name: str = "") -> None:
        found = opened(netns, version, kind)
        if version == 6:
            found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((ADDRESSES[version].get(name, "::" if version == 6 else "0.0.0.0"), port))
        if kind == socket.SOCK_STREAM:
            found.listen(1024)
        self.selector.register(found, selectors.EVENT_READ, (netns, version, kind))

    def serve(self, seconds: float) -> bool:
        """Answer whoever asks, for so long at most; whether somebody did."""
        events = self.selector.select(seconds)
        for key, _events in events:
            netns, version, kind = key.data
            found = key.fileobj
            assert isinstance(found, socket.socket)
            if kind == socket.SOCK_STREAM:
                talk, peer = found.accept()
                talk.sendall(answer(netns, version, peer[0]))
                talk.close()
            else:
                _data, peer = found.recvfrom(100)
                found.sendto(answer(netns, version, peer[0]), peer)
        return bool(events)


def answer(netns: str, version: int, peer: str) -> bytes:
    return f"{netns or 'host'} sees {NAMES[version].get(peer, peer.split('%', maxsplit=1)[0])}".encode()


def tried(services: Services, attempts: Iterable[Attempt]) -> dict[Attempt, str]:
    """What each attempt got for an answer, "" for none: `c1 sees uplink`, or of a ping `answered`. All go at once."""
    pings = {attempt: pinging(attempt) for attempt in attempts if attempt.what == "ping"}
    waiting = selectors.DefaultSelector()
    for attempt in attempts:
        if attempt.what != "ping":
            waiting.register(asked(attempt), selectors.EVENT_READ, attempt)
    found: dict[Attempt, str] = dict.fromkeys(attempts, "")
    deadline = time.monotonic() + WAIT
    while waiting.get_map() and time.monotonic() < deadline:
        if services.serve(0.01):
            deadline = time.monotonic() + WAIT
        for key, _events in waiting.select(0):
            client = key.fileobj
            assert isinstance(client, socket.socket)
            with suppress(OSError):  # refused, or unreachable
                found[key.data] = client.recv(100).decode()
            waiting.unregister(client)
            client.close()
    for key in list(waiting.get_map().values()):
        assert isinstance(key.fileobj, socket.socket)
        key.fileobj.close()
    waiting.close()
    for attempt, process in pings.items():
        found[attempt] = "answered" if process.wait() == 0 else ""
    return found


def asked(attempt: Attempt) -> socket.socket:
    kind = socket.SOCK_STREAM if attempt.what == "tcp" else socket.SOCK_DGRAM
    client = opened(attempt.source, attempt.version, kind)
    if attempt.bound:
        with inside(attempt.source):
            client.bind((attempt.bound, 0, 0, socket.if_nametoindex("eth0")))
    client.connect_ex((ADDRESSES[attempt.version][attempt.target], attempt.port))
    if attempt.what == "udp":
        with suppress(OSError):  # what is unreachable at once
            client.send(b"?")
    return client


def pinging(attempt: Attempt) -> subprocess.Popen[bytes]:
    words = ["ping", "-n", "-q", "-c", "1", "-W", "1", ADDRESSES[attempt.version][attempt.target]]
    with inside(attempt.source):
        return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
