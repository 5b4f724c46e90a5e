# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Throwaway hosts that are reached over SSH, through the very network that roles and modules configure: for molecule.

Each host has an eth0 in one network, 192.168.3.0/24 and fd00:3::/64, with a host called ``outside``, which is their default
gateway and knows nothing of what is behind them. SSH clients start there: whoever cuts a host off can't reach it any more::

    python3 tools/throwaway_ssh.py up --lab .lab/try nathost=192.168.3.111
    .lab/try/ssh root@192.168.3.111 ip address
    python3 tools/throwaway_ssh.py down --lab .lab/try

The lab's directory has the client's ``key``, ``known_hosts``, the wrapper ``ssh`` that starts the client outside, and ``cp`` for
the sockets of connections that are shared.
"""

from __future__ import annotations

import argparse
import contextlib
import ipaddress
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from throwaway_host import HOME, ThrowawayError, find_tool
from throwaway_lab import Lab

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

OUTSIDE, GATEWAY = "outside", "192.168.3.1"
NETWORK = ipaddress.ip_network("192.168.3.0/24")
FILES = ("key", "key.pub", "host", "host.pub", "known_hosts", "ssh", "cp")
SECONDS = 10.0

# Root's HOME is private to a host, and so must be the one of who comes by SSH. A password that is locked keeps out keys too.
ACCOUNT = f"sed -i 's,^\\(root:\\)[^:]*\\(:.*\\):[^:]*:[^:]*$,\\1x\\2:{HOME}:/bin/sh,' /etc/passwd; sed -i 's,^root:[^:]*,root:*,' /etc/shadow"


def problem() -> str:
    """Why there can be no such hosts here, or nothing."""
    if os.geteuid():
        return "throwaway hosts with an SSH server need root"
    for program, package in (("sshd", "openssh-server"), ("ssh", "openssh-client"), ("ssh-keygen", "openssh-client")):
        try:
            find_tool(program)
        except ThrowawayError:
            return f"{program} is missing; install the package {package}"
    return ""


def up(lab: Lab, addresses: dict[str, str]) -> None:
    """Make the hosts, by their names and IPv4 addresses, and ``outside``; ThrowawayError where that fails, and nothing is left."""
    if problem():
        raise ThrowawayError(f"{problem()[0].upper()}{problem()[1:]}.")
    addresses = {OUTSIDE: GATEWAY, **addresses}
    try:
        hosts = [name for name in addresses if name != OUTSIDE]
        lab.up(addresses, [f"{OUTSIDE}:{name}={name}:eth0" for name in hosts], sys.executable)
        _connect(lab, addresses, hosts)
        _make_keys(lab, addresses)
        for name in addresses:
            _serve(lab, name)
    except subprocess.CalledProcessError as error:
        down(lab)
        said = " ".join(f"{error.stdout or ''}{error.stderr or ''}".split())
        raise ThrowawayError(f"{' '.join(map(str, error.cmd))}: {said}") from None
    except BaseException:
        down(lab)
        raise


def down(lab: Lab) -> None:
    """End the hosts and the connections to them; ThrowawayError where a process outlives that."""
    with contextlib.ExitStack() as held:
        _end(lab, [space for name in lab.names() for space in _spaces(lab, name, held)])


def _end(lab: Lab, spaces: Sequence[str]) -> None:
    for socket in (lab.directory / "cp").glob("*"):
        # The client keeps what is shared open for a minute.
        ask = [str(lab.directory / "ssh"), "-o", f"ControlPath={socket}", "-O", "exit", "host"]
        subprocess.run(ask, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if lab.directory.exists():
        for file in FILES:
            path = lab.directory / file
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    lab.down()
    deadline = time.monotonic() + SECONDS
    while left := _inhabitants(spaces):
        if time.monotonic() > deadline:
            raise ThrowawayError(f"Processes of {lab.directory} have not ended: {', '.join(left)}.")
        time.sleep(0.1)


def _connect(lab: Lab, addresses: dict[str, str], hosts: Iterable[str]) -> None:
    # Who asks for a name that nobody knows would wait until all nameservers have not answered.
    known = "".join(f"{address} {name}\n" for name, address in addresses.items())
    lab.run(OUTSIDE, "ip", "link", "add", "name", "lan", "up", "type", "bridge")
    for name in hosts:
        lab.run(OUTSIDE, "ip", "link", "set", "dev", name, "master", "lan")
    for name, address in addresses.items():
        device = "lan" if name == OUTSIDE else "eth0"
        lab.run(name, "sh", "-c", "cat >>/etc/hosts", input=known)
        lab.run(name, "ip", "address", "add", f"{address}/{NETWORK.prefixlen}", "dev", device)
        # Nobody else has it: without waiting to find that out, it can be used at once.
        lab.run(name, "ip", "address", "add", f"fd00:3::{address.rpartition('.')[2]}/64", "dev", device, "nodad")
        if name != OUTSIDE:
            lab.run(name, "ip", "route", "add", "default", "via", GATEWAY)
            lab.run(name, "ip", "route", "add", "default", "via", f"fd00:3::{GATEWAY.rpartition('.')[2]}")


def _make_keys(lab: Lab, addresses: dict[str, str]) -> None:
    directory = lab.directory
    for name in ("key", "host"):
        keygen = [find_tool("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(directory / name)]
        subprocess.run(keygen, check=True, capture_output=True, text=True)
    public = (directory / "host.pub").read_text(encoding="ascii")
    known = "".join(f"{address} {public}" for address in addresses.values())
    (directory / "known_hosts").write_text(known, encoding="ascii")
    (directory / "cp").mkdir()
    enter = f"{find_tool('nsenter')} --net=/proc/{lab.state(OUTSIDE)['pid']}/ns/net"
    (directory / "ssh").write_text(f'#!/bin/sh\nexec {enter} {find_tool("ssh")} "$@"\n', encoding="utf-8")
    (directory / "ssh").chmod(0o755)


def _serve(lab: Lab, name: str) -> None:
    """Start a host's SSH server; when this returns, it listens."""
    lab.run(name, "sh", "-ec", ACCOUNT)
    lab.run(name, "install", "--directory", "--mode=0755", "/run/sshd")
    for source, target in (("host", "/run/sshd/key"), ("key.pub", "/run/sshd/authorized")):
        lab.run(
            name,
            *("sh", "-ec", 'umask 077; cat >"$1"', "sh", target),
            input=(lab.directory / source).read_text(encoding="ascii"),
        )
    options = {
        "HostKey": "/run/sshd/key",
        "AuthorizedKeysFile": "/run/sshd/authorized",
        "PidFile": "none",
        "UsePAM": "no",
        "PermitRootLogin": "prohibit-password",
        "Subsystem": "sftp internal-sftp",
    }
    words = [word for option, value in options.items() for word in ("-o", f"{option}={value}")]
    # It opens its sockets before it leaves for the background.
    lab.run(name, find_tool("sshd"), "-f", "/dev/null", *words)


