# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab: throwaway hosts, the wires between them, and the directory that keeps what is known of them.

Each host has a file ``LAB/hosts/NAME.json``, which is all that the connection plugin needs: ``pid`` and
``start`` (the holder and its start time in clock ticks, against numbers used again), ``enter`` (the arguments
to put in front of a command) and ``environment``.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from throwaway_host import HOME, PATH, ThrowawayError, copy_tree, find_tool, spawn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

HOST_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
INTERFACE_NAME = re.compile(r"(?!\.{1,2}$)[^\s/:=]{1,15}")

# A host starts from a clean environment, as over SSH: nothing of the caller's virtual environment reaches it.
ENVIRONMENT = {
    "HOME": str(HOME),
    "LANG": "C.UTF-8",
    "LOGNAME": "root",
    "PATH": PATH,
    "SHELL": "/bin/sh",
    "USER": "root",
}


class Wire(NamedTuple):
    """A veth pair from ``interface`` of ``host`` to ``peer_interface`` of ``peer``."""

    host: str
    interface: str
    peer: str
    peer_interface: str

    @classmethod
    def parse(cls, text: str) -> Wire:
        """Read ``A:IF=B:IF``, the same wire as ``B:IF=A:IF``; raises ThrowawayError."""
        ends = sorted(end.split(":") for end in text.split("="))
        if [len(end) for end in ends] != [2, 2]:
            raise ThrowawayError(f"The wire {text!r} is not of the form HOST:IF=HOST:IF.")
        for host, interface in ends:
            check_host_name(host)
            if not INTERFACE_NAME.fullmatch(interface) or len(interface.encode()) > 15:
                raise ThrowawayError(f"The wire {text!r} has an interface name that is not valid: {interface!r}.")
        if ends[0] == ends[1]:
            raise ThrowawayError(f"The wire {text!r} has the same interface at both ends.")
        return cls(*ends[0], *ends[1])

    def __str__(self) -> str:
        return f"{self.host}:{self.interface}={self.peer}:{self.peer_interface}"


def check_host_name(name: str) -> None:
    """Raise ThrowawayError unless ``name`` can be a host's name, and with it a file's and an inventory's."""
    if not HOST_NAME.fullmatch(name):
        raise ThrowawayError(
            f"The host name {name!r} is not valid: it takes 1 to 63 letters, digits, '-', '_' and '.', "
            "and starts with a letter or digit."
        )


