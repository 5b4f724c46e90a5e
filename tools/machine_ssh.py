# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines with systemd that are reached over SSH, and can be rebooted, in the network of a lab of throwaway_ssh.py: for molecule.

The uplink of each is ``host0``, which systemd-networkd configures when it boots::

    python3 tools/machine_ssh.py up --lab .lab/try m1=192.168.3.121
    .lab/try/ssh root@192.168.3.121 systemctl reboot
    python3 tools/machine_ssh.py down --lab .lab/try
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import throwaway_ssh
from machine import BOOT_SECONDS, PACKAGES, RELEASE, Machine, MachineError, leader_under
from machine import problem as no_machine
from throwaway_host import ThrowawayError
from throwaway_lab import Lab, started

ROOT = Path(__file__).resolve().parents[1]
NETWORK = """\
[Match]
Name=host0

[Network]
Address={address}/24
Gateway={gateway}
DHCP=no
LinkLocalAddressing=ipv6
LLMNR=no
MulticastDNS=no
"""
MORE = "iputils-ping,nftables,openssh-server,python3-apt"
FETCHED = "frr frr-pythontools"
"""What a role installs there, and what Debian recommends with it."""
MACHINES = "machines"
REBOOTS = 133
"""How systemd-nspawn ends where its machine asks for a reboot (systemd's EXIT_FORCE_RESTART)."""


def problem() -> str:
    """Why there can be no such machine here, or nothing."""
    return throwaway_ssh.problem() or no_machine()


class Reachable(Machine):
    """A machine on the bridge of the host ``outside``. It starts again where it reboots, and outlives who started it."""

    def __init__(self, lab: Lab, name: str) -> None:
        work = lab.directory / MACHINES / name
        work.mkdir(parents=True)
        super().__init__(work, RELEASE, f"{PACKAGES},{MORE}", name, FETCHED)
        self.lab = lab

    def command(self) -> list[str]:
        """What runs the machine, over its reboots."""
        again = f"while {shlex.join(self.nspawn('--network-bridge=lan'))}; [ $? = {REBOOTS} ]; do :; done"
        enter = ["nsenter", f"--net=/proc/{self.lab.state(throwaway_ssh.OUTSIDE)['pid']}/ns/net"]
        return [*enter, "unshare", "--mount", "sh", "-c", again]

    def furnish(self, address: str) -> None:
        """Let it have an address when it boots, and an SSH server that knows the lab's keys."""
        known = {
            "etc/systemd/network/10-uplink.network": (
                NETWORK.format(address=address, gateway=throwaway_ssh.GATEWAY),
                0o644,
            ),
            # Who asks for its name, as Ansible does, would wait for nameservers that can't answer.
            "etc/hostname": (f"{self.name}\n", 0o644),
            "etc/hosts": (f"127.0.0.1 localhost\n{address} {self.name}\n", 0o644),
            "etc/ssh/ssh_host_ed25519_key": ((self.lab.directory / "host").read_text(encoding="ascii"), 0o600),
            "root/.ssh/authorized_keys": ((self.lab.directory / "key.pub").read_text(encoding="ascii"), 0o600),
        }
        for name, (content, mode) in known.items():
            path = self.root / name
            path.parent.mkdir(mode=0o700, exist_ok=True)
            path.write_text(content, encoding="utf-8")
            path.chmod(mode)
        subprocess.run(
            ["systemctl", f"--root={self.root}", "enable", "--quiet", "systemd-networkd.service"],
            check=True,
            capture_output=True,
        )
        public = (self.lab.directory / "host.pub").read_text(encoding="ascii")
        with (self.lab.directory / "known_hosts").open("a", encoding="ascii") as hosts:
            hosts.write(f"{address} {public}")

    def start(self) -> None:
        """Boot, and note what has to be ended."""
        super().start()
        assert self._process
        (self.work / "pid").write_text(f"{self._process.pid} {started(self._process.pid)}\n", encoding="ascii")


def up(lab: Lab, addresses: dict[str, str]) -> None:
    """Make `outside` and the machines; where that fails, nothing is left. Raises ThrowawayError."""
    if problem():
        raise ThrowawayError(f"{problem()[0].upper()}{problem()[1:]}.")
    throwaway_ssh.up(lab, {})
    try:
        for name, address in addresses.items():
            _boot(Reachable(lab, name), address)
    except BaseException:
        down(lab)
        raise


def _boot(machine: Reachable, address: str) -> None:
    try:
        machine.build(ROOT / ".cache" / "machines")
        machine.furnish(address)
        machine.start()
    except BaseException:
        machine.end()
        raise


def down(lab: Lab) -> None:
    """End the machines, if there are any, and the lab's hosts."""
    for note in (lab.directory / MACHINES).glob("*/pid"):
        pid, start = map(int, note.read_text(encoding="ascii").split())
        deadline = time.monotonic() + BOOT_SECONDS
        # What starts it again ends as soon as it ends otherwise than by a reboot. It may be just between two.
        while started(pid) == start and time.monotonic() < deadline:
            leader = leader_under(pid)
            if leader:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(leader, signal.SIGKILL)
            time.sleep(0.1)
        if started(pid) == start:
            raise MachineError(f"The machine {note.parent.name} does not end.")
    shutil.rmtree(lab.directory / MACHINES, ignore_errors=True)
    throwaway_ssh.down(lab)


if __name__ == "__main__":
    sys.exit(throwaway_ssh.main("machine_ssh", up, down))
