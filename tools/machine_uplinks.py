# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cases of ./dev machines about a bridge that has the machine's uplink also after a boot, whatever configures that.

The uplink `lan0` is one end of a veth, made when the machine boots. Beyond it is the namespace `outside`, with a DHCP
server that remembers its leases over reboots.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from machine import Machine

MAC = "02:00:00:00:00:05"
LEASES = "/var/lib/outside.leases"
LOG = "/var/log/outside.log"
SECONDS = 60.0

OUTSIDE = f"""\
#!/bin/sh -e
ip netns add outside
ip link add lan0 address {MAC} type veth peer name far0 address 02:00:00:00:00:01 netns outside
ip -n outside link set lo up
ip -n outside address add 10.0.0.1/24 dev far0
ip -n outside address add fd00::1/64 dev far0 nodad
ip -n outside link set far0 up
ip netns exec outside dnsmasq --conf-file=/dev/null --no-hosts --no-resolv --port=0 --interface=far0 --bind-interfaces \\
    --dhcp-range=10.0.0.100,10.0.0.200,1h --dhcp-option=3,10.0.0.1 --dhcp-leasefile={LEASES} --log-dhcp \\
    --log-facility={LOG} --pid-file=/run/outside.pid --user=root
"""
UNIT = """\
[Unit]
DefaultDependencies=no
Wants=network-pre.target
Before=network-pre.target
[Service]
Type=forking
RemainAfterExit=yes
ExecStart=/usr/local/sbin/outside
[Install]
WantedBy=multi-user.target
"""


@dataclass(frozen=True)
class Setup:
    """How the uplink is configured: a file, the unit that reads it, and the address, None for one by DHCP."""

    path: str
    content: str
    unit: str
    address: str | None


STATIC = "10.0.0.5/24"
SETUPS = {
    "networkd_static": Setup(
        "/etc/systemd/network/10-lan.network",
        f"[Match]\nName=lan*\n\n[Network]\nAddress={STATIC}\nAddress=fd00::5/64\nGateway=10.0.0.1\n",
        "systemd-networkd.service",
        STATIC,
    ),
    "networkd_dhcp": Setup(
        "/etc/systemd/network/10-lan.network",
        f"[Match]\nMACAddress={MAC}\n\n[Network]\nDHCP=ipv4\n",
        "systemd-networkd.service",
        None,
    ),
    "ifupdown_static": Setup(
        "/etc/network/interfaces",
        f"auto lan0\niface lan0 inet static\n    address {STATIC}\n    gateway 10.0.0.1\n\n"
        "iface lan0 inet6 static\n    address fd00::5/64\n",
        "networking.service",
        STATIC,
    ),
    "ifupdown_dhcp": Setup(
        "/etc/network/interfaces", "allow-hotplug lan0\nauto lan0\niface lan0 inet dhcp\n", "networking.service", None
    ),
}


@dataclass
class Uplink:
    """One setup, on the machine. `play` runs uplink.yml and returns what it counts; `demand` raises where it isn't fine."""

    machine: Machine
    setup: Setup
    play: Callable[[str], dict[str, int]]
    demand: Callable[[object, str], None]
    original: str = ""

    def prove(self) -> None:
        """The bridge has what the uplink had, before and after a reboot, and gives all of it back."""
        before = self.begin()
        self.demand(self.play("present")["changed"] == 1, "the play changed nothing")
        self.has("br0", before, "after the play")
        self.demand(self.play("present")["changed"] == 0, "its second run reports a change")
        self.machine.reboot()
        self.has("br0", before, "after the reboot")
        self.demand(self.play("present")["changed"] == 0, "the first run after the reboot reports a change")
        self.play("absent")
        self.has("lan0", before, "after it was given back")
        self.demand(self.files() == self.original, f"the configuration is not as it was: {self.files()}")
        self.machine.reboot()
        self.has("lan0", before, "given back, after a reboot")
        released = self.machine.run("sh", "-c", f"grep -c DHCPRELEASE {LOG} || true").strip()
        self.demand(released in ("", "0"), "a lease was released")
        self.machine.run("systemctl", "disable", "--quiet", self.setup.unit)
        self.machine.run("rm", self.setup.path)

    def begin(self) -> dict[str, Any]:
        """Boot with the setup; return what the uplink has then."""
        machine = self.machine
        machine.write("/usr/local/sbin/outside", OUTSIDE)
        machine.run("chmod", "755", "/usr/local/sbin/outside")
        machine.write("/etc/systemd/system/outside.service", UNIT)
        machine.run("rm", "-f", LEASES, LOG)
        machine.run("systemctl", "disable", "--quiet", "networking.service", "systemd-networkd.service")
        machine.write(self.setup.path, self.setup.content)
        machine.run("systemctl", "enable", "--quiet", "outside.service", self.setup.unit)
        machine.reboot()
        self.original = self.files()
        deadline = time.monotonic() + SECONDS
        while not self.found("lan0")["addresses"] and time.monotonic() < deadline:
            time.sleep(0.2)
        found = self.found("lan0")
        self.demand(found["addresses"], "the uplink has no address")
        if self.setup.address:
            self.demand(self.setup.address in found["addresses"], f"the uplink has {found['addresses']}")
        return found

    def has(self, device: str, before: dict[str, Any], when: str) -> None:
        """Demand that a device has what the uplink had, and the other one nothing; what comes by DHCP may take its time."""
        deadline = time.monotonic() + SECONDS
        while self.found(device) != before and time.monotonic() < deadline:
            time.sleep(0.2)
        self.demand(self.found(device) == before, f"{when}, {device} has {self.found(device)} and not {before}")
        if device == "br0":
            self.demand(not self.found("lan0")["addresses"], f"{when}, the uplink has {self.found('lan0')}")
        self.machine.run("ip", "netns", "exec", "outside", "true")  # it is still there to answer
        self.machine.run("sh", "-c", "ip neighbour flush all; ip -4 route get 10.0.0.1")

    def found(self, device: str) -> dict[str, Any]:
        """The addresses of a device, but link-local ones, and its default routes."""
        shown = json.loads(self.machine.run("ip", "-j", "address", "show") or "[]")
        addresses = [
            f"{info['local']}/{info['prefixlen']}"
            for link in shown
            if link["ifname"] == device
            for info in link["addr_info"]
            if info["scope"] == "global"
        ]
        routes = json.loads(self.machine.run("ip", "-j", "route", "show", "default") or "[]")
        gateways = [route.get("gateway") for route in routes if route.get("dev") == device]
        return {"addresses": sorted(addresses), "gateways": gateways}

    def files(self) -> str:
        """All that configures the network, each file with its sum."""
        places = "/etc/network/interfaces /etc/network/interfaces.d /etc/systemd/network /etc/vnet"
        return self.machine.run("sh", "-c", f"find {places} -type f -exec sha256sum {{}} + 2>/dev/null | sort -k2")
