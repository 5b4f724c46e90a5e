# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A new device whose name the kernel finds taken in the namespace of what it stands on: the requests, without a kernel."""

from __future__ import annotations

import errno
from typing import Any

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils import apply_create, netlink
from ansible_collections.linuxnet.vnet.plugins.module_utils.errors import KernelError
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.macvlan import MACVLAN
from ansible_collections.linuxnet.vnet.plugins.module_utils.link_operations import LinkAdd
from ansible_collections.linuxnet.vnet.plugins.module_utils.netlink import RTM_DELLINK, RTM_NEWLINK

Request = tuple[str, int, str, int, int]
"""(namespace, type, name, index, whether it is to be up)."""


class Kernel:
    """Stands for the host and for its sockets. `refuses`: how often a request is answered with EEXIST, by (namespace, name)."""

    def __init__(self, refuses: dict[tuple[str, str], int], taken: bool = True) -> None:
        self.refuses, self.taken = dict(refuses), taken
        self.asked: list[Request] = []
        self.netns = ""

    def socket(self, netns: str) -> Kernel:
        here = Kernel({})
        here.refuses, here.asked, here.netns = self.refuses, self.asked, netns
        return here

    def request(self, message: dict[str, Any], kind: int, _flags: int = 0) -> None:
        name = dict(message["attrs"]).get("IFLA_IFNAME", "")
        self.asked.append((self.netns, kind, name, message["index"], message["up"]))
        if self.refuses.get((self.netns, name), 0):
            raise KernelError(errno.EEXIST)

    def link(self, _netns: str, _name: str) -> object:
        return object() if self.taken else None

    def index(self, _netns: str, _name: str) -> int:
        return 7

    def forget_link(self, _netns: str, _name: str) -> None:
        """Remember nothing anyway."""


@pytest.fixture(autouse=True)
def messages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let messages be dictionaries that can be looked into."""

    def message(attrs: Any, index: int = 0, flags: int = 0, change: int = 0) -> dict[str, Any]:
        return {"attrs": attrs, "index": index, "up": flags & change}

    monkeypatch.setattr(netlink, "link_message", message)


def made(kernel: Any, netns: str = "web") -> list[Request]:
    op = LinkAdd(netns, "eth0", MACVLAN, {"admin_state": "up", "link_netns": "", "parent": "eth0"})
    apply_create.create(kernel, op, "", [])
    requests: list[Request] = kernel.asked
    return requests


def test_mostly_it_is_one_request() -> None:
    assert made(Kernel({})) == [("", RTM_NEWLINK, "eth0", 0, 1)]


def test_where_the_name_is_in_the_way_the_device_gets_it_afterwards() -> None:
    _refused, first, second = made(Kernel({("", "eth0"): 1}))
    interim = first[2]
    assert first == ("", RTM_NEWLINK, interim, 0, 0)
    assert interim != "eth0"
    assert len(interim) <= 15
    assert second == ("web", RTM_NEWLINK, "eth0", 7, 1)


def test_a_name_that_is_taken_where_it_belongs_leaves_nothing_behind() -> None:
    kernel = Kernel({("", "eth0"): 1, ("web", "eth0"): 1})
    with pytest.raises(KernelError):
        made(kernel)
    assert kernel.asked[-1] == ("web", RTM_DELLINK, "", 7, 0)


@pytest.mark.parametrize(("taken", "netns"), [(False, "web"), (True, "")])
def test_another_reason_is_not_got_around(taken: bool, netns: str) -> None:
    kernel = Kernel({("", "eth0"): 1}, taken)
    with pytest.raises(KernelError):
        made(kernel, netns)
    assert len(kernel.asked) == 1
