# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine with systemd, in systemd-nspawn, that can be rebooted and whose power can be cut.

Ansible reaches it through the connection plugin ``linuxnet.vnet.throwaway``, by a state file as throwaway hosts have one.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from throwaway_host import ThrowawayError, tun_problem
from throwaway_lab import ENVIRONMENT, started

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Machine", "MachineError", "problem", "tun_problem"]

RELEASE = "bookworm"
PACKAGES = "systemd,systemd-sysv,dbus,python3,python3-pyroute2,iproute2,ifupdown,bridge-utils,isc-dhcp-client,dnsmasq-base,netplan.io"
BOOT_SECONDS = 120
NAME = "machine"


class MachineError(ThrowawayError):
    """What went wrong with the machine itself, in one sentence."""


def outside_unit(kind: str) -> str:
    """The unit, of this Type=, that makes a machine's uplink and what is beyond it by /usr/local/sbin/outside, before anybody looks for one."""
    return f"""\
[Unit]
DefaultDependencies=no
Wants=network-pre.target
Before=network-pre.target
[Service]
Type={kind}
RemainAfterExit=yes
ExecStart=/usr/local/sbin/outside
[Install]
WantedBy=multi-user.target
"""


def problem() -> str:
    """Why there can be no such machine here, or nothing."""
    if os.geteuid():
        return "systemd-nspawn needs root"
    for program, package in (("mmdebstrap", "mmdebstrap"), ("systemd-nspawn", "systemd-container")):
        if not shutil.which(program):
            return f"{program} is missing; install the package {package}"
    return ""


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def leader_under(pid: int) -> int:
    """The init of the machine that a process runs: the child of systemd-nspawn, which is that process or below it; 0 if there is none."""
    try:
        for child in children(pid):
            # Before it is the init it is another copy of systemd-nspawn.
            name = Path(f"/proc/{child}/comm").read_text(encoding="utf-8").strip()
            found = child if name == "systemd" else leader_under(child)
            if found:
                return found
    except OSError:
        pass  # it has just ended
    return 0


