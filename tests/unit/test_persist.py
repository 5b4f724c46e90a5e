# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept for the next boot: names of files, merging, and the plan's last phase."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils import persist
from ansible_collections.linuxnet.vnet.plugins.module_utils.desired import LinkWant
from ansible_collections.linuxnet.vnet.plugins.module_utils.errors import Refused
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.bridge import BRIDGE
from ansible_collections.linuxnet.vnet.plugins.module_utils.merging import merged
from ansible_collections.linuxnet.vnet.plugins.module_utils.parsers import PARSERS
from ansible_collections.linuxnet.vnet.plugins.module_utils.persist import (
    DIRECTORY,
    ENABLED,
    ENGINE,
    SOFTWARE,
    UNIT,
    Document,
    Entry,
    Keep,
    keep,
)
from ansible_collections.linuxnet.vnet.plugins.module_utils.plan import Plan, plan
from ansible_collections.linuxnet.vnet.plugins.module_utils.state import FileContent, Link, State, Symlink
from hypothesis import given
from hypothesis import strategies as st

Params = dict[str, Any]
MADE: dict[str, FileContent] = {ENGINE: b"\0engine", UNIT: "[Unit]\n", ENABLED: Symlink("../vnet-restore.service")}


def kept(module: str, params: Params) -> Keep | None:
    want = None if module == persist.TOPOLOGY else PARSERS[module](params, "")
    return keep(module, params, want, lambda: MADE)


def entry(module: str, params: Params) -> Entry:
    found = kept(module, params)
    assert found
    (one,) = found.entries
    return one


# --- names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "params", "name"),
    [
        ("vnet_bridge", {"name": "br0"}, "bridge-br0"),
        ("vnet_bridge", {"name": "br-lan", "netns": ""}, "bridge-br-lan"),
        ("vnet_veth", {"name": "eth0", "netns": "web"}, "veth-eth0@web"),
        ("vnet_link", {"name": "eth0.5"}, "link-eth0.5"),
        ("vnet_tuntap", {"name": "a@b"}, "tuntap-a%40b"),
        ("vnet_tuntap", {"name": "é"}, "tuntap-%C3%A9"),
        ("vnet_netns", {"name": "web"}, "netns-web"),
        ("vnet_netns", {"name": "n" * 255}, None),
        ("vnet_route", {"destination": "default"}, "route-default"),
        ("vnet_route", {"destination": "::/0"}, "route-default6"),
        ("vnet_route", {"destination": "10.0.0.0/8", "table": "77", "metric": 5}, "route-10.0.0.0_8-table77-metric5"),
        ("vnet_route", {"destination": "2001:db8::/32", "netns": "web"}, "route-2001:db8::_32@web"),
        ("vnet_sysctl_forward", {"netns": "web", "ipv4": True}, "sysctl_forward@web"),
        ("vnet_topology", {"name": "lab"}, "topology-lab"),
    ],
)
def test_names_of_files(module: str, params: Params, name: str | None) -> None:
    path = entry(module, params).path
    if name:
        assert path == f"{DIRECTORY}/{name}.json"
    assert len(path.rpartition("/")[2].encode()) <= 255


letters = st.characters(codec="utf-8", exclude_characters="/:% \t", exclude_categories=["Z", "C"])
names = st.text(letters, min_size=1, max_size=5).filter(
    lambda name: len(name.encode()) < 16 and name not in (".", "..")
)
places = st.tuples(names, names)


@given(places, places)
def test_no_two_devices_share_a_file(one: tuple[str, str], other: tuple[str, str]) -> None:
    paths = {entry("vnet_bridge", {"name": name, "netns": netns}).path for name, netns in (one, other)}
    assert len(paths) == len({one, other})


def test_forwarding_has_a_file_for_each_interface() -> None:
    found = kept("vnet_sysctl_forward", {"netns": "web", "ipv4": True, "interfaces": ["a", "b"], "persist": True})
    assert found
    assert [(one.path, one.said.options["interfaces"]) for one in found.entries] == [
        (f"{DIRECTORY}/sysctl_forward-a@web.json", ["a"]),
        (f"{DIRECTORY}/sysctl_forward-b@web.json", ["b"]),
    ]


def test_forwarding_of_the_host_itself_is_kept_by_sysctl_d() -> None:
    assert kept("vnet_sysctl_forward", {"ipv4": True, "persist": True, "sysctl_file": "/etc/sysctl.d/x.conf"}) is None


# --- merging --------------------------------------------------------------------------------------------------------


def after(module: str, *tasks: Params, link: Link | None = None) -> Document:
    """What the file has after these tasks."""
    content = None
    for params in tasks:
        content = merged(entry(module, params), content, link).written()
    return Document.read("it", content or "")


