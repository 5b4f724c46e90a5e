# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Undoing what needs no kernel: files, and the directories that were made for them; and options that others take the place of."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils.apply import Failed, apply
from ansible_collections.linuxnet.vnet.plugins.module_utils.errors import VnetError
from ansible_collections.linuxnet.vnet.plugins.module_utils.file_operations import FileWrite
from ansible_collections.linuxnet.vnet.plugins.module_utils.link_operations import LinkMove, LinkSet
from ansible_collections.linuxnet.vnet.plugins.module_utils.planner import Planner, Step
from ansible_collections.linuxnet.vnet.plugins.module_utils.rows import Route
from ansible_collections.linuxnet.vnet.plugins.module_utils.state import Addr, Link, State

if TYPE_CHECKING:
    from pathlib import Path


def not_kept() -> None:
    raise VnetError("the kernel did not keep it")


def broken_off(*paths: Path) -> None:
    """Write files, and let the run fail then."""
    planner = Planner(State(files={str(path): path.read_text() if path.exists() else None for path in paths}), ())
    for path in paths:
        planner.do(FileWrite(str(path), "net.ipv4.ip_forward = 1\n"))
    host: Any = SimpleNamespace(forget=lambda: None)
    with pytest.raises(Failed, match="the host is as it was before") as caught:
        apply(host, SimpleNamespace(steps=tuple(planner.steps), before=State()), not_kept)  # type: ignore[arg-type]  # no more of a plan is needed
    assert caught.value.undone


def test_a_directory_that_was_made_for_a_file_goes_with_it(tmp_path: Path) -> None:
    broken_off(tmp_path / "a" / "b" / "30-x.conf", tmp_path / "a" / "31-y.conf")
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_was_there_stays(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "theirs").mkdir()
    kept = tmp_path / "theirs" / "30-x.conf"
    kept.write_text("# theirs\n")
    broken_off(tmp_path / "etc" / "30-x.conf", kept)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["etc", "theirs"]
    assert kept.read_text() == "# theirs\n"


def test_what_fails_after_a_confirmation_says_once_what_is_left(tmp_path: Path) -> None:
    host: Any = SimpleNamespace(forget=lambda: None)

    def steps(*operations: FileWrite, undo: tuple[FileWrite, ...] = ()) -> Any:
        return SimpleNamespace(steps=tuple(Step(operation, undo) for operation in operations), before=State())

    nowhere = FileWrite("/dev/null/x", "")
    for undo, said in (((nowhere,), "left to do by hand: .*/dev/null/x.*"), ((), "the host is as it was before")):
        later = steps(FileWrite(str(tmp_path / "later"), ""), nowhere, undo=undo)
        with pytest.raises(Failed, match=f"^'[^;]*/dev/null/x[^;]*' failed: [^;]*; (undoing [^;]*)?{said}$") as caught:
            apply(host, steps(FileWrite(str(tmp_path / "first"), "")), lambda: apply(host, later, not_kept))  # noqa: B023  # it is called at once
        assert caught.value.undone is not bool(undo)


@pytest.mark.parametrize(
    ("kind", "has", "changes"),
    [
        ("vxlan", {"remote": "192.0.2.1", "group": ""}, {"group": "239.1.1.1"}),
        ("vxlan", {"remote": "", "group": "239.1.1.1"}, {"remote": "192.0.2.1"}),
        ("macvlan", {"mode": "source", "macaddrs": ("02:00:00:00:00:01",)}, {"mode": "bridge"}),
    ],
)
def test_an_option_that_another_takes_the_place_of_is_back(
    kind: str, has: dict[str, Any], changes: dict[str, Any]
) -> None:
    state = State()
    state.put(Link("", "x", kind, {"admin_state": "down", **has}))
    operation = LinkSet("", "x", kind, changes, has)
    back = operation.inverse(state)

    def found() -> dict[str, Any]:
        link = state.links["", "x"]
        assert link
        return {name: link.get(name) for name in has}

    operation.simulate(state)
    assert found() != has
    for step in back:
        step.simulate(state)
    assert found() == has


@pytest.mark.parametrize(
    ("addr", "brings"),
    [
        (Addr("::1/128"), True),
        (Addr("2001:db8::ff:fe00:7/64"), False),
        (Addr("fe80::1/64"), False),
        (Addr("fe80::ff:fe00:7/64"), True),
        (Addr("fe80::200:0:100:7/64"), True),
        (Addr("fe80::200:ff:fe00:7/64"), True),
        (Addr("fe80::ff:fe00:8/64"), False),
        (Addr("fe80::1/64", flags=0x880), True),
        (Addr("fe80::1/64", rest=((11, b"\3"),)), True),
        (Addr("fe80::1/64", rest=((11, b"\0"),)), False),
    ],
)
def test_which_addresses_the_kernel_gives_by_itself(addr: Addr, brings: bool) -> None:
    assert Link("", "x", "ipvlan", {"mac": "02:00:00:00:00:07"}).brings(addr) is brings
    if addr.flags == 0x80 and not addr.rest:
        assert Link("", "x", "tun").brings(addr) is (addr.cidr == "::1/128")


def test_a_vlan_that_went_down_with_a_device_that_moved_has_all_again() -> None:
    up = {"admin_state": "up", "mtu": 1500}
    four, six = Addr("10.0.0.1/24"), Addr("2001:db8::1/64")
    route = Route("10.9.0.0/16", 4, gateway="10.0.0.9", device="v")
    vlan = Link("", "v", "vlan", {**up, "parent": "x", "link_netns": ""}, addresses=(four, six), routes=(route,))
    state = State()
    for link in (Link("", "x", "dummy", up), vlan):
        state.put(link)
    move = LinkMove("", "x", ("away", "x"))
    back = move.inverse(state)
    move.simulate(state)
    moved = state.links["", "v"]
    assert moved
    assert (moved.get("admin_state"), moved.addresses, moved.routes) == ("down", (four,), ())
    for step in back:
        step.simulate(state)
    assert state.links["", "v"] == vlan


def test_a_vlan_does_not_notice_that_its_parent_gets_another_name() -> None:
    state = State()
    for link in (
        Link("", "x", "dummy", {"admin_state": "up"}),
        Link(
            "", "v", "vlan", {"admin_state": "up", "parent": "x", "link_netns": ""}, addresses=(Addr("2001:db8::1/64"),)
        ),
    ):
        state.put(link)
    LinkMove("", "x", ("", "y")).simulate(state)
    renamed = state.links["", "v"]
    assert renamed
    assert (renamed.get("parent"), renamed.get("admin_state"), len(renamed.addresses)) == ("y", "up", 1)