def started(pid: int) -> int | None:
    """Return when a process started, in clock ticks since boot; None if it has ended."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = line.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


class Lab:
    """The hosts and wires kept in one directory. Methods raise ThrowawayError, with one sentence."""

    def __init__(self, directory: str | Path) -> None:
        self.directory = Path(directory).absolute()
        self._hosts = self.directory / "hosts"
        self._settings = self.directory / "lab.json"

    # What there is

    def names(self) -> list[str]:
        """Return the names of the hosts recorded, sorted."""
        return sorted(path.stem for path in self._hosts.glob("*.json"))

    def state(self, name: str) -> dict[str, Any]:
        """Return the state file of a host that is alive."""
        check_host_name(name)
        state = self._recorded(name)
        if state is None:
            raise ThrowawayError(f"There is no host {name} in the lab {self.directory}; create it with up.")
        if state["uid"] != os.geteuid():
            raise ThrowawayError(f"The lab {self.directory} belongs to user {state['uid']}: run as that user.")
        if started(state["pid"]) != state["start"]:
            raise ThrowawayError(f"Host {name} of the lab {self.directory} has ended; take it down, then up again.")
        return state

    def command(self, name: str, command: Sequence[str]) -> list[str]:
        """Return the argument vector that runs ``command`` inside a host."""
        return [*self.state(name)["enter"], *command]

    def run(self, name: str, *command: str, check: bool = True, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command inside a host, as subprocess.run does, with text and its output captured."""
        settings = {"capture_output": True, "text": True, "env": ENVIRONMENT, **options}
        return subprocess.run(self.command(name, command), check=check, **settings)

    def inventory(self) -> str:
        """Return an Ansible inventory of the lab, as YAML."""
        # JSON's strings are YAML's double-quoted ones.
        lines = ["---", "all:", "  hosts:"]
        lines += [f"    {json.dumps(name)}: {{}}" for name in self.names()]
        lines += [
            "  vars:",
            "    ansible_connection: linuxnet.vnet.throwaway",
            f"    ansible_throwaway_lab: {json.dumps(str(self.directory))}",
            # Discovery may find an interpreter that lacks the modules' requirements.
            f"    ansible_python_interpreter: {json.dumps(self._load_settings()['python'])}",
            # One is root already, and sudo doesn't work in a user namespace.
            "    ansible_become: false",
        ]
        return "\n".join(lines) + "\n"

    # Changes

    def up(self, names: Iterable[str], wires: Iterable[str] = (), python: str = sys.executable) -> None:
        """Create the hosts and wires that aren't there yet; on failure, take away what this call created.

        ``python`` is the interpreter that Ansible's modules will use inside; it has to exist in the hosts.
        """
        # Not resolved: the interpreter of a virtual environment is a symbolic link that must stay one.
        python = str(Path(python).absolute())
        names, parsed = list(dict.fromkeys(names)), [Wire.parse(wire) for wire in wires]
        for name in names:
            check_host_name(name)
        with self._locked(create=True), contextlib.ExitStack() as undo:
            undo.callback(self._remove_directory_if_unused)
            for name in names:
                if self._recorded(name) is None:
                    undo.callback(self._end, name)
                    self._create(name, python)
                else:
                    self.state(name)
            for wire in parsed:
                if self._connect(wire):
                    undo.callback(self._disconnect, wire)
            self._save(self._settings, {**self._load_settings(), "python": python})
            self._write_inventory()
            undo.pop_all()

    def wire(self, text: str) -> None:
        """Connect two hosts by a veth pair, both ends up; nothing happens if this wire is there."""
        with self._locked():
            self._connect(Wire.parse(text))

    def set_wire(self, text: str, up: bool) -> None:
        """Mend (``up``) or cut a wire, by setting one of its ends up or down: both lose their carrier."""
        wire = Wire.parse(text)
        with self._locked():
            self._ip(wire.host, "link", "set", "dev", wire.interface, "up" if up else "down")

    def down(self, names: Iterable[str] | None = None) -> None:
        """End the hosts given, by default all, and forget the lab with its last one; those gone are fine."""
        if not self.directory.exists():
            return
        with self._locked():
            for name in self.names() if names is None else names:
                check_host_name(name)
                self._end(name)
            if not self._remove_directory_if_unused():
                self._write_inventory()

    # How

    @contextlib.contextmanager
    def _locked(self, create: bool = False) -> Iterator[None]:
        """Hold the lab against other commands. A lab taken down while we waited for it is opened anew."""
        while True:
            if create:
                self._hosts.mkdir(parents=True, exist_ok=True)
            try:
                handle = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            except OSError as error:
                raise ThrowawayError(f"The lab {self.directory} can't be opened: {error.strerror}.") from None
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                if self._hosts.exists() and os.path.samestat(os.fstat(handle), self.directory.stat()):
                    yield
                    return
            finally:
                os.close(handle)
            if not create:
                raise ThrowawayError(f"{self.directory} is not a lab.")

    def _recorded(self, name: str) -> dict[str, Any] | None:
        try:
            state: dict[str, Any] = json.loads((self._hosts / f"{name}.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return state

    def _load_settings(self) -> dict[str, Any]:
        try:
            settings: dict[str, Any] = json.loads(self._settings.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {"python": sys.executable, "wires": []}
        return settings

    def _save(self, path: Path, content: dict[str, Any]) -> None:
        self._write(path, json.dumps(content, indent=2) + "\n")

    def _write(self, path: Path, text: str) -> None:
        """Replace a file in one step: the connection plugin reads without a lock."""
        draft = path.with_suffix(".new")
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)

    def _write_inventory(self) -> None:
        self._write(self.directory / "inventory.yml", self.inventory())

    def _create(self, name: str, python: str) -> None:
        nsenter, user, etc = find_tool("nsenter"), [], Path("/etc")
        user_namespace: int | Literal["new"] | None = None
        if os.geteuid() != 0:
            user = ["--user", "--preserve-credentials"]
            # Two hosts can be wired only if one user namespace owns both.
            user_namespace = next((self.state(other)["pid"] for other in self.names()), "new")
            # Root of a user namespace can't change files of the machine's root, not even in an overlay: it
            # needs copies that are its own. One copy serves all hosts of the lab.
            etc = self.directory / "etc"
            if not etc.exists():
                copy_tree(Path("/etc"), etc)
        # An interrupt between the two would leave a host that nobody knows of.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
        try:
            pid = spawn(name, user_namespace=user_namespace, etc=etc, python=python)
            state = {
                "name": name,
                "uid": os.geteuid(),
                "pid": pid,
                "start": started(pid),
                "enter": [nsenter, f"--target={pid}", *user, "--mount", "--net", "--uts", "--pid", "--"],
                "environment": ENVIRONMENT,
            }
            self._save(self._hosts / f"{name}.json", state)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def _end(self, name: str) -> None:
        state = self._recorded(name)
        if state is None:
            return
        with contextlib.suppress(ProcessLookupError):
            # The descriptor keeps meaning this very process, whatever happens to the number after the check.
            process = os.pidfd_open(state["pid"])
            try:
                if started(state["pid"]) == state["start"]:
                    signal.pidfd_send_signal(process, signal.SIGKILL)
                    if not select.select([process], [], [], 10)[0]:
                        raise ThrowawayError(f"Host {name} of the lab {self.directory} does not end.")
            finally:
                os.close(process)
        (self._hosts / f"{name}.json").unlink()

    def _remove_directory_if_unused(self) -> bool:
        """Remove what the lab keeps, unless it has hosts; files of others in its directory stay."""
        if self.names():
            return False
        for path in (self._settings, self.directory / "inventory.yml"):
            path.unlink(missing_ok=True)
        for directory in (self.directory / "etc", self._hosts):
            shutil.rmtree(directory, ignore_errors=True)
        with contextlib.suppress(OSError):
            self.directory.rmdir()
        return True

    def _ip(self, host: str, *arguments: str) -> None:
        """Run the machine's ip in a host's network, with the machine's process numbers."""
        enter = [part for part in self.state(host)["enter"] if part not in ("--mount", "--pid", "--uts")]
        command = [*enter, find_tool("ip"), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            message = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
            raise ThrowawayError(f"ip {' '.join(arguments)} failed on host {host}: {message[0].rstrip('.')}.")

    def _has(self, host: str, interface: str) -> bool:
        return Path(f"/proc/{self.state(host)['pid']}/root/sys/class/net/{interface}").exists()

    def _connect(self, wire: Wire) -> bool:
        """Make a wire; return False if it was there."""
        settings = self._load_settings()
        ends = (self._has(wire.host, wire.interface), self._has(wire.peer, wire.peer_interface))
        if str(wire) in settings["wires"] and all(ends):
            return False
        for there, host, interface in ((ends[0], *wire[:2]), (ends[1], *wire[2:])):
            if there:
                raise ThrowawayError(f"Host {host} has an {interface} already, not an end of the wire {wire}.")
        namespace = f"/proc/{self.state(wire.peer)['pid']}/ns/net"
        self._ip(
            wire.host,
            *("link", "add", "name", wire.interface, "type", "veth"),
            *("peer", "name", wire.peer_interface, "netns", namespace),
        )
        settings["wires"] = [*(old for old in settings["wires"] if old != str(wire)), str(wire)]
        self._save(self._settings, settings)
        try:
            # The kernel refuses to create a peer that is up: it would be up before it has its other end.
            self._ip(wire.host, "link", "set", "dev", wire.interface, "up")
            self._ip(wire.peer, "link", "set", "dev", wire.peer_interface, "up")
        except ThrowawayError:
            self._disconnect(wire)
            raise
        return True

    def _disconnect(self, wire: Wire) -> None:
        settings = self._load_settings()
        settings["wires"].remove(str(wire))
        self._save(self._settings, settings)
        with contextlib.suppress(ThrowawayError):
            self._ip(wire.host, "link", "delete", "dev", wire.interface)