def test_only_what_says_what_should_be_is_kept() -> None:
    task = {"name": "br0", "state": "present", "mtu": None, "append": False, "recreate": True, "persist": True}
    assert after("vnet_bridge", task).options == {"name": "br0"}


def test_a_task_that_names_some_options_is_merged() -> None:
    first = {"name": "br0", "addresses": ["10.0.0.1/24"], "stp": True, "admin_state": "down"}
    assert after("vnet_bridge", first, {"name": "br0", "stp": False, "admin_state": "up"}).options == {
        "name": "br0",
        "addresses": ["10.0.0.1/24"],
        "stp": False,
        "admin_state": "up",
    }


def test_what_an_option_costs_is_kept_no_more() -> None:
    source = {"name": "m", "parent": "eth0", "mode": "source", "macaddrs": ["02:00:00:00:00:01"]}
    assert after("vnet_macvlan", source, {"name": "m", "mode": "source"}).options == source
    assert "macaddrs" not in after("vnet_macvlan", source, {"name": "m", "mode": "bridge"}).options
    group = after("vnet_vxlan", {"name": "x", "vni": 7, "remote": "192.0.2.1"}, {"name": "x", "group": "239.1.1.1"})
    assert "remote" not in group.options


def test_dictionaries_are_merged_too() -> None:
    first = {"name": "v", "peer": {"name": "p", "netns": "a", "mtu": 1400}}
    found = after("vnet_veth", first, {"name": "v", "peer": {"netns": "b", "mtu": None}})
    assert found.options["peer"] == {"name": "p", "netns": "b", "mtu": 1400}


def test_an_appended_list_of_a_peer_is_an_addition() -> None:
    first = {"name": "v", "peer": {"name": "p", "addresses": ["10.0.0.1/24"]}}
    then = {"name": "v", "peer": {"addresses": ["10.0.1.1/24"]}, "append": True}
    assert after("vnet_veth", first, then).options["peer"]["addresses"] == ["10.0.0.1/24", "10.0.1.1/24"]


def test_a_list_is_the_whole_truth_unless_it_is_appended() -> None:
    first = {"name": "br0", "addresses": ["10.0.0.1/24"]}
    added = {"name": "br0", "addresses": ["10.0.1.1/24", "10.0.0.1/24"], "ports": ["a"], "append": True}
    both = after("vnet_bridge", first, added, {"name": "br0", "ports": ["b"], "append": True})
    assert both.options["addresses"] == ["10.0.0.1/24", "10.0.1.1/24"]
    assert both.appended == {"ports": ["a", "b"]}
    exact = after("vnet_bridge", added, {"name": "br0", "ports": ["c"]})
    assert exact.options["ports"] == ["c"]
    assert exact.appended == {"addresses": ["10.0.1.1/24", "10.0.0.1/24"]}


def test_what_was_appended_is_appended_at_boot() -> None:
    task = {"name": "br0", "netns": "a", "mtu": 1400, "ports": ["p"], "append": True, "admin_state": "down"}
    found = after("vnet_bridge", {"name": "br0", "netns": "a", "addresses": ["10.0.0.1/24"]}, task)
    assert found.wants() == (
        None,
        (
            LinkWant(
                BRIDGE,
                "a",
                "br0",
                options={"mtu": 1400, "ports": ("p",), "admin_state": "down", "addresses": ("10.0.0.1/24",)},
                append=frozenset({"ports"}),
            ),
        ),
    )


@pytest.mark.parametrize(
    ("module", "first", "then", "expected"),
    [
        ("vnet_vxlan", {"name": "x", "vni": 1, "remote": "10.0.0.1"}, {"group": "239.0.0.1", "dev": "e"}, "group dev"),
        ("vnet_route", {"destination": "default", "gateway": "10.0.0.1"}, {"type": "blackhole"}, "type"),
        ("vnet_route", {"destination": "10.0.0.0/8", "type": "blackhole"}, {"device": "e"}, "device"),
        ("vnet_route", {"destination": "::/0", "type": "blackhole"}, {"type": "unicast", "device": "e"}, "type device"),
        (
            "vnet_route",
            {"destination": "default", "gateway": "10.0.0.1", "device": "e"},
            {"nexthops": [{"gateway": "10.0.0.1"}, {"gateway": "10.0.0.2"}]},
            "nexthops",
        ),
    ],
)
def test_options_give_way_to_what_takes_their_place(module: str, first: Params, then: Params, expected: str) -> None:
    same: Params = {name: first[name] for name in ("name", "destination") if name in first}
    found = set(after(module, first, {**same, **then}).options)
    assert found - {"name", "destination", "vni"} == set(expected.split())


