# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random topologies on the real kernel: from any one to any other in one run, and back to the host as it was."""

from __future__ import annotations

import time
from typing import Any

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils import engine
from ansible_collections.linuxnet.vnet.plugins.module_utils.errors import VnetError
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds import LINK_KINDS
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.bridge import BRIDGE
from ansible_collections.linuxnet.vnet.plugins.module_utils.topology import PARSERS
from ansible_collections.linuxnet.vnet.tests.unit.kernel.test_topology import everything, run
from ansible_collections.linuxnet.vnet.tests.unit.kernel.throwaway_kernel import (
    bridges_filter_vlans,
    differences,
    ip,
    kinds_here,
    needs_root,
    on_a_new_host,
    own_device_files,
    tally,
)
from ansible_collections.linuxnet.vnet.tests.unit.strategies import examples
from ansible_collections.linuxnet.vnet.tests.unit.topologies import NAME, NICS, Entries, topologies
from hypothesis import given
from hypothesis import strategies as st

pytestmark = needs_root

GONE: Entries = {"name": NAME, "state": "absent"}


def attempt(entries: Entries, check: bool = False) -> tuple[engine.Result | None, str]:
    """What a run returned, or else what it said."""
    try:
        return run(entries, check=check), ""
    except VnetError as exc:
        return None, str(exc)


def carry_out(entries: Entries) -> None:
    """One task as a user would run it: check, run, and run again, judged by the kernel's own tools."""
    before = everything()
    promised, refusal = attempt(entries, check=True)
    assert differences(before, everything()) == [], f"a check run changed something: {refusal}"
    done, failure = attempt(entries)
    sizes = {plural: len(value) for plural, value in entries.items() if plural in PARSERS}
    if promised is None or done is None:
        assert done is None, f"refused in check mode only: {refusal}"
        assert "this is left to do by hand" not in failure
        assert "did not keep" not in failure, failure
        assert differences(before, everything()) == [], f"what was undone is not as before: {failure}"
        tally(refused=1, **{f"({failure})": 1})
        return
    assert (done.operations, done.diff, done.changed) == (promised.operations, promised.diff, promised.changed)
    after = everything()
    assert (after != before) == done.changed, done.operations
    assert changed_by_one_more(entries, after) == []
    tally(topologies=1, operations=len(done.operations), entries=sum(sizes.values()), **sizes)


def changed_by_one_more(entries: Entries, after: dict[str, Any]) -> list[str]:
    """How the host differs after one more run, which finds nothing to do.

    What was in a deleted namespace goes when the kernel finds time, and with a macvlan device what it had set on its parent.
    """
    for _attempt in range(50):
        assert run(entries).operations == []
        before, after = after, everything()
        found = differences(before, after)
        if not found:
            break
        time.sleep(0.1)
    return found


def from_one_to_the_next(*chain: Entries) -> None:
    vlans = bridges_filter_vlans()
    own_device_files()
    ip("", "netns", "add", "theirs")
    for name in NICS:
        ip("", "link", "add", name, "type", "veth", "peer", "name", f"{name}-far")
        ip("", "link", "set", f"{name}-far", "up")
    # What it is given back, a device that was moved had lost in moving; the namespace `a` comes back without it.
    run({"name": NAME, "namespaces": [{"name": "a"}], "links": [{"name": x, "netns": y} for x, y in NICS.items()]})
    run(GONE)
    before = everything()
    for entries in chain:
        carry_out(entries if vlans else without_vlans(entries))
    run(GONE)
    assert differences(before, everything()) == []
    assert run(GONE).operations == []


def one_by_one(*chain: Entries) -> None:
    ip("", "netns", "add", "theirs")
    for entries in chain:
        carry_out(entries)


def without_vlans(entries: Entries) -> Entries:
    bridges = [
        {name: value for name, value in bridge.items() if not name.startswith(("vlan_", "mst_"))}
        for bridge in entries.get(BRIDGE.plural, ())
    ]
    return {**entries, BRIDGE.plural: bridges}


def without_a_refusal(*chain: Entries) -> None:
    from_one_to_the_next(*chain)
    for entries in chain:
        run(entries)


