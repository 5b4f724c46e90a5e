# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The phase of the plan about bridges with an uplink that come back at boot.

Whatever configures the uplink at boot is told to make the bridge, in its own words, and to put on it what was on the
uplink. When the bridge gives the uplink back, that program gets its configuration back.
"""

from __future__ import annotations

import ipaddress
import posixpath
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from . import desired, errors, file_operations, owner_ifupdown, owner_netplan, owner_networkd, owner_operations, persist
from .later import Later
from .owners import IFUPDOWN
from .planner import Planner
from .state import Key, Link, Setup
from .uplink import KEPT, UNCONFIRMED, KeptUplink, kept_path, unconfirmed_path

if TYPE_CHECKING:
    from . import owner_networkmanager, plan_networkmanager
else:
    owner_networkmanager, plan_networkmanager = Later("owner_networkmanager"), Later("plan_networkmanager")

NETWORKD = "systemd-networkd"
NETPLAN = "netplan"
IFUPDOWN_NAME = "ifupdown"
NETWORK_MANAGER = "NetworkManager"
BY_NETWORKD = (NETWORKD, NETPLAN)
"""The programs that leave it to systemd-networkd to do what they say."""

USUAL_MTU = 1500
MODE = 0o600
"""Of what remembers how it was: a configuration may have secrets in it."""


def check(planner: Planner, want: desired.LinkWant, where: str) -> None:
    """Refuse what can't be kept, before anything is done."""
    if want.netns:
        raise errors.Refused(
            f"{where}uplink: 'persist' can't keep it: at boot nobody configures devices of a namespace"
        )
    name = str(want.options["uplink"])
    setup = setup_of(planner, want.netns, name)
    if planner.kept_uplink(want.key) is None and setup.unfit:
        raise errors.Refused(
            f"{where}uplink: 'persist' can't keep it: {setup.unfit}; have the bridge made at boot by what configures the network,"
            " and set 'persist' to false"
        )


def setup_of(planner: Planner, netns: str, uplink: str) -> Setup:
    """By what a device is configured at boot."""
    facts = planner.before.uplinks.get((netns, uplink))
    return facts.setup if facts else Setup()


def keep(planner: Planner, going: Collection[Key]) -> None:
    """Let bridges come back with their uplinks at boot, or no more."""
    for want in planner.links:
        if not want.kind.holds_ports or (not want.absent and "uplink" not in want.options):
            continue
        if not want.absent and want.options["uplink"] and planner.model.link(want.key):
            if planner.persists(want):
                write(planner, want)
            else:
                forget(planner, want.key, stays=True)
        else:
            forget(planner, want.key)
    for key in going:
        forget(planner, key)


# -- the program's words -----------------------------------------------------------------------------------------------


def write(planner: Planner, want: desired.LinkWant) -> None:
    """Write the program's configuration of the bridge and of its uplink, and tell the program."""
    uplink = str(want.options["uplink"])
    bridge, kept, setup = planner.model.link(want.key), planner.kept_uplink(want.key), setup_of(planner, "", uplink)
    program = kept.program if kept else setup.program
    if bridge is None or not program:
        return  # the uplink is not there, which is said already
    source = dict(kept.source if kept else setup.source)
    try:
        source["addresses"] = more_addresses(want, uplink, program, source)
        WRITERS[program](planner, uplink, bridge, source, setup)
    except errors.Refused as exc:
        where = f"{want.where}: " if want.where else ""
        raise errors.Refused(f"{where}uplink: 'persist' can't keep it: {exc}") from None


