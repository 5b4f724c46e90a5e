# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel's tests in full, of which `./dev unit` runs a share that fits its time."""

from __future__ import annotations

import argparse
import json
import os
import random
import shlex
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import integration_uml
from ansible_collections.linuxnet.vnet.plugins.module_utils.apply import VERBS

ROOT = Path(__file__).resolve().parents[1]
LOGS = ROOT / ".cache" / "logs"
KERNEL = "tests/unit/kernel"
UML_SECONDS = 1800
REFUSED = "("
"""With this begins, in the tally, the sentence of a refusal."""


class Part(NamedTuple):
    """Tests, what they read from the environment to run in full, and what is counted of them.

    With `second_kernel` they run under User Mode Linux, for what the machine's own kernel may lack.
    """

    tests: tuple[str, ...]
    environment: dict[str, str]
    summary: str
    second_kernel: bool = False


class Outcome(NamedTuple):
    """How a part went; `counts` is the sum of all that its tests have counted."""

    name: str
    failed: bool
    seconds: float
    counts: Counter[str]


PARTS = {
    "topologies": Part(
        (f"{KERNEL}/test_random_topologies.py",),
        {"VNET_EXAMPLES": "200"},
        "{topologies} random topologies of {entries} entries, {operations} operations; {refused} refused",
    ),
    "faults": Part(
        (
            f"{KERNEL}/test_topology.py",
            f"{KERNEL}/test_faults.py",
            f"{KERNEL}/test_nat.py::test_a_fault_at_any_operation_of_a_topology_leaves_the_host_as_it_was",
            f"{KERNEL}/test_uplink.py::test_a_fault_at_any_operation_leaves_the_uplink_as_it_was",
        ),
        {"VNET_UPLINK_ROUNDS": "20"},
        "{faults} faults, one at each operation",
    ),
    "vlans": Part(
        (
            f"{KERNEL}/test_topology.py::test_a_fault_at_any_operation_leaves_the_vlans_of_ports_as_they_were",
            f"{KERNEL}/test_topology.py::test_what_goes_makes_room_for_what_comes",
            f"{KERNEL}/test_undone.py::test_what_stands_on_a_device_that_did_not_move_has_all_again",
            "tests/unit/roles/test_bridged_vm_host.py::test_each_vm_is_in_its_vlan",
        ),
        {},
        "{faults} faults, one at each operation, on the second kernel",
        second_kernel=True,
    ),
    "kills": Part(
        (f"{KERNEL}/test_kill.py",),
        {"VNET_KILLS": "50"},
        "{kills} kills on the way; {not_on_the_way} came too late",
    ),
    "uplinks": Part(
        (f"{KERNEL}/test_uplink.py",),
        {"VNET_UPLINK_ROUNDS": "20"},
        "{handovers} times a bridge took its uplink over, or gave it back, under two TCP connections: of {bytes} bytes none was lost,"
        " and none came for {longest_gap_ms} ms; {faults} faults, one at each operation",
    ),
    "confirmations": Part(
        (f"{KERNEL}/test_confirm.py", f"{KERNEL}/test_confirm_ssh.py", f"{KERNEL}/test_confirm_many.py"),
        {"VNET_CONFIRM_ROUNDS": "50", "VNET_CUTS": "20", "VNET_CONFIRM_HOSTS": "10"},
        "{races} confirmations in the very last moment; {cuts} changes over SSH that cut the host off, each taken back in time, and {kept} that"
        " did not and were kept; {hosts} hosts in one play",
    ),
    "nats": Part(
        (f"{KERNEL}/test_nat.py", f"{KERNEL}/test_nat_packets.py"),
        {"VNET_NATS": "200"},
        "{nats} random address translations, {operations} operations; {faults} faults; {cells} cells of who reaches whom",
    ),
}

WITH_FAULTS = ("faults", "vlans")
"""The parts that together let each kind of operation fail, and undo it."""

ELSEWHERE = {"DhcpMove", "NetworkdRestart"}
"""The kinds of which only a real systemd and a real DHCP server could say anything: ./dev machines undoes these."""


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """The options, or an end with a sentence."""
    parser = argparse.ArgumentParser(prog="./dev campaign", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"one of {', '.join(PARTS)}; all if none is named")
    parser.add_argument("--seed", type=int, help="that of an earlier campaign, to see the same again")
    parser.add_argument("--examples", type=int, help="so many chains of random topologies in place of 200")
    parser.add_argument("--kills", type=int, help="so many kills in place of 50")
    parser.add_argument("--nats", type=int, help="so many random address translations in place of 200")
    options = parser.parse_args(arguments)
    unknown = sorted({*options.parts} - {*PARTS})
    if unknown:
        parser.error(f"no part is named {unknown[0]!r}; there are: {', '.join(PARTS)}")
    return options


