# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.
"""Reading by which profile NetworkManager configures a device, so that it can be rewritten."""

from __future__ import annotations

import os

from . import errors, files, networkmanager, owner_networkmanager, owners
from .state import Setup

PLACES = (
    owner_networkmanager.DIRECTORY,
    owner_networkmanager.UNCONFIRMED,
    "/usr/lib/NetworkManager/system-connections",
)


def setup_of(device: str, index: int, bridge: str, root: str) -> Setup:
    """From what NetworkManager says and has noted of a device, and from all profiles."""
    noted = owners.settings(f"{root}{owners.NETWORK_MANAGER}/{index}")
    profile = noted.get("connection-uuid", "")
    texts = profiles(root)
    paths = [path for path, text in texts.items() if uuid_of(text) == profile] if profile else []
    if not paths:
        raise errors.Refused(
            f"NetworkManager configures {device} by no profile that is a keyfile ('nmcli connection migrate' makes such of older ones)"
        )
    path = paths[0]
    if os.path.basename(path).startswith(owner_networkmanager.PREFIX):
        return Setup("NetworkManager")
    if len(paths) > 1 or os.path.dirname(path) != owner_networkmanager.DIRECTORY:
        raise errors.Refused(
            f"{paths[-1]}, by which NetworkManager configures {device}, is not under {owner_networkmanager.DIRECTORY}, where it would"
            " outlast a boot as it is"
        )
    if "cloud-init" in path:
        raise errors.Refused(f"{path}: cloud-init writes it anew when the host boots: have cloud-init make the bridge")
    noted.update(networkmanager.dhcp_options(device))
    if noted.get("dhcp4.ip_address") and not os.path.exists(f"{root}{owner_networkmanager.lease(profile, device)}"):
        raise errors.Refused(
            f"NetworkManager has a DHCP client on {device} that is not its own ('dhcp=internal'), which can't go on on another device yet"
        )
    source = owner_networkmanager.Source(
        path,
        texts[path],
        profile,
        noted.get("route-metric-default-effective", ""),
        noted.get("dhcp4.dhcp_client_identifier", ""),
        iaid_of(noted.get("dhcp6.iaid", "")),
        noted.get("dhcp6.dhcp6_client_id", ""),
        owner_networkmanager.iid_of(device, files.read_text(f"{root}/proc/thread-self/net/if_inet6") or ""),
    )
    others = {name: text for name, text in texts.items() if name != path}
    owner_networkmanager.check_others(device, source, bridge, others)
    return Setup("NetworkManager", source._asdict())


def profiles(root: str) -> dict[str, str]:
    """All profiles that are keyfiles, by path, those that hide others first."""
    return {
        path[len(root) :]: files.read_text(path) or ""
        for place in PLACES
        for path in files.listed(f"{root}{place}")
        if os.path.isfile(path) and not os.path.basename(path).startswith(".") and not path.endswith((".nmmeta", "~"))
    }


def uuid_of(text: str) -> str:
    """By which NetworkManager knows a profile."""
    try:
        return owner_networkmanager.profile(text).get("connection", {}).get("uuid", "")
    except errors.Refused:
        return ""


def iaid_of(noted: str) -> str:
    """The IAID as a number, from what is noted as `b8:bd:9b:bf`."""
    octets = noted.split(":")
    return str(int("".join(octets), 16)) if len(octets) == 4 else ""


def written_to(source_path: str, bridge: str) -> set[str]:
    """The files that may be written. `source_path`: of the profile that was there first, "" where it is not known."""
    places = (owner_networkmanager.DIRECTORY, owner_networkmanager.UNCONFIRMED)
    found = {f"{place}/{name}" for place in places for name in owner_networkmanager.names(bridge)}
    return {*found, owner_networkmanager.script(bridge), *filter(None, [source_path])}
