# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Killed at any moment, a run leaves nothing that the next one does not know how to go on from."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils.apply import Applier
from ansible_collections.linuxnet.vnet.plugins.module_utils.link_operations import LinkGroupDelete
from ansible_collections.linuxnet.vnet.tests.unit.kernel.test_topology import Entries, everything, run
from ansible_collections.linuxnet.vnet.tests.unit.kernel.throwaway_kernel import (
    differences,
    needs_root,
    on_a_new_host,
    tally,
)

pytestmark = needs_root

ROOT = Path(__file__).resolve().parents[3]
BENCH = ROOT / "tests" / "bench"
COLLECTIONS = ROOT / ".cache"

CONTAINERS = 60
KILLS = int(os.environ.get("VNET_KILLS", "8"))
SEED = int(os.environ.get("VNET_SEED", "20261"))
MODULE_CONTAINERS, MODULE_KILLS = (100, KILLS) if "VNET_KILLS" in os.environ else (20, 2)


def containers(numbers: range, step: int = 0) -> Entries:
    """A topology of containers; `step` moves their addresses, so that all of them change."""
    return {
        "name": "t",
        "namespaces": [{"name": f"c{number}", "sysctl": {"net.ipv6.conf.default.accept_dad": 0}} for number in numbers],
        "bridges": [{"name": "br0", "mac": "02:00:00:00:00:01", "addresses": ["10.0.0.1/16"]}],
        "veths": [
            {
                "name": f"v{number}",
                "mac": f"02:00:00:00:01:{number:02x}",
                "master": "br0",
                "peer": {
                    "name": "eth0",
                    "netns": f"c{number}",
                    "mac": f"02:00:00:00:02:{number:02x}",
                    "addresses": [f"10.0.{1 + step}.{number}/16"],
                },
            }
            for number in numbers
        ],
        "tuntaps": [
            {"name": f"tap{number}", "mac": f"02:00:00:00:03:{number:02x}", "mode": "tap", "master": "br0"}
            for number in numbers[::10]
        ],
        "routes": [
            *({"netns": f"c{number}", "destination": "default", "gateway": "10.0.0.1"} for number in numbers),
            {"destination": "10.9.0.0/16", "gateway": f"10.0.{1 + step}.{numbers[0]}"},
        ],
        "forwarding": [{"ipv4": True}],
    }


