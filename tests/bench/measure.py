# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measuring one way at one size: on a fresh throwaway host, with rests in between."""

from __future__ import annotations

import json
import math
import shutil
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import endstate
import shape
from hosts import BenchHost, bench_host, busy, kernel_work, namespaces_alive, settle
from peers import CACHE, HERE, INVENTORY, Step, Way, ansible_environment, ansible_playbook, make_payload, write_play

if TYPE_CHECKING:
    from collections.abc import Sequence

WORK = CACHE / "bench" / "work"
TASKS = 10
"""In the plays that find out what one task costs."""


@dataclass
class Run:
    """One measured command. `load`: processors busy before it began, by whoever else uses the machine."""

    way: str
    count: int
    round: int
    step: str
    wall: float
    user: float
    system: float
    peak_mb: float
    load: float
    after: float | None = None
    """Processor seconds that the kernel went on to spend in the time after."""

    @property
    def processor(self) -> float:
        return self.user + self.system


@dataclass
class Bench:
    """How to measure, and what came of it."""

    settle: float
    after: float
    runs: list[Run] = field(default_factory=list)
    unequal: list[str] = field(default_factory=list)
    breakdown: dict[int, dict[str, float]] = field(default_factory=dict)
    per_task: dict[str, float] = field(default_factory=dict)
    alive: int = field(default_factory=namespaces_alive)
    """Network namespaces that the kernel had before all this."""

    def way(self, way: Way, count: int, round_: int) -> None:
        """All steps of a way; in the first round the end states are looked at, too."""
        directory = fresh(WORK / f"{way.name}-{count}")
        steps = way.prepare(directory, count)
        with bench_host(directory / "lab", ansible_environment()) as host:
            for step in steps:
                settle(self.settle, self.alive + (0 if step.name == "build" else count))
                run = self._run(host, step, directory, way.name, count, round_)
                print(f"{way.title:36} {count:5} {step.name:7} {run.wall:8.3f} s", flush=True)
                if round_ == 0:
                    if step.name == "build" and self.after:
                        run.after = kernel_work(self.after)
                    self._look(host, way, count, step.name)

    def _run(self, host: BenchHost, step: Step, directory: Path, way: str, count: int, round_: int) -> Run:
        load = busy(0.3)
        command = [str(host.inventory) if word == INVENTORY else word for word in step.command]
        cost = host.run(command, directory / f"{step.name}.log", step.inside)
        run = Run(way, count, round_, step.name, **asdict(cost), load=load)
        self.runs.append(run)
        return run

    def _look(self, host: BenchHost, way: Way, count: int, step: str) -> None:
        wanted = endstate.nothing() if step in ("absent", "nothing") else endstate.expected(count)
        found = endstate.difference(endstate.dump(host), wanted)
        self.unequal += [f"{way.name}, {count}, {step}: {line}" for line in found]
        for line in found[:3]:
            print(f"    DIFFERS  {line}", file=sys.stderr, flush=True)

    # -- ours, in more detail --------------------------------------------------------------------------------------------

    def break_down(self, count: int) -> None:
        """Where the time of vnet_topology's first run goes; `Ansible` is what `ansible-playbook` takes beyond the module."""
        directory = fresh(WORK / f"breakdown-{count}")
        payload, times = directory / "payload.py", directory / "times.json"
        make_payload("vnet_topology", shape.topology(count), payload)
        with bench_host(directory / "lab", ansible_environment()) as host:
            settle(self.settle, self.alive)
            cost = host.run(
                [sys.executable, str(HERE / "stopwatch.py"), str(payload), str(times)], directory / "payload.log"
            )
        spent = json.loads(times.read_text(encoding="utf-8"))
        interpreter = {"interpreter": cost.wall - sum(spent.values())}
        ansible = self.best("playbook", count) - self.best("module", count)
        self.breakdown[count] = {**({} if math.isnan(ansible) else {"Ansible": ansible}), **interpreter, **spent}

    def tasks(self) -> None:
        """What one task costs that changes nothing: of ours, and of the cheapest thing that Ansible can do for real."""
        veth: dict[str, Any] = {"name": "v0", "peer": {"name": "v1"}}
        plays: dict[str, list[dict[str, Any]]] = {
            "none": [],
            "vnet_veth": [{"linuxnet.vnet.vnet_veth": veth}] * TASKS,
            "command": [{"ansible.builtin.command": "ip link show"}] * TASKS,
        }
        directory = fresh(WORK / "tasks")
        best: dict[str, float] = {}
        with bench_host(directory / "lab", ansible_environment()) as host:
            for _round in range(4):
                for name, tasks in plays.items():
                    play = write_play(directory / f"{name}.yml", tasks or [{"ansible.builtin.meta": "noop"}])
                    settle(self.settle, self.alive)
                    command = ansible_playbook(play)
                    words = [str(host.inventory) if word == INVENTORY else word for word in command]
                    wall = host.run(words, directory / f"{name}.log", inside=False).wall
                    # The first round makes the veth.
                    best[name] = min(best.get(name, wall), wall) if _round else float("inf")
        self.per_task = {name: (best[name] - best["none"]) / TASKS for name in ("vnet_veth", "command")}

    def best(self, way: str, count: int, step: str = "build", what: str = "wall") -> float:
        """The least of all rounds, which is the one with the least of other people's work in it; NaN where there is none."""
        return min(
            (getattr(run, what) for run in self.runs if (run.way, run.count, run.step) == (way, count, step)),
            default=float("nan"),
        )


def fresh(directory: Path) -> Path:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


def measure(bench: Bench, ways: Sequence[Way], sizes: Sequence[int], rounds: int, patience: float) -> None:
    """All ways at all sizes, round after round, so that what is compared was measured close together in time.

    What took longer than `patience` seconds is not measured again.
    """
    for round_ in range(rounds):
        for count in sizes:
            for way in ways:
                if count <= way.most and not (round_ and bench.best(way.name, count) > patience):
                    bench.way(way, count, round_)
