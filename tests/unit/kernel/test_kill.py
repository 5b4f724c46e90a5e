# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Killed at any moment, a run leaves nothing that the next one does not know how to go on from."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils.apply import Applier
from ansible_collections.linuxnet.vnet.tests.unit.kernel.test_topology import Entries, everything, run
from ansible_collections.linuxnet.vnet.tests.unit.kernel.throwaway_kernel import (
    differences,
    needs_root,
    on_a_new_host,
)

pytestmark = needs_root

CONTAINERS = 60
KILLS = max(8, int(os.environ.get("VNET_EXAMPLES", "0")))


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


@pytest.mark.parametrize(("start", "end"), [(GONE, FULL), (FULL, OTHER)], ids=["made", "changed"])
def test_the_next_run_goes_on_from_where_one_was_killed(start: Entries, end: Entries) -> None:
    on_a_new_host(kill_on_the_way, start, end, 20261)
