# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The network of role bridged_vm_host: variables, and what is on the host, to the entries of one topology."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from .layouts import DEVICE_BYTES, Problem, default_device, device_name, links_of, plain, unique

ROLE = "bridged_vm_host"
VMS = f"{ROLE}_vms"
UNTAGGED = 1
"""The VLAN of frames without a tag: what Linux gives the ports of a bridge that filters VLANs (ip-link(8), vlan_default_pvid)."""

HIGHEST_VLAN = 4094  # IEEE 802.1Q


def bridged_network(
    vms: Sequence[Mapping[str, Any]],
    *,
    bridge: str,
    uplink: str | None,
    addresses: Sequence[str] | None,
    found: Mapping[str, Any],
    record: Mapping[str, Any],
    checking: bool = False,
) -> dict[str, Any]:
    """What `vnet_topology` is to be called with, and under `vms` all of them with their taps. Raises Problem.

    `record` is what the host remembers of the bridge's uplink. For a check run devices may be missing: an earlier task might
    have made them.
    """
    plain(f"{ROLE}_bridge", bridge, "a bridge's name here")
    outside = _uplink(uplink, bridge, found, record, checking)
    placed = _placed(vms, bridge, outside)
    whole: dict[str, Any] = {} if addresses is None else {"addresses": [_own(address) for address in addresses]}
    filtering = any(entry["vlan"] != UNTAGGED for entry in placed)
    if filtering or links_of(found).get(bridge, {}).get("vlan_filtering"):
        whole["vlan_filtering"] = filtering
    return {
        "name": f"{ROLE}-{bridge}",
        "uplink": outside,
        "vms": placed,
        "bridges": [{"name": bridge, **({"uplink": outside} if outside else {}), **whole}],
        "tuntaps": [_tap(entry, bridge) for entry in placed],
        "bridge_ports": _ports(placed, outside) if filtering else [],
    }


def _uplink(
    uplink: str | None, bridge: str, found: Mapping[str, Any], record: Mapping[str, Any], checking: bool
) -> str | None:
    variable, links = f"{ROLE}_uplink", links_of(found)
    device = uplink or default_device(found)
    if device == bridge and not uplink:
        device = _taken(bridge, links, record)
    if device is None and checking:
        return None
    if device is None:
        raise Problem(f"{variable}: the host has no default route that would tell which device leads outside: name it")
    if device == bridge:
        raise Problem(f"{variable}: {device} is the bridge itself: name the device that leads outside")
    link = links.get(device)
    if link is None and not checking:
        raise Problem(f"{variable}: the host has no device {device!r}")
    if link and link.get("master") not in (None, "", bridge):
        raise Problem(
            f"{variable}: {device} is a port of {link['master']}: take it out there first, or name another one"
        )
    return device


def _taken(bridge: str, links: Mapping[str, Mapping[str, Any]], record: Mapping[str, Any]) -> str:
    """The uplink that a bridge has already, as the host remembers it, or else the one port that is no guest's."""
    remembered = record.get("uplink")
    if remembered and remembered in links:
        return str(remembered)
    ports = [
        name for name, link in links.items() if link.get("master") == bridge and link.get("kind") not in ("tun", "veth")
    ]
    if len(ports) != 1:
        raise Problem(
            f"{ROLE}_uplink: the default route is over {bridge}, and which of its ports leads outside can't be told: name it"
        )
    return ports[0]


def _placed(vms: Sequence[Mapping[str, Any]], bridge: str, uplink: str | None) -> list[dict[str, Any]]:
    """The VMs, each with the name of its tap, and its VLAN."""
    placed = []
    for entry in vms:
        name = plain(VMS, entry["name"], "a VM's name")
        tap = str(entry.get("tap") or device_name("tap-", name))
        if len(tap.encode()) > DEVICE_BYTES:
            raise Problem(f"{VMS}: {name} has the tap {tap!r}, and a device's name has {DEVICE_BYTES} bytes at most")
        if tap in (bridge, uplink):
            raise Problem(f"{VMS}: {name} has the tap {tap!r}, which is the name of the bridge or its uplink")
        placed.append({**entry, "name": name, "tap": tap, "vlan": _vlan(name, entry.get("vlan"))})
    unique(VMS, placed, "name")
    unique(VMS, placed, "tap")
    return placed


def _vlan(name: str, value: Any) -> int:
    if value in (None, ""):
        return UNTAGGED
    if isinstance(value, bool) or not str(value).isdecimal() or not 1 <= int(value) <= HIGHEST_VLAN:
        raise Problem(f"{VMS}: {name} has the vlan {value!r}, which is no number from 1 to {HIGHEST_VLAN}")
    return int(value)


def _own(text: Any) -> str:
    """An address for the host; or Problem."""
    try:
        ipaddress.ip_interface(str(text))
    except ValueError:
        raise Problem(
            f"{ROLE}_addresses: {text!r} is no address with a prefix length, such as '192.168.3.101/24'"
        ) from None
    if "/" not in str(text):
        raise Problem(f"{ROLE}_addresses: {text} has no prefix length, as '192.168.3.101/24' has one")
    return str(text)


def _tap(entry: Mapping[str, Any], bridge: str) -> dict[str, Any]:
    given = {
        option: entry[key]
        for key, option in (("user", "owner"), ("group", "group"), ("multi_queue", "multi_queue"), ("mtu", "mtu"))
        if entry.get(key) not in (None, "")
    }
    return {"name": entry["tap"], "mode": "tap", "master": bridge, **given}


def _ports(placed: Sequence[Mapping[str, Any]], uplink: str | None) -> list[dict[str, Any]]:
    """A guest is in one VLAN and sees no tags; the uplink carries all of them, with tags but for the host's own."""
    own = {"vid": str(UNTAGGED), "pvid": True, "untagged": True}
    ports = [{"name": entry["tap"], "vlans": [{**own, "vid": str(entry["vlan"])}]} for entry in placed]
    if uplink:
        tagged = sorted({entry["vlan"] for entry in placed} - {UNTAGGED})
        ports.append({"name": uplink, "vlans": [own, *({"vid": str(vid)} for vid in tagged)]})
    return ports
