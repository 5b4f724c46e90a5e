# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A check run never writes: every way to write is made to fail, whatever the host and whatever is asked for."""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import tempfile
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils import (
    engine,
    files,
    namespaces,
    netfilter,
    netlink,
    sysctl,
    systemd,
    tun,
)
from ansible_collections.linuxnet.vnet.plugins.module_utils.errors import Refused
from ansible_collections.linuxnet.vnet.plugins.module_utils.plan import plan
from ansible_collections.linuxnet.vnet.plugins.module_utils.state import Symlink
from ansible_collections.linuxnet.vnet.tests.unit.hosts import hosts
from ansible_collections.linuxnet.vnet.tests.unit.strategies import Task, examples, tasks, wild_tasks
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ansible_collections.linuxnet.vnet.plugins.module_utils.state import State


class Wrote(Exception):
    """Something was about to be written."""


def never(*arguments: Any, **_named: Any) -> Any:
    raise Wrote(arguments)


real_send, real_open, real_call = netlink.Socket._send, os.open, namespaces._call


def send_nothing_that_changes(self: netlink.Socket, message: Any, kind: int, flags: int) -> None:
    # Of each four messages of rtnetlink the third one asks (rtnetlink.h); of nftables this one does.
    if kind % 4 != 2 and kind != netfilter._GETCHAIN:
        raise Wrote(kind)
    real_send(self, message, kind, flags)


def open_for_reading_only(path: Any, flags: int, *arguments: Any, **named: Any) -> int:
    if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        raise Wrote(path)
    return real_open(path, flags, *arguments, **named)


def call_nothing_that_changes(function: str, *arguments: Any) -> None:
    """Entering a namespace is no change, nor is a sysfs mounted in a mount namespace of its own."""
    own_mounts = (function, *arguments) == ("unshare", namespaces.CLONE_NEWNS)
    if function != "setns" and not own_mounts and not (function == "mount" and arguments[1] in (b"/", b"/sys")):
        raise Wrote(function, *arguments)
    real_call(function, *arguments)


@contextlib.contextmanager
def nothing_may_be_written() -> Iterator[None]:
    with contextlib.ExitStack() as patches:
        for name in (
            "makedirs",
            "mkdir",
            "unlink",
            "rename",
            "replace",
            "write",
            "pwrite",
            "ftruncate",
            "symlink",
            "rmdir",
        ):
            patches.enter_context(mock.patch.object(os, name, never))
        for owner, name, instead in (
            (os, "open", open_for_reading_only),
            (fcntl, "ioctl", never),
            (fcntl, "flock", never),
            (tempfile, "mkstemp", never),
            (subprocess, "run", never),
            (subprocess, "Popen", never),
            (namespaces, "_call", call_nothing_that_changes),
            (netlink.Socket, "_send", send_nothing_that_changes),
        ):
            patches.enter_context(mock.patch.object(owner, name, instead))
        yield


@examples(50)
@given(hosts(), st.one_of(tasks(), wild_tasks()))
def test_a_check_run_on_any_host_writes_nothing_and_tells_the_plan(host: State, task: Task) -> None:
    with nothing_may_be_written(), mock.patch.object(engine, "retrieve", return_value=host):
        try:
            found = plan(host, task)
        except Refused:
            with pytest.raises(Refused):
                engine.run(task, check=True)
            return
        promised = engine.run(task, check=True)
    assert promised.operations == found.commands
    assert promised.diff == found.diff()
    assert promised.changed == bool(found.steps)
    assert set(found.missing) <= set(promised.warnings)


@examples(30)
@given(tasks(), wild_tasks())
def test_a_check_run_on_this_machine_only_reads(task: Task, another: Task) -> None:
    with nothing_may_be_written():
        for wanted in (task, another):
            with contextlib.suppress(Refused):
                engine.run(wanted, check=True)


def ask(kind: int) -> None:
    with contextlib.closing(netlink.Socket()) as sock:
        sock.request(netlink.link_message([]), kind)


@pytest.mark.parametrize(
    "way",
    [
        lambda: tun.add("x", {"mode": "tap"}),
        lambda: files.write("/nowhere/x", ""),
        lambda: files.write("/x", Symlink("y")),
        lambda: files.remove("/nowhere/x"),
        lambda: files.remove_empty(["/nowhere/x"]),
        systemd.reload,
        lambda: sysctl.write("net.ipv4.ip_forward", "1"),
        lambda: namespaces.Namespaces().make("x").__enter__(),
        lambda: ask(netlink.RTM_NEWLINK),
        lambda: ask(netlink.RTM_DELLINK),
        lambda: engine.run(()),
    ],
)
def test_each_way_to_write_would_be_caught(way: Callable[[], Any]) -> None:
    with nothing_may_be_written(), pytest.raises(Wrote):
        way()
