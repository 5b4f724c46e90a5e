# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of ansible-playbook for the demo: what each task did, and whether a check run had foretold it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PLAYBOOKS = ROOT / "playbooks"
OURS = "linuxnet.vnet."

# A check run says so of what an earlier task would have made: the one thing that it can't see.
NOT_THERE_YET = "there is no "


class DemoError(Exception):
    """A command failed; the text is what it said."""


@dataclass(frozen=True)
class Outcome:
    """What one task did on one host, for one item of its loop."""

    host: str
    task: str
    action: str
    outcome: str
    item: Any = None
    changed: bool = False
    operations: tuple[str, ...] = ()
    diff: Any = None
    warnings: tuple[str, ...] = ()
    msg: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it the same task in two runs."""
        return self.host, self.task, json.dumps(self.item, sort_keys=True)

    @property
    def name(self) -> str:
        """Task, item and host, for people."""
        item = "" if self.item is None else f" ({self.item})"
        return f"{self.task}{item} on {self.host}"

    @property
    def saw_too_little(self) -> bool:
        """Whether, in a check run, it stood on what an earlier task would have made."""
        return any(NOT_THERE_YET in warning for warning in self.warnings)


@dataclass(frozen=True)
class Comparison:
    """A check run held against the run after it. ``alike`` of ``tasks`` were the same; ``lies`` are sentences."""

    tasks: int
    alike: int
    lies: tuple[str, ...]


@dataclass(frozen=True)
class Play:
    """One way to call ansible-playbook."""

    playbook: str
    hosts: tuple[str, ...]
    inventory: Path
    variables: dict[str, str] = field(default_factory=dict)
    inventories: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    def arguments(self, *options: str) -> list[str]:
        """Return the command line after ``ansible-playbook``, as a person at the root of the checkout types it."""
        variables = [word for name, value in self.variables.items() for word in ("-e", f"{name}={value}")]
        playbook = (PLAYBOOKS / self.playbook).relative_to(ROOT)
        # The lab's comes last, as it says how its hosts are reached.
        inventories = [
            word for name in (*self.inventories, os.path.relpath(self.inventory, ROOT)) for word in ("-i", name)
        ]
        limit = ",".join(self.hosts)
        return [*inventories, "--limit", limit, str(playbook), *variables, *self.options, *options]


def parse(lines: str) -> list[Outcome]:
    """Read what the callback plugin vnet_record wrote."""
    found = []
    for line in lines.splitlines():
        entry = json.loads(line)
        for name in ("operations", "warnings"):
            entry[name] = tuple(entry.get(name) or ())
        found.append(Outcome(**entry))
    return found


def changes(outcomes: list[Outcome]) -> list[Outcome]:
    """Return those that changed something."""
    return [outcome for outcome in outcomes if outcome.changed]


def compare(foretold: list[Outcome], done: list[Outcome]) -> Comparison:
    """Hold a check run against the run: `changed`, `operations` and diff of each of this collection's tasks.

    A task that saw too little may differ without that being a lie, and its diff does: where a bridge was not
    there yet, its list of ports could not be shown. It counts as alike by `changed` and `operations`.
    """
    before = {outcome.key: outcome for outcome in foretold if outcome.action.startswith(OURS)}
    after = {outcome.key: outcome for outcome in done if outcome.action.startswith(OURS)}
    alike, lies = 0, []
    for key, real in after.items():
        check = before.get(key)
        if check is None:
            lies.append(f"{real.name}: the check run did not get there")
            continue
        parts = ("changed", "operations") if check.saw_too_little else ("changed", "operations", "diff")
        different = [part for part in parts if getattr(check, part) != getattr(real, part)]
        if not different:
            alike += 1
        elif not check.saw_too_little:
            what = f"foretold {told(check)}; done {told(real)}" if different != ["diff"] else "another diff"
            lies.append(f"{real.name}: {what}")
    lies += [f"{before[key].name}: foretold, and never done" for key in before.keys() - after.keys()]
    return Comparison(len(after), alike, tuple(lies))


def told(outcome: Outcome) -> str:
    """Return what a task did, for people."""
    return "; ".join(outcome.operations) or ("changed without operations" if outcome.changed else "nothing")


class Runner:
    """Runs ansible-playbook, from several threads if need be, until told to stop."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()
        self._stopped = False

    def run(self, play: Play, *options: str) -> list[Outcome]:
        """Run a playbook; return what its tasks did. Raises DemoError with the output where that failed."""
        with tempfile.TemporaryDirectory(prefix="vnet-demo-") as scratch:
            record = Path(scratch, "record")
            code, output = self._call(play.arguments("--diff", *options), environment(Path(scratch), record))
            if code:
                raise DemoError(f"$ ansible-playbook {' '.join(play.arguments('--diff', *options))}\n{output.strip()}")
            return parse(record.read_text(encoding="utf-8")) if record.exists() else []

    def stop(self) -> None:
        """End what runs, and start nothing more."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                # As if from the keyboard: Ansible then ends its workers too.
                process.send_signal(signal.SIGINT)

    def _call(self, arguments: list[str], env: dict[str, str]) -> tuple[int, str]:
        with self._lock:
            if self._stopped:
                raise DemoError("interrupted")
            process = subprocess.Popen(
                [sys.executable, "-m", "ansible", "playbook", *arguments],
                cwd=ROOT,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                # Ctrl-C is for the demo alone, which passes it on when it is ready to.
                start_new_session=True,
            )
            self._running.add(process)
        try:
            output = process.communicate()[0]
        finally:
            with self._lock:
                self._running.discard(process)
        return process.returncode, output


def environment(scratch: Path, record: Path) -> dict[str, str]:
    """Return the environment for ansible-playbook: the checkout as a collection, and results recorded."""
    settings = scratch / "ansible.cfg"  # an empty one, or Ansible would look for the user's
    settings.touch()
    cache = str(ROOT / ".cache")
    # Settings of the caller, such as another stdout callback or a vault, have no part in this.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    return {
        **kept,
        "PYTHONPATH": cache,
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_CONFIG": str(settings),
        "ANSIBLE_HOME": os.environ.get("ANSIBLE_HOME", str(ROOT / ".cache" / "home" / ".ansible")),
        "ANSIBLE_COLLECTIONS_PATH": cache,
        "ANSIBLE_PIPELINING": "1",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "tools" / "callback"),
        "ANSIBLE_CALLBACKS_ENABLED": "vnet_record",
        "VNET_RECORD": str(record),
    }
