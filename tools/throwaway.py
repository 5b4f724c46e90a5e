# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Throwaway hosts: machines made of namespaces, for the demo, the tests and molecule.

A *lab* is a directory that keeps the state of some hosts, which can be joined by wires (veth pairs). A host
has a network, mount, uts and pid namespace of its own; without root, all hosts of a lab share one user
namespace. Ansible reaches them through the connection plugin ``linuxnet.vnet.throwaway``::

    python3 tools/throwaway.py up --lab .lab/try h1 h2 --wire h1:eth0=h2:eth0
    python3 tools/throwaway.py exec --lab .lab/try h1 -- ip link
    ansible -i .lab/try/inventory.yml all -m ping
    python3 tools/throwaway.py down --lab .lab/try
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from throwaway_host import ThrowawayError, tun_problem
from throwaway_lab import ENVIRONMENT, Lab
from throwaway_snapshot import differences, snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="throwaway.py", description="Hosts made of namespaces that leave nothing behind."
    )
    lab = argparse.ArgumentParser(add_help=False)
    lab.add_argument("--lab", required=True, type=Path, metavar="DIR", help="where the lab's state is kept")
    commands = parser.add_subparsers(dest="command", required=True)

    up = commands.add_parser("up", parents=[lab], help="create hosts and wires that aren't there yet")
    up.add_argument("hosts", nargs="+", metavar="HOST")
    up.add_argument("--wire", action="append", default=[], metavar="A:IF=B:IF", help="join two hosts by a veth pair")
    up.add_argument("--python", default=sys.executable, help="the interpreter for Ansible's modules")
    for name, what in (("wire", "connect two hosts"), ("cut", "set a wire down"), ("mend", "set a wire up")):
        commands.add_parser(name, parents=[lab], help=what).add_argument("wire", metavar="A:IF=B:IF")
    run = commands.add_parser("exec", parents=[lab], help="run a command inside a host")
    run.add_argument("host", metavar="HOST")
    run.add_argument("argv", nargs=argparse.REMAINDER, metavar="-- CMD")
    commands.add_parser("inventory", parents=[lab], help="print the lab's Ansible inventory")
    down = commands.add_parser("down", parents=[lab], help="end hosts, by default all of the lab")
    down.add_argument("hosts", nargs="*", metavar="HOST")

    shot = commands.add_parser("snapshot", help="print how the machine's own network looks, as JSON")
    shot.add_argument("--lab", help=argparse.SUPPRESS)
    shot.add_argument("--compare", type=Path, metavar="FILE", help="print what differs from an earlier one")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
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


def _snapshot(earlier: Path | None) -> int:
    now = snapshot()
    if earlier is None:
        print(json.dumps(now, indent=1, sort_keys=True))
        return 0
    found = differences(json.loads(earlier.read_text(encoding="utf-8")), now)
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
