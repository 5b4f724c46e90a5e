# Copyright: (c) the linuxnet.vnet authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Throwaway hosts: machines made of namespaces, for the demo, the tests and molecule.

A *lab* is a directory that keeps the state of some hosts, which can be joined by wires (veth pairs). A host has a
network, mount, uts and pid namespace of its own; without root, all hosts of a lab share one user namespace. Ansible
reaches them through the connection plugin ``linuxnet.vnet.throwaway``, which reads ``LAB/hosts/NAME.json``::

    python3 tools/throwaway.py up --lab .lab/try h1 h2 --wire h1:eth0=h2:eth0
    python3 tools/throwaway.py exec --lab .lab/try h1 -- ip link
    ansible -i .lab/try/inventory.yml all -m ping
    python3 tools/throwaway.py down --lab .lab/try
"""

from __future__ import annotations

import argparse
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
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Optional, Union

from throwaway_host import HOME, PATH, ThrowawayError, copy_tree, find_tool, spawn, tun_problem
from throwaway_snapshot import differences, snapshot

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
    """A veth pair between two hosts: ``host``:``interface`` at one end, ``peer``:``peer_interface`` at the other."""

    host: str
    interface: str
    peer: str
    peer_interface: str

    @classmethod
    def parse(cls, text: str) -> Wire:
        """Read ``A:IF=B:IF``; raises ThrowawayError."""
        ends = [end.split(":") for end in text.split("=")]
        if [len(end) for end in ends] != [2, 2]:
            raise ThrowawayError(f"The wire {text!r} is not of the form HOST:INTERFACE=HOST:INTERFACE.")
        for host, interface in ends:
            check_host_name(host)
            if not INTERFACE_NAME.fullmatch(interface) or len(interface.encode()) > 15:
                raise ThrowawayError(f"The interface name {interface!r} in the wire {text!r} is not a valid one.")
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


def started(pid: int) -> Optional[int]:
    """Return when a process started, in clock ticks since boot; None if it is gone or has only to be reaped."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else int(fields[19])


