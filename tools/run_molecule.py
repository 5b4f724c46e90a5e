# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the molecule scenarios on throwaway hosts, say how each went, and see that none leaves hosts behind."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import guest_image
import machine_ssh
from throwaway_host import ThrowawayError, tun_problem
from throwaway_lab import Lab
from throwaway_ssh import problem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROOT = Path(__file__).resolve().parents[1]
LOGS = ROOT / ".cache" / "logs"
SECONDS = 900
PARALLEL = 2
"""Scenarios at a time. Most of what each does is done by one process after another."""

SHOWN = 80

OBSTACLES: dict[str, Callable[[], str]] = {
    "bridged_vm": lambda: tun_problem() or guest_image.problem("uml"),
    "bridged_vm_qemu": lambda: tun_problem() or guest_image.problem("qemu"),
    "reboot": lambda: tun_problem() or machine_ssh.problem(),
    "uplink_persist": machine_ssh.problem,
    "vxlan_overlay_evpn": machine_ssh.problem,
}
"""Why a scenario can't be run here, or nothing, for those that need more than throwaway hosts."""


def scenarios() -> list[str]:
    """The names of all scenarios."""
    return sorted(path.parent.name for path in (ROOT / "molecule").glob("*/molecule.yml"))


def obstacle(name: str) -> str:
    """Why a scenario can't be run here, or nothing."""
    own = OBSTACLES.get(name)
    return problem() or (own() if own else "")


def run(name: str, *, keep: bool) -> str:
    """Run a scenario in whole; return what is wrong, or nothing."""
    log = LOGS / f"molecule-{name}.log"
    command = [str(Path(sys.executable).parent / "molecule"), "test", "--scenario-name", name]
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "NO_COLOR": "1", "MOLECULE_COMMAND_BORDERS": "false"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, *(["--destroy=never"] if keep else [])],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            code = process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            process.terminate()
            code = process.wait()
    if code:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join([f"molecule ended with {code}, and in {log.relative_to(ROOT)} with:", *lines[-SHOWN:]])
    return ""


def swept(name: str) -> str:
    """End what a scenario left of its hosts; return what that was, or nothing."""
    lab = Lab(ROOT / ".lab" / "molecule" / name)
    if not lab.directory.exists():
        return ""
    try:
        machine_ssh.down(lab)
    except ThrowawayError as error:
        return str(error)
    return f"it left {lab.directory.relative_to(ROOT)}"


def carry_out(name: str, *, keep: bool) -> tuple[str, str]:
    """Run a scenario where that is possible, and leave nothing of it; return the result, and what is to be said."""
    lacking = obstacle(name)
    if lacking:
        return "skipped", f"skipped  {name}: {lacking}"
    start = time.monotonic()
    try:
        wrong = run(name, keep=keep)
    finally:
        left = "" if keep else swept(name)
    verdict = f"{'FAILED' if wrong or left else 'ok':7}  {name} ({time.monotonic() - start:.0f} s)"
    return "failed" if wrong or left else "passed", "\n".join([verdict, *filter(None, (wrong, left))])


def main(argv: Sequence[str] | None = None) -> int:
    """Run scenarios; return 1 where one failed."""
    parser = argparse.ArgumentParser(prog="./dev molecule", description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="a folder in molecule/; default: all")
    parser.add_argument("--keep", action="store_true", help="leave the hosts, to look around in")
    arguments = parser.parse_args(argv)
    for name in arguments.scenarios:
        if name not in scenarios():
            parser.error(f"there is no scenario {name!r}; there are: {', '.join(scenarios())}")
    tally = {"passed": 0, "failed": 0, "skipped": 0}
    with ThreadPoolExecutor(PARALLEL) as pool:
        for result, words in pool.map(
            lambda name: carry_out(name, keep=arguments.keep), arguments.scenarios or scenarios()
        ):
            tally[result] += 1
            print(words, flush=True)
    if arguments.keep:
        print("Look around: python3 tools/throwaway.py exec --lab .lab/molecule/SCENARIO HOST -- /bin/sh")
        print("End them:    python3 tools/machine_ssh.py down --lab .lab/molecule/SCENARIO")
    print(", ".join(f"{number} {word}" for word, number in tally.items()))
    return 1 if tally["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