def write_networkd(planner: Planner, uplink: str, bridge: Link, source: dict[str, Any], setup: Setup) -> None:
    """All its files are our own. Till they are confirmed they are where they don't outlast a boot."""
    shape = shape_of(bridge, source, setup, "MTUBytes" in source["text"])
    try:
        texts = owner_networkd.written(uplink, shape, networkd_source(source))
    except errors.Refused as exc:
        raise errors.Refused(f"{source['name']}: {exc}") from None
    place, other = owner_networkd.DIRECTORY, owner_networkd.UNCONFIRMED
    record_path, other_path = kept_path(bridge.key), unconfirmed_path(bridge.key)
    if waits(planner, bridge):
        place, other, record_path, other_path = other, place, other_path, record_path
    before = {name: planner.model.text(f"{place}/{name}") or planner.model.text(f"{other}/{name}") for name in texts}
    edits = tuple((f"{place}/{name}", text, None) for name, text in texts.items())
    record = KeptUplink(planner.uplink_record_after(bridge.key), NETWORKD, source, edits)
    put(planner, record_path, record.written(), MODE)
    for path, text, _old in edits:
        put(planner, path, text)
    for path in (*(f"{other}/{name}" for name in texts), other_path):
        if planner.model.text(path) is not None:
            planner.do(file_operations.FileRemove(path))
    if before != texts or setup.source:
        tell_networkd(planner, (bridge.name, uplink))


def write_netplan(planner: Planner, uplink: str, bridge: Link, source: dict[str, Any], setup: Setup) -> None:
    """Of its files only the definition of the uplink changes, and one is our own. Till it is confirmed, others hide these."""
    kept, found = planner.kept_uplink(bridge.key), netplan_source(source)
    text = owner_ifupdown.back(planner.model.text(found.path) or "", edits_of(kept, found.path))
    if text is None:
        return  # somebody has changed it since, and made it his own
    found = found._replace(text=text)
    shape = shape_of(bridge, source, setup, owner_netplan.has_mtu(found))
    edit, own, drop_in = owner_netplan.written(uplink, shape, found)
    texts = (owner_ifupdown.changed(text, [edit]), own, drop_in)
    lasting, trial = (owner_netplan.paths(found, bridge.name, unconfirmed) for unconfirmed in (False, True))
    before = tuple(planner.model.text(new) or planner.model.text(old) or "" for old, new in zip(lasting, trial))
    edits: list[tuple[str, str, str | None]]
    if waits(planner, bridge):
        paths, record_path, gone = trial, unconfirmed_path(bridge.key), []
        edits = [(trial[0], texts[0], None)]
    else:
        paths, record_path, gone = lasting, kept_path(bridge.key), [*trial, unconfirmed_path(bridge.key)]
        edits = [(edit.path, edit.new, edit.old)]
    edits += [(path, text, None) for path, text in zip(paths[1:], texts[1:]) if text]
    record = KeptUplink(planner.uplink_record_after(bridge.key), NETPLAN, source, tuple(edits))
    put(planner, record_path, record.written(), MODE)
    for path, text in zip(paths, texts):
        if text:
            put(planner, path, text, mode_of(NETPLAN, path))
        else:
            gone.append(path)
    for path in gone:
        if planner.model.text(path) is not None:
            planner.do(file_operations.FileRemove(path, mode_of(NETPLAN, path)))
    if before != texts or setup.source:
        tell_networkd(planner, (bridge.name, uplink), NETPLAN)


def write_ifupdown(planner: Planner, uplink: str, bridge: Link, source: dict[str, Any], setup: Setup) -> None:
    """Of its files only the stanzas of the uplink change. It is no daemon, but a DHCP client that it started is."""
    kept = planner.kept_uplink(bridge.key)
    shape = owner_ifupdown.Bridge(
        bridge.name, str(bridge.get("mac")), bridge.get("link_group") or 0, tuple(source["addresses"])
    )
    files: dict[str, str] = {}
    for path in source["files"]:
        text = owner_ifupdown.back(planner.model.text(path) or "", edits_of(kept, path))
        if text is None:
            return  # somebody has changed it since, and made it his own
        files[path] = text
    edits = owner_ifupdown.edits(uplink, shape, files)
    if not (planner.keep and planner.keep.later):
        record = KeptUplink(planner.uplink_record_after(bridge.key), IFUPDOWN_NAME, source, tuple(edits))
        put(planner, kept_path(bridge.key), record.written(), MODE)
        for path, text in files.items():
            put(planner, path, owner_ifupdown.changed(text, [edit for edit in edits if edit.path == path]))
    state = planner.model.text(IFUPDOWN)
    if state is not None:
        put(planner, IFUPDOWN, owner_ifupdown.state_with(state, bridge.name))
    if setup.client == uplink:
        planner.do(owner_operations.DhcpMove(uplink, bridge.name))


