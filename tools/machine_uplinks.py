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

from machine import outside_unit

if TYPE_CHECKING:
    from collections.abc import Callable

    from machine import Machine

MAC = "02:00:00:00:00:05"
LEASES = "/var/lib/outside.leases"
LOG = "/var/log/outside.log"
SECONDS = 120.0
SHORT = 10  # for a change that nobody confirms
LONG = 600  # longer than a machine takes to start
NOTHING: dict[str, list[str]] = {"addresses": [], "gateways": []}

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


@dataclass(frozen=True)
class Setup:
    """How the uplink is configured: a file, the unit that reads it, and the address, None for one by DHCP.

    `confirm`: the time within which the change has to be confirmed, 0 for one that is kept without that. `package`: what it takes
    on a machine of its own. `mode`: of the file. `dnsmasq`: what is beyond the uplink besides; `number`: of addresses by it.
    """

    path: str
    content: str
    unit: str
    address: str | None
    confirm: int = 0
    package: str = ""
    mode: str = "644"
    dnsmasq: str = ""
    number: int = 1


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
        confirm=60,
    ),
    "netplan_static": Setup(
        "/etc/netplan/10-lan.yaml",
        "network:\n  version: 2\n  ethernets:\n    # to the world\n    lan0:\n"
        f"      addresses: [{STATIC}, 'fd00::5/64']\n      routes:\n      - {{to: default, via: 10.0.0.1}}\n",
        "systemd-networkd.service",
        STATIC,
    ),
    "netplan_dhcp": Setup(
        "/etc/netplan/10-lan.yaml",
        "network: {version: 2, ethernets: {lan0: {dhcp4: true}}}\n",
        "systemd-networkd.service",
        None,
        confirm=60,
    ),
    "ifupdown_static": Setup(
        "/etc/network/interfaces",
        f"auto lan0\niface lan0 inet static\n    address {STATIC}\n    gateway 10.0.0.1\n\n"
        "iface lan0 inet6 static\n    address fd00::5/64\n",
        "networking.service",
        STATIC,
    ),
    "ifupdown_dhcp": Setup(
        "/etc/network/interfaces",
        "allow-hotplug lan0\nauto lan0\niface lan0 inet dhcp\n",
        "networking.service",
        None,
        confirm=60,
    ),
    "networkmanager_static": Setup(
        "/etc/NetworkManager/system-connections/lan.nmconnection",
        "[connection]\nid=lan\nuuid=5d0f3f2e-0f0c-4b52-9a55-6b1a0a0e7d11\ntype=ethernet\ninterface-name=lan0\n\n"
        f"[ipv4]\naddress1={STATIC},10.0.0.1\nmethod=manual\n\n[ipv6]\naddress1=fd00::5/64\nmethod=manual\n",
        "NetworkManager.service",
        STATIC,
        package="network-manager",
        mode="600",
    ),
    "networkmanager_dhcp": Setup(
        "/etc/NetworkManager/system-connections/lan.nmconnection",
        "[connection]\nid=lan\nuuid=5d0f3f2e-0f0c-4b52-9a55-6b1a0a0e7d11\ntype=ethernet\nautoconnect=true\n\n"
        f"[ethernet]\nmac-address={MAC}\n\n[ipv4]\nmethod=auto\n\n[ipv6]\naddr-gen-mode=stable-privacy\nmethod=auto\n",
        "NetworkManager.service",
        None,
        confirm=60,
        package="network-manager",
        mode="600",
        dnsmasq="--enable-ra --dhcp-range=fd00::100,fd00::1ff,slaac,64,1h",
        number=3,
    ),
}