class Machine:
    """One machine, all of which is in the directory `work`: a release of Debian with these packages.

    Those in `fetched` are not installed; apt has their files, so that they can be, without a network.
    """

    def __init__(
        self, work: Path, release: str = RELEASE, packages: str = PACKAGES, name: str = NAME, fetched: str = ""
    ) -> None:
        self.work, self.name = work, name
        self.release, self.packages, self.fetched = release, packages, fetched
        self.root = work / "root"
        self.inventory = work / "inventory.json"
        self._process: subprocess.Popen[bytes] | None = None
        self._leader = 0
        (work / "hosts").mkdir()
        variables = {
            "ansible_connection": "linuxnet.vnet.throwaway",
            "ansible_throwaway_lab": str(work),
            "ansible_python_interpreter": "/usr/bin/python3",
        }
        inventory = {"all": {"hosts": {name: {}}, "vars": variables}}
        self.inventory.write_text(json.dumps(inventory), encoding="utf-8")

    def build(self, cache: Path) -> None:
        """Give it its files: a copy of what is made from Debian's packages at first, and kept."""
        base = cache / f"{self.release}-{zlib.crc32(f'{self.packages}{self.fetched}'.encode()):08x}"
        cache.mkdir(parents=True, exist_ok=True)
        with (cache / "lock").open("w") as lock:  # two scenarios at a time may want the same
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not base.exists():
                self._make(base)
        subprocess.run(["cp", "--archive", "--reflink=auto", str(base), str(self.root)], check=True)

    def _make(self, base: Path) -> None:
        """From Debian's packages."""
        fresh = base.with_name(f"{self.release}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={self.packages}"]
        if self.fetched:
            fetch = f"apt-get clean && apt-get install --yes --download-only {self.fetched}"
            command += ["--skip=cleanup/apt", f"--customize-hook=chroot \"$1\" sh -c '{fetch}'"]
        command += [self.release, str(fresh)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            raise MachineError(f"mmdebstrap failed: {' '.join(done.stderr.split())[-500:]}")
        fresh.rename(base)

    def open_unbooted(self) -> None:
        """Have commands run on its files, one by one, until it is booted: with the network of the machine below, which they can't change.

        That is how it gets packages. For want of --private-network they have no CAP_NET_ADMIN.
        """
        files = [f"--directory={self.root}", "--register=no", "--keep-unit", "--as-pid2", "--pipe", "--"]
        self._write_state(self._entered([str(shutil.which("systemd-nspawn")), "--quiet", *files], os.getpid()))

    def start(self) -> None:
        """Boot, and wait until systemd has started all that it is going to start."""
        with (self.work / "console.log").open("ab") as console:
            self._process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a machine that is reached over SSH outlives who started it
            )
        deadline = time.monotonic() + BOOT_SECONDS
        self._leader = self._find_leader(deadline)
        self._write_state(self._state())
        while time.monotonic() < deadline:
            done = self._enter(["systemctl", "is-system-running", "--wait"])
            if done.stdout.strip() in ("running", "degraded"):
                return
            time.sleep(0.2)
        raise MachineError(f"the machine did not boot within {BOOT_SECONDS} s, see {self.work}/console.log")

    def command(self) -> list[str]:
        """What runs the machine until it ends or reboots."""
        return ["unshare", "--net", "--mount", *self.nspawn("--private-network")]

    def nspawn(self, *network: str) -> list[str]:
        """The command line of systemd-nspawn."""
        device = ["--bind=/dev/net/tun"] if not tun_problem() else []
        boot = ["systemd-nspawn", "--quiet", "--boot", f"--directory={self.root}", f"--machine={self.name}"]
        return [*boot, *network, "--register=no", "--keep-unit", *device]

    def reboot(self) -> None:
        """Shut down in order, and boot. systemd-nspawn ends at a reboot here, and is started again."""
        self._enter(["systemctl", "--no-block", "reboot"])
        self._wait_for_the_end()
        self.start()

    def cut_power(self) -> None:
        """End it without a word."""
        os.kill(self._leader, signal.SIGKILL)
        self._wait_for_the_end()

    def end(self, keep: bool = False) -> None:
        """Take it away; with `keep`, leave its files."""
        if self._process and self._process.poll() is None:
            if self._leader and started(self._leader):
                os.kill(self._leader, signal.SIGKILL)
            else:
                self._process.terminate()
            self._wait_for_the_end()
        if keep:
            print(f"files and logs: {self.work}")
        else:
            shutil.rmtree(self.work)

    def run(self, *command: str, stdin: str = "") -> str:
        """What a command prints; MachineError where it fails."""
        done = self._enter(command, stdin)
        if done.returncode:
            raise MachineError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
        return done.stdout

    def write(self, path: str, content: str) -> None:
        """Put a file there."""
        self.run("sh", "-c", 'cat >"$1"', "sh", path, stdin=content)

    def wait_for(self, path: str, seconds: float = 30) -> None:
        """Return as soon as something is at a path."""
        deadline = time.monotonic() + seconds
        while self._enter(["test", "-e", path]).returncode:
            if time.monotonic() > deadline:
                raise MachineError(f"{path} did not come within {seconds} s")
            time.sleep(0.2)

    def _enter(self, command: Sequence[str], stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self._state()["enter"], *command],
            input=stdin,
            capture_output=True,
            text=True,
            env=ENVIRONMENT,
            timeout=BOOT_SECONDS,
            check=False,
        )

    def _state(self) -> dict[str, Any]:
        spaces = ("--mount", "--net", "--uts", "--ipc", "--pid")
        return self._entered([str(shutil.which("nsenter")), f"--target={self._leader}", *spaces, "--"], self._leader)

    def _entered(self, enter: Sequence[str], pid: int) -> dict[str, Any]:
        state = {"name": self.name, "uid": os.geteuid(), "pid": pid, "start": started(pid)}
        return {**state, "enter": list(enter), "environment": ENVIRONMENT}

    def _write_state(self, state: dict[str, Any]) -> None:
        path = self.work / "hosts" / f"{self.name}.json"
        path.write_text(json.dumps(state), encoding="utf-8")

    def _find_leader(self, deadline: float) -> int:
        """The machine's init."""
        assert self._process
        while time.monotonic() < deadline and self._process.poll() is None:
            leader = leader_under(self._process.pid)
            if leader:
                return leader
            time.sleep(0.05)
        raise MachineError(f"systemd-nspawn started no machine, see {self.work}/console.log")

    def _wait_for_the_end(self) -> None:
        assert self._process
        try:
            self._process.wait(BOOT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise MachineError("the machine did not end") from None