def test_saying_less_again_changes_nothing() -> None:
    first = {"destination": "::/0", "type": "unicast", "device": "e"}
    assert after("vnet_route", first) == after("vnet_route", first, {"destination": "::/0", "device": "e"})


def test_a_topology_is_always_all_that_is_said() -> None:
    first = {"name": "lab", "bridges": [{"name": "br0"}], "routes": []}
    assert after("vnet_topology", first, {"name": "lab", "namespaces": [{"name": "a"}]}).options == {
        "name": "lab",
        "namespaces": [{"name": "a"}],
    }


def test_what_it_takes_to_make_the_device_anew_is_added() -> None:
    tap = Link("", "t", "tun", {"mode": "tap"})
    assert after("vnet_tuntap", {"name": "t", "mtu": 1400}, link=tap).options == {
        "name": "t",
        "mtu": 1400,
        "mode": "tap",
    }
    veth = Link("", "v", "veth", {}, peer=("web", "p"))
    for said in ({}, {"peer": {"mtu": 1400}}):
        peer = after("vnet_veth", {"name": "v", **said}, link=veth).options["peer"]
        assert peer == {"name": "p", "netns": "web", **said.get("peer", {})}
    vxlan = Link("", "x", "vxlan", {"vni": 0, "external": True})
    assert after("vnet_vxlan", {"name": "x"}, link=vxlan).options == {"name": "x", "external": True}


def test_what_contradicts_earlier_tasks_is_refused() -> None:
    with pytest.raises(Refused, match=r"^persist: this does not go with what .*/bridge-x.json has from earlier tasks"):
        after("vnet_bridge", {"name": "x", "stp": True}, {"name": "x", "forward_delay": 1})


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "{}", '{"module": "vnet_x"}', '{"module": ["vnet_link"]}'])
def test_a_corrupt_file_is_named(content: str) -> None:
    with pytest.raises(Refused, match=r"^/etc/vnet/conf.d/bridge-x.json [^\n]*: mend it, or remove it$"):
        merged(entry("vnet_bridge", {"name": "x"}), content, None)


@pytest.mark.parametrize(
    "content",
    [
        {"module": "vnet_bridge", "options": {}},
        {"module": "vnet_bridge", "options": {"name": "x", "ports": 7, "mtu": {}}},
        {"module": "vnet_veth", "options": {"name": "x", "peer": "y"}},
        {"module": "vnet_netns", "options": {"name": "x", "sysctl": [1]}},
        {"module": "vnet_topology", "options": {"name": "x", "bridges": [3]}},
    ],
)
def test_options_that_make_no_sense_are_refused(content: Params) -> None:
    with pytest.raises(Refused):
        Document.read("it", json.dumps(content)).wants()


# --- the plan -------------------------------------------------------------------------------------------------------

TASKS: list[tuple[str, Params]] = [
    ("vnet_bridge", {"name": "br0", "mtu": 1400}),
    ("vnet_bridge", {"name": "br0", "addresses": ["10.0.0.1/24"]}),
    ("vnet_bridge", {"name": "br0", "addresses": ["10.0.1.1/24"], "append": True}),
    ("vnet_veth", {"name": "v0", "peer": {"name": "p0", "netns": "a"}}),
    ("vnet_netns", {"name": "a"}),
    ("vnet_sysctl_forward", {"netns": "a", "ipv4": True}),
    ("vnet_topology", {"name": "lab"}),
]


@st.composite
def said(draw: st.DrawFn) -> tuple[str, Params]:
    module, params = draw(st.sampled_from(TASKS))
    state = draw(st.sampled_from(["present", "present", "absent"])) if "sysctl" not in module else "present"
    return module, {**params, "state": state, "persist": draw(st.sampled_from([None, True, True, False]))}


def seen(state: State) -> State:
    """As it would be read, `kept` included."""
    found = state.copy()
    files = {path for path, content in state.files.items() if content is not None}
    found.kept = frozenset(path for path in files if path.startswith(DIRECTORY))
    return found


def planned(state: State, task: tuple[str, Params]) -> Plan:
    module, params = task
    return plan(seen(state), (), None, keep_of(module, params))


def keep_of(module: str, params: Params) -> Keep:
    found = kept(module, params)
    assert found
    return found


def there(state: State) -> dict[str, FileContent]:
    return {path: content for path, content in state.files.items() if content is not None}


