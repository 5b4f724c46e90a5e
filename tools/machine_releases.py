# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cases of ./dev machines about hosts as Debian ships them: they take the roles, which begins with prerequisites.

Such a host has its own Python and, after that role, its own pyroute2. Its uplink is ``lan0``, beyond which is a namespace.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from machine import outside_unit, tun_problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from machine import Machine

README = Path(__file__).resolve().parents[1] / "roles" / "nat_container_host" / "README.md"
RELEASES = ("bookworm", "trixie")
# What Debian's images for clouds have of what it takes, which is Python, and what this test itself needs.
PACKAGES = "systemd,systemd-sysv,dbus,python3,iproute2,iputils-ping"

# Python can't be asked to make a namespace that stays, so `ip` does.
OUTSIDE = """\
#!/bin/sh -e
ip netns add outside
ip link add lan0 address 02:00:00:00:00:05 type veth peer name far0 netns outside
nsenter --net=/run/netns/outside ip address add 10.0.0.1/24 dev far0
nsenter --net=/run/netns/outside ip link set far0 up
"""
NETWORK = """\
[Match]
Name=lan0

[Network]
Address=10.0.0.5/24
Gateway=10.0.0.1
"""

# The service of the README shows all files of its own, and so which nameservers it has.
ASK = """
import time, urllib.request
for _attempt in range(50):
    try:
        print(urllib.request.urlopen("http://10.0.0.5:8080/etc/resolv.conf", timeout=5).read().decode())
        break
    except OSError:
        time.sleep(0.2)
"""


@dataclass
class Release:
    """A host of a release. `play` runs a playbook with variables and returns what it counts; `demand` raises where it isn't fine."""

    machine: Machine
    play: Callable[..., Mapping[str, int]]
    demand: Callable[[object, str], None]

    def prove(self) -> None:
        """It takes the packages, then both layouts, keeps them over a reboot, and gives them back."""
        machine = self.machine
        machine.open_unbooted()
        foretold = self.play("prerequisites.yml", "--check")["changed"]
        self.demand(foretold == 1, f"a check of prerequisites foretells {foretold} changes, and not 1")
        self.demand(self.play("prerequisites.yml")["changed"] == 1, "prerequisites installed nothing")

        self.give_an_uplink()
        machine.start()
        machine.wait_for("/sys/class/net/lan0")

        self.demand(self.play("roles.yml", state="present")["changed"] > 1, "the roles changed nothing")
        self.has_both("after the roles")
        machine.reboot()
        self.has_both("after the reboot")
        outside = ("nsenter", "--net=/run/netns/outside", "python3", "-c", ASK)
        heard = machine.run(*outside)
        self.demand("nameserver 10.0.0.1" in heard, f"the service in the container says {heard!r}")
        again = self.play("roles.yml", state="present")["changed"]
        self.demand(again == 0, f"after the reboot the roles change {again} things, see {machine.work}/roles.yml.log")
        self.play("roles.yml", state="absent")
        left = machine.run("sh", "-c", "ls /sys/class/net; ls /run/netns").split()
        self.demand(set(left) <= {"lo", "lan0", "outside"}, f"there is still {left}")
        machine.run("ping", "-c", "1", "-W", "5", "10.0.0.1")

    def give_an_uplink(self) -> None:
        """Have it come with each boot, and be configured by systemd-networkd; and the service of the README's example."""
        service = re.findall("```ini\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)[0]
        files = {
            "etc/resolv.conf": "",  # nobody who could be asked is reached any more
            "etc/systemd/system/web.service": service,
            "usr/local/sbin/outside": OUTSIDE,
            "etc/systemd/system/outside.service": outside_unit("oneshot"),
            "etc/systemd/network/10-lan.network": NETWORK,
        }
        for name, content in files.items():
            (self.machine.root / name).write_text(content, encoding="utf-8")
        (self.machine.root / "usr/local/sbin/outside").chmod(0o755)
        units = ("outside.service", "web.service", "systemd-networkd.service")
        command = ["systemctl", f"--root={self.machine.root}", "enable", "--quiet", *units]
        subprocess.run(command, check=True, capture_output=True)

    def has_both(self, when: str) -> None:
        """A VM's tap is on the bridge of the uplink; a container reaches the outside, which knows no way to it."""
        ports = self.machine.run("ls", "/sys/class/net/br0/brif").split()
        expected = ["lan0"] if tun_problem() else ["lan0", "tap-vm1"]
        self.demand(ports == expected, f"{when}, the bridge has the ports {ports}")
        self.machine.run("nsenter", "--net=/run/netns/web", "ping", "-c", "1", "-W", "5", "10.0.0.1")