BRIDGE0 = {"bridges": [{"name": "br0", "netns": "theirs"}]}
FOUND: dict[str, list[Entries]] = {
    "a route in somebody else's namespace goes": [
        {"routes": [{"netns": "theirs", "destination": "10.9.0.0/16", "type": "blackhole", "table": 7}]},
    ],
    "forwarding in somebody else's namespace goes back": [{"forwarding": [{"netns": "theirs", "ipv4": True}]}],
    "a tun that was a tap has no MAC and is no port": [
        {**BRIDGE0, "tuntaps": [{"name": "tt", "netns": "theirs", "mode": "tap", "master": "br0"}]},
        {"tuntaps": [{"name": "tt", "netns": "theirs", "mode": "tun", "recreate": True}]},
    ],
    "a VLAN device that is down keeps its addresses when its parent comes up": [
        {
            "dummies": [{"name": "d0"}],
            "vlans": [{"name": "v0", "parent": "d0", "vid": 4, "admin_state": "down", "addresses": ["2001:db8::1/64"]}],
        },
    ],
    "a route that led nowhere is given a way": [
        {"routes": [{"netns": "theirs", "destination": "10.9.0.0/16", "type": "blackhole"}]},
        {
            "veths": [{"name": "v0", "netns": "theirs", "addresses": ["10.0.0.1/24"], "peer": {"name": "p0"}}],
            "routes": [{"netns": "theirs", "destination": "10.9.0.0/16", "gateway": "10.0.0.99", "device": "v0"}],
        },
    ],
    "sysctls of a device that is made anew are not remembered": [
        {"tuntaps": [{"name": "tt", "mode": "tun"}]},
        {"tuntaps": [{"name": "tt", "mode": "tun", "multi_queue": True, "recreate": True}]},
    ],
    "the parent of a macvlan keeps its MAC when that comes to have the same": [
        {
            "veths": [{"name": "v0", "mac": "02:00:00:00:00:5b", "peer": {"name": "p0"}}],
            "macvlans": [{"name": "mv", "parent": "v0", "mode": "private"}],
        },
        {
            "veths": [
                {
                    "name": "v0",
                    "mac": "02:00:00:00:00:5b",
                    "num_tx_queues": 2,
                    "recreate": True,
                    "peer": {"name": "p0"},
                },
            ],
            "macvlans": [{"name": "mv", "parent": "v0", "mode": "passthru", "recreate": True}],
        },
    ],
    "a macvlan leaves its MAC to the parent that it leaves": [
        {
            "veths": [{"name": "v0", "peer": {"name": "v1"}}],
            "macvlans": [{"name": "mv", "parent": "v0", "mode": "passthru"}],
        },
        {
            "veths": [{"name": "v0", "peer": {"name": "v1", "mac": "02:00:00:00:00:c2"}}],
            "macvlans": [{"name": "mv", "parent": "v1", "mode": "passthru", "recreate": True}],
        },
        {
            "veths": [{"name": "v0", "peer": {"name": "v1", "mac": "02:00:00:00:00:c2"}}],
            "macvlans": [{"name": "mv", "parent": "v1", "mode": "bridge", "recreate": True}],
        },
    ],
    "a bridge keeps the MTU that it is given when a port gets a smaller one": [
        {"veths": [{"name": "v0", "master": "br0", "peer": {"name": "p0"}}], "bridges": [{"name": "br0"}]},
        {
            "veths": [{"name": "v0", "master": "br0", "mtu": 1280, "peer": {"name": "p0"}}],
            "bridges": [{"name": "br0", "mtu": 1500}],
        },
    ],
    "a macvtap made anew has its file, told so again or not": [
        {
            "veths": [{"name": "v0", "netns": "theirs", "peer": {"name": "p0"}}],
            "bridges": [{"name": "br0", "netns": "theirs"}],
            "macvlans": [{"name": "mv", "netns": "theirs", "tap": True, "parent": "v0"}],
        },
        {
            "bridges": [{"name": "br0", "netns": "theirs"}],
            "macvlans": [{"name": "mv", "netns": "theirs", "parent": "br0", "recreate": True}],
        },
    ],
    "a device made anew stands on one of the host, not on its namesake beside it": [
        {
            "namespaces": [{"name": "b"}],
            "veths": [
                {"name": "v0", "netns": "b", "peer": {"name": "p0"}},
                {"name": "v1", "netns": "theirs", "peer": {"name": "p1"}},
            ],
            "macvlans": [{"name": "mv", "netns": "theirs", "parent": "v0", "link_netns": "b"}],
        },
        {
            "veths": [{"name": "v1", "peer": {"name": "p1"}}],
            "macvlans": [{"name": "mv", "netns": "theirs", "parent": "v1", "link_netns": "", "recreate": True}],
        },
    ],
}


@pytest.mark.parametrize("chain", FOUND.values(), ids=FOUND)
def test_what_random_topologies_found_once(chain: list[Entries]) -> None:
    missing = [
        kind.name for kind in LINK_KINDS if kind not in kinds_here() and any(kind.plural in step for step in chain)
    ]
    if missing:
        pytest.skip(f"the running kernel has no {', '.join(missing)} devices")
    on_a_new_host(without_a_refusal, *({"name": NAME, **entries} for entries in chain))


def test_what_a_kernel_without_vlans_changes_before_it_refuses_is_undone() -> None:
    bridge = {"name": "br0", "netns": "theirs"}
    chain = [bridge, {**bridge, "ageing_time": 2.5, "mst_enabled": True}]
    on_a_new_host(one_by_one, *({"name": NAME, "bridges": [entry]} for entry in chain))


@examples(12)
@given(st.lists(st.deferred(lambda: topologies(kinds_here())), min_size=1, max_size=3))
def test_any_topology_becomes_any_other_and_leaves_nothing(chain: list[Entries]) -> None:
    on_a_new_host(from_one_to_the_next, *chain)
