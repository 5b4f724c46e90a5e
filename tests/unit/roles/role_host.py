# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A throwaway host to try roles on, with an outside that knows nothing of what is behind it: seed of both pictures.

The host is 192.168.3.101 on eth0, and the outside, 192.168.3.1, its default gateway.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tools"))

from demo_play import Outcome, compare, environment, parse, told  # noqa: E402
from throwaway_lab import ENVIRONMENT, Lab  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

HOST, OUTSIDE = "host", "outside"
MARK = "play "

DUMP = """
for _second in 1 2 3 4 5; do
    ip -6 -o address show tentative | grep -q . || break
    sleep 1  # a link-local address is made, and has no routes yet
done
ip -j -d address show | sed -E 's/"(preferred|valid)_life_time":[0-9]*//g'; ip -j -d route show table all;
ip -j -6 route show default; ip -j rule show
for name in $(ls /run/netns); do echo "$name"; done
nft -s list ruleset
cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding
find /etc/vnet /etc/netns /etc/sysctl.d /etc/qemu /etc/libvirt /etc/systemd/system -type f -exec cksum {} + 2>/dev/null | sort
"""
"""What must be as before where nothing was to change: the kernel's own words, and the files that roles and modules keep."""


SERVE = """
import os, socket, sys
server = socket.create_server(("::", int(sys.argv[1])), family=socket.AF_INET6, dualstack_ipv6=True)
print(os.getpid(), flush=True)
while True:
    caller, address = server.accept()
    caller.sendall(f"{sys.argv[2]} saw {address[0].removeprefix('::ffff:')}".encode())
    caller.close()
"""
ASK = """
import socket, sys
try:
    print(socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=2).recv(99).decode())
except OSError as error:
    print(f"nobody ({error})")
"""


@dataclass(frozen=True)
class Run:
    """One play: what its tasks did, in their order."""

    outcomes: Sequence[Outcome]

    @property
    def changed(self) -> list[str]:
        """The tasks that changed something, and what they did."""
        return [f"{outcome.name}: {told(outcome)}" for outcome in self.outcomes if outcome.changed]

    @property
    def topologies(self) -> list[Outcome]:
        """What vnet_topology did."""
        return [outcome for outcome in self.outcomes if outcome.action == "linuxnet.vnet.vnet_topology"]

    @property
    def failed(self) -> str:
        """What the task said that failed, "" where none did."""
        return next((outcome.msg for outcome in self.outcomes if outcome.outcome == "failed"), "")


def play(*roles: tuple[str, Mapping[str, Any]], check: bool = False) -> dict[str, Any]:
    """A play of these roles, each by its name and its variables without the role's name in front."""
    applied = [
        {"role": f"linuxnet.vnet.{role}", **{f"{role}_{name}": value for name, value in variables.items()}}
        for role, variables in roles
    ]
    return {"hosts": HOST, "gather_facts": False, "check_mode": check, "roles": applied}


