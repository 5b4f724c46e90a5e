# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the integration targets, each on a throwaway host of its own, and say how each of them went.

A target is a directory under tests/integration/targets, as ansible-test knows them. Its tasks/main.yml runs on the
machine's own kernel, in namespaces; its tasks/uml.yml, where there is one, under User Mode Linux, for what the machine's
kernel may lack. Where the machine's kernel makes no namespaces any more (tools/mounts.py), the second kernel takes all that it can.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import integration_uml
import yaml
from throwaway_host import ThrowawayError, tun_problem
from throwaway_lab import Lab

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache"
TESTS = ROOT / "tests" / "integration"
TARGETS = TESTS / "targets"
VEHICLES = {"namespaces": "main", "uml": "uml"}
PARALLEL = 2
TARGET_SECONDS = 900
UML_SECONDS = 2700
IN_CHILDREN = {"VNET_FORK": "1"}
"""For the action `case` to run modules in children of one process, and not by an interpreter for each."""
NO_MOUNTS = os.environ.get("VNET_NO_MOUNTS", "")


@dataclass
class Run:
    """One target on one vehicle, and what came of it. `start` is the file of tasks that it begins with."""

    target: str
    vehicle: str
    start: str
    kernel: str = ""
    skipped: str = ""
    error: str = ""
    seconds: float = 0.0
    tasks: list[dict[str, Any]] = field(default_factory=list)
    log: Path = Path()

    @property
    def cases(self) -> list[dict[str, Any]]:
        return [task for task in self.tasks if task["is_case"]]

    @property
    def failed(self) -> list[dict[str, Any]]:
        return [task for task in self.tasks if task["outcome"] == "failed"]

    @property
    def result(self) -> str:
        if self.skipped:
            return "skipped"
        return "FAILED" if self.error or self.failed or not self.cases else "ok"