FULL = containers(range(1, 1 + CONTAINERS))
OTHER = containers(range(1 + CONTAINERS // 2, 1 + CONTAINERS // 2 + CONTAINERS), step=1)
GONE: Entries = {"name": "t", "state": "absent"}


def killed(entries: Entries, after: int) -> bool:
    """Run, and send SIGKILL as soon as `after` operations have begun; False where it came to its end all the same."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        carry_out, left = Applier.carry_out, iter(range(after, -1, -1))

        def count(applier: Applier, operation: Any) -> None:
            if next(left, None) == 0:
                os.write(writer, b"!")
            carry_out(applier, operation)

        Applier.carry_out = count  # type: ignore[method-assign, assignment]  # in a process that is killed
        try:
            run(entries)
        finally:
            os._exit(0)
    os.close(writer)
    os.read(reader, 1)
    os.close(reader)
    os.kill(child, signal.SIGKILL)
    _pid, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def kill_on_the_way(start: Entries, end: Entries, seed: int) -> None:
    empty = everything()
    run(end)
    reference = everything()
    moments = random.Random(seed)
    hits = 0
    for _round in range(KILLS):
        run(GONE)
        assert differences(empty, everything()) == []
        run(start)
        operations = len(run(end, check=True).operations)
        moment = moments.randrange(operations)
        hits += killed(end, moment)
        run(end)
        assert run(end).operations == []
        assert differences(reference, everything()) == [], f"killed at operation {moment} of {operations}"
        # And once more, when nobody has mended anything before it all goes.
        killed(start if moment % 2 else GONE, moment // 2)
        run(GONE)
        assert differences(empty, everything()) == [], f"killed at operation {moment // 2} of what goes back"
        assert not list(Path("/run/netns").iterdir())
    assert hits, "no run was killed, all were faster"
    tally(kills=hits, not_on_the_way=KILLS - hits)


@pytest.mark.parametrize(("start", "end"), [(GONE, FULL), (FULL, OTHER)], ids=["made", "changed"])
def test_the_next_run_goes_on_from_where_one_was_killed(start: Entries, end: Entries) -> None:
    on_a_new_host(kill_on_the_way, start, end, SEED)


def killed_before_it_says_whose_it_is() -> None:
    child = os.fork()
    if child == 0:
        os.write = lambda *_arguments: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment]  # in a process that is killed
        run({"name": "t", "namespaces": [{"name": "a"}]})
        os._exit(0)
    _pid, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert not Path("/run/netns/a").exists()


def test_no_namespace_is_begun_that_does_not_say_whose_it_is() -> None:
    on_a_new_host(killed_before_it_says_whose_it_is)


def killed_at_the_deletion(entries: Entries) -> None:
    """Run, and be killed when the links that go wait in a group of their own for the one request that deletes them."""
    child = os.fork()
    if child == 0:
        carry_out = Applier.carry_out

        def stop(applier: Applier, operation: Any) -> None:
            if isinstance(operation, LinkGroupDelete):
                os.kill(os.getpid(), signal.SIGKILL)
            carry_out(applier, operation)

        Applier.carry_out = stop  # type: ignore[method-assign, assignment]  # in a process that is killed
        run(entries)
        os._exit(0)
    _pid, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)


def killed_between_group_and_deletion(then: Entries) -> None:
    empty = everything()
    run(then)
    reference = everything()
    run(GONE)
    run({"name": "t", "bridges": [{"name": name} for name in ("a", "b", "c", "d", "e")]})
    killed_at_the_deletion({"name": "t", "bridges": [{"name": "a"}]})
    run(then)
    assert run(then).operations == []
    assert differences(reference, everything()) == []
    run(GONE)
    assert differences(empty, everything()) == []


@pytest.mark.parametrize("names", ["", "a", "abcde", "ab"])
def test_links_that_waited_for_their_deletion_are_still_the_topologys(names: str) -> None:
    bridges = [{"name": name, "mac": f"02:00:00:00:00:0{name}"} for name in names]
    on_a_new_host(killed_between_group_and_deletion, {"name": "t", "bridges": bridges} if names else GONE)


class Module:
    """The module as Ansible sends it to a host, with its options: a file for the host's Python."""

    def __init__(self, entries: Entries, directory: Path, name: str) -> None:
        self._file = directory / name
        self._environment = {**os.environ, "TMPDIR": str(directory)}
        subprocess.run(
            [sys.executable, BENCH / "payload.py", "vnet_topology", self._file],
            input=json.dumps(entries).encode(),
            env={**self._environment, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "ANSIBLE_HOME": str(directory)},
            check=True,
        )

    def start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, self._file], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self._environment
        )

    def run(self) -> dict[str, Any]:
        """What it answers when it is left alone."""
        process = self.start()
        answer = process.communicate()[0]
        assert process.returncode == 0, answer[-2000:]
        found: dict[str, Any] = json.loads(answer)
        return found


def mark() -> tuple[int, int]:
    """What changes with the first operation of a topology's run, which writes the record."""
    record = Path("/run/vnet/topologies/t.json")
    return (record.stat().st_ino, record.stat().st_mtime_ns) if record.exists() else (0, 0)


def until_it_writes(process: subprocess.Popen[bytes], before: tuple[int, int]) -> None:
    while process.poll() is None and mark() == before:
        time.sleep(0.0005)


def module_killed(seed: int) -> None:
    directory = Path("/run/module")
    directory.mkdir()
    full = Module(containers(range(1, 1 + MODULE_CONTAINERS)), directory, "full")
    gone = Module(GONE, directory, "gone")
    empty = everything()
    process = full.start()
    until_it_writes(process, (0, 0))
    start = time.monotonic()
    process.communicate()
    seconds = time.monotonic() - start
    reference = everything()
    gone.run()
    assert differences(empty, everything()) == []
    moments = random.Random(seed)
    hits = missed = 0
    while hits < MODULE_KILLS and missed <= MODULE_KILLS + 8:
        process = full.start()
        until_it_writes(process, (0, 0))
        moment = moments.uniform(0, seconds)
        time.sleep(moment)
        process.kill()
        process.communicate()
        answer = full.run()
        # Killed before its first operation or after its last one it counts for nothing.
        hit = process.returncode == -signal.SIGKILL and answer["changed"] and mark() != (0, 0)
        hits, missed = hits + hit, missed + (not hit)
        if not hit:
            seconds = moment  # all was done by then: the first run was slower, or read what it had done for long
        assert not full.run()["changed"]
        assert differences(reference, everything()) == [], f"killed after {moment:.3f} s of {seconds:.3f} s"
        assert gone.run()["changed"]
        assert differences(empty, everything()) == [], f"killed after {moment:.3f} s of {seconds:.3f} s"
        assert not list(Path("/run/netns").iterdir())
    assert hits == MODULE_KILLS, f"{missed} of {hits + missed} runs were not killed on their way"
    tally(kills=hits, not_on_the_way=missed, containers=MODULE_CONTAINERS)


def test_the_module_goes_on_from_where_it_was_killed() -> None:
    on_a_new_host(module_killed, SEED)
