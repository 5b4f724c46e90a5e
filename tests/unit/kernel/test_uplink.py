# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An uplink that a bridge takes over and gives back, judged by iproute2 and by packets."""

from __future__ import annotations

import ctypes
import json
import os
import re
import select
import socket
import struct
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils import engine
from ansible_collections.linuxnet.vnet.plugins.module_utils.apply import Failed
from ansible_collections.linuxnet.vnet.plugins.module_utils.desired import link_want
from ansible_collections.linuxnet.vnet.plugins.module_utils.errors import Refused
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.bridge import BRIDGE
from ansible_collections.linuxnet.vnet.plugins.module_utils.topology import topology_wants
from ansible_collections.linuxnet.vnet.tests.unit.kernel.test_faults import Fault
from ansible_collections.linuxnet.vnet.tests.unit.kernel.throwaway_kernel import (
    differences,
    dump,
    needs_root,
    on_a_new_host,
    operations_tried,
    steady,
    tally,
)

if TYPE_CHECKING:
    from ansible_collections.linuxnet.vnet.plugins.module_utils.engine import Result

pytestmark = needs_root

ROUNDS = int(os.environ.get("VNET_UPLINK_ROUNDS", "3"))
"""How often the bridge takes over and gives back while data flows."""

OUTSIDE = """
link set lo up
netns add out
-n out link set lo up
link add eth0 mtu 1400 type veth peer name o0 mtu 1400 netns out
-n out address add 10.0.0.1/24 dev o0
-n out address add fd00::1/64 dev o0 nodad
-n out address add fe80::1/64 dev o0 nodad
-n out address add 198.51.100.1/32 dev lo
-n out link set o0 up
link set eth0 up
address add 10.0.0.5/24 broadcast 10.0.0.255 dev eth0
address add fd00::5/64 dev eth0 nodad
"""

EVERYTHING = """
address add 10.0.0.6/24 dev eth0
address add 10.0.0.7/24 label eth0:7 dev eth0
address add 10.1.0.5/24 dev eth0 metric 77
address add 10.2.0.5/24 dev eth0 valid_lft 3600 preferred_lft 1800
address add 2001:db8::5/64 dev eth0 nodad valid_lft 3000 preferred_lft 2000
address add 2001:db8:9::5/64 dev eth0 nodad noprefixroute
address add 10.3.0.5/24 dev eth0 noprefixroute
route add 10.3.0.0/24 dev eth0 proto kernel scope link src 10.3.0.5 metric 100
route add 10.93.0.0/16 via 10.3.0.1 proto static metric 100
-6 route add 2001:db8:9::/64 dev eth0 proto kernel metric 100
-6 route add default via fe80::1 dev eth0 proto ra metric 102
route add default via 10.0.0.1 metric 100 src 10.0.0.6 proto dhcp
route add default via 10.0.0.1 dev eth0 table 77
route add 10.77.0.0/16 dev eth0 table 77 scope link
route add 192.0.2.0/24 via 10.0.0.1 mtu 1300 advmss 1200
route add 10.99.0.1 dev eth0 scope link
route add 10.98.0.0/16 via 10.99.0.1 onlink dev eth0
route add 10.97.0.0/16 nexthop via 10.0.0.1 weight 2 nexthop via 10.1.0.1 weight 3
route add 10.96.0.0/16 via inet6 fe80::1 dev eth0 mtu lock 1300 rto_min 50ms congctl reno
route add 10.95.0.0/16 nexthop via inet6 fd00::1 dev eth0 nexthop via 10.1.0.1
route add 10.94.0.0/16 dev eth0 scope global
-6 route add default via fe80::1 dev eth0 metric 2000
-6 route add 2001:db8:7::/48 via fd00::1 table 77
nexthop add id 9 via 10.0.0.1 dev eth0
nexthop add id 10 via fd00::1 dev eth0
nexthop add id 11 group 9
route add 203.0.113.0/24 nhid 9
route add 203.0.112.0/24 nhid 11
-6 route add 2001:db8:5::/48 nhid 10
neighbour add 10.0.0.99 lladdr 02:00:00:00:00:99 dev eth0 nud permanent
neighbour add fd00::99 lladdr 02:00:00:00:00:99 dev eth0 nud permanent
neighbour add proxy 10.0.0.98 dev eth0
"""