def write_networkmanager(planner: Planner, uplink: str, bridge: Link, source: dict[str, Any], setup: Setup) -> None:
    """Two profiles are our own, and the one that was there does not begin by itself any more."""
    plan_networkmanager.write(planner, uplink, bridge, source, setup)


WRITERS = {
    NETWORKD: write_networkd,
    NETPLAN: write_netplan,
    NETWORK_MANAGER: write_networkmanager,
    IFUPDOWN_NAME: write_ifupdown,
}


def shape_of(bridge: Link, source: Mapping[str, Any], setup: Setup, says_mtu: bool) -> owner_networkd.Bridge:
    """What networkd shall make of the bridge. `says_mtu`: whether it was told an MTU of the uplink."""
    mac, mtu = str(bridge.get("mac")), bridge.get("mtu")
    owner_networkd.check_others(bridge.name, mac, setup.others)
    return owner_networkd.Bridge(
        bridge.name,
        mac,
        mtu if mtu != USUAL_MTU or says_mtu else None,
        bridge.get("link_group") or 0,
        tuple(source["addresses"]),
    )


def waits(planner: Planner, bridge: Link) -> bool:
    """Whether what is written is to be gone after a boot, as nobody has confirmed it yet."""
    return bool(planner.keep and planner.keep.later) and planner.before.text(kept_path(bridge.key)) is None


def edits_of(kept: KeptUplink | None, path: str) -> list[owner_ifupdown.Edit]:
    """What was changed in a file that is not our own."""
    edits = kept.edits if kept else ()
    return [owner_ifupdown.Edit(place, new, old) for place, new, old in edits if place == path and old is not None]


def more_addresses(want: desired.LinkWant, uplink: str, program: str, source: Mapping[str, Any]) -> list[str]:
    """The addresses that are asked for besides those of the configuration, none of which may be missing."""
    if "addresses" not in want.options:
        return list(source.get("addresses", ()))
    if program == NETWORKD:
        own = set(map(normal, owner_networkd.statics(networkd_source(source))))
    elif program == NETPLAN:
        own = set(map(normal, owner_netplan.statics(netplan_source(source))))
    elif program == NETWORK_MANAGER:
        own = plan_networkmanager.statics(source)
    else:
        own = set(map(normal, owner_ifupdown.statics(uplink, source["files"])))
    lacking = sorted(own - set(want.options["addresses"])) if "addresses" not in want.append else []
    if lacking:
        raise errors.Refused(
            f"{program} gives {lacking[0]}, which is not among 'addresses': name it there, or leave 'addresses' out"
        )
    return [address for address in want.options["addresses"] if address not in own]


def normal(address: str) -> str:
    """An address with its prefix length as options have it."""
    try:
        return str(ipaddress.ip_interface(address))
    except ValueError:
        return address


def networkd_source(source: Mapping[str, Any]) -> owner_networkd.Source:
    """From what is remembered."""
    return owner_networkd.Source(source["name"], source["text"], source["iaid"], source["iaid6"])


def netplan_source(source: Mapping[str, Any]) -> owner_netplan.Source:
    """From what is remembered."""
    return owner_netplan.Source(*(source[field] for field in owner_netplan.Source._fields))


def mode_of(program: str, path: str) -> int:
    """With which a file of our own for a program is written, and given back when its removal is undone."""
    if program == NETWORK_MANAGER:
        return owner_networkmanager.mode_of(path)
    return MODE if program == NETPLAN and path.endswith(".yaml") else 0o644


