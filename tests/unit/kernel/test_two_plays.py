# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two plays against one host at the same moment: one waits, both succeed, nothing is lost; a lock goes with its holder."""

from __future__ import annotations

import fcntl
import glob
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from ansible_collections.linuxnet.vnet.plugins.module_utils.engine import LOCK
from ansible_collections.linuxnet.vnet.tests.unit.kernel.test_topology import run
from ansible_collections.linuxnet.vnet.tests.unit.kernel.throwaway_kernel import needs_root, on_a_new_host

pytestmark = needs_root

COLLECTIONS = Path(__file__).resolve().parents[3] / ".cache"
HOME = Path("/run/controller")
PORTS = 10


def entries(name: str) -> dict[str, object]:
    """A topology of its own for each of the two."""
    names = [f"{name}{number}" for number in range(PORTS)]
    return {
        "name": name,
        "namespaces": [{"name": netns} for netns in names],
        "bridges": [{"name": f"br-{name}", "mac": "02:00:00:00:00:01"}],
        "veths": [{"name": x, "master": f"br-{name}", "peer": {"name": "eth0", "netns": x}} for x in names],
        "forwarding": [{"ipv4": True}],
    }


def play(name: str) -> subprocess.Popen[bytes]:
    """Start `ansible-playbook`, as two people might at once."""
    book = HOME / f"{name}.json"
    task = {"linuxnet.vnet.vnet_topology": entries(name)}
    book.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": [task]}]), encoding="utf-8")
    directory = HOME / name
    return subprocess.Popen(
        [Path(sys.executable).parent / "ansible-playbook", "--inventory=here,", "--connection=local", book],
        env={
            **os.environ,
            "TMPDIR": str(HOME),
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_HOME": str(directory),
            "ANSIBLE_LOCAL_TEMP": str(directory),
            "ANSIBLE_REMOTE_TEMP": str(directory),
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def holder() -> int:
    """A process that holds the lock until it is killed."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        descriptor = os.open(LOCK, os.O_RDWR | os.O_CREAT)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.write(writer, b"!")
        while True:
            signal.pause()
    os.read(reader, 1)
    return child


def openers() -> set[str]:
    """The processes that have this host's lock open."""
    own = Path(LOCK).stat()
    found = set()
    for name in glob.iglob("/proc/[0-9]*/fd/*"):  # before Python 3.13 Path's fails where a process ends meanwhile
        path = Path(name)
        try:
            there = path.stat()
        except OSError:
            continue
        if (there.st_dev, there.st_ino) == (own.st_dev, own.st_ino):
            found.add(path.parts[2])
    return found


def until_both_wait(plays: dict[str, subprocess.Popen[bytes]]) -> None:
    """Ansible may take its time to come so far; the module then waits for no more than a minute."""
    deadline = time.monotonic() + 240
    while len(openers()) < 1 + len(plays):
        assert time.monotonic() < deadline, "the two don't come so far as to wait"
        for process in plays.values():
            assert process.poll() is None, f"it did not wait: {process.communicate()[0].decode()}"
        time.sleep(0.05)
    assert not list(Path("/sys/class/net").glob("br-*")), "one of the two did not wait"


def two_plays() -> None:
    HOME.mkdir()
    Path(LOCK).parent.mkdir()
    pid = holder()
    plays = {name: play(name) for name in ("left", "right")}
    try:
        until_both_wait(plays)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    for name, process in plays.items():
        said = process.communicate()[0].decode()
        assert process.returncode == 0, said
        assert "changed=1" in said
        assert len(list(Path(f"/sys/class/net/br-{name}/brif").iterdir())) == PORTS
    for name in plays:
        assert run(entries(name)).operations == []
        run({"name": name, "state": "absent"})
    assert not list(Path("/sys/class/net").glob("br-*"))


def test_of_two_plays_at_once_one_waits_and_both_succeed() -> None:
    on_a_new_host(two_plays)