class Lab:
    """The hosts and wires kept in one directory. Every method raises ThrowawayError with one sentence."""

    def __init__(self, directory: Union[str, Path]) -> None:
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
        if started(state["pid"]) != state["start"]:
            raise ThrowawayError(f"Host {name} of the lab {self.directory} is gone; take the lab down, then up again.")
        return state

    def command(self, name: str, command: Sequence[str]) -> list[str]:
        """Return the argument vector that runs ``command`` inside a host."""
        return [*self.state(name)["enter"], *command]

    def run(self, name: str, *command: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command inside a host, as subprocess.run does, with text and its output captured."""
        settings: dict[str, Any] = {"capture_output": True, "text": True, "check": True, "env": ENVIRONMENT}
        settings.update(options)
        return subprocess.run(self.command(name, command), **settings)

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
        """Create the hosts and wires that aren't there yet; on failure take away again what this call created."""
        names, parsed = list(dict.fromkeys(names)), [Wire.parse(wire) for wire in wires]
        for name in names:
            check_host_name(name)
        with self._locked(create=True):
            with contextlib.ExitStack() as undo:
                undo.callback(self._remove_directory_if_unused)
                for name in names:
                    if self._recorded(name) is None:
                        undo.callback(self._end, name)
                        self._create(name, os.path.abspath(python))
                    else:
                        self.state(name)
                for wire in parsed:
                    if self._connect(wire):
                        undo.callback(self._disconnect, wire)
                self._save(self._settings, {**self._load_settings(), "python": os.path.abspath(python)})
                self._write_inventory()
                undo.pop_all()

    def wire(self, text: str) -> None:
        """Connect two hosts by a veth pair, both ends up; nothing happens if this wire is there."""
        with self._locked():
            self._connect(Wire.parse(text))

    def set_wire(self, text: str, up: bool) -> None:
        """Mend (``up``) or cut a wire, by setting the end named first up or down: both ends lose their carrier."""
        wire = Wire.parse(text)
        with self._locked():
            self._ip(wire.host, "link", "set", "dev", wire.interface, "up" if up else "down")

    def down(self, names: Optional[Iterable[str]] = None) -> None:
        """End the hosts given, by default all, and in that case forget the lab. Of what isn't there: nothing."""
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
                if self._hosts.exists() and os.path.samestat(os.fstat(handle), os.stat(self.directory)):
                    yield
                    return
            finally:
                os.close(handle)
            if not create:
                raise ThrowawayError(f"{self.directory} is not a lab.")

    def _recorded(self, name: str) -> Optional[dict[str, Any]]:
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
        unprivileged = os.geteuid() != 0
        etc = Path("/etc")
        if unprivileged:
            # Root of a user namespace can't change files of the machine's root, not even in an overlay: it needs
            # copies that are its own. One copy serves all hosts of the lab.
            etc = self.directory / "etc"
            if not etc.exists():
                copy_tree(Path("/etc"), etc)
        sibling = next((state["pid"] for state in map(self.state, self.names())), None) if unprivileged else None
        nsenter = find_tool("nsenter")
        pid = spawn(name, new_user=unprivileged, join_user=sibling, etc=etc, python=python)
        enter = [nsenter, f"--target={pid}", "--mount", "--net", "--uts", "--pid", "--"]
        if unprivileged:
            enter[2:2] = ["--user", "--preserve-credentials"]
        state = {"name": name, "pid": pid, "start": started(pid), "enter": enter, "environment": ENVIRONMENT}
        self._save(self._hosts / f"{name}.json", state)

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
        """Remove what the lab keeps unless it has hosts; files that someone else put into its directory stay."""
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
        done = subprocess.run([*enter, find_tool("ip"), *arguments], capture_output=True, text=True, check=False)
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
                raise ThrowawayError(f"Host {host} has an interface {interface} that is not an end of the wire {wire}.")
        namespace = f"/proc/{self.state(wire.peer)['pid']}/ns/net"
        self._ip(
            wire.host,
            *("link", "add", "name", wire.interface, "type", "veth"),
            *("peer", "name", wire.peer_interface, "netns", namespace),
        )
        self._ip(wire.host, "link", "set", "dev", wire.interface, "up")
        self._ip(wire.peer, "link", "set", "dev", wire.peer_interface, "up")
        settings["wires"] = [*(old for old in settings["wires"] if old != str(wire)), str(wire)]
        self._save(self._settings, settings)
        return True

    def _disconnect(self, wire: Wire) -> None:
        settings = self._load_settings()
        settings["wires"].remove(str(wire))
        self._save(self._settings, settings)
        with contextlib.suppress(ThrowawayError):
            self._ip(wire.host, "link", "delete", "dev", wire.interface)


def _arguments(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="throwaway.py", description="Hosts made of namespaces that leave nothing behind."
    )
    lab = argparse.ArgumentParser(add_help=False)
    lab.add_argument("--lab", required=True, type=Path, metavar="DIR", help="where the lab's state is kept")
    commands = parser.add_subparsers(dest="command", required=True)

    up = commands.add_parser("up", parents=[lab], help="create hosts and wires that aren't there yet")
    up.add_argument("hosts", nargs="+", metavar="HOST")
    up.add_argument("--wire", action="append", default=[], metavar="A:IF=B:IF", help="a veth pair between two hosts")
    up.add_argument("--python", default=sys.executable, help="the interpreter for Ansible's modules")
    for name, text in (("wire", "connect two hosts"), ("cut", "set a wire down"), ("mend", "set a wire up again")):
        commands.add_parser(name, parents=[lab], help=text).add_argument("wire", metavar="A:IF=B:IF")
    run = commands.add_parser("exec", parents=[lab], help="run a command inside a host")
    run.add_argument("host", metavar="HOST")
    run.add_argument("argv", nargs=argparse.REMAINDER, metavar="-- CMD")
    commands.add_parser("inventory", parents=[lab], help="print the lab's Ansible inventory")
    down = commands.add_parser("down", parents=[lab], help="end hosts, by default all of the lab")
    down.add_argument("hosts", nargs="*", metavar="HOST")

    shot = commands.add_parser("snapshot", help="print how the machine's own network looks, as JSON")
    shot.add_argument("--lab", help=argparse.SUPPRESS)
    shot.add_argument("--compare", type=Path, metavar="FILE", help="print instead what differs from an earlier one")
    return parser.parse_args(argv)


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run one command line; return its exit code."""
    arguments = _arguments(argv)
    try:
        return _dispatch(arguments)
    except ThrowawayError as error:
        print(f"throwaway: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"throwaway: {error.filename or arguments.command}: {error.strerror}.", file=sys.stderr)
        return 1


def _dispatch(arguments: argparse.Namespace) -> int:
    if arguments.command == "snapshot":
        return _snapshot(arguments.compare)
    lab = Lab(arguments.lab)
    if arguments.command == "up":
        lab.up(arguments.hosts, arguments.wire, arguments.python)
        problem = tun_problem()
        if problem:
            print(f"throwaway: {problem}", file=sys.stderr)
    elif arguments.command == "wire":
        lab.wire(arguments.wire)
    elif arguments.command in ("cut", "mend"):
        lab.set_wire(arguments.wire, up=arguments.command == "mend")
    elif arguments.command == "inventory":
        print(lab.inventory(), end="")
    elif arguments.command == "down":
        lab.down(arguments.hosts or None)
    else:
        command = arguments.argv[1:] if arguments.argv[:1] == ["--"] else arguments.argv
        argv = lab.command(arguments.host, command or ["/bin/sh"])
        environment = {**ENVIRONMENT, "TERM": os.environ.get("TERM", "dumb")}
        os.execve(argv[0], argv, environment)
    return 0


def _snapshot(earlier: Optional[Path]) -> int:
    now = snapshot()
    if earlier is None:
        print(json.dumps(now, indent=1, sort_keys=True))
        return 0
    found = differences(json.loads(earlier.read_text(encoding="utf-8")), now)
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