LEARNED = "-6 route add default via fe80::1 dev eth0 proto ra metric 1024 expires 600 pref high"


def ips(lines: str) -> None:
    for line in filter(None, lines.splitlines()):
        subprocess.run(["ip", *line.split()], check=True)


def asked(*words: str) -> Any:
    done = subprocess.run(["ip", "-j", *words], check=True, capture_output=True)
    return json.loads(done.stdout or b"[]")


def on(device: str) -> dict[str, Any]:
    """All that a device has and that has to move, by `ip -j`, with its name left out: it is another one's afterwards."""
    addresses = [info for info in asked("address", "show", "dev", device)[0]["addr_info"] if info["scope"] != "link"]
    routes = [
        {**route, "family": family}
        for family in "46"
        for route in asked(f"-{family}", "route", "show", "table", "all")
        if device in json.dumps(route)
        and route.get("type") not in ("local", "broadcast", "anycast", "multicast")
        and not str(route["dst"]).startswith(("fe80:", "ff00:"))
    ]
    neighbors = [entry for words in ("nud permanent", "proxy") for entry in asked("neighbour", "show", *words.split())]
    found = {
        "addresses": addresses,
        "routes": routes,
        "neighbors": [entry for entry in neighbors if entry["dev"] == device],
        "nexthops": [entry for entry in asked("nexthop") if entry.get("dev") == device],
    }
    return {
        name: sorted(
            re.sub(rf"\b{device}\b", "DEVICE", json.dumps(lasting(entry, name), sort_keys=True)) for entry in entries
        )
        for name, entries in found.items()
    }


def lasting(entry: Any, kind: str) -> Any:
    """Without what only the kernel sets, and without what goes with time."""
    kept = {key: value for key, value in entry.items() if key not in ("expires", "cache", "id" if kind == "x" else "")}
    if kind == "addresses":
        kept = steady(entry)
    kept.pop("flags", None)
    return kept


def bridge(**options: Any) -> Result:
    return engine.run((link_want(BRIDGE, {"name": "br0", **options}),))


def take(**options: Any) -> Result:
    return bridge(uplink="eth0", **options)


# -- what passes -------------------------------------------------------------------------------------------------------


def all_of_it() -> None:
    ips(OUTSIDE + EVERYTHING)
    before = on("eth0")
    check = engine.run((link_want(BRIDGE, {"name": "br0", "uplink": "eth0"}),), check=True)
    done = take()
    assert check.operations == done.operations
    assert differences(before, on("br0")) == []
    assert not any(on("eth0").values())
    assert asked("link", "show", "br0")[0]["address"] == asked("link", "show", "eth0")[0]["address"]
    assert asked("link", "show", "br0")[0]["mtu"] == 1400
    assert take().operations == []
    bridge(state="absent")
    assert differences(before, on("eth0")) == []
    assert bridge(state="absent").operations == []
    assert not os.listdir("/run/vnet/uplinks")


def test_all_passes_to_the_bridge_and_back() -> None:
    on_a_new_host(all_of_it)


TO_ONE_DESTINATION = """
address add 10.1.0.5/24 dev eth0
route add 10.9.0.0/16 via 10.0.0.9
route append 10.9.0.0/16 via 10.0.0.8
route append 10.9.0.0/16 via 10.1.0.8 src 10.1.0.5
-6 route add 2001:db8:9::/64 via fd00::9
-6 route append 2001:db8:9::/64 dev eth0
-6 route add default via fd00::8
-6 route append default via fd00::9
"""


def to_one_destination(flushed: str, own: str) -> None:
    ips(OUTSIDE + TO_ONE_DESTINATION)
    before, gateways = on("eth0"), by_gateway()
    if own:
        ips(f"link add br0 type bridge\nlink set br0 up\naddress add 10.4.0.1/24 dev br0\nroute append {own}")
    with_own = by_gateway()
    faults({"uplink": "eth0"})
    assert sorted(by_gateway()) == sorted(with_own)
    assert own or by_gateway()[0] == gateways[0]
    assert own or differences(before, on("br0")) == []
    assert not any(on("eth0").values())
    assert take().operations == []
    if flushed:
        ips(f"address delete {flushed} dev br0")
    faults({"state": "absent"})
    assert sorted(by_gateway()) == sorted(gateways)
    assert own or by_gateway()[0] == gateways[0]
    assert flushed or own or differences(before, on("eth0")) == []


