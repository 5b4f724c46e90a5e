# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who can talk to whom through an address translation, and under whose address: each cell by real packets (see nat_lab.py).

What should come of a cell is worked out here from the promises of vnet_nat, and not from its rules.
"""

from __future__ import annotations

import itertools
import json
import os
import resource
import socket
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils import engine
from ansible_collections.linuxnet.vnet.plugins.module_utils.desired import nat_want
from ansible_collections.linuxnet.vnet.tests.unit.kernel.nat_lab import (
    ADDRESSES,
    HOST,
    LINK_LOCAL,
    NAMES,
    OF_HOST,
    SPACES,
    Attempt,
    Services,
    build,
    opened,
    tried,
)
from ansible_collections.linuxnet.vnet.tests.unit.kernel.test_nat import nft
from ansible_collections.linuxnet.vnet.tests.unit.kernel.throwaway_kernel import needs_root, on_a_new_host, tally

pytestmark = needs_root

CONTAINERS = ("c1", "c2")


class Way(NamedTuple):
    """Where a forwarded port leads to: which container, which port there, and by which address of the host only."""

    to: str
    port: int
    by: str = ""


FORWARDS = {
    ("tcp", 8080): Way("c1", 80),
    ("tcp", 8081): Way("c2", 80, "uplink"),
    **{("tcp", port): Way("c1", port) for port in range(9000, 9003)},
    **{("tcp", port): Way("c2", port + 1080) for port in range(7000, 7003)},
    **{("udp", port): Way("c1", port + 1000) for port in range(5000, 5002)},
}
"""By protocol and port."""

THEIRS = ("tcp", 4444)
"""A port that somebody else's rules forward, of what comes from elsewhere than the host."""

OTHERS = (("ping", 0), ("tcp", 80), ("udp", 53), ("tcp", 9003), ("udp", 8080))
"""What no port forward is of; containers listen on all of these, the host on the first two."""

ENTRY: dict[str, Any] = {
    "name": "containers",
    "source": ["192.168.9.0/24", "fd00:9::/64"],
    "out_interface": ["eth0"],
    "port_forwards": [
        forward
        for version in (4, 6)
        for forward in (
            {"port": 8080, "to_address": ADDRESSES[version]["c1"], "to_port": 80},
            {
                "port": 8081,
                "to_address": ADDRESSES[version]["c2"],
                "to_port": 80,
                "in_address": [ADDRESSES[version]["uplink"]],
            },
            {"port": "9000-9002", "to_address": ADDRESSES[version]["c1"]},
            {"port": "7000-7002", "to_address": ADDRESSES[version]["c2"], "to_port": "8080-8082"},
            {"protocol": "udp", "port": "5000-5001", "to_address": ADDRESSES[version]["c1"], "to_port": "6000-6001"},
        )
    ],
}


class Setting(NamedTuple):
    """Whether it is isolated; how sources are translated; whether br_netfilter shows bridged frames to the firewall."""

    isolated: bool
    translation: str
    bridged: bool


SETTINGS = [Setting(*one) for one in itertools.product((True, False), ("masquerade", "snat"), (False, True))]
SHARE = (Setting(True, "masquerade", False), Setting(True, "snat", True))
"""Of which `./dev unit` tries all cells."""

SOMEBODYS = "\n".join(
    f"add rule inet theirs prerouting meta nfproto ipv{version} fib daddr type local tcp dport 4444 dnat {family} to {where}:80"
    for version, family, where in ((4, "ip", ADDRESSES[4]["c1"]), (6, "ip6", f"[{ADDRESSES[6]['c1']}]"))
)
PROBES = (*OTHERS, THEIRS, *FORWARDS)
TARGETS = ("c1", "c2", "other", "outside", *OF_HOST)
CELLS = [
    *(
        Attempt(what, source, target, version, port)
        for version, source, target, (what, port) in itertools.product((4, 6), (HOST, *SPACES), TARGETS, PROBES)
    ),
    *(Attempt(what, HOST, "loopback", version, port) for version in (4, 6) for what, port in PROBES),
    # As who looks for a neighbour does; where br_netfilter is on, the firewall sees it.
    Attempt("tcp", "c1", "c2", 6, 80, LINK_LOCAL),
]


def expected(attempt: Attempt, setting: Setting) -> str:
    """What should come of an attempt in a setting: who answers, and whom it sees; "" where nobody should."""
    what, source, target, version, port, bound = attempt
    there = HOST if target in (*OF_HOST, "loopback") else target
    way, theirs = FORWARDS.get((what, port)), (what, port) == THEIRS
    if theirs and source != HOST:
        way = Way("c1", 80)
    forwarded = way is not None and target in OF_HOST and way.by in ("", target)
    if way is not None and forwarded:
        there, port = way.to, way.port
        if there == source and setting.bridged:
            return ""  # the bridge does not send a frame back to where it came from
    if setting.isolated and there in CONTAINERS and source in ("other", "outside") and (theirs or not forwarded):
        return ""
    if there != HOST and (what, port) == THEIRS:
        return ""  # nobody listens there
    if there == HOST and (what, port) not in OTHERS[:3]:
        return ""  # it listens on nothing else
    if what == "ping":
        return "answered"
    seen = bound or seen_as(source, there, target, forwarded, setting)
    if source == HOST and (version, seen) == (4, "uplink, second"):
        seen = "uplink"  # to itself the host speaks from the first IPv4 address of a subnet
    return f"{there or 'host'} sees {seen}"


