# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's half of `confirm_timeout`: the worker, its watchdog, and what is left of them."""

from __future__ import annotations

import json
import os
import random
import subprocess
import time
from pathlib import Path
from shutil import rmtree

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils import confirm, engine
from ansible_collections.linuxnet.vnet.plugins.module_utils.bundle import software
from ansible_collections.linuxnet.vnet.plugins.module_utils.desired import link_want
from ansible_collections.linuxnet.vnet.plugins.module_utils.errors import Refused
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.bridge import BRIDGE
from ansible_collections.linuxnet.vnet.plugins.module_utils.persist import Keep, keep
from ansible_collections.linuxnet.vnet.tests.unit.kernel.throwaway_kernel import (
    needs_root,
    on_a_new_host,
    tally,
    with_systemd,
)

pytestmark = needs_root

ROUNDS = int(os.environ.get("VNET_CONFIRM_ROUNDS", "4"))


def armed(name: str, seconds: int, kept: Keep | None = None, begun: bool = True) -> Path:
    """The directory of a change that makes a bridge, armed by a process that has ended, as a module does, and begun."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        change = engine.Change((link_want(BRIDGE, {"name": name}),), None, kept, lambda _state: {}, name)
        os.write(writer, confirm.arm(change, seconds).encode())
        os._exit(0)
    os.close(writer)
    directory = Path(os.read(reader, 200).decode())
    os.close(reader)
    os.waitpid(child, 0)
    if begun:
        (directory / "begin").touch()
    return directory


def awaited(path: Path) -> Path:
    deadline = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < deadline, path
        time.sleep(0.02)
    return path


def races() -> None:
    """Confirmed in the very moment in which the time is over: one of the two has it, and the host agrees."""
    confirm.DELAY_SECONDS = 0.1
    for number in range(ROUNDS):
        name = f"br{number}"
        directory = armed(name, 1)
        awaited(directory / "pending")
        start = time.monotonic()
        if number == 0:
            with pytest.raises(Refused, match="br0 is not confirmed yet"):
                engine.run((link_want(BRIDGE, {"name": "other"}),))
        time.sleep(max(0.0, start + 1 + random.uniform(-0.02, 0.06) - time.monotonic()))
        try:
            (directory / "pending").rename(directory / "confirmed")
            confirmed = True
        except FileNotFoundError:
            confirmed = False
        outcome = json.loads(awaited(directory / "verdict").read_text())["outcome"]
        there = subprocess.run(["ip", "link", "show", name], capture_output=True, check=False).returncode == 0
        assert (outcome == "kept", there) == (confirmed, confirmed)
        rmtree(directory)
        tally(races=1)
    deadline = time.monotonic() + 5
    while Path(confirm.DIRECTORY).exists():
        assert time.monotonic() < deadline, "something was left behind"
        time.sleep(0.02)


def test_either_the_watchdog_or_the_confirmation_wins() -> None:
    on_a_new_host(races)


def not_begun() -> None:
    """Whose controller doesn't come back after the module's answer changes nothing, and leaves nothing behind."""
    confirm.BEGIN_SECONDS = 0.5
    directory = armed("br0", 60, begun=False)
    awaited(directory / "worker")
    engine.run((link_want(BRIDGE, {"name": "other"}),))  # nobody has to wait for it
    deadline = time.monotonic() + 20
    while directory.exists():
        assert not (directory / "pending").exists()
        assert time.monotonic() < deadline, "something was left behind"
        time.sleep(0.02)
    assert subprocess.run(["ip", "link", "show", "br0"], capture_output=True, check=False).returncode != 0


def test_without_a_controller_nothing_begins() -> None:
    on_a_new_host(not_begun)


def kept_when_confirmed() -> None:
    """What is to come back at boot is written when that was confirmed, and not before."""
    with_systemd()
    confirm.DELAY_SECONDS = 0.1
    for name, confirms in (("br0", False), ("br1", True)):
        params = {"name": name, "persist": True}
        directory = armed(name, 60 if confirms else 1, keep("vnet_bridge", params, link_want(BRIDGE, params), software))
        awaited(directory / "pending")
        file = Path(f"/etc/vnet/conf.d/bridge-{name}.json")
        assert not file.exists()
        if confirms:
            (directory / "pending").rename(directory / "confirmed")
        outcome = json.loads(awaited(directory / "verdict").read_text())["outcome"]
        assert (outcome == "kept", file.exists()) == (confirms, confirms)
        rmtree(directory)


def test_what_is_not_confirmed_is_not_kept() -> None:
    on_a_new_host(kept_when_confirmed)
