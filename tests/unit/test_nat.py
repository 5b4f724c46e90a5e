# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Address translation without a kernel: options, the table and back, the plan."""

from __future__ import annotations

import copy
import json
import random
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils import nft, programs
from ansible_collections.linuxnet.vnet.plugins.module_utils.desired import forward_want, namespace_want, nat_want
from ansible_collections.linuxnet.vnet.plugins.module_utils.errors import Refused
from ansible_collections.linuxnet.vnet.plugins.module_utils.nat_table import (
    is_dormant,
    is_ours,
    objects_of,
    replacing,
    text_of,
)
from ansible_collections.linuxnet.vnet.plugins.module_utils.plan import plan
from ansible_collections.linuxnet.vnet.plugins.module_utils.read_nat import nat_of
from ansible_collections.linuxnet.vnet.plugins.module_utils.state import Forward, Nat, Obstacle, State
from ansible_collections.linuxnet.vnet.plugins.module_utils.topology import topology_wants
from ansible_collections.linuxnet.vnet.plugins.module_utils.warn import warnings_for
from ansible_collections.linuxnet.vnet.tests.unit.nats import NAMES, accepted, options
from ansible_collections.linuxnet.vnet.tests.unit.strategies import examples
from hypothesis import event, given
from hypothesis import strategies as st

SOURCE = ["192.168.9.0/24"]
FORWARD = {"port": 8080, "to_address": "192.168.9.10"}


def with_nat(nat: Nat) -> State:
    return State(nats={nat.key: nat})


def made(entry: dict[str, Any]) -> Nat:
    """What a new entry with these options is."""
    want = accepted({"source": SOURCE, **entry})
    found = plan(State(nats={want.key: None}), (want,)).after.nats[want.key]
    assert found
    return found


