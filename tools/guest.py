# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
r"""A guest: a virtual machine with a kernel of its own behind a tap, which answers pings and can be told to ping.

It is User Mode Linux or QEMU without KVM, so it takes no hardware, and nothing but Python and, for QEMU, that::

    guest_image.py uml FILES                           # what guests are made of; all else works without the checkout
    guest.py start --kind uml --files FILES --user alice --tap tap-vm1 \\
        --mac 52:54:00:00:03:66 --address 192.168.3.102/24 --gateway 192.168.3.1 /run/vm1
    guest.py ping /run/vm1 192.168.3.1 192.168.3.103   # one line for each; fails unless all answer
    guest.py stop /run/vm1

The directory has the guest's console, and a FIFO through which it gets its orders (guest_init.sh).
"""

from __future__ import annotations

import argparse
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

BOOT_SECONDS = 60.0
PING_SECONDS = 10.0
POWER_OFF_SECONDS = 5.0


def start(arguments: argparse.Namespace) -> None:
    """Boot a guest by the user who owns the tap, and return when it answers to orders."""
    directory, files, kind = arguments.directory, arguments.files.absolute(), arguments.kind
    if not Path("/sys/class/net", arguments.tap).exists():
        # The kernel would make a new one, which nobody wired to anything.
        sys.exit(f"guest: there is no device {arguments.tap}")
    owner = pwd.getpwnam(arguments.user)
    directory.mkdir(mode=0o700)
    os.chown(directory, owner.pw_uid, owner.pw_gid)
    os.initgroups(owner.pw_name, owner.pw_gid)
    os.setgid(owner.pw_gid)
    os.setuid(owner.pw_uid)

    os.mkfifo(directory / "orders")
    # For writing too, so that it never comes to an end.
    orders = os.open(directory / "orders", os.O_RDWR)
    words = [f"ADDRESS={arguments.address}", f"MAC={arguments.mac}", f"GATEWAY={arguments.gateway}"]
    with (directory / "console").open("wb") as console:
        process = subprocess.Popen(
            _uml(files, directory, arguments.tap, words)
            if kind == "uml"
            else _qemu(files, arguments.tap, arguments.mac, words),
            stdin=orders,
            stdout=console,
            stderr=subprocess.STDOUT,
            cwd=directory,
            env={"PATH": os.environ["PATH"], "TMPDIR": str(directory), "HOME": str(directory)}
            | ({"LD_PRELOAD": str(files / "xstate.so")} if kind == "uml" and (files / "xstate.so").exists() else {}),
            start_new_session=True,  # it is many processes, which end together; and it outlives us
        )
    (directory / "pid").write_text(f"{process.pid}\n", encoding="ascii")
    deadline = time.monotonic() + BOOT_SECONDS
    while "guest ready" not in _console(directory):
        if process.poll() is not None or time.monotonic() > deadline:
            _end(process.pid)
            sys.exit(f"guest: it did not boot:\n{_console(directory)[-3000:]}")
        time.sleep(0.05)
    print(f"ready {process.pid}")


def _uml(files: Path, directory: Path, tap: str, words: list[str]) -> list[str]:
    """User Mode Linux, with all that it writes in the guest's directory."""
    machine = [str(files / "uml.kernel"), "mem=64M", f"initrd={files / 'uml.initrd'}"]
    machine += [f"vec0:transport=tap,ifname={tap},depth=128", f"uml_dir={directory}", f"umid={tap}"]
    return [*machine, "con=null", "con0=fd:0,fd:1", "quiet", "ipv6.disable=1", *words]


def _qemu(files: Path, tap: str, mac: str, words: list[str]) -> list[str]:
    """QEMU with a network card of virtio's, and nothing else."""
    command_line = " ".join(["console=ttyS0", "quiet", "panic=-1", "ipv6.disable=1", *words])
    machine = ["qemu-system-x86_64", "-accel", "tcg", "-m", "128M", "-nodefaults", "-no-user-config", "-no-reboot"]
    machine += ["-display", "none", "-serial", "stdio"]
    machine += ["-kernel", str(files / "qemu.kernel"), "-initrd", str(files / "qemu.initrd"), "-append", command_line]
    machine += ["-netdev", f"tap,id=n0,ifname={tap},script=no,downscript=no"]
    return [*machine, "-device", f"virtio-net-pci,netdev=n0,mac={mac},romfile="]


def ping(directory: Path, targets: list[str]) -> int:
    """Let the guest ping; print what it says of each; return the exit code."""
    silent = 0
    for target in targets:
        answers = _order(directory, "ping", target)
        print(f"{target} {'answers' if answers else 'is silent'}", flush=True)
        silent += not answers
    return 1 if silent else 0


def _order(directory: Path, *words: str) -> bool:
    number = time.monotonic_ns()
    with (directory / "orders").open("w", encoding="ascii") as orders:
        print(number, *words, file=orders)
    deadline = time.monotonic() + PING_SECONDS
    while time.monotonic() < deadline:
        for line in _console(directory).splitlines():
            if line.startswith(f"guest {number} "):
                return line.split()[2] == "yes"
        time.sleep(0.02)
    sys.exit(f"guest: it does not answer; its console ends with:\n{_console(directory)[-1000:]}")


def stop(directory: Path) -> None:
    """Let the guest power off, or end it; its directory goes with it."""
    if not directory.exists():
        return
    pid = int((directory / "pid").read_text(encoding="ascii"))
    if _runs(pid, directory):
        with (directory / "orders").open("w", encoding="ascii") as orders:
            print("0 off", file=orders)
        deadline = time.monotonic() + POWER_OFF_SECONDS
        while _runs(pid, directory) and time.monotonic() < deadline:
            time.sleep(0.05)
        if _runs(pid, directory):
            _end(pid)
    shutil.rmtree(directory)


def _runs(pid: int, directory: Path) -> bool:
    """Whether this guest runs: the process works in its directory, so it is not another one that has the number now."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink() == directory
    except OSError:
        return False


def _end(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _console(directory: Path) -> str:
    return (directory / "console").read_text(encoding="utf-8", errors="replace")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="guest.py", description="Virtual machines behind taps.")
    commands = parser.add_subparsers(dest="command", required=True)
    described = {
        "start": "boot one",
        "ping": "let it ping",
        "stop": "end it, if it is there",
    }
    for name, what in described.items():
        command = commands.add_parser(name, help=what)
        command.add_argument("directory", type=Path, metavar="DIR")
        if name == "start":
            command.add_argument("--kind", required=True, choices=("uml", "qemu"))
            command.add_argument("--files", required=True, type=Path, metavar="DIR", help="what guest_image.py made")
            command.add_argument("--user", required=True, help="who owns the tap")
            command.add_argument("--gateway", default="")
            for option in ("--tap", "--mac", "--address"):
                command.add_argument(option, required=True)
        if name == "ping":
            command.add_argument("targets", nargs="+", metavar="ADDRESS")
    return parser.parse_args()


def main() -> int:
    """Run one command line; return its exit code."""
    arguments = _arguments()
    if arguments.command == "start":
        start(arguments)
    elif arguments.command == "ping":
        return ping(arguments.directory, arguments.targets)
    else:
        stop(arguments.directory)
    return 0


if __name__ == "__main__":
    sys.exit(main())
