# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Throwaway hosts to measure on, what a command costs there, and when the machine has come to rest."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from throwaway_lab import ENVIRONMENT, Lab

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

NAME = "bench"
TICKS = os.sysconf("SC_CLK_TCK")
QUIET = 0.1
"""Processors that the kernel keeps busy on its own account, below which it counts as at rest."""

# Where others use the machine, too, what is measured goes first. Each session is a group of its own to the scheduler
# (sched(7), autogroup): within it `nice` counts, and the other file is for the group.
FIRST = ("sh", "-c", 'echo -20 2>/dev/null >/proc/self/autogroup; exec nice -n -20 "$@"', "first")


@dataclass
class Cost:
    """What a command took: seconds by the clock, processor seconds (its own and its children's), and memory at its peak."""

    wall: float
    user: float
    system: float
    peak_mb: float


class CommandFailed(Exception):
    """A command of the benchmark failed; the message has the last of what it said."""


class BenchHost:
    """One throwaway host."""

    def __init__(self, lab: Lab, environment: Mapping[str, str]) -> None:
        self.lab = lab
        self._environment = environment

    @property
    def inventory(self) -> Path:
        return self.lab.directory / "inventory.yml"

    def output(self, *command: str) -> str:
        return self.lab.run(NAME, *command).stdout

    def run(self, command: Sequence[str], log: Path, inside: bool = True) -> Cost:
        """Run a command inside, or beside the host (Ansible's controller); what it says goes to the log."""
        argv = [*FIRST, *(self.lab.command(NAME, command) if inside else command)]
        environment = ENVIRONMENT if inside else self._environment
        with log.open("wb") as said:
            start = time.monotonic()
            process = subprocess.Popen(
                argv,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            _pid, status, usage = os.wait4(process.pid, 0)
            wall = time.monotonic() - start
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            words = log.read_text(encoding="utf-8", errors="replace").strip()[-2000:]
            raise CommandFailed(f"{' '.join(command)[:200]} ended with {process.returncode}: {words}")
        return Cost(wall, usage.ru_utime, usage.ru_stime, usage.ru_maxrss / 1024)


@contextmanager
def bench_host(directory: Path, environment: Mapping[str, str]) -> Iterator[BenchHost]:
    """A new throwaway host, which goes with all that was built on it."""
    lab = Lab(directory)
    lab.down()
    lab.up([NAME], python=sys.executable)
    try:
        yield BenchHost(lab, environment)
    finally:
        lab.down()


def processor_times() -> dict[str, float]:
    """Processor seconds of the machine since boot: `all` by whomever, `interrupts` of hard and soft ones."""
    with Path("/proc/stat").open(encoding="ascii") as file:
        user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, file.readline().split()[1:9])
    return {"all": (user + nice + system + irq + softirq + steal) / TICKS, "interrupts": (irq + softirq) / TICKS}


def busy(seconds: float) -> float:
    """How many processors were busy during the next so many seconds, by whatever work."""
    before, start = processor_times()["all"], time.monotonic()
    time.sleep(seconds)
    return (processor_times()["all"] - before) / (time.monotonic() - start)


def kernel_times() -> dict[str, float]:
    """Processor seconds that the kernel has spent on its own account: interrupts, and each of its threads."""
    spent = {"interrupts": processor_times()["interrupts"]}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            head, _mark, tail = path.read_text(encoding="utf-8", errors="replace").rpartition(")")
        except OSError:
            continue
        words = tail.split()
        # The parent of all kernel threads is number 2. ksoftirqd's time is among that of the interrupts.
        if words[1] == "2" and "(ksoftirqd" not in head:
            # By number: a worker's name changes with its work.
            spent[head.partition(" ")[0]] = (int(words[11]) + int(words[12])) / TICKS
    return spent


def kernel_work(seconds: float) -> float:
    """Processor seconds that the kernel spends on its own account during the next so many seconds.

    That is where what somebody built goes on costing: neighbour discovery, reports of multicast, namespaces being taken down.
    """
    before = kernel_times()
    time.sleep(seconds)
    return sum(spent - before.get(name, 0) for name, spent in kernel_times().items())


def namespaces_alive() -> int:
    """How many network namespaces the kernel has in memory, those that it is still taking down included; 0 where it doesn't tell."""
    try:
        for line in Path("/proc/slabinfo").read_text(encoding="ascii").splitlines():
            if line.startswith("net_namespace "):
                return int(line.split()[1])
    except OSError:
        pass
    return 0


def settle(at_most: float, namespaces: int) -> None:
    """Wait until the kernel is at rest, and has not many more than so many namespaces.

    Taking a thousand of them down goes on for seconds after the host is gone, and in the way of whatever comes next.
    """
    deadline = time.monotonic() + at_most
    while time.monotonic() < deadline:
        if kernel_work(0.5) < 0.5 * QUIET and namespaces_alive() < namespaces + 30:
            return