def by_gateway() -> list[str]:
    return [route["gateway"] for route in asked("-4", "route", "show", "10.9.0.0/16")]


def faults(options: dict[str, Any], every: int = 1) -> None:
    """Do it, after it has failed at each operation, or at one of `every` so many, and was undone."""
    wants = (link_want(BRIDGE, {"name": "br0", **options}),)
    before, host = {device: on(device) for device in ("eth0", "br0") if exists(device)}, dump()
    operations = engine.run(wants, check=True).operations
    for number in range(0, len(operations), every):
        fault = Fault(number)
        with pytest.raises(Failed, match="injected") as caught:
            engine.run(wants)
        fault.remove()
        assert caught.value.undone, caught.value
        found = {device: on(device) for device in before}
        assert differences(before, found) == [], f"not undone after {operations[number]}"
        assert differences(host, dump()) == [], f"not undone after {operations[number]}"
        tally(faults=1)
    engine.run(wants)


@pytest.mark.parametrize("flushed", ["", "10.0.0.5/24"], ids=["as it was", "flushed"])
@pytest.mark.parametrize("own", ["", "10.9.0.0/16 via 10.4.0.9 dev br0"], ids=["alone", "beside one"])
def test_routes_that_differ_in_nothing_but_where_they_lead_pass(flushed: str, own: str) -> None:
    on_a_new_host(to_one_destination, flushed, own)


def learned() -> None:
    ips(OUTSIDE + LEARNED)
    with open("/proc/sys/net/ipv6/conf/eth0/accept_ra", "w", encoding="ascii") as file:
        file.write("2\n")
    take()
    (route,) = asked("-6", "route", "show", "default")
    assert (route["dev"], route["metric"], route["protocol"], route["pref"]) == ("br0", 1025, "ra", "high")
    assert 590 <= route["expires"] <= 600
    with open("/proc/sys/net/ipv6/conf/br0/accept_ra", encoding="ascii") as file:
        assert file.read() == "2\n"
    assert take().operations == []
    bridge(state="absent")
    (route,) = asked("-6", "route", "show", "default")
    assert (route["dev"], route["metric"], route["protocol"], route["pref"]) == ("eth0", 1025, "ra", "high")
    assert 580 <= route["expires"] <= 600


def test_a_learned_route_is_copied_with_a_worse_metric_and_its_expiry() -> None:
    on_a_new_host(learned)


def unlearned() -> None:
    ips(OUTSIDE)
    with open("/proc/sys/net/ipv6/conf/eth0/accept_ra", "w", encoding="ascii") as file:
        file.write("0\n")
    words = take().operations
    silent = "sysctl -w net.ipv6.conf.br0.accept_ra=0"
    assert words.index(silent) < words.index("ip link set dev eth0 master br0"), "nothing is heard in between"
    with open("/proc/sys/net/ipv6/conf/br0/accept_ra", encoding="ascii") as file:
        assert file.read() == "0\n"
    assert take().operations == []


def test_who_does_not_listen_to_routers_does_not_begin_to_on_the_bridge() -> None:
    on_a_new_host(unlearned)


def by_a_topology(accept_ra: str, routes: str) -> None:
    ips(OUTSIDE + routes)
    with open("/proc/sys/net/ipv6/conf/eth0/accept_ra", "w", encoding="ascii") as file:
        file.write(f"{accept_ra}\n")
    entries = {"name": "lab", "bridges": [{"name": "br0", "uplink": "eth0"}]}
    for options in (entries, {"name": "lab", "state": "absent"}):
        topology, wants = topology_wants(options)
        done = engine.run(wants, topology=topology)
        assert [
            words for words in done.operations if words.endswith(f".br0.accept_ra={accept_ra}")
        ] or options != entries
        assert engine.run(wants, topology=topology).operations == []
    with open("/proc/sys/net/ipv6/conf/eth0/accept_ra", encoding="ascii") as file:
        assert file.read() == f"{accept_ra}\n"
    assert not list(Path("/run/vnet").glob("topologies/*"))


