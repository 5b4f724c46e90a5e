# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Address translation on the real kernel, judged by nft: nothing of anybody else is touched, and nothing is left behind."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils import engine, programs
from ansible_collections.linuxnet.vnet.plugins.module_utils.apply import Failed
from ansible_collections.linuxnet.vnet.plugins.module_utils.desired import NatWant, nat_want
from ansible_collections.linuxnet.vnet.plugins.module_utils.errors import Refused, VnetError
from ansible_collections.linuxnet.vnet.plugins.module_utils.topology import topology_wants
from ansible_collections.linuxnet.vnet.tests.unit.kernel.test_faults import Fault
from ansible_collections.linuxnet.vnet.tests.unit.kernel.throwaway_kernel import (
    differences,
    dump,
    inside,
    ip,
    needs_root,
    on_a_new_host,
    operations_tried,
    tally,
)
from ansible_collections.linuxnet.vnet.tests.unit.nats import NAMES, Entry, accepted, options
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = needs_root

FOREIGN = """
table ip filter {
  counter hits { packets 7 bytes 77 }
  chain FORWARD { type filter hook forward priority 0; policy drop; counter packets 3 bytes 33 accept; }
  chain DOCKER-USER { counter packets 5 bytes 55 return; }
}
table ip nat {
  chain POSTROUTING { type nat hook postrouting priority 100; policy accept; ip saddr 172.17.0.0/16 masquerade; }
}
table inet vnetwork {
  chain c { type filter hook input priority 5; policy accept; tcp dport 1 counter drop; }
}
table ip vnet_web {
  chain c { ip saddr 1.2.3.4 counter accept; }
}
table inet vnet-web {
  set s { type ipv4_addr; elements = { 1.2.3.4 }; }
}
table bridge vnet_web {
  chain c { }
}
"""
"""What Docker and others have there, and names like ours in other families: none of it is ours."""

NETNS = "r"


def nft(*words: str, text: str = "", netns: str = "") -> str:
    with inside(netns):
        return subprocess.run(["nft", *words], input=text, stdout=subprocess.PIPE, text=True, check=True).stdout


def ruleset(netns: str = "") -> list[str]:
    """All rules with their handles and counters, as nft lists them."""
    listed = json.loads(nft("-j", "list", "ruleset", netns=netns))["nftables"]
    return [json.dumps(item, sort_keys=True) for item in listed]


def rules(netns: str = "") -> list[str]:
    """The same without handles, which grow with every table that ever was."""
    found = []
    for line in ruleset(netns):
        ((kind, body),) = json.loads(line).items()
        body.pop("handle", None)
        found.append(json.dumps({kind: body}, sort_keys=True))
    return sorted(found)


def history(events: list[tuple[str, str, Entry]]) -> None:
    """Tasks one after the other, each as a user would run it: check, run, run again; then all absent."""
    ip("", "netns", "add", NETNS)
    ip("", "netns", "add", "replayed")
    for netns in ("", NETNS):
        nft("-f", "-", text=FOREIGN, netns=netns)
    before = {netns: ruleset(netns) for netns in ("", NETNS)}
    tally(nats=len(events))
    for netns, name, entry in events:
        carry_out(nat_want({**entry, "name": name, "netns": netns}), before)
    for netns in ("", NETNS):
        for name in NAMES:
            engine.run((nat_want({"name": name, "netns": netns, "state": "absent"}),))
    assert {netns: ruleset(netns) for netns in ("", NETNS)} == before


def carry_out(want: NatWant, before: dict[str, list[str]]) -> None:
    start = ruleset(want.netns)
    try:
        promised = engine.run((want,), check=True)
    except Refused:
        with pytest.raises(VnetError):
            engine.run((want,))
        assert ruleset(want.netns) == start
        return
    assert ruleset(want.netns) == start, "a check run changed something"
    done = engine.run((want,))
    assert (done.operations, done.diff, done.changed) == (promised.operations, promised.diff, promised.changed)
    end = ruleset(want.netns)
    assert (end != start) == done.changed
    assert set(before[want.netns]) <= set(end), "something of somebody else changed"
    assert engine.run((want,)).operations == []
    assert ruleset(want.netns) == end
    tally(operations=len(done.operations))
    if done.changed:
        replayed(want, done.operations)


def replayed(want: NatWant, operations: list[str]) -> None:
    """The operations as a person would type them make the same table."""
    table = f"vnet_{want.name}"
    nft("-f", "-", text=f"add table inet {table}", netns="replayed")
    (operation,) = operations
    if "nft 'delete table" not in operation:
        nft("delete", "table", "inet", table, netns="replayed")
    line = operation.replace(f"ip netns exec {NETNS} ", "")
    with inside("replayed"):
        subprocess.run(["sh", "-c", line], check=True)
    listed = [nft("list", "table", "inet", table, netns=netns) for netns in ("replayed", want.netns)]
    assert sorted(listed[0].split()) == sorted(listed[1].split())
    nft("delete", "table", "inet", table, netns="replayed")


NATS = int(os.environ.get("VNET_NATS", "12"))
"""So many random address translations are tried."""

HISTORY = 4
"""So many of them one after the other on one host."""

EVENTS = st.tuples(st.sampled_from(["", NETNS]), st.sampled_from(NAMES), options())