def seen_as(source: str, there: str, target: str, forwarded: bool, setting: Setting) -> str:
    """Whose address who answers sees."""
    if forwarded and source in CONTAINERS:
        return "gateway"
    if source == there or (source == HOST and forwarded):
        return target
    if source == HOST:
        return {"other": "other gateway", "outside": "uplink"}.get(there, "gateway")
    if source in CONTAINERS and there == "outside":
        return "uplink" if setting.translation == "masquerade" else "uplink, second"
    return source


def scenario(setting: Setting, path: Path) -> None:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 8192) if most > 0 else 8192, most))
    build(setting.bridged)
    nft(
        "-f",
        "-",
        text=f"table inet theirs {{\nchain prerouting {{ type nat hook prerouting priority -100; }}\n}}\n{SOMEBODYS}\n",
    )
    snat = [ADDRESSES[version]["uplink, second"] for version in (4, 6)] if setting.translation == "snat" else []
    engine.run((nat_want({**ENTRY, "isolate": setting.isolated, "snat_to": snat}),))
    services = Services()
    # The first packets of all are for finding neighbours.
    tried(services, [attempt for attempt in CELLS if attempt.what == "ping"])
    path.write_text(json.dumps(list(tried(services, CELLS).items())), encoding="utf-8")


def name_of(setting: Setting) -> str:
    isolated, translation, bridged = setting
    return f"{'isolated' if isolated else 'open'}-{translation}{'-bridged' if bridged else ''}"


def name_of_cell(attempt: Attempt) -> str:
    port = f" {attempt.port}" if attempt.port else ""
    return f"{attempt.source or 'host'} to {attempt.target}{port} by {attempt.what} over IPv{attempt.version}"


@pytest.mark.parametrize("setting", SETTINGS if "VNET_NATS" in os.environ else SHARE, ids=name_of)
def test_who_reaches_whom_and_as_whom(setting: Setting) -> None:
    with tempfile.NamedTemporaryFile() as file:
        on_a_new_host(scenario, setting, Path(file.name))
        found = {Attempt(*attempt): seen for attempt, seen in json.loads(Path(file.name).read_text(encoding="utf-8"))}
    assert set(found) == set(CELLS)
    wrong = [
        f"{name_of_cell(attempt)}: {found[attempt]!r} and not {expected(attempt, setting)!r}"
        for attempt in CELLS
        if found[attempt] != expected(attempt, setting)
    ]
    assert not wrong, f"{len(wrong)} of {len(CELLS)} cells\n" + "\n".join(wrong)
    tally(cells=len(CELLS))


class Flow:
    """A conversation from a namespace to an address, of which one end stays open here and the other there."""

    def __init__(self, kind: int, source: str, target: str) -> None:
        self.kind, stream = kind, kind == socket.SOCK_STREAM
        listening = opened(target, 4, kind)
        listening.bind(("0.0.0.0", 0))
        address = (ADDRESSES[4][target], listening.getsockname()[1])
        if stream:
            listening.listen(1)
        self.near, self.far = opened(source, 4, kind), listening
        for end in (self.near, self.far):
            end.settimeout(3)
        self.near.connect(address)
        self.near.send(b"?")
        if stream:
            self.far = listening.accept()[0]
            self.far.settimeout(3)
        self.seen = self.answered()

    def answered(self) -> str:
        """Who is seen to ask, once the question that was sent last is answered."""
        _question, peer = self.far.recvfrom(1)
        peer = peer or self.far.getpeername()
        self.far.sendto(b"!", peer) if self.kind == socket.SOCK_DGRAM else self.far.send(b"!")
        assert self.near.recv(1) == b"!"
        return NAMES[4][peer[0]]

    def goes_on(self) -> str:
        """The same for one more question; "" where none arrives, or no answer."""
        try:
            self.near.send(b"?")
            return self.answered()
        except OSError:
            return ""


KINDS = (socket.SOCK_STREAM, socket.SOCK_DGRAM)


def connections(tracked: bool) -> None:
    build(bridged_to_firewall=False)
    if tracked:
        nft("table inet theirs { chain c { type filter hook forward priority 5; ct state established accept; }; }")
    going = [Flow(kind, "c1", "outside") for kind in KINDS]
    coming = [Flow(kind, "outside", "c1") for kind in KINDS]
    assert [flow.seen for flow in going + coming] == ["c1", "c1", "outside", "outside"]
    engine.run((nat_want(ENTRY),))
    if tracked:
        assert [flow.goes_on() for flow in going + coming] == ["c1", "c1", "outside", "outside"]
    else:
        assert [flow.goes_on() for flow in coming] == ["", ""], "it is a new connection, and these are kept out"
        assert going[0].goes_on() == "", "a TCP connection from another address is unknown to the other end"
    assert [Flow(kind, "c1", "outside").seen for kind in KINDS] == ["uplink", "uplink"]
    for kind in KINDS:
        with pytest.raises(OSError, match="timed out"):
            Flow(kind, "outside", "c1")
    engine.run((nat_want({"name": "containers", "state": "absent"}),))


@pytest.mark.parametrize("tracked", [True, False], ids=["tracked-before", "tracked-from-then-on"])
def test_connections_that_the_kernel_knows_already_go_on_as_they_began(tracked: bool) -> None:
    on_a_new_host(connections, tracked)