@pytest.mark.parametrize(("accept_ra", "routes"), [("0", ""), ("2", LEARNED)], ids=["takes none", "takes them"])
def test_what_passes_to_the_bridge_of_a_topology_is_not_its_own(accept_ra: str, routes: str) -> None:
    on_a_new_host(by_a_topology, accept_ra, routes)


def every_fault() -> None:
    ips(OUTSIDE + EVERYTHING + LEARNED)
    tried = operations_tried()
    for options in ({"uplink": "eth0"}, {"state": "absent"}):
        faults(options, 1 if ROUNDS >= 20 else 4)
    tally(**tried)


def exists(device: str) -> bool:
    return os.path.isdir(f"/sys/class/net/{device}")


def test_a_fault_at_any_operation_leaves_the_uplink_as_it_was() -> None:
    on_a_new_host(every_fault)


# -- packets -----------------------------------------------------------------------------------------------------------


class Transfer:
    """A TCP connection over the uplink on which each block is sent back; `gap` is the longest time without one, in seconds."""

    BLOCK = 4096

    def __init__(self, far: str, near: str) -> None:
        self.server = subprocess.Popen(
            ["ip", "netns", "exec", "out", "python3", "-c", ECHO, far], stdout=subprocess.PIPE
        )
        assert self.server.stdout
        self.server.stdout.readline()
        self.socket = socket.create_connection((far, 5001), 5, (near, 0))
        self.gap, self.last, self.sent, self.back = 0.0, time.monotonic(), b"", 0

    def run(self, seconds: float) -> None:
        """Send and receive so long. Raises where the connection breaks, and where another byte comes than was sent."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if len(self.sent) < 4 * self.BLOCK:
                block = os.urandom(self.BLOCK)
                self.socket.sendall(block)
                self.sent += block
            self.receive(0.01)

    def receive(self, seconds: float) -> None:
        if select.select([self.socket], [], [], seconds)[0]:
            data = self.socket.recv(1 << 16)
            assert data, "the connection was closed"
            assert self.sent.startswith(data), "other bytes came back than were sent"
            self.sent, self.back = self.sent[len(data) :], self.back + len(data)
            self.gap, self.last = max(self.gap, time.monotonic() - self.last), time.monotonic()

    def close(self) -> None:
        """All that was sent has to come back."""
        deadline = time.monotonic() + 10
        while self.sent and time.monotonic() < deadline:
            self.receive(0.1)
        assert not self.sent, "bytes were lost"
        self.socket.close()
        self.server.wait(5)


ECHO = """
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
listening = socket.create_server((sys.argv[1], 5001), family=family)
print("ready", flush=True)
connection, _ = listening.accept()
while True:
    data = connection.recv(1 << 16)
    if not data:
        break
    connection.sendall(data)