def run(name: str, part: Part, seed: int, more: dict[str, str]) -> Outcome:
    """Run the tests of a part; what they say goes to a log, and of a failure its end is shown."""
    log = LOGS / f"campaign-{name}.log"
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as directory, log.open("w", encoding="utf-8") as said:
        tally = Path(directory, "tally")
        tally.touch()
        wanted = {name: more.get(name, value) for name, value in part.environment.items()}
        environment = {**wanted, "VNET_SEED": str(seed), "VNET_TALLY": str(tally)}
        command = [sys.executable, "-m", "pytest", "--hypothesis-seed", str(seed), *part.tests]
        if part.second_kernel:
            problem = under_uml(command, environment, Path(directory))
            said.write(problem)
        else:
            done = subprocess.run(
                [*command, "-n", "2"],
                cwd=ROOT,
                env={**os.environ, **environment},
                stdout=said,
                stderr=subprocess.STDOUT,
                check=False,
            )
            problem = f"pytest ended with {done.returncode}" if done.returncode else ""
        counts: Counter[str] = Counter()
        for line in tally.read_text(encoding="utf-8").splitlines():
            counts.update(json.loads(line))
    if problem:
        print(f"--- {name}: the end of {log}", log.read_text(encoding="utf-8")[-4000:], sep="\n", flush=True)
    return Outcome(name, bool(problem), time.monotonic() - start, counts)


def under_uml(command: list[str], environment: dict[str, str], directory: Path) -> str:
    """Run a command under User Mode Linux; return what it said and what was wrong with it, or nothing."""
    lacking = integration_uml.problem()
    if lacking:
        return lacking
    # The tests lay another /run over the one that the machine shares.
    tally = "/tmp/tally"  # nobody else is there
    told = {**environment, "VNET_TALLY": tally, "PYTHONPATH": os.environ["PYTHONPATH"], "LC_ALL": "C.UTF-8"}
    told |= {"ANSIBLE_HOME": "/tmp/ansible", "ANSIBLE_COLLECTIONS_PATH": os.environ["ANSIBLE_COLLECTIONS_PATH"]}
    inside = [
        f"cd {shlex.quote(str(ROOT))} && {shlex.join([*command, '-o', 'cache_dir=/tmp/cache'])}",
        f"code=$?; cp {tally} /run/out/tally; exit $code",
    ]
    try:
        _kernel, problem = integration_uml.run(
            ["sh", "-c", "\n".join(inside)], told, Path(sys.executable), directory, UML_SECONDS
        )
    except subprocess.TimeoutExpired:
        problem = f"it did not end within {UML_SECONDS} seconds"
    log = directory / "log"
    return f"{log.read_text(encoding='utf-8') if log.exists() else ''}\n{problem}" if problem else ""


def untried(outcomes: list[Outcome]) -> set[str]:
    """The kinds of operations none of which failed, nor was undone, though the parts that are for that ran."""
    if not {*WITH_FAULTS} <= {outcome.name for outcome in outcomes}:
        return set()
    return {kind.__name__ for kind in VERBS} - ELSEWHERE - {word for outcome in outcomes for word in outcome.counts}


def show(outcomes: list[Outcome], seed: int) -> None:
    """The table: what was tried, how long it took, and how to see a failure again."""
    print(f"\n{'part':<12} {'result':<7} {'seconds':>7}  tried")
    for name, failed, seconds, counts in outcomes:
        tried = PARTS[name].summary.format_map(counts)
        print(f"{name:<12} {'FAILED' if failed else 'ok':<7} {seconds:>7.0f}  {tried}")
        for sentence, number in counts.most_common():
            if sentence.startswith(REFUSED):
                print(f"{'':<28}  {number} x {sentence}")
        kinds = ", ".join(f"{number} {word}" for word, number in sorted(counts.items()) if is_detail(word, name))
        if kinds:
            print(f"{'':<28}  {kinds}")
    print(f"\nThe seed was {seed}.")
    for name, failed, _seconds, _counts in outcomes:
        if failed:
            print(f"To see it again: ./dev campaign {name} --seed {seed}")


def is_detail(word: str, part: str) -> bool:
    """Whether a count is none that the summary has already."""
    return not word.startswith(REFUSED) and f"{{{word}}}" not in PARTS[part].summary


def main(arguments: list[str] | None = None) -> int:
    """Run the parts that are asked for, and show the table."""
    options = parsed(arguments)
    if os.geteuid() != 0:
        print("./dev campaign: only root can make namespaces for the real kernel's tests", file=sys.stderr)
        return 2
    seed = random.randrange(10**6) if options.seed is None else options.seed
    asked = {"VNET_EXAMPLES": options.examples, "VNET_KILLS": options.kills, "VNET_NATS": options.nats}
    more = {name: str(value) for name, value in asked.items() if value is not None}
    outcomes = [run(name, PARTS[name], seed, more) for name in options.parts or PARTS]
    show(outcomes, seed)
    missing = untried(outcomes)
    if missing:
        print(
            f"No test lets these fail: {', '.join(sorted(missing))}. Add what makes such to the topologies of test_topology.py."
        )
    return int(bool(missing) or any(outcome.failed for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