def refused(role: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """A play that goes on where the role fails."""
    named = {f"{role}_{name}": value for name, value in variables.items()}
    include = {"ansible.builtin.include_role": {"name": f"linuxnet.vnet.{role}"}, "vars": named}
    rescue = {"ansible.builtin.debug": {"msg": "it was refused"}}
    return {"hosts": HOST, "gather_facts": False, "tasks": [{"block": [include], "rescue": [rescue]}]}


class RoleHost:
    """The host, its outside, and Ansible for it."""

    def __init__(self, directory: Path) -> None:
        self.lab = Lab(directory)
        self.lab.up([HOST, OUTSIDE], [f"{HOST}:eth0={OUTSIDE}:eth0"], sys.executable)
        self.sh("ip address add 192.168.3.101/24 dev eth0; ip address add fd00:3::101/64 dev eth0 nodad")
        self.sh("ip route add default via 192.168.3.1; ip route add default via fd00:3::1")
        outside = "ip address add 192.168.3.1/24 dev eth0; ip address add fd00:3::1/64 dev eth0 nodad"
        self.sh(f"{outside}; ip route add 192.168.9.0/24 via 192.168.3.101", at=OUTSIDE)

    def sh(self, script: str, at: str = HOST) -> str:
        """What a shell script says that has to go well."""
        done = self.lab.run(at, "sh", "-ec", script, check=False)
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
        return str(done.stdout)

    def goes(self, script: str, at: str = HOST) -> bool:
        """Whether a shell script goes well."""
        return self.lab.run(at, "sh", "-ec", script, check=False).returncode == 0

    @contextlib.contextmanager
    def service(self, port: int, name: str, netns: str = "", at: str = HOST) -> Iterator[None]:
        """While the block lasts, a TCP service that tells each caller its own name, and whom it saw."""
        command = [*_inside(netns), sys.executable, "-c", SERVE, str(port), name]
        process = subprocess.Popen(
            self.lab.command(at, command), env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        with process:
            assert process.stdout
            pid = int(process.stdout.readline())
            try:
                yield
            finally:
                # In the host, as nsenter waits for the service and passes no signal on.
                self.sh(f"kill {pid}", at)

    @contextlib.contextmanager
    def machine(self, tap: str, address: str, gateway: str = "192.168.3.1") -> Iterator[tuple[str, str]]:
        """While the block lasts, a machine behind a tap: where commands go to run in it, and its MAC."""
        command = [sys.executable, str(ROOT / "tools" / "tapdance.py"), "machine", tap, f"{address}/24", gateway]
        process = subprocess.Popen(
            self.lab.command(HOST, command),
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        with process:
            assert process.stdout
            _ready, pid, mac = process.stdout.readline().split()
            try:
                yield f"/proc/{pid}/ns/net", mac
            finally:
                self.sh(f"kill {pid}")

    def ask(self, address: str, port: int, netns: str = "", at: str = HOST) -> str:
        """What the service there says, or "nobody" and why."""
        done = self.lab.run(at, *_inside(netns), sys.executable, "-c", ASK, address, str(port))
        return str(done.stdout).strip()

    def pings(self, address: str, netns: str = "", at: str = HOST) -> bool:
        """Whether an address answers."""
        command = [*_inside(netns), "ping", "-n", "-c", "1", "-W", "1", address]
        return any(self.lab.run(at, *command, check=False).returncode == 0 for _attempt in range(3))

    def dump(self) -> str:
        """All that a role could have changed."""
        return self.sh(f"set +e; {DUMP}")

    def run(self, *plays: Mapping[str, Any], fails: bool = False) -> list[Run]:
        """Run plays one after the other, by one ansible-playbook."""
        with tempfile.TemporaryDirectory() as scratch:
            record, playbook = Path(scratch, "record"), Path(scratch, "play.yml")
            marked = [
                {**each, "pre_tasks": [{"ansible.builtin.debug": {"msg": ""}, "name": f"{MARK}{number}"}]}
                for number, each in enumerate(plays)
            ]
            playbook.write_text(json.dumps(marked), encoding="utf-8")
            inventory = str(self.lab.directory / "inventory.yml")
            done = subprocess.run(
                [sys.executable, "-m", "ansible", "playbook", "--diff", "-i", inventory, str(playbook)],
                env=environment(Path(scratch), record),
                capture_output=True,
                stdin=subprocess.DEVNULL,
                text=True,
                check=False,
            )
            assert (done.returncode != 0) == fails, done.stdout + done.stderr
            assert "Traceback" not in done.stdout + done.stderr
            return list(_split(parse(record.read_text(encoding="utf-8"))))

    def converge(self, *roles: tuple[str, Mapping[str, Any]]) -> Run:
        """A check run that foretells the run, the run, and the same again, which changes nothing; what the run did."""
        foretold, done, again = self.run(play(*roles, check=True), play(*roles), play(*roles))
        compared = compare(list(foretold.outcomes), list(done.outcomes))
        assert not compared.lies, compared.lies
        assert compared.tasks >= 1
        promised, kept = ({each.key for each in run.outcomes if each.changed} for run in (foretold, done))
        assert promised == kept, (promised - kept, kept - promised)
        assert again.changed == [], again.changed
        return done


def _inside(netns: str) -> list[str]:
    """What goes before a command to run it in a namespace, by its name or its file."""
    return ["nsenter", f"--net={Path('/run/netns', netns)}"] if netns else []


def _split(outcomes: Sequence[Outcome]) -> Iterator[Run]:
    found: list[Outcome] = []
    for outcome in outcomes:
        if outcome.task.startswith(MARK):
            if found:
                yield Run(found)
            found = []
        else:
            found.append(outcome)
    yield Run(found)