@dataclass
class Uplink:
    """One setup, on the machine. `play` runs uplink.yml and returns what it counts; `demand` raises where it isn't fine.

    `cut_short` runs it with so many seconds to confirm, and ends it as soon as what it is given says true.
    """

    machine: Machine
    setup: Setup
    play: Callable[[str], dict[str, int]]
    cut_short: Callable[[int, Callable[[], bool]], None]
    demand: Callable[[object, str], None]
    original: str = ""

    def prove(self) -> None:
        """The bridge has what the uplink had, before and after a reboot, and gives all of it back."""
        before = self.begin()
        if self.setup.confirm:
            self.expire(before)
            self.crash(before)
        self.demand(self.play("present")["changed"] == 1, "the play changed nothing")
        self.has("br0", before, "after the play")
        self.demand(self.play("present")["changed"] == 0, "its second run reports a change")
        self.reboot()
        self.has("br0", before, "after the reboot")
        self.demand(self.play("present")["changed"] == 0, "the first run after the reboot reports a change")
        self.play("absent")
        self.has("lan0", before, "after it was given back")
        self.demand(self.files() == self.original, f"the configuration is not as it was: {self.files()}")
        self.reboot()
        self.has("lan0", before, "given back, after a reboot")
        self.machine.run("systemctl", "disable", "--quiet", self.setup.unit)
        self.machine.run("rm", self.setup.path)

    def reboot(self) -> None:
        """Reboot, and demand that no lease was given back before: ifupdown does so in every orderly end."""
        released = self.machine.run("sh", "-c", f"grep DHCPRELEASE {LOG} || true").strip()
        self.demand(not released, f"a lease was released: {released}")
        self.machine.reboot()
        self.machine.run("sh", "-c", f": >{LOG}")

    def expire(self, before: dict[str, Any]) -> None:
        """Nobody confirms a change: the machine takes it back by itself."""
        self.cut_short(SHORT, lambda: self.waits("begin"))
        self.wait("verdict", "the change was not taken back")
        # Who has read it takes it away.
        verdict = json.loads(
            self.machine.run("sh", "-c", "cat /run/vnet/confirm/*/verdict && rm -r /run/vnet/confirm/*")
        )
        self.demand(verdict["outcome"] == "undone", f"nobody confirmed it, and what came of it is {verdict}")
        self.has("lan0", before, "not confirmed in time")
        self.demand(self.found("br0") == NOTHING, "the bridge has kept something")
        self.demand(self.files() == self.original, f"the configuration is not as it was: {self.files()}")

    def crash(self, before: dict[str, Any]) -> None:
        """The power is cut while a change waits for its confirmation: the machine is as it was."""
        self.cut_short(LONG, lambda: self.waits("begin"))
        self.wait("pending", "the change does not wait for its confirmation")
        self.has("br0", before, "not confirmed yet")
        self.machine.cut_power()
        self.machine.start()
        self.has("lan0", before, "after the power was cut before the confirmation")
        self.demand(self.files() == self.original, f"the configuration is not as it was: {self.files()}")

    def wait(self, name: str, otherwise: str) -> None:
        """Wait for such a file of a change that has to be confirmed."""
        deadline = time.monotonic() + SECONDS
        while not self.waits(name):
            self.demand(time.monotonic() < deadline, otherwise)
            time.sleep(0.2)

    def waits(self, name: str) -> bool:
        """Whether there is such a file of a change that has to be confirmed."""
        return bool(self.machine.run("sh", "-c", f"ls /run/vnet/confirm/*/{name} 2>/dev/null || true").strip())

    def begin(self) -> dict[str, Any]:
        """Boot with the setup; return what the uplink has then."""
        machine = self.machine
        machine.write("/usr/local/sbin/outside", f"{OUTSIDE.rstrip()} {self.setup.dnsmasq}\n")
        machine.run("chmod", "755", "/usr/local/sbin/outside")
        machine.write("/etc/systemd/system/outside.service", outside_unit("forking"))
        machine.run("rm", "-f", LEASES, LOG)
        machine.run("systemctl", "disable", "--quiet", "networking.service", "systemd-networkd.service")
        machine.write(self.setup.path, self.setup.content)
        machine.run("chmod", self.setup.mode, self.setup.path)
        machine.run("systemctl", "enable", "--quiet", "outside.service", self.setup.unit)
        machine.reboot()
        self.original = self.files()
        deadline = time.monotonic() + SECONDS
        while len(self.found("lan0")["addresses"]) < self.setup.number and time.monotonic() < deadline:
            time.sleep(0.2)
        found = self.found("lan0")
        self.demand(len(found["addresses"]) >= self.setup.number, f"the uplink has {found['addresses']}")
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
        places = (
            "/etc/network/interfaces /etc/network/interfaces.d /etc/systemd/network /etc/netplan /run/netplan"
            " /etc/NetworkManager /etc/vnet"
        )
        return self.machine.run("sh", "-c", f"find {places} -type f -exec sha256sum {{}} + 2>/dev/null | sort -k2")
