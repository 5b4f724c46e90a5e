# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove on a machine with systemd that what `persist` keeps outlasts a reboot, and leaves nothing when it goes.

The machine is Debian in systemd-nspawn, in network and mount namespaces of its own; it shares nothing with the network of
the machine that runs this. Its file system is built once, under .cache, and copied for each run.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from machine import PACKAGES as MACHINE_PACKAGES
from machine import RELEASE, Machine, MachineError, children, problem, tun_problem
from machine_releases import PACKAGES, RELEASES, Release
from machine_uplinks import SETUPS, Setup, Uplink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests" / "machines"
CACHE = ROOT / ".cache" / "machines"
DUMP = ROOT / "tests" / "integration" / "targets" / "setup_case" / "files" / "dump.py"
PLAY_SECONDS = 300
PARALLEL = 2
"""Machines at a time."""

# A device that is not ours and comes late, and what notes what is there when others start.
UNITS = {
    "late.service": """
        [Unit]
        DefaultDependencies=no
        [Service]
        ExecStart=/bin/sh -c 'sleep 3; ip link add late0 address 52:54:00:00:0f:01 type veth \
peer name late1 address 52:54:00:00:0f:02'
        [Install]
        WantedBy=multi-user.target
        """,
    "docker.service": """
        [Unit]
        DefaultDependencies=no
        [Service]
        Type=oneshot
        ExecStart=/bin/sh -c 'ip -br link >/run/before-docker'
        [Install]
        WantedBy=multi-user.target
        """,
    "needs-network.service": """
        [Unit]
        After=network.target
        [Service]
        Type=oneshot
        ExecStart=/bin/sh -c 'ip -br link >/run/before-network'
        [Install]
        WantedBy=multi-user.target
        """,
}
BAD = {
    "corrupt.json": '{"module": "vnet_bridge", "options": {"na',
    # The address could be given, the port is none.
    "half.json": json.dumps(
        {"module": "vnet_bridge", "options": {"name": "br9", "addresses": ["10.9.9.1/24"], "ports": ["lo"]}}
    ),
}


class CaseError(Exception):
    """What is not as it should be."""


def demand(fine: object, otherwise: str) -> None:
    """Raise CaseError unless it is fine."""
    if not fine:
        raise CaseError(otherwise)