def _spaces(lab: Lab, name: str, held: contextlib.ExitStack) -> list[str]:
    """A host's own network and mount namespaces; none where it has ended.

    They are held open: the kernel gives the number of one that is gone to the next that anybody makes.
    """
    found = []
    with contextlib.suppress(ThrowawayError, OSError):
        for kind in ("net", "mnt"):
            descriptor = os.open(f"/proc/{lab.state(name)['pid']}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC)
            held.callback(os.close, descriptor)
            found.append(os.readlink(f"/proc/self/fd/{descriptor}"))
    return found


def _inhabitants(spaces: Sequence[str]) -> list[str]:
    """The processes in these namespaces."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if any(os.readlink(process / "ns" / kind) in spaces for kind in ("net", "mnt")):
                found.append(f"{process.name} ({(process / 'comm').read_text(encoding='utf-8').strip()})")
    return found


def _addresses(words: Iterable[str]) -> dict[str, str]:
    """Read NAME=ADDRESS words; ThrowawayError where there is none that can be."""
    found: dict[str, str] = {}
    for word in words:
        name, is_given, address = word.partition("=")
        try:
            fits = ipaddress.ip_address(address) in NETWORK
        except ValueError:
            fits = False
        if not is_given or not fits or address == GATEWAY or address in found.values() or name in found:
            raise ThrowawayError(
                f"{word!r} is not of the form NAME=ADDRESS, with a name and an address in {NETWORK} that no other host has."
            )
        found[name] = address
    return found


def main(prog: str, start: Callable[[Lab, dict[str, str]], None], end: Callable[[Lab], None]) -> int:
    """Run one command line, which says what to start or to end; return its exit code."""
    parser = argparse.ArgumentParser(prog=f"{prog}.py", description="Hosts with an SSH server.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, what in (("up", "make hosts"), ("down", "end them")):
        command = commands.add_parser(name, help=what)
        command.add_argument("--lab", required=True, type=Path, metavar="DIR", help="where their state is kept")
    commands.choices["up"].add_argument("hosts", nargs="+", metavar="NAME=ADDRESS")
    arguments = parser.parse_args()
    lab = Lab(arguments.lab)
    try:
        if arguments.command == "up":
            start(lab, _addresses(arguments.hosts))
        else:
            end(lab)
    except (ThrowawayError, OSError, ValueError, subprocess.SubprocessError) as error:
        print(f"{prog}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main("throwaway_ssh", up, down))