def main(argv: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; return 1 when something failed."""
    parser = argparse.ArgumentParser(prog="./dev integration", description="The integration targets.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="by default all")
    parser.add_argument(
        "--pyroute2", default="newest", metavar="VERSION", help="newest (default), or a version such as 0.7.2"
    )
    parser.add_argument("--vehicle", choices=sorted(VEHICLES), help="by default all that a target is for")
    arguments = parser.parse_args(argv)
    runs = plan(arguments.targets, arguments.vehicle)
    if not runs:
        parser.error(f"no such target; there are: {', '.join(known_targets())}")
    python = python_with(arguments.pyroute2)
    library = version_of_pyroute2(python)
    (CACHE / "integration").mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f"pyroute2-{library}-", dir=CACHE / "integration"))
    # The longest first: with two at a time, nothing long is left for the end.
    runs.sort(key=lambda run: -weight(run.target, run.start))
    with ThreadPoolExecutor(PARALLEL) as pool:
        for run in pool.map(lambda run: carry_out(run, python, work), runs):
            report(run)
    table(runs, library)
    if any(run.result == "FAILED" for run in runs):
        return 1
    shutil.rmtree(work)  # the logs of a failure stay
    return 0


def weight(target: str, start: str) -> int:
    """About how long a target takes: the bytes of its tasks, which on a kernel in user space take four times as long."""
    files = {file.name: file.read_text(encoding="utf-8") for file in (TARGETS / target / "tasks").glob("*.yml")}
    if start == "uml":
        included = [files[name] for name in re.findall(r"include_tasks: (\w+\.yml)", files["uml.yml"])]
        return 4 * len(files["uml.yml"] + "".join(included))
    return sum(len(text) for name, text in files.items() if name != "uml.yml")


def known_targets() -> list[str]:
    """All targets by name."""
    return sorted(path.parents[1].name for path in TARGETS.glob("vnet_*/tasks/main.yml"))


def plan(names: Sequence[str], vehicle: str | None) -> list[Run]:
    """A run for each target and each vehicle that it has tasks for; none where a name is unknown."""
    unknown = set(names) - set(known_targets())
    if unknown:
        return []
    return [
        Run(target, "uml" if NO_MOUNTS and not vehicle else kind, tasks)
        for target in names or known_targets()
        for kind, tasks in VEHICLES.items()
        if vehicle in (None, kind) and (TARGETS / target / "tasks" / f"{tasks}.yml").exists()
    ]


# --- Python with the pyroute2 asked for ----------------------------------------------------------------------------


def python_with(version: str) -> Path:
    """The interpreter of an environment with that pyroute2, which is made at first and kept."""
    if version == "newest":
        return Path(sys.executable)
    directory = CACHE / f"pyroute2-{version}"
    python = directory / "bin" / "python"
    if not (directory / ".complete").exists():
        print(f"Installing pyroute2 {version} into {directory.relative_to(ROOT)}", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(directory)], check=True)
        install = [
            str(python),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            f"pyroute2=={version}",
        ]
        subprocess.run(install, check=True)
        (directory / ".complete").touch()
    return python


def version_of_pyroute2(python: Path) -> str:
    """Ask the interpreter itself."""
    code = "import importlib.metadata; print(importlib.metadata.version('pyroute2'))"
    return subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True).stdout.strip()


# --- running -------------------------------------------------------------------------------------------------------


def carry_out(run: Run, python: Path, work: Path) -> Run:
    """Run one target on one vehicle, or note why not."""
    run.skipped = reason_to_skip(run)
    if run.skipped:
        return run
    directory = work / f"{run.target}-{run.vehicle}-{run.start}"
    directory.mkdir()
    run.log = directory / "log"
    start = time.monotonic()
    try:
        (in_uml if run.vehicle == "uml" else in_namespaces)(run, python, directory)
    except (ThrowawayError, OSError) as error:
        run.error = str(error)
    except subprocess.TimeoutExpired:
        run.error = f"it did not end within {UML_SECONDS if run.vehicle == 'uml' else TARGET_SECONDS} seconds"
    run.seconds = time.monotonic() - start
    results = directory / "results"
    if results.exists():
        run.tasks = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
    if not run.cases and not run.error:
        run.error = "no case ran"
    return run


def reason_to_skip(run: Run) -> str:
    """A sentence, or nothing where the run is possible."""
    needs = aliases(run.target)
    if run.vehicle == "namespaces":
        return NO_MOUNTS or ("needs/tun" in needs and tun_problem()) or ""
    if run.start == "main" and "vnet/second_kernel" not in needs:
        return f"it is not for the second kernel, and {NO_MOUNTS}"
    return integration_uml.problem()


def aliases(target: str) -> list[str]:
    """What a target says of itself to whatever runs it."""
    return (TARGETS / target / "aliases").read_text(encoding="utf-8").split()


def in_namespaces(run: Run, python: Path, directory: Path) -> None:
    """On a throwaway host of the machine's own kernel.

    Ansible runs there, too, and its modules in children of one process, which takes a fifth of the time. What is about how
    modules come to a host has the alias vnet/by_ansible, and is run as users run it.
    """
    run.kernel = os.uname().release
    lab = Lab(directory / "lab")
    host = run.target.replace("_", "-")
    lab.up([host], python=str(python))
    environment = ansible_environment(directory)
    if python == Path(sys.executable) and "vnet/by_ansible" in aliases(run.target):
        command = playbook(run, "--inventory", str(lab.directory / "inventory.yml"))
    else:
        command = lab.command(host, local_playbook(run, python))
        library = subprocess.check_output(
            [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True
        )
        environment |= {**IN_CHILDREN, "PYTHONPATH": f"{library.strip()}:{environment['PYTHONPATH']}"}
    try:
        with run.log.open("wb") as log:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **environment},
                timeout=TARGET_SECONDS,
                check=False,
            )
    finally:
        lab.down()
    if done.returncode:
        run.error = f"ansible-playbook ended with {done.returncode}: {last_line(run.log)}"


def in_uml(run: Run, python: Path, directory: Path) -> None:
    """On the kernel of User Mode Linux, where Ansible's controller and its host are one machine."""
    environment = {**ansible_environment(Path("/run/out")), **IN_CHILDREN, "ANSIBLE_REMOTE_TMP": "/run/home/ansible"}
    local = local_playbook(run, python)
    run.kernel, run.error = integration_uml.run(local, environment, python, directory, UML_SECONDS)
    if run.error and run.log.exists():
        run.error += f": {last_line(run.log)}"


def local_playbook(run: Run, python: Path) -> list[str]:
    """As `playbook`, of a machine on which Ansible's controller is as well."""
    interpreter = json.dumps({"ansible_python_interpreter": str(python)})
    return playbook(run, "--inventory", f"{run.target},", "--connection", "local", "--extra-vars", interpreter)


def playbook(run: Run, *options: str) -> list[str]:
    """The command that runs the target's tasks for this vehicle."""
    names = json.dumps({"target": run.target, "tasks_from": run.start})
    program = str(Path(sys.executable).parent / "ansible-playbook")
    return [program, *options, "--extra-vars", names, str(TESTS / "play.yml")]


def ansible_environment(directory: Path) -> dict[str, str]:
    """Besides ansible.cfg, what depends on where the checkout and the run's directory are."""
    return {
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": str(CACHE),
        "ANSIBLE_CONFIG": str(TESTS / "ansible.cfg"),
        "ANSIBLE_HOME": str(directory / "ansible"),
        "ANSIBLE_COLLECTIONS_PATH": str(CACHE),
        "VNET_RESULTS": str(directory / "results"),
    }


def last_line(log: Path) -> str:
    """The last line that speaks of an error, or else the last line."""
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return next((line for line in reversed(lines) if "rror" in line), lines[-1] if lines else "no output")


# --- telling -------------------------------------------------------------------------------------------------------

_speaking = threading.Lock()


def report(run: Run) -> None:
    """What a reader wants to know of a failure; the whole of Ansible's output is in the log."""
    with _speaking:
        if run.error:
            print(f"{run.target} ({run.vehicle}): {run.error}")
        for task in run.failed:
            print(f"{run.target} ({run.vehicle}): {task['name']}")
            for problem in task["problems"]:
                print(f"    {problem}")
        if run.error or run.failed:
            print(f"    log: {run.log}", flush=True)


def table(runs: list[Run], library: str) -> None:
    """One line per target and vehicle, what was skipped and why, and the sum."""
    titles = ("target", "vehicle", "kernel", "pyroute2", "cases", "failed", "asserts", "seconds", "result")
    rows: list[tuple[str, ...]] = [titles]
    for run in sorted(runs, key=lambda run: (run.target, run.vehicle)):
        cases, asserts = len(run.cases), sum(task["asserts"] for task in run.cases)
        numbers = (cases, len(run.failed), asserts, f"{run.seconds:.0f}")
        rows.append((run.target, run.vehicle, run.kernel, library, *map(str, numbers), run.result))
    widths = [max(len(row[column]) for row in rows) for column in range(len(titles))]
    print()
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    for run in runs:
        if run.skipped:
            print(f"skipped: {run.target} ({run.vehicle}): {run.skipped}")
        for task in run.tasks:
            if task["outcome"] == "skipped":
                print(f"skipped: {run.target} ({run.vehicle}): {task['name']}")
    for target in sorted({run.target for run in runs}):
        for name in sorted(ran_nowhere(TARGETS / target / "tasks", [run for run in runs if run.target == target])):
            print(f"ran on no kernel here: {target}: {name}")
    results = [run.result for run in runs]
    skipped = results.count("skipped") + sum(task["outcome"] == "skipped" for run in runs for task in run.tasks)
    print(f"{results.count('ok')} passed, {results.count('FAILED')} failed, {skipped} skipped")


def ran_nowhere(directory: Path, runs: Sequence[Run]) -> set[str]:
    """The names of the cases of a target that none of its runs came to, where it ran on all vehicles that it has tasks for."""
    vehicles = {vehicle for vehicle, start in VEHICLES.items() if (directory / f"{start}.yml").exists()}
    if vehicles - {run.vehicle for run in runs if not run.skipped}:
        return set()
    names = {
        task["name"]
        for path in directory.glob("*.yml")
        for task in yaml.safe_load(path.read_text(encoding="utf-8"))
        if "case" in task
    }
    return names - {task["name"].rpartition(" : ")[2] for run in runs for task in run.cases}


if __name__ == "__main__":
    sys.exit(main())