@given(st.lists(said(), max_size=8), said(), st.sampled_from(["", "installed", "running"]), st.data())
def test_files_are_planned_as_all_else_is(
    history: list[tuple[str, Params]], task: tuple[str, Params], systemd: str, data: st.DataObject
) -> None:
    state = State(systemd=systemd)
    for earlier in history:
        state = planned(state, earlier).after
    found = planned(state, task)
    # The second run finds nothing to do.
    assert planned(found.after, task).commands == []
    # There is something to show exactly where something is to do.
    diff = found.diff()
    assert (diff["before"] != diff["after"]) == bool(found.steps)
    # What restores is there exactly as long as there is something to restore.
    files = there(found.after)
    documents = [path for path in files if path.startswith(DIRECTORY)]
    assert {path: files.get(path) for path in SOFTWARE} == (MADE if documents else dict.fromkeys(SOFTWARE))
    # systemd hears of what comes and goes, and where nothing does it is left alone.
    told = found.commands.count("systemctl daemon-reload")
    assert told == (systemd == "running" and (UNIT in there(state)) != (UNIT in files))
    # Undoing restores everything, wherever it stopped.
    done = data.draw(st.integers(0, len(found.steps)))
    kernel = found.before.copy()
    for step in found.steps[:done]:
        step.operation.simulate(kernel)
    undone = [operation for step in reversed(found.steps[:done]) for operation in step.undo]
    for operation in undone:
        operation.simulate(kernel)
    assert there(kernel) == there(found.before)


def test_omitted_makes_no_file_and_keeps_one_up_to_date() -> None:
    empty = State()
    assert planned(empty, ("vnet_bridge", {"name": "br0", "mtu": 1400})).steps == ()
    made = planned(empty, ("vnet_bridge", {"name": "br0", "persist": True})).after
    later = planned(made, ("vnet_bridge", {"name": "br0", "mtu": 1400}))
    assert later.commands == ["install -D -m 0600 /dev/stdin /etc/vnet/conf.d/bridge-br0.json"]
    assert json.loads(later.after.text(f"{DIRECTORY}/bridge-br0.json") or "")["options"]["mtu"] == 1400


def test_the_first_file_brings_what_restores_it_and_the_last_takes_it_away() -> None:
    empty = State(systemd="running")
    first = planned(empty, ("vnet_bridge", {"name": "br0", "persist": True}))
    assert first.commands == [
        "install -D -m 0600 /dev/stdin /etc/vnet/conf.d/bridge-br0.json",
        "install -D -m 0644 /dev/stdin /etc/vnet/vnet-restore.pyz",
        "install -D -m 0644 /dev/stdin /etc/systemd/system/vnet-restore.service",
        "ln -sfn ../vnet-restore.service /etc/systemd/system/multi-user.target.wants/vnet-restore.service",
        "systemctl daemon-reload",
    ]
    undone = [operation.command() for step in reversed(first.steps) for operation in step.undo]
    assert undone[-2:] == [
        "rm /etc/vnet/conf.d/bridge-br0.json",
        "rmdir --ignore-fail-on-non-empty /etc/vnet/conf.d /etc/vnet",
    ]
    assert undone[-3] == "systemctl daemon-reload"
    last = planned(first.after, ("vnet_bridge", {"name": "br0", "state": "absent"}))
    assert last.commands == [
        "rm /etc/vnet/conf.d/bridge-br0.json",
        "rm /etc/systemd/system/multi-user.target.wants/vnet-restore.service",
        "rm /etc/systemd/system/vnet-restore.service",
        "rm /etc/vnet/vnet-restore.pyz",
        "systemctl daemon-reload",
        "rmdir --ignore-fail-on-non-empty /etc/vnet/conf.d /etc/vnet",
    ]


def test_an_older_engine_is_brought_up_to_date() -> None:
    made = planned(State(), ("vnet_bridge", {"name": "br0", "persist": True})).after
    made.files[ENGINE] = b"\0older"
    found = planned(made, ("vnet_bridge", {"name": "br0", "persist": True}))
    assert found.commands == ["install -D -m 0644 /dev/stdin /etc/vnet/vnet-restore.pyz"]
    assert "sha256" in found.diff()["before"]["files"][ENGINE]


def test_a_file_goes_with_the_namespace_that_it_is_about() -> None:
    state = State()
    for task in TASKS:
        state = planned(state, (task[0], {**task[1], "persist": True})).after
    found = planned(state, ("vnet_netns", {"name": "a", "state": "absent"}))
    assert sorted(found.commands) == [
        "rm /etc/vnet/conf.d/netns-a.json",
        "rm /etc/vnet/conf.d/sysctl_forward@a.json",
        "rm /etc/vnet/conf.d/veth-v0.json",
    ]


def test_the_file_of_a_route_that_leads_elsewhere_is_left_alone() -> None:
    route = {"destination": "default", "gateway": "10.0.0.1"}
    made = planned(State(), ("vnet_route", {**route, "persist": True})).after
    for gateway, count in (("10.0.0.2", 0), ("10.0.0.1", 5), (None, 5)):
        found = planned(made, ("vnet_route", {**route, "gateway": gateway, "state": "absent"}))
        assert len(found.steps) == count
