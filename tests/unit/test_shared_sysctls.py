# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sysctls that several topologies of one host want: who goes leaves what others hold, and the last one puts it back."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils.plan import Plan, plan
from ansible_collections.linuxnet.vnet.plugins.module_utils.state import Link, State
from ansible_collections.linuxnet.vnet.plugins.module_utils.topology import RECORDS, Record, topology_wants

NAMES = ("a", "b", "c")
FORWARD = "net.ipv4.ip_forward"
OF_DEVICE = "net.ipv4.conf.eth0.forwarding"


def path(name: str) -> str:
    return f"{RECORDS}/{name}.json"


def host(value: str) -> State:
    keys = (FORWARD, "net.ipv4.conf.all.forwarding", OF_DEVICE, "net.ipv4.conf.all.accept_redirects")
    return State(
        links={("", "eth0"): Link("", "eth0", "")},
        sysctls={("", key): value for key in keys},
        files={path(name): None for name in NAMES},
    )


def planned(current: State, name: str, /, *forwarding: dict[str, Any], **more: Any) -> Plan:
    topology, wants = topology_wants({"name": name, "forwarding": [*forwarding], **more})
    found = plan(current, wants, topology)
    again = plan(found.after, wants, topology)
    assert again.commands == []
    back = found.after.copy()
    for step in reversed(found.steps):
        for operation in step.undo:
            operation.simulate(back)
    assert {key: value for key, value in back.files.items() if value} == {
        key: value for key, value in current.files.items() if value
    }
    assert back.sysctls == current.sysctls
    return found


def recorded(state: State, name: str) -> list[list[str]]:
    return Record.read(state.text(path(name))).sysctls


@pytest.mark.parametrize("order", list(permutations(NAMES)), ids="".join)
@pytest.mark.parametrize("value", ["0", "1"])
def test_only_the_last_one_puts_back_what_was_there_before_the_first(order: tuple[str, ...], value: str) -> None:
    state = host(value)
    for name in NAMES:
        found = planned(state, name, {"ipv4": True})
        assert ("sysctl -w" in str(found.commands)) == (name == "a" and value == "0")
        state = found.after
    for name in order:
        assert state.sysctls["", FORWARD] == "1"
        found = planned(state, name, state="absent")
        state = found.after
        assert state.text(path(name)) is None
    assert state.sysctls["", FORWARD] == value


def test_who_goes_hands_over_the_value_before_and_says_so() -> None:
    state = planned(host("0"), "a", {"ipv4": True}).after
    state = planned(state, "b", {"ipv4": True}).after
    assert recorded(state, "a") == [["", FORWARD, "0", "1"]]
    assert recorded(state, "b") == [["", FORWARD, "1", "1"]]
    gone = planned(state, "a", state="absent")
    assert gone.commands == [f"install -D -m 0600 /dev/stdin {path('b')}", f"rm {path('a')}"]
    assert recorded(gone.after, "b") == [["", FORWARD, "0", "1"]]
    # And so does one that goes on without it.
    pruned = planned(state, "a")
    assert recorded(pruned.after, "b") == [["", FORWARD, "0", "1"]]
    assert pruned.after.sysctls["", FORWARD] == "1"


def test_what_another_one_wants_otherwise_is_no_reason_to_keep_it() -> None:
    state = planned(host("0"), "a", {"ipv4": True}).after
    state.files[path("b")] = Record([], [["", FORWARD, "1", "0"]], [], []).written()
    assert planned(state, "a", state="absent").after.sysctls["", FORWARD] == "0"


def test_a_device_of_another_one_goes_on_forwarding_where_all_others_stop() -> None:
    state = planned(host("0"), "a", {"ipv4": True}).after
    state = planned(state, "b", {"ipv4": True, "interfaces": ["eth0"]}).after
    state = planned(state, "a", state="absent").after
    assert (state.sysctls["", FORWARD], state.sysctls["", OF_DEVICE]) == ("0", "1")
    state = planned(state, "b", state="absent").after
    assert (state.sysctls["", FORWARD], state.sysctls["", OF_DEVICE]) == ("0", "0")


def test_what_was_found_as_wanted_and_is_switched_off_by_somebody_is_ones_own_from_then_on() -> None:
    state = planned(host("1"), "a", {"ipv4": True}).after
    state.sysctls = dict(host("0").sysctls)
    state = planned(state, "a", {"ipv4": True}).after
    assert planned(state, "a", state="absent").after.sysctls["", FORWARD] == "0"