@settings(max_examples=NATS // HISTORY)
@given(st.lists(EVENTS, min_size=HISTORY, max_size=HISTORY))
def test_any_history_holds_what_it_promises_and_leaves_the_rest_alone(events: list[tuple[str, str, Entry]]) -> None:
    for _netns, name, entry in events:
        accepted({**entry, "name": name})
    on_a_new_host(history, events)


TOPOLOGY: dict[str, Any] = {
    "name": "t",
    "namespaces": [{"name": "router"}],
    "bridges": [{"name": "br0", "mac": "02:00:00:00:00:01", "addresses": ["192.168.9.1/24"]}],
    "nats": [
        {"name": "one", "source": ["192.168.9.0/24"], "port_forwards": [{"port": 80, "to_address": "192.168.9.9"}]},
        {"name": "two", "netns": "router", "source": ["fd00::/64"], "isolate": False},
    ],
    "forwarding": [{"ipv4": True}, {"netns": "router", "ipv6": True}],
}
CHANGED: dict[str, Any] = {
    **TOPOLOGY,
    "nats": [{"name": "three", "source": ["10.0.0.0/8"]}, {**TOPOLOGY["nats"][1], "snat_to": ["fd01::1"]}],
}
GONE: dict[str, Any] = {"name": "t", "state": "absent"}


def run(entries: dict[str, Any], check: bool = False) -> engine.Result:
    topology, wants = topology_wants(entries)
    return engine.run(wants, check=check, topology=topology)


def everything() -> dict[str, Any]:
    found = dump()
    return {**found, "nft": {netns: rules(netns) for netns in found if not netns.startswith("/")}}


def every_fault(start: dict[str, Any], end: dict[str, Any]) -> None:
    nft("-f", "-", text=FOREIGN)
    run(start)
    before = everything()
    tried = operations_tried()
    promised = run(end, check=True)
    assert any("nft" in operation for operation in promised.operations)
    for number, operation in enumerate(promised.operations):
        fault = Fault(number)
        with pytest.raises(Failed, match="injected") as caught:
            run(end)
        fault.remove()
        assert caught.value.undone, caught.value
        assert differences(before, everything()) == [], f"not undone after {operation}"
    done = run(end)
    assert (done.operations, done.diff) == (promised.operations, promised.diff)
    assert run(end).operations == []
    tally(faults=len(promised.operations), **tried)


@pytest.mark.parametrize(
    ("start", "end"), [(GONE, TOPOLOGY), (TOPOLOGY, CHANGED), (CHANGED, GONE)], ids=["made", "changed", "removed"]
)
def test_a_fault_at_any_operation_of_a_topology_leaves_the_host_as_it_was(start: Entry, end: Entry) -> None:
    on_a_new_host(every_fault, start, end)


def hung() -> None:
    entry = {"name": "web", "source": ["192.168.9.0/24"]}
    engine.run((nat_want(entry),))
    before = rules()
    slow = Path("/run/slow/nft")
    slow.parent.mkdir()
    once = slow.with_name("once")
    slow.write_text(
        f'#!/bin/sh\n{shutil.which("nft")} "$@"\ncase "$*" in *-f*) mkdir {once} && exec sleep 60;; esac\nexit 0\n'
    )
    slow.chmod(0o755)
    os.environ["PATH"] = f"{slow.parent}:{os.environ['PATH']}"
    programs.SECONDS = 3.0
    with pytest.raises(
        Failed,
        match=r"nft did not end within 3 seconds, and was ended: call it .* waits for; the host is as it was before",
    ):
        engine.run((nat_want({**entry, "snat_to": ["10.1.1.1"]}),))
    assert once.exists()
    assert rules() == before


def test_an_nft_that_does_not_end_is_ended_and_what_it_did_is_undone() -> None:
    on_a_new_host(hung)


def drift(change: str) -> None:
    nft("-f", "-", text=FOREIGN)
    entry = {"name": "web", "source": ["192.168.9.0/24"], "port_forwards": [{"port": 80, "to_address": "192.168.9.9"}]}
    want = nat_want(entry)
    engine.run((want,))
    right = rules()
    nft(change)
    wrong = rules()
    fault = Fault(1)
    other = nat_want({**entry, "name": "zz"})
    with pytest.raises(Failed, match="injected") as caught:
        engine.run((want, other))
    fault.remove()
    assert caught.value.undone
    assert rules() == wrong, "not put back as somebody had made it"
    assert engine.run((want,)).changed
    assert rules() == right
    # Nor is it in the way of taking it away.
    nft(change)
    engine.run((want._replace(absent=True),))
    nft(
        "-f",
        "-",
        text="\n".join(f"delete table {name}" for name in ("ip vnet_web", "inet vnet-web", "bridge vnet_web")),
    )
    assert not any("vnet_web" in line for line in rules())


@pytest.mark.parametrize(
    "change",
    [
        "flush table inet vnet_web",
        "flush chain inet vnet_web port_forwards",
        "add table inet vnet_web { flags dormant; }",
        "add rule inet vnet_web forward counter accept",
        "insert rule inet vnet_web postrouting ip saddr 10.1.1.1 snat ip to 10.2.2.2-10.2.2.9",
        "add element inet vnet_web source4 { 10.7.7.0/24 }",
        "delete element inet vnet_web source4 { 192.168.9.0/24 }",
        "add chain inet vnet_web forward { policy drop; }",
        "add chain inet vnet_web more { type filter hook input priority 7; }",
        "add set inet vnet_web more { type ipv4_addr; }",
        "add rule inet vnet_web port_forwards tcp dport { 1, 2 } dnat ip to 10.1.1.1-10.1.1.5",
        "add rule inet vnet_web port_forwards meta nfproto ipv4 fib daddr type local udp dport 7 dnat ip to 10.1.1.1",
    ],
)
def test_what_somebody_did_to_the_table_is_mended_and_until_then_kept(change: str) -> None:
    on_a_new_host(drift, change)
