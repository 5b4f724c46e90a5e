# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to cross the demo's smaller pictures, and what a machine may lack for them."""

from __future__ import annotations

import functools
import os
import platform
import shutil
import subprocess
from typing import TYPE_CHECKING

import demo_checks as check
from throwaway_host import tun_problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from demo_checks import Crossing
    from throwaway_lab import Lab


@functools.cache
def lacks(*words: str) -> str | None:
    """Return a sentence saying that this kernel has no such device, the words of ``ip link add type``, None if it has."""
    alone = ["unshare", *(["--map-root-user"] if os.geteuid() else []), "--net"]
    made = subprocess.run(
        [*alone, "ip", "link", "add", "probe", "type", *words], capture_output=True, text=True, check=False
    )
    if "Unknown device type" in made.stderr or "not supported" in made.stderr:
        return f"This machine's kernel ({platform.release()}) has no {' '.join(words)}."
    return None


def switch_problem() -> str | None:
    """Return a sentence saying why Open vSwitch can't run in a host, None if it can."""
    if not shutil.which("ovs-vswitchd"):
        return "Open vSwitch is not installed (the package openvswitch-switch, elsewhere openvswitch)."
    return tun_problem()


def hairpin(lab: Lab, state: str) -> None:
    """Let the switch behind the station send frames back where they came from, or not."""
    lab.run("reflector", "bridge", "link", "set", "dev", "port", "hairpin", state)


def private(lab: Lab) -> Iterator[Crossing]:
    """Nobody hears the other, not even by a switch that sends everything back."""
    hairpin(lab, "on")
    yield check.unanswered(lab, "station", "ns1", "192.168.5.2")
    yield check.answered(lab, "station", "ns1", "192.168.5.254", note="the network behind the parent")


def among_themselves(lab: Lab) -> Iterator[Crossing]:
    """Each hears the other, without the switch."""
    hairpin(lab, "off")
    yield check.answered(lab, "station", "ns1", "192.168.5.2")
    yield check.answered(lab, "station", "ns2", "192.168.5.254", note="the network behind the parent")


def by_the_switch(lab: Lab) -> Iterator[Crossing]:
    """Each hears the other only when the switch sends frames back."""
    hairpin(lab, "off")
    yield check.unanswered(lab, "station", "ns1", "192.168.5.2")
    hairpin(lab, "on")
    yield check.answered(lab, "station", "ns1", "192.168.5.2", note="the switch sends frames back now")


def in_two_vlans(lab: Lab) -> Iterator[Crossing]:
    """Those of a VLAN hear each other, and nobody of the other one."""
    yield check.answered(lab, "vlans", "a1", "192.168.6.2")
    yield check.answered(lab, "vlans", "b1", "192.168.6.4")
    yield check.unanswered(lab, "vlans", "a1", "192.168.6.3")
    yield check.unanswered(lab, "vlans", "b2", "192.168.6.2")


def to_all(lab: Lab) -> Iterator[Crossing]:
    """Everybody gets the frames of the group."""
    yield check.group(lab, "groups", "239.1.2.3", "sender", "member", "other", flooded=True)


def to_members(lab: Lab) -> Iterator[Crossing]:
    """Only who has joined the group gets its frames."""
    yield check.group(lab, "groups", "239.1.2.3", "sender", "member", "other", flooded=False)


def said_and_learned(lab: Lab) -> Iterator[Crossing]:
    """What was said is enough, what passes is learned, and where neither is, no answer comes."""
    yield check.answered(lab, "tables", "ns1", "192.168.7.2")
    yield check.stated(lab, "tables", "ns1", "192.168.7.2", "permanent")
    yield check.forwards(lab, "tables", "", "to-ns2", "02:00:00:00:07:02")
    yield check.answered(lab, "tables", "ns3", "192.168.7.1")
    yield check.stated(lab, "tables", "ns3", "192.168.7.1", "learned")
    yield check.forwards(lab, "tables", "", "to-ns3", "02:00:00:00:07:03", learned=True)
    yield check.unanswered(lab, "tables", "ns4", "192.168.7.1")


def grouped(lab: Lab) -> Iterator[Crossing]:
    """Guests of two hosts find each other by the group, and each device has then learned where the other is."""
    yield check.answered(lab, "near", "guest", "192.168.42.2")
    yield check.answered(lab, "far", "guest", "192.168.42.1", "-M", "do", "-s", "1422", note="1450 bytes, unbroken")
    for host, other, address in (("near", "far", "10.3.0.2"), ("far", "near", "10.3.0.1")):
        yield check.forwards(
            lab, host, "guest", "vxlan42", check.mac(lab, other, "guest", "vxlan42"), to=address, learned=True
        )


def told_everything(lab: Lab) -> Iterator[Crossing]:
    """Guests of two hosts find each other by what was said."""
    yield check.answered(lab, "west", "guest", "192.168.43.2")
    yield check.stated(lab, "west", "guest", "192.168.43.2", "permanent")
    yield check.forwards(lab, "west", "guest", "vxlan43", "02:00:00:00:2b:02", to="10.4.0.2")
    yield check.answered(lab, "east", "guest", "192.168.43.1", "-M", "do", "-s", "1422", note="1450 bytes, unbroken")


def tunnelled(lab: Lab) -> Iterator[Crossing]:
    """Guests of two hosts are the ends of one cable."""
    yield check.answered(lab, "north", "guest", "192.168.44.2")
    yield check.answered(lab, "south", "guest", "192.168.44.1", "-M", "do", "-s", "1422", note="1450 bytes, unbroken")


def on_open_vswitch(lab: Lab) -> Iterator[Crossing]:
    """Those of a VLAN hear each other, and not the other one."""
    yield check.answered(lab, "openvswitch", "web", "192.168.45.2")
    yield check.answered(lab, "openvswitch", "db", "192.168.45.1")
    yield check.unanswered(lab, "openvswitch", "web", "192.168.45.3")


OUTER = {"203.0.113.1": ("192.168.8.2", "203.0.113.2"), "2001:db8::1": ("fd00:8::2", "2001:db8::2")}
"""By an outer address of the gateway: that of the container web, and that of whoever is outside."""


def translated(lab: Lab) -> Iterator[Crossing]:
    """Whoever is outside sees the gateway, wherever a packet comes from; and gets to the forwarded port from everywhere."""
    for gateway, (_web, outside) in OUTER.items():
        yield check.answered(lab, "gateway", "web", outside)
        yield check.served(lab, ("internet", "", 80), ("gateway", "db", outside, 80), seen_as=gateway)
        for at, netns in (("internet", ""), ("gateway", ""), ("gateway", "db")):
            yield check.served(lab, ("gateway", "web", 80), (at, netns, gateway, 8080))


def open_to_all(lab: Lab) -> Iterator[Crossing]:
    """Whoever has a route to the containers gets in."""
    yield from translated(lab)
    for web, _outside in OUTER.values():
        yield check.answered(lab, "internet", "", web)


def isolated(lab: Lab) -> Iterator[Crossing]:
    """The route is of no use any more."""
    yield from translated(lab)
    for web, _outside in OUTER.values():
        yield check.unanswered(lab, "internet", "", web)
        yield check.answered(lab, "gateway", "db", web, note="the neighbor")