@dataclass
class Proof:
    """The machine, and what was seen of it so far."""

    machine: Machine
    work: Path
    pristine: Any = None
    built: Any = None

    def dump(self) -> Any:
        """Its network as the kernel's own tools tell it."""
        found = json.loads(self.machine.run("python3", "-", stdin=DUMP.read_text(encoding="utf-8")))
        del found["indexes"]  # a reboot deals them anew
        found.pop("files")  # they are compared by name where they matter
        return found

    def play(self, name: str, *arguments: str, **variables: str) -> dict[str, int]:
        """Run a playbook on the machine, with arguments of ansible-playbook; return its counts."""
        process = self.begin(name, *arguments, **variables)
        try:
            process.wait(PLAY_SECONDS)
        finally:
            end(process)
        said = (self.work / f"{name}.log").read_text(encoding="utf-8")
        demand(process.returncode == 0, f"{name} failed:\n{said[-4000:]}")
        recap = said.rpartition("PLAY RECAP")[2]
        return {word.split("=")[0]: int(word.split("=")[1]) for word in recap.split() if "=" in word}

    def begin(self, name: str, *arguments: str, **variables: str) -> subprocess.Popen[bytes]:
        """Begin to run a playbook on the machine; what it says goes into a log."""
        environment = {
            **os.environ,
            "LC_ALL": "C.UTF-8",
            "PYTHONPATH": str(ROOT / ".cache"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache"),
            "ANSIBLE_HOME": str(self.work / "ansible"),
            "ANSIBLE_PIPELINING": "true",
            "ANSIBLE_NOCOLOR": "true",
        }
        with (self.work / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                [
                    str(Path(sys.executable).parent / "ansible-playbook"),
                    *("--inventory", str(self.machine.inventory)),
                    *("--extra-vars", json.dumps({"tun": not tun_problem(), **variables})),
                    "--diff",
                    *arguments,
                    str(TESTS / name),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )

    def journal(self) -> str:
        """What the unit has said since the boot."""
        return self.machine.run("journalctl", "--boot", "--no-pager", "--unit", "vnet-restore.service")

    def files(self) -> list[str]:
        """All that the collection keeps on the machine."""
        places = "/etc/vnet /etc/systemd/system/vnet-restore.service /etc/systemd/system/*/vnet-restore.service"
        return self.machine.run("sh", "-c", f"ls -d {places} /etc/vnet/conf.d/* 2>/dev/null || true").split()

    def same(self, before: Any, now: Any, what: str) -> None:
        """Raise CaseError that shows where two dumps differ."""
        found = list(differences(before, now))
        demand(not found, f"{what}:\n  " + "\n  ".join(found[:20]))


def end(process: subprocess.Popen[bytes]) -> None:
    """End a play with all that it has started, unless it has ended; Ansible's workers are in sessions of their own."""
    if process.poll() is None:
        for pid in stopped(process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()


def stopped(pid: int) -> list[int]:
    """A process and all below it, each stopped before its children are counted, so that it starts no more. None that has just ended."""
    try:
        os.kill(pid, signal.SIGSTOP)
        return [pid, *(below for child in children(pid) for below in stopped(child))]
    except (ProcessLookupError, FileNotFoundError):
        return []


def differences(old: Any, new: Any, path: str = "") -> list[str]:
    """One line for each place where two dumps differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = sorted({*old, *new})
        return [line for key in keys for line in differences(old.get(key), new.get(key), f"{path}.{key}")]
    return [] if old == new else [f"{path[1:]}: {json.dumps(old)[:200]} -> {json.dumps(new)[:200]}"]


# --- the cases, in their order ----------------------------------------------------------------------------------------


def the_machine_runs(proof: Proof) -> None:
    """Systemd is up, with the units that look at what we do."""
    for name, text in UNITS.items():
        lines = "\n".join(line.strip() for line in text.replace("\\\n", "").splitlines())
        proof.machine.write(f"/etc/systemd/system/{name}", lines)
        proof.machine.run("systemctl", "enable", name)
    proof.machine.reboot()
    proof.machine.wait_for("/sys/class/net/late0")
    proof.pristine = proof.dump()


def a_play_builds_all(proof: Proof) -> None:
    """The playbook runs, and once more without a change."""
    demand(proof.play("keep.yml")["changed"] > 5, "the playbook changed nothing")
    demand(proof.play("keep.yml")["changed"] == 0, "its second run reports changes")
    proof.built = proof.dump()
    demand(proof.built != proof.pristine, "the playbook built nothing")


def the_unit_is_sound(proof: Proof) -> None:
    """Systemd knows the unit, finds nothing wrong with it, and would start it."""
    said = proof.machine.run("sh", "-c", "systemd-analyze verify /etc/systemd/system/vnet-restore.service 2>&1")
    demand("vnet-restore" not in said, said)
    enabled = proof.machine.run("systemctl", "is-enabled", "vnet-restore.service").strip()
    demand(enabled == "enabled", f"the unit is {enabled}")


def a_reboot_brings_all_back(proof: Proof) -> None:
    """The dump after the reboot equals the dump before it."""
    proof.machine.reboot()
    proof.same(proof.built, proof.dump(), "after the reboot")
    said = proof.journal()
    demand("restored" in said, f"the journal has no summary: {said}")


def others_start_after_it(proof: Proof) -> None:
    """What starts virtual machines and containers finds all devices, and so does what needs the network."""
    for path in ("/run/before-docker", "/run/before-network"):
        links = proof.machine.run("cat", path)
        demand("br0" in links and "vx0" in links, f"{path} has: {links}")


def ansible_then_finds_nothing_to_do(proof: Proof) -> None:
    """The first run after the reboot reports no change."""
    demand(proof.play("keep.yml")["changed"] == 0, "it changed something")


def a_power_cut_is_a_reboot(proof: Proof) -> None:
    """Nothing depends on an orderly end."""
    proof.machine.cut_power()
    proof.machine.start()
    proof.same(proof.built, proof.dump(), "after the power cut")


def bad_files_are_named(proof: Proof) -> None:
    """The journal names a corrupt file and one of which only a half can be done; all else is restored."""
    for name, content in BAD.items():
        proof.machine.write(f"/etc/vnet/conf.d/{name}", content)
    proof.machine.reboot()
    said = proof.journal()
    for name in BAD:
        demand(f"/etc/vnet/conf.d/{name}" in said, f"the journal does not name {name}:\n{said}")
    demand("Traceback" not in said, said)
    state = proof.machine.run("sh", "-c", "systemctl is-failed vnet-restore.service || true").strip()
    demand(state == "failed", f"the unit is {state}")
    proof.same(proof.built, proof.dump(), "with bad files")
    for name in BAD:
        proof.machine.run("rm", f"/etc/vnet/conf.d/{name}")


def absent_cleans_up(proof: Proof) -> None:
    """Nothing is left, down to the unit, and after a reboot the network is as it was at first."""
    proof.play("absent.yml")
    left = proof.files()
    demand(not left, f"there is still {', '.join(left)}")
    known = proof.machine.run("sh", "-c", "systemctl cat vnet-restore.service 2>&1 || true")
    demand("No files found" in known, known)
    proof.machine.reboot()
    proof.machine.wait_for("/sys/class/net/late0")
    proof.same(proof.pristine, proof.dump(), "after all was removed")


def uplink_case(name: str, setup: Setup) -> Callable[[Proof], None]:
    """A case on a bridge that has the machine's uplink, or one of a machine of its own where that takes a package."""

    def case(proof: Proof) -> None:

        def play(state: str) -> dict[str, int]:
            return proof.play("uplink.yml", state=state, confirm=str(setup.confirm))

        def cut_short(seconds: int, seen: Callable[[], bool]) -> None:
            process = proof.begin("uplink.yml", confirm=str(seconds))
            try:
                deadline = time.monotonic() + PLAY_SECONDS
                while not seen() and process.poll() is None and time.monotonic() < deadline:
                    time.sleep(0.05)
            finally:
                end(process)

        Uplink(proof.machine, setup, play, cut_short, demand).prove()

    def case_alone(proof: Proof) -> None:
        with alone(proof.work / name, packages=f"{MACHINE_PACKAGES},{setup.package}") as own:
            own.machine.start()
            case(own)

    found = case_alone if setup.package else case
    found.__name__ = f"an_uplink_of_{name}"
    return found


def release_case(release: str) -> Callable[[Proof], None]:
    """A case on a machine of its own, as Debian ships that release."""

    def case(proof: Proof) -> None:
        with alone(proof.work / release, release, PACKAGES) as own:
            Release(own.machine, own.play, demand).prove()

    case.__name__ = f"{release}_takes_the_roles"
    return case


@contextmanager
def alone(work: Path, release: str = RELEASE, packages: str = MACHINE_PACKAGES) -> Iterator[Proof]:
    """A machine of its own, which is not started yet. Its files stay where something fails."""
    work.mkdir()
    machine, is_fine = Machine(work, release, packages), False
    try:
        machine.build(CACHE)
        yield Proof(machine, work)
        is_fine = True
    finally:
        machine.end(keep=not is_fine)


UPLINKS = {name: uplink_case(name, setup) for name, setup in SETUPS.items()}
ALONE = [*(UPLINKS[name] for name, setup in SETUPS.items() if setup.package), *map(release_case, RELEASES)]
CASES: list[Callable[[Proof], None]] = [
    the_machine_runs,
    a_play_builds_all,
    the_unit_is_sound,
    a_reboot_brings_all_back,
    others_start_after_it,
    ansible_then_finds_nothing_to_do,
    a_power_cut_is_a_reboot,
    bad_files_are_named,
    absent_cleans_up,
    *(case for case in UPLINKS.values() if case not in ALONE),
    *ALONE,
]


def carry_out(case: Callable[[Proof], None], proof: Proof) -> bool:
    """Run a case, and say how it went; return whether it is fine."""
    start = time.monotonic()
    try:
        case(proof)
    except (CaseError, MachineError, OSError, ValueError, subprocess.SubprocessError) as error:
        print(f"FAILED   {case.__name__}: {error}", flush=True)
        return False
    print(f"ok       {case.__name__} ({time.monotonic() - start:.0f} s)", flush=True)
    return True


def carried_out(cases: Sequence[Callable[[Proof], None]], proof: Proof) -> Iterator[bool]:
    """Run cases one after another, until nothing that follows would mean anything."""
    for case in cases:
        is_fine = carry_out(case, proof)
        yield is_fine
        if not is_fine and case in CASES[:2]:
            return


def main(argv: Sequence[str] | None = None) -> int:
    """Run the cases; return 1 when one failed."""
    parser = argparse.ArgumentParser(prog="./dev machines", description="Reboots of a machine with systemd.")
    parser.add_argument("--keep", action="store_true", help="leave the machine's files and logs where they are")
    parser.add_argument("words", nargs="*", metavar="WORD", help="only cases with such a word in their names: uplink")
    arguments = parser.parse_args(argv)
    cases = [case for case in CASES if not arguments.words or any(word in case.__name__ for word in arguments.words)]
    if not cases:
        parser.error(f"no case has such a word; there are: {', '.join(case.__name__ for case in CASES)}")
    lacking = problem()
    if lacking:
        print(f"skipped: {lacking}\n0 passed, 0 failed, {len(cases)} skipped")
        return 0
    work = Path(tempfile.mkdtemp(prefix="vnet-machines-"))
    machine = Machine(work)
    results: list[bool] = []
    try:
        try:
            machine.build(CACHE)
            machine.start()
        except MachineError as error:
            # Nothing of ours is on it yet: that is about where we are, such as in a container.
            print(f"skipped: {error}\n0 passed, 0 failed, {len(cases)} skipped")
            return 0
        proof = Proof(machine, work)
        # Those on machines of their own go on beside the others.
        lanes = [[case for case in cases if case not in ALONE], *([case] for case in cases if case in ALONE)]
        with ThreadPoolExecutor(PARALLEL) as pool:
            for lane in pool.map(lambda lane: list(carried_out(lane, proof)), lanes):
                results += lane
    finally:
        machine.end(keep=arguments.keep or False in results)
    if tun_problem():
        print(f"skipped: the tap: {tun_problem()}")
    print(f"{results.count(True)} passed, {results.count(False)} failed, {len(cases) - len(results)} skipped")
    return 1 if False in results else 0


if __name__ == "__main__":
    sys.exit(main())