"""


def transfer(report: str) -> None:
    ips(OUTSIDE + "route add default via 10.0.0.1 src 10.0.0.5")
    connections = [Transfer("198.51.100.1", "10.0.0.5"), Transfer("fd00::1", "fd00::5")]
    gaps: list[list[int]] = [[], []]
    for number in range(ROUNDS * 2):
        # The change runs beside the transfer, as it would beside Ansible's own connection.
        child = os.fork()
        if child == 0:
            status = 1
            try:
                take() if number % 2 == 0 else bridge(state="absent")
                status = 0
            finally:
                os._exit(status)
        # Till it has ended and for a while after: nobody but the network shall make a gap.
        ended, turns = False, 20
        while turns:
            for connection in connections:
                connection.run(0.01)
            if ended:
                turns -= 1
            else:
                process, code = os.waitpid(child, os.WNOHANG)
                ended = process == child
        assert code == 0
        for connection, found in zip(connections, gaps):
            found.append(round(connection.gap * 1000))
            connection.gap = 0.0
    for connection in connections:
        connection.close()
        assert connection.back > 0
    with open(report, "w", encoding="ascii") as file:
        json.dump(
            {
                "rounds": ROUNDS,
                "gaps_ms": gaps,
                "longest_gap_ms": list(map(max, gaps)),
                "bytes": [it.back for it in connections],
            },
            file,
        )


def test_data_flows_while_the_bridge_takes_over_and_gives_back(
    tmp_path: Any, record_property: Any, capsys: Any
) -> None:
    """Nothing is lost and nothing is reset; the longest gap is reported."""
    report = tmp_path / "transfer.json"
    on_a_new_host(transfer, str(report))
    found = json.loads(report.read_text())
    record_property("uplink", found)
    tally(handovers=2 * ROUNDS, bytes=sum(found["bytes"]), longest_gap_ms=max(found["longest_gap_ms"]))
    with capsys.disabled():
        print(f"\nuplink: {found}")
    # How long the gap is depends on who else has the processor: it is reported, and not judged.
    assert all(found["bytes"])


# -- other tasks beside ------------------------------------------------------------------------------------------------


def own_addresses() -> None:
    """`addresses` is the whole truth: what the uplink had besides gives way, and comes back."""
    ips(OUTSIDE + "address add 10.0.0.6/24 dev eth0\nroute add default via 10.0.0.1 src 10.0.0.5")
    before = on("eth0")
    take(addresses=["10.0.0.6/24", "10.5.0.1/24"])
    assert locals_of("br0") == {"10.0.0.6", "10.5.0.1"}
    assert take(addresses=["10.0.0.6/24", "10.5.0.1/24"]).operations == []
    assert take().operations == []
    bridge(state="absent")
    # The second address of the subnet may have become the first one.
    assert on("eth0")["addresses"].__len__() == len(before["addresses"])
    assert list(asked("route", "show", "default")) != []


def test_what_addresses_displaces_comes_back() -> None:
    on_a_new_host(own_addresses)


def flushed() -> None:
    """Somebody takes the addresses off the bridge: what is left goes back all the same, and what is not is named."""
    ips(OUTSIDE + "address add 10.1.0.5/24 dev eth0\nroute add default via 10.0.0.1\n-6 route add default via fd00::1")
    ips("route add 10.97.0.0/16 nexthop via 10.0.0.1 dev eth0 weight 2 nexthop via 10.1.0.1 dev eth0 weight 3")
    take()
    ips("-6 address flush dev br0 scope global\naddress delete 10.0.0.5/24 dev br0")
    wants = (link_want(BRIDGE, {"name": "br0", "state": "absent"}),)
    left = [operation for operation in engine.run(wants, check=True).operations if "replace" in operation]
    assert len(left) == 3
    for number in range(len(engine.run(wants, check=True).operations)):
        fault = Fault(number)
        with pytest.raises(Failed, match="injected") as caught:
            engine.run(wants)
        fault.remove()
        assert caught.value.undone, caught.value
        assert default_routes() == [("10.0.0.1", "br0"), ("fd00::1", "br0")]
    done = bridge(state="absent")
    assert default_routes() == [("10.0.0.1", "eth0"), ("fd00::1", "eth0")]
    (several,) = asked("route", "show", "10.97.0.0/16")
    assert {(hop["gateway"], hop["dev"]) for hop in several["nexthops"]} == {("10.0.0.1", "eth0"), ("10.1.0.1", "eth0")}
    assert [warning for warning in done.warnings if "does not get back 10.0.0.5/24, fd00::5/64" in warning]
    ips("address add 10.0.0.5/24 dev eth0\naddress add fd00::5/64 dev eth0 nodad")
    for address in ("10.0.0.1", "fd00::1"):
        subprocess.run(["ping", "-n", "-c", "1", "-W", "5", address], check=True, stdout=subprocess.DEVNULL)


def default_routes() -> list[tuple[str, str]]:
    return [
        (route["gateway"], route["dev"]) for family in "46" for route in asked(f"-{family}", "route", "show", "default")
    ]


def test_what_is_left_of_flushed_addresses_goes_back() -> None:
    on_a_new_host(flushed)


def deleted_bridge(again: bool) -> None:
    """Somebody deletes the bridge, and the kernel forgets with it what it had: nothing can give that back, so it is told."""
    ips(OUTSIDE)
    take()
    ips("link delete br0")
    done = bridge(uplink="eth0") if again else bridge(state="absent")
    to = "br0 by 'addresses'" if again else "eth0 by vnet_link"
    said = [warning for warning in done.warnings if "eth0 does not get back 10.0.0.5/24, fd00::5/64" in warning]
    assert said
    assert "somebody deleted br0" in said[0]
    assert said[0].endswith(f"give it to {to}")


@pytest.mark.parametrize("again", [False, True])
def test_what_was_lost_with_a_bridge_is_told(again: bool) -> None:
    on_a_new_host(deleted_bridge, again)


def given_again() -> None:
    """An address that came from the uplink goes back there, though somebody took it off and a task with `addresses` gave it again."""
    ips(OUTSIDE)
    before = locals_of("eth0")
    wanted = ["10.0.0.5/24", "10.5.0.1/24", "fd00::5/64"]
    take(addresses=wanted)
    ips("address flush dev br0 scope global")
    assert take(addresses=wanted).operations
    assert take(addresses=wanted).operations == []
    done = bridge(state="absent")
    assert done.warnings == []
    assert locals_of("eth0") == before == {"10.0.0.5", "fd00::5"}
    # What a task with `addresses` takes off is not lost either; nor is it where the task that removes the bridge has them as well.
    take()
    take(addresses=["10.0.0.9/24"])
    bridge(state="absent", uplink="eth0", addresses=["10.0.0.9/24"])
    assert locals_of("eth0") == before


def locals_of(device: str) -> set[str]:
    return {
        info["local"] for info in asked("address", "show", "dev", device)[0]["addr_info"] if info["scope"] != "link"
    }


def test_an_address_that_was_given_again_goes_back() -> None:
    on_a_new_host(given_again)


def kept_address() -> None:
    """An address that the bridge is to keep stays with it, and the others go back."""
    ips(OUTSIDE + "address add 10.3.0.5/24 dev eth0")
    take()
    bridge(uplink="", addresses=["10.3.0.5/24"])
    assert {info["local"] for info in asked("-4", "address", "show", "dev", "br0")[0]["addr_info"]} == {"10.3.0.5"}
    assert {info["local"] for info in asked("-4", "address", "show", "dev", "eth0")[0]["addr_info"]} == {"10.0.0.5"}
    assert bridge(uplink="", addresses=["10.3.0.5/24"]).operations == []


def test_an_address_that_the_bridge_keeps_does_not_go_back() -> None:
    on_a_new_host(kept_address)


def beside_other_ports() -> None:
    ips(OUTSIDE + "link add v1 type veth peer name v2\nlink add v3 type veth peer name v4")
    before = on("eth0")
    take(ports=["v1"], stp=True, forward_delay=4)
    assert ports() == {"eth0", "v1"}
    assert all(
        entry["linkinfo"]["info_slave_data"]["state"] != "listening" for entry in asked("-d", "link", "show", "eth0")
    )
    bridge(ports=["v3"])
    assert ports() == {"eth0", "v3"}
    assert bridge(uplink="eth0", ports=["eth0", "v3"]).operations == []
    with pytest.raises(Refused, match="has eth0 as its uplink"):
        bridge(uplink="v2")
    bridge(uplink="")
    assert ports() == {"v3"}
    assert differences(before, on("eth0")) == []
    assert bridge(uplink="").operations == []


def ports() -> set[str]:
    return {link["ifname"] for link in asked("link", "show", "master", "br0")}


def test_other_ports_come_and_go_without_the_uplink() -> None:
    on_a_new_host(beside_other_ports)


def drift() -> None:
    ips(OUTSIDE)
    before = on("eth0")
    take()
    ips("address add 10.0.0.5/24 dev eth0\naddress add 10.3.0.5/24 dev eth0\nlink set br0 mtu 1300")
    take()
    assert not any(on("eth0").values())
    assert {info["local"] for info in asked("-4", "address", "show", "dev", "br0")[0]["addr_info"]} == {
        "10.0.0.5",
        "10.3.0.5",
    }
    assert asked("link", "show", "br0")[0]["mtu"] == 1400
    ips("link set eth0 nomaster")
    take()
    assert ports() == {"eth0"}
    ips("address delete 10.3.0.5/24 dev br0")
    bridge(state="absent")
    assert differences(before, on("eth0")) == []


def test_what_comes_back_to_the_uplink_is_taken_again() -> None:
    on_a_new_host(drift)


def topology() -> None:
    ips(OUTSIDE + EVERYTHING)
    before = on("eth0")
    entries = {
        "name": "lab",
        "bridges": [{"name": "br0", "uplink": "eth0"}],
        "veths": [{"name": "v1", "master": "br0"}],
    }
    entries["veths"][0]["peer"] = {"name": "v2"}  # type: ignore[index]
    for asked_for in (entries, {"name": "lab"}, entries, {"name": "lab", "state": "absent"}):
        owner, wants = topology_wants(asked_for)
        check = engine.run(wants, check=True, topology=owner)
        assert engine.run(wants, topology=owner).operations == check.operations
        assert engine.run(wants, topology=owner).operations == []
        assert differences(before, on("br0" if "bridges" in asked_for else "eth0")) == []
    assert not exists("br0")


def test_a_topology_gives_the_uplink_back_when_its_bridge_goes() -> None:
    on_a_new_host(topology)


# -- what can't pass ---------------------------------------------------------------------------------------------------


def refused() -> None:
    ips(OUTSIDE)
    before = dump()
    for prepare, cleanup, why in (
        ("link add mv0 link eth0 type macvlan", "link delete mv0", "the macvlan device mv0 is on it"),
        ("link add b1 type bridge\nlink set eth0 master b1", "link delete b1", ""),
    ):
        ips(prepare)
        if why:
            with pytest.raises(Refused, match=why):
                take()
        ips(cleanup)
        assert differences(before, dump()) == []
    with pytest.raises(Refused, match="loopback"):
        bridge(uplink="lo")


def test_what_can_not_pass_is_refused_beforehand() -> None:
    on_a_new_host(refused)


def attach_xdp(device: str) -> None:
    """Put a program on a device that lets all pass: by bpf(2) and rtnetlink, as not every `ip` is built to load one."""
    code = ctypes.create_string_buffer(struct.pack("=BBhiBBhi", 0xB7, 0, 0, 2, 0x95, 0, 0, 0))  # return XDP_PASS
    terms = ctypes.create_string_buffer(b"GPL")
    load = struct.pack("=IIQQ", 6, 2, ctypes.addressof(code), ctypes.addressof(terms)).ljust(128, b"\0")
    number = {"x86_64": 321, "aarch64": 280}[os.uname().machine]
    program = ctypes.CDLL(None, use_errno=True).syscall(number, 5, load, len(load))
    assert program >= 0, os.strerror(ctypes.get_errno())
    nested = struct.pack("=HHiHHI", 8, 1, program, 8, 3, 2)  # its descriptor, and XDP_FLAGS_SKB_MODE
    body = struct.pack("=BxHiII", 0, 0, socket.if_nametoindex(device), 0, 0)
    body += struct.pack("=HH", 4 + len(nested), 0x8000 | 43) + nested
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as netlink:
        netlink.send(struct.pack("=IHHII", 16 + len(body), 19, 5, 1, 0) + body)  # RTM_SETLINK, to be answered
        (error,) = struct.unpack_from("=i", netlink.recv(4096), 16)
    os.close(program)
    assert error == 0, os.strerror(-error)


def named() -> None:
    ips(OUTSIDE + "rule add iif eth0 lookup 77 priority 500")
    table = 'table inet foreign { chain c { type filter hook input priority 0; iifname "eth0" tcp dport 9 drop; }; }'
    subprocess.run(["nft", "-f", "-"], input=table.encode(), check=True)
    with open("/proc/sys/net/ipv4/conf/eth0/proxy_arp", "w", encoding="ascii") as file:
        file.write("1\n")
    for discipline in ("root tbf rate 1gbit burst 1mb latency 1ms", "ingress"):
        subprocess.run(["tc", "qdisc", "add", "dev", "eth0", *discipline.split()], check=True)
    attach_xdp("eth0")
    (warning,) = take().warnings
    for what in (
        "the rule of priority 500 (iif)",
        "the nft chain inet foreign c",
        "net.ipv4.conf.eth0.proxy_arp=1",
        "the queueing discipline tbf",
        "the queueing discipline ingress",
        "an XDP program",
    ):
        assert what in warning, warning
    assert take().warnings == []


def test_what_names_the_uplink_is_told() -> None:
    on_a_new_host(named)