# -- options -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"name": "a b"}, "name: 'a b' is not a name of letters"),
        ({"name": "a;flush ruleset"}, "name: "),
        ({"name": ""}, "name: "),
        ({"name": "x" * 65}, "at most 64"),
        ({"name": 7}, "quote it"),
        ({"name": "ü"}, "name: "),
        ({"name": "a\n"}, "name: "),
        ({"source": []}, "source: without a network"),
        ({"source": ["192.168.9.1/24"]}, "source: '192.168.9.1/24' has bits set behind its prefix"),
        ({"source": ["@source4"]}, "source: '@source4' is not a network"),
        ({"source": ["0.0.0.0/0"]}, "source: '0.0.0.0/0' is not a network that packets are forwarded from"),
        ({"source": ["ff02::/16"]}, "source: "),
        ({"source": ["fe80::/64"]}, "source: 'fe80::/64' is not a network that packets are forwarded from"),
        ({"source": ["127.0.0.0/8"]}, "source: "),
        ({"source": [7]}, "source: 7 is not a network"),
        ({"out_interface": ["eth*"]}, "out_interface: 'eth*' has characters that mean something to nft"),
        ({"out_interface": ["@set"]}, "out_interface: "),
        ({"out_interface": ['e"x']}, "out_interface: "),
        ({"out_interface": ["e\\x"]}, "out_interface: "),
        ({"out_interface": ["$x"]}, "out_interface: "),
        ({"out_interface": ["sixteen-bytes-xx"]}, "out_interface: "),
        ({"snat_to": ["10.0.0.1", "10.0.0.2"]}, "snat_to: 10.0.0.1 and 10.0.0.2 are of one family"),
        ({"snat_to": ["fd00::1"]}, "snat_to: 'source' has no IPv6 network that fd00::1 could be for"),
        ({"snat_to": ["127.0.0.1"]}, "snat_to: 127.0.0.1 is a loopback address"),
        ({"snat_to": ["0.0.0.0"]}, "snat_to: '0.0.0.0' is the unspecified address"),
        ({"snat_to": ["224.0.0.1"]}, "snat_to: '224.0.0.1' is a multicast address"),
        ({"snat_to": ["169.254.0.1"]}, "snat_to: 169.254.0.1 is a link-local address"),
        ({"snat_to": ["10.0.0.1-10.0.0.9"]}, "snat_to: '10.0.0.1-10.0.0.9' is not an IP address"),
        ({"isolate": "perhaps"}, "isolate: "),
        ({"port_forwards": [{"port": 80}]}, "port_forwards: entry 0: to_address: it is needed"),
        ({"port_forwards": [{**FORWARD, "port": 0}]}, "port_forwards: entry 0: port: 0 is not between 1 and 65535"),
        ({"port_forwards": [{**FORWARD, "port": "9-8"}]}, "its end is before its beginning"),
        ({"port_forwards": [{**FORWARD, "port": "http"}]}, "port: 'http' is neither a port nor a range"),
        ({"port_forwards": [{**FORWARD, "port": "80; drop"}]}, "port: "),
        ({"port_forwards": [{**FORWARD, "to_port": "80-81"}]}, "to_port: 80-81 has not as many ports as 8080"),
        ({"port_forwards": [{**FORWARD, "protocol": "icmp"}]}, "protocol: 'icmp' is not one of tcp, udp"),
        ({"port_forwards": [{**FORWARD, "in_address": ["fd00::1"]}]}, "mix IPv4 and IPv6"),
        ({"port_forwards": [{**FORWARD, "in_address": ["127.0.0.1"]}]}, "in_address: 127.0.0.1 is a loopback address"),
        ({"port_forwards": [{**FORWARD, "to_address": "::1"}]}, "to_address: ::1 is a loopback address"),
        ({"port_forwards": [{**FORWARD, "to_address": "::"}]}, "to_address: '::' is the unspecified address"),
        ({"port_forwards": [{**FORWARD, "to_address": "ff02::1"}]}, "to_address: 'ff02::1' is a multicast address"),
        ({"port_forwards": [{**FORWARD, "to_address": "255.255.255.255"}]}, "stands for many hosts"),
        ({"port_forwards": [{**FORWARD, "to_address": "fe80::1"}]}, "to_address: fe80::1 is a link-local address"),
        (
            {"port_forwards": [{**FORWARD, "in_address": ["0.0.0.0"]}]},
            "in_address: '0.0.0.0' is the unspecified address",
        ),
        (
            {"port_forwards": [{**FORWARD, "in_address": ["224.0.0.1"]}]},
            "in_address: '224.0.0.1' is a multicast address",
        ),
        (
            {"port_forwards": [{**FORWARD, "port": "1-1025", "to_port": "2-1026"}]},
            "to_port: no more than 1024 ports can lead to others, and 1-1025 has 1025",
        ),
        (
            {"port_forwards": [{**FORWARD, "port": "8000-8100"}, FORWARD]},
            "entry 1: tcp 8080 is also forwarded to 192.168.9.10",
        ),
        (
            {
                "port_forwards": [
                    {**FORWARD, "in_address": ["10.0.0.1", "10.0.0.2"]},
                    {**FORWARD, "in_address": ["10.0.0.2"]},
                ]
            },
            "is also forwarded",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(entry: dict[str, Any], says: str) -> None:
    with pytest.raises(Refused) as caught:
        nat_want({"name": "web", "source": SOURCE, **entry})
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_two_forwards_of_one_port_for_different_addresses_or_families_are_none_too_many() -> None:
    forwards = [
        {**FORWARD, "in_address": ["10.0.0.1"]},
        {**FORWARD, "in_address": ["10.0.0.2"], "to_address": "192.168.9.11"},
        {**FORWARD, "protocol": "udp"},
        {**FORWARD, "to_address": "fd00::1"},
    ]
    assert len(nat_want({"name": "x", "source": SOURCE, "port_forwards": forwards}).options["port_forwards"]) == 4


def test_values_and_not_spellings() -> None:
    one = made({"name": "x", "source": ["10.0.0.0/25", "10.0.0.128/25", "FD00::/64"], "out_interface": ["b", "a", "b"]})
    assert one.source == ("10.0.0.0/24", "fd00::/64")
    assert one.out_interface == ("a", "b")
    ports = made({"name": "x", "port_forwards": [{**FORWARD, "port": " 8080-8080 ", "to_port": 8080}]}).port_forwards
    assert ports == (Forward("tcp", "8080", "192.168.9.10"),)


def test_a_range_of_any_size_leads_to_the_same_ports() -> None:
    everything = made({"name": "x", "port_forwards": [{**FORWARD, "port": "1-65535", "to_port": "1-65535"}]})
    assert "tcp dport 1-65535 dnat ip to 192.168.9.10;" in text_of(everything)
    most = made({"name": "x", "port_forwards": [{**FORWARD, "port": "1-1024", "to_port": "20001-21024"}]})
    assert len(text_of(most)) < 100_000, "the kernel takes no word of a command line of more than 128 KiB"


# -- the table and back ------------------------------------------------------------------------------------------------


def listed(nat: Nat, seed: int) -> list[dict[str, Any]]:
    """The table as some release of nft might list it: handles, sets in any order."""
    rng = random.Random(seed)
    objects = copy.deepcopy(objects_of(nat))
    for number, item in enumerate(objects):
        ((kind, body),) = item.items()
        body["handle"] = number + 1
        if kind == "set":
            rng.shuffle(body["elem"])
        for part in body.get("expr", ()):
            right = part.get("match", {}).get("right")
            if isinstance(right, dict) and "set" in right:
                rng.shuffle(right["set"])
            if part.get("match", {}).get("left", {}).get("fib"):
                part["match"]["left"]["fib"]["flags"] = "daddr"
    return [{"metainfo": {"version": "1.0.6"}}, *objects]


@examples(200)
@given(options(), st.sampled_from(NAMES), st.sampled_from(["", "vnet_topology:t"]), st.integers())
def test_all_options_can_be_read_out_of_the_table_again(
    entry: dict[str, Any], name: str, owner: str, seed: int
) -> None:
    nat = made({**entry, "name": name})
    nat = Nat(**{**vars(nat), "owner": owner})
    assert nat_of("", name, listed(nat, seed)) == nat


@examples(50)
@given(options(), st.data())
def test_a_table_that_somebody_changed_is_not_taken_for_ours(entry: dict[str, Any], data: st.DataObject) -> None:
    nat = made({**entry, "name": "web"})
    objects = objects_of(nat)
    rules = [number for number, item in enumerate(objects) if "rule" in item]
    gone = data.draw(st.sampled_from(rules))
    del objects[gone]
    found = nat_of("", "web", objects)
    assert found != nat
    # And it is mended, and can be put back as it was.
    again = plan(with_nat(found), (nat_want({"name": "web", "source": SOURCE, **entry}),))
    assert again.after.nats["", "web"] == nat
    (back,) = again.steps[0].undo
    assert objects_of(back.nat) == objects_of(found)  # type: ignore[attr-defined]


def test_counters_that_somebody_added_are_a_change_but_their_counts_are_none() -> None:
    nat = made({"name": "web"})
    found = []
    for packets in (1, 2):
        objects = objects_of(nat)
        objects[-1]["rule"]["expr"].insert(0, {"counter": {"packets": packets, "bytes": 0}})
        found.append(nat_of("", "web", objects))
    assert found[0] == found[1]
    assert found[0].altered


def test_a_table_that_is_switched_off_is_not_taken_for_ours_and_can_be_put_back() -> None:
    nat = made({"name": "web"})
    for flags in ({}, {"flags": "vnet_web"}, {"flags": ["dormant"]}):  # as nft lists them, some releases wrongly
        objects = objects_of(nat)
        objects[0] = {"table": {**objects[0]["table"], **flags}}
        assert nat_of("", "web", objects) == nat
        found = nat_of("", "web", objects, dormant=True)
        assert found != nat
        assert is_dormant(found)
        assert not is_dormant(nat)
        assert plan(with_nat(found), (nat_want({"name": "web", "source": SOURCE}),)).after.nats["", "web"] == nat
        assert replacing(found) == replacing(nat), "nft takes the flags in text only"


@pytest.mark.parametrize(
    "right",
    [
        {"set": ["192.0.2.1", {"prefix": {"addr": "10.0.0.0", "len": 8}}]},
        {"prefix": {"addr": "10.0.0.0", "len": 8}},
        "@elsewhere",
        None,
    ],
)
@pytest.mark.parametrize("to_port", [80, {"map": {"key": {}, "data": "@ports"}}, {"map": {"data": {"set": []}}}])
def test_rules_of_forms_that_ours_never_have_are_somebodys(right: Any, to_port: Any) -> None:
    objects = objects_of(made({"name": "web", "port_forwards": [FORWARD]}))
    rule = next(item["rule"] for item in objects if item.get("rule", {}).get("chain") == "port_forwards")
    rule["expr"] = [
        {"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "daddr"}}, "right": right}},
        {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 80}},
        {"dnat": {"family": "ip", "addr": "10.0.0.1", "port": to_port}},
    ]
    found = nat_of("", "web", objects)
    assert found.altered
    assert "10.0.0.1" in str(objects_of(found))


@pytest.mark.parametrize(
    "more", [{"elem": {"val": "10.7.7.7", "comment": "x"}}, {"elem": {"val": "10.7.7.7", "timeout": 9}}]
)
def test_elements_with_something_of_somebodys_are_a_change(more: Any) -> None:
    objects = objects_of(made({"name": "web"}))
    next(item["set"] for item in objects if "set" in item)["elem"].append(more)
    found = nat_of("", "web", objects)
    assert found.altered
    assert "10.7.7.7" in found.altered


def test_sets_of_somebodys_are_kept_as_they_are() -> None:
    ports = {"range": [1, 2]}
    more = {"family": "inet", "table": "vnet_web", "name": "p", "type": "inet_service", "flags": ["interval"]}
    found = nat_of("", "web", [*objects_of(made({"name": "web"})), {"set": {**more, "elem": [ports]}}])
    assert {"set": {**more, "elem": [ports]}} in objects_of(found)


def test_tables_that_only_begin_like_ours_are_none() -> None:
    assert is_ours("vnet_a.b-c")
    assert not any(map(is_ours, ("vnet_", "vnet_a b", "vnet_x; flush ruleset", "vnetwork", "web")))


def test_isolation_lets_through_what_its_own_forwards_brought_and_nobody_elses() -> None:
    forwards = [
        {"port": 8080, "to_address": "192.168.9.10", "to_port": 80},
        {"port": "70-72", "to_address": "fd00::1", "to_port": "80-82", "protocol": "udp", "in_address": ["fd01::1"]},
    ]
    said = text_of(made({"name": "web", "source": [*SOURCE, "fd00::/64"], "port_forwards": forwards}))
    assert "ct status dnat ip daddr 192.168.9.10 tcp dport 80 ct original proto-dst 8080 accept;" in said
    assert (
        "ct status dnat ip6 daddr fd00::1 udp dport 80-82 ct original proto-dst 70-72 ct original ip6 daddr fd01::1 accept;"
        in said
    )
    assert "dnat accept" not in text_of(made({"name": "web"}))


def test_isolation_lets_neighbours_on_one_bridge_find_each_other() -> None:
    said = text_of(made({"name": "web", "source": [*SOURCE, "fd00::/64"]}))
    assert "ip6 saddr != @source6 ip6 saddr != fe80::/10 ip6 daddr @source6 drop;" in said
    assert "ip saddr != @source4 ip daddr @source4 drop;" in said


def test_nothing_of_anybody_else_is_in_what_nft_is_told() -> None:
    for command in replacing(made({"name": "web", "port_forwards": [FORWARD]})):
        ((verb, item),) = command.items()
        ((kind, body),) = item.items()
        assert verb in ("add", "delete")
        assert body["name" if kind == "table" else "table"] == "vnet_web"
        assert body["family"] == "inet"


def test_an_operation_is_one_line_to_read() -> None:
    nat = made({"name": "web", "source": [*SOURCE, "fd00:9::/64"], "out_interface": ["eth0"], "isolate": False})
    assert text_of(nat) == (
        "table inet vnet_web { set source4 { type ipv4_addr; flags interval; elements = { 192.168.9.0/24 }; };"
        " set source6 { type ipv6_addr; flags interval; elements = { fd00:9::/64 }; };"
        ' set out_interface { type ifname; elements = { "eth0" }; };'
        " chain postrouting { type nat hook postrouting priority 100; policy accept;"
        " ip saddr @source4 ip daddr @source4 ct status dnat masquerade;"
        " ip saddr @source4 ip daddr != @source4 oifname @out_interface masquerade;"
        " ip6 saddr @source6 ip6 daddr @source6 ct status dnat masquerade;"
        " ip6 saddr @source6 ip6 daddr != @source6 oifname @out_interface masquerade; }; }"
    )


# -- the plan ----------------------------------------------------------------------------------------------------------


@examples(100)
@given(options(), options())
def test_a_plan_brings_what_is_asked_for_leaves_the_rest_and_can_be_undone(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    before = with_nat(made({**first, "name": "web"}))
    want = accepted({**second, "name": "web"})
    try:
        found = plan(before, (want,))
    except Refused:
        event("refused")  # what is left as it is may not go with it
        return
    nat, old = found.after.nats[want.key], before.nats[want.key]
    for name, value in want.options.items():
        assert getattr(nat, name) == value
    for name in {"source", "out_interface", "snat_to", "port_forwards"} - set(want.options):
        assert getattr(nat, name) == getattr(old, name)
    assert plan(found.after, (want,)).commands == []
    assert len(found.steps) == (nat != old)
    for step in found.steps:
        for operation in step.undo:
            operation.simulate(found.after)
    assert found.after.nats == before.nats


def test_it_takes_networks_to_make_one_but_not_to_delete_one() -> None:
    with pytest.raises(Refused, match="source: to make the address translation web, it takes"):
        plan(State(nats={("", "web"): None}), (nat_want({"name": "web"}),))
    gone = nat_want({"name": "web", "state": "absent"})
    assert plan(State(nats={("", "web"): None}), (gone,)).commands == []
    assert plan(with_nat(made({"name": "web"})), (gone,)).commands == ["nft delete table inet vnet_web"]


FORWARDING = {("", "net.ipv4.ip_forward"): "0", ("", "net.ipv4.conf.all.forwarding"): "0"}


def test_it_comes_before_forwarding_and_goes_after_it() -> None:
    on, off = (forward_want({"ipv4": value, "sysctl_file": None}) for value in (True, False))
    web = {"name": "web", "source": SOURCE}
    state = State(nats={("", "web"): None}, sysctls=dict(FORWARDING))
    made_ = plan(state, (on, nat_want(web)))
    assert [command.split()[0] for command in made_.commands] == ["nft", "sysctl"]
    gone = plan(made_.after, (nat_want({**web, "state": "absent"}), off))
    assert [command.split()[0] for command in gone.commands] == ["sysctl", "nft"]


def test_it_comes_before_the_links_that_it_isolates_and_any_setting_that_forwards() -> None:
    said = topology_plan(
        State(nats={("r", "web"): None}, files={RECORD: None}),
        {**WEB, "netns": "r"},
        namespaces=[{"name": "r", "sysctl": {"net.ipv4.ip_forward": 1}}],
        veths=[{"name": "v", "netns": "r", "peer": {"name": "p"}, "addresses": ["192.168.9.1/24"]}],
    ).commands
    places = [
        next(n for n, line in enumerate(said) if word in line)
        for word in ("netns add", "table inet", "sysctl", "link add")
    ]
    assert places == sorted(places)


def test_it_goes_with_its_namespace() -> None:
    nat = Nat("r", "web", ("192.168.9.0/24",))
    state = State({"r": {}}, nats={nat.key: nat})
    found = plan(state, (namespace_want({"name": "r", "state": "absent"}),))
    assert found.after.nats == {nat.key: None}


# -- topologies --------------------------------------------------------------------------------------------------------


def topology_plan(host: State, *nats: dict[str, Any], **more: Any) -> Any:
    topology, wants = topology_wants({"name": "t", "nats": [*nats], **more})
    return plan(host, wants, topology)


RECORD = "/run/vnet/topologies/t.json"
WEB = {"name": "web", "source": SOURCE}


def empty() -> State:
    return State(nats={("", "web"): None}, files={RECORD: None}, sysctls=dict(FORWARDING))


def test_a_topology_marks_remembers_and_prunes_its_own() -> None:
    made_ = topology_plan(empty(), WEB)
    nat = made_.after.nats["", "web"]
    assert nat.owner == "vnet_topology:t"
    assert json.loads(made_.after.files[RECORD])["nats"] == [["", "web"]]
    assert RECORD in made_.commands[0]
    assert topology_plan(made_.after, WEB).commands == []
    pruned = topology_plan(made_.after)
    assert pruned.commands == ["nft delete table inet vnet_web", f"rm {RECORD}"]
    kept = topology_plan(made_.after, prune=False)
    assert kept.commands == []


def test_a_topology_takes_away_forwarding_before_address_translation() -> None:
    made_ = topology_plan(empty(), WEB, forwarding=[{"ipv4": True}])
    gone = topology_plan(made_.after, state="absent")
    assert [command.split()[0] for command in gone.commands] == ["sysctl", "nft", "rm"]


def test_a_topology_leaves_those_of_others_alone() -> None:
    somebodys = empty()
    somebodys.nats["", "web"] = made({"name": "web", "isolate": False})
    with pytest.raises(Refused, match="address translation web is already there, the topology t did not make it"):
        topology_plan(somebodys, WEB)
    used = topology_plan(somebodys, {**WEB, "isolate": False})
    assert used.commands == []
    adopted = topology_plan(somebodys, WEB, adopt=True)
    assert adopted.after.nats["", "web"].owner == "vnet_topology:t"
    others = empty()
    others.nats["", "web"] = Nat("", "web", tuple(SOURCE), owner="vnet_topology:u")
    with pytest.raises(Refused, match="belongs to the topology u"):
        topology_plan(others, WEB, adopt=True)


def test_a_table_of_the_topology_whose_rules_somebody_flushed_is_still_its_own() -> None:
    made_ = topology_plan(empty(), WEB)
    flushed = [item for item in objects_of(made_.after.nats["", "web"]) if "rule" not in item]
    made_.after.nats["", "web"] = nat_of("", "web", flushed)
    assert len(topology_plan(made_.after, WEB).commands) == 1
    assert topology_plan(made_.after).commands[0] == "nft delete table inet vnet_web"


def test_one_name_twice_is_refused() -> None:
    with pytest.raises(Refused, match=r"nats\[1\]: the address translation web is also in nats\[0\]"):
        topology_plan(empty(), WEB, WEB)


def test_a_port_that_two_entries_forward_is_refused() -> None:
    other = {**WEB, "name": "more", "port_forwards": [{**FORWARD, "port": "8000-8100"}]}
    with pytest.raises(Refused, match=r"^nats\[1\]: port_forwards: tcp 8080 is also forwarded by nats\[0\]$"):
        topology_plan(empty(), other, {**WEB, "port_forwards": [FORWARD]})
    elsewhere = {**WEB, "netns": "r", "port_forwards": [FORWARD]}
    host = State({"r": {}}, nats={("", "more"): None, ("r", "web"): None}, files={RECORD: None})
    assert topology_plan(host, other, elsewhere).after.nats["r", "web"]


# -- warnings and nft --------------------------------------------------------------------------------------------------


def test_what_is_in_the_way_is_said_with_what_to_do() -> None:
    state = empty()
    state.obstacles[""] = (
        Obstacle("filter FORWARD", (4,)),
        Obstacle("firewalld filter_FORWARD"),
        Obstacle("x FORWARD", (6,)),
    )
    state.dropping[""] = ""
    want = nat_want({**WEB, "port_forwards": [FORWARD]})
    said = warnings_for(plan(state, (want,)), (want,))
    words = ("nothing forwards IPv4", "DOCKER-USER", "firewall-cmd", "br_netfilter")
    assert [next(word for word in words if word in sentence) for sentence in said] == list(words)
    state.sysctls["", "net.ipv4.ip_forward"] = "1"
    assert len(warnings_for(plan(state, (want,)), (want,))) == 3
    of_ipv6 = nat_want({**WEB, "source": ["fd00::/64"]})
    said = warnings_for(plan(state, (of_ipv6,)), (of_ipv6,))
    assert ["firewalld" in sentence or "'x FORWARD'" in sentence for sentence in said] == [True, True]


def test_entries_that_are_in_each_others_way_are_said() -> None:
    state = empty()
    del state.sysctls["", "net.ipv4.ip_forward"], state.sysctls["", "net.ipv4.conf.all.forwarding"]
    forwards = [{**FORWARD, "port": "8000-8080"}, {"port": 53, "to_address": "10.0.0.9"}]
    other = made({"name": "other", "source": ["10.0.0.0/8"], "port_forwards": forwards})
    state.nats["", "other"] = other
    state.nats["r", "far"] = replace(other, netns="r", name="far")
    want = nat_want({**WEB, "port_forwards": [{**FORWARD, "to_address": "10.0.0.1"}]})
    said = warnings_for(plan(state, (want,)), (want,))
    assert len(said) == 3, said
    assert said[0].startswith("web and other both forward tcp 8080: ")
    assert said[1].startswith("other isolates 10.0.0.1, to which web forwards tcp 8080: ")
    assert said[2].startswith("web isolates 192.168.9.10, to which other forwards tcp 8000-8080: ")
    same = nat_want({**WEB, "isolate": False})
    assert warnings_for(plan(state, (same,)), (same,)) == []


@pytest.mark.parametrize(
    ("stderr", "says"),
    [
        ("Error: JSON support not compiled-in\n", "nft says 'JSON support not compiled-in': it needs an nft"),
        ("internal:0:0-0: Error: Could not process rule: Operation not supported\n", "the running kernel may lack"),
        ("Error: Could not process rule: Operation not permitted\nmore\n", "become"),
        ("", "it ended with 1"),
    ],
)
def test_what_nft_complains_of_is_said_in_one_sentence(stderr: str, says: str) -> None:
    assert says in nft.in_one_sentence(stderr, 1)


@pytest.mark.parametrize(("version", "says"), [("0.9.0", "needs 0.9.8 or newer"), ("0.9.8", ""), ("1.1.3", "")])
def test_an_nft_that_is_too_old_is_refused(monkeypatch: pytest.MonkeyPatch, version: str, says: str) -> None:
    monkeypatch.setattr(nft, "call", lambda *_: f"nftables v{version} (Somebody #1)\n")
    if not says:
        nft.require()
        return
    with pytest.raises(Refused, match=f"this host's nft is {version}, and address translation {says}"):
        nft.require()


def test_a_host_without_nft_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "PLACES", "")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Refused, match=r"this host has no 'nft'.*install its package nftables"):
        nft.require()