def put(planner: Planner, path: str, text: str, mode: int = 0o644) -> None:
    """Write a file where it isn't so already."""
    if planner.model.text(path) != text:
        planner.do(file_operations.FileWrite(path, text, mode))


def tell_networkd(planner: Planner, devices: tuple[str, ...], program: str = NETWORKD) -> None:
    """Let it read its files again: also when they were put back, after all else was."""
    planner.undo_also(0, owner_operations.NetworkdRestart((), program == NETPLAN))
    planner.do(owner_operations.NetworkdRestart(devices, program == NETPLAN))


# -- and back ----------------------------------------------------------------------------------------------------------


def forget(planner: Planner, key: Key, stays: bool = False) -> None:
    """Give the program its configuration back. `stays`: the bridge goes on having the uplink, for now."""
    kept = planner.kept_uplink(key)
    if kept is None:
        return
    uplink, bridge = kept.record.uplink, key[1]
    setup = setup_of(planner, key[0], uplink)
    running = kept.program in (*BY_NETWORKD, NETWORK_MANAGER) and setup.program == kept.program
    if stays and (running or setup.client):
        raise errors.Refused(
            f"persist: {kept.program} would take {uplink} away from {bridge}: give it back first, with 'uplink: \"\"'"
        )
    for path in dict.fromkeys(edit[0] for edit in kept.edits):
        give_back(planner, kept, path, key)
    state = planner.model.text(IFUPDOWN)
    if kept.program == IFUPDOWN_NAME and state is not None and not stays:
        put(planner, IFUPDOWN, owner_ifupdown.state_without(state, bridge))
    for path in (kept_path(key), unconfirmed_path(key)):
        if planner.model.text(path) is not None:
            planner.do(file_operations.FileRemove(path, MODE))
    drop_ins = [posixpath.dirname(edit[0]) for edit in kept.edits if posixpath.dirname(edit[0]).endswith(".d")]
    planner.do(file_operations.DirectoriesRemove((KEPT, KEPT.rpartition("/")[0], UNCONFIRMED, *drop_ins)))
    if running and kept.program == NETWORK_MANAGER:
        plan_networkmanager.give_back(planner, bridge, kept)
    elif running:
        tell_networkd(planner, (uplink,), kept.program)
    elif setup.client == bridge:
        planner.do(owner_operations.DhcpMove(bridge, uplink))


def give_back(planner: Planner, kept: KeptUplink, path: str, key: Key) -> None:
    """One file: it goes where it is ours, and has else what it had."""
    text, edits = planner.model.text(path), edits_of(kept, path)
    if text is None:
        return
    if not edits:
        planner.do(file_operations.FileRemove(path, mode_of(kept.program, path)))
        return
    before = owner_ifupdown.back(text, edits)
    if before is None:
        raise errors.Refused(
            f"{path} has changed where it is about {key[1]}, so that {kept.record.uplink} can't get its configuration back:"
            f" mend it by hand ({kept_path(key)} has what it was), and remove {kept_path(key)}"
        )
    put(planner, path, before)


# -- what restores the rest --------------------------------------------------------------------------------------------


def awaiting(planner: Planner, document: persist.Document, entry: persist.Entry) -> persist.Document:
    """What is kept under /etc/vnet/conf.d of bridges that another program makes at boot: it is to be waited for."""
    found: dict[str, Any] = {}
    for want in planner.links:
        if want.kind.holds_ports and entry.is_about(want):
            path = kept_path(want.key)
            bridge, kept = planner.model.link(want.key), KeptUplink.read(path, planner.model.text(path))
            if bridge and kept:
                found[want.name] = [kept.record.uplink, bridge.get("link_group") or 0]
    options = dict(document.options)
    if entry.want is None and "bridges" in options:
        options["bridges"] = [
            {name: value for name, value in bridge.items() if name != "uplink"} for bridge in options["bridges"]
        ]
    return document._replace(options=options, awaits=found)
