# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""An uplink and its bridge in the words of netplan, which hands them on to systemd-networkd: netplan-yaml(5). Pure.

In the file that defines the device, only that definition changes: what concerns IP leaves it. A file of our own defines
the bridge, in the same words. What netplan has no words for is in a drop-in for what it writes for networkd.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from . import errors, owner_networkd
from .owner_ifupdown import Edit
from .owner_networkd import HEADER, Bridge, Section

Node = Any
"""A node of PyYAML's: `id`, `value`, `start_mark`, `end_mark`, and `flow_style` where it is no scalar. Imported when needed."""

DIRECTORY = "/etc/netplan"
UNCONFIRMED = "/run/netplan"
"""A file here hides one of the same name in /etc/netplan, and is gone after a boot."""

PLACES = ("/lib/netplan", DIRECTORY, UNCONFIRMED)
"""A file in a later place hides one of the same name in an earlier one: netplan(5)."""

GENERATED = "10-netplan-"
"""How the names of networkd's files begin that netplan writes."""

OF_DEVICE = (
    *("match", "set-name", "wakeonlan", "emit-lldp", "macaddress"),
    *("receive-checksum-offload", "transmit-checksum-offload", "tcp-segmentation-offload", "tcp6-segmentation-offload"),
    *("generic-segmentation-offload", "generic-receive-offload", "large-receive-offload"),
    *("virtual-function-count", "embedded-switch-mode", "delay-virtual-functions-rebind"),
)
"""What stays with the device: it is about frames, or about which device it is."""

OF_BOTH = ("mtu", "optional")

OF_BRIDGE = (
    *("addresses", "dhcp4", "dhcp6", "dhcp-identifier", "dhcp4-overrides", "dhcp6-overrides", "accept-ra", "critical"),
    *("gateway4", "gateway6", "routes", "routing-policy", "nameservers", "link-local", "optional-addresses"),
    *("ipv6-mtu", "ipv6-privacy", "ipv6-address-generation", "ipv6-address-token", "ignore-carrier"),
)
"""What passes to the bridge: it is about IP."""

RENDERER = "renderer"
"""Of the device it stays, and the bridge gets its own."""

NETWORKD = "networkd"
MEMBERS = ("bridges", "bonds", "vrfs")
"""The kinds that are made of others, which are their `interfaces`."""


class Source(NamedTuple):
    """How netplan defines a device: by the definition `name` in the file `path`, whose content is `text`.

    `iaid`, `iaid6`: by which DHCP servers know the device, None where it has no lease, or one by the MAC address.
    """

    path: str
    name: str
    text: str
    iaid: int | None = None
    iaid6: int | None = None


class Written(NamedTuple):
    """What changes in the file that defines the device, our own file, and the drop-in, which may be empty."""

    edit: Edit
    own: str
    drop_in: str


def own_name(bridge: str) -> str:
    """Of the file that defines the bridge."""
    return f"90-vnet-{bridge}.yaml"


def drop_in_name(bridge: str) -> str:
    """Of the drop-in, in a directory for what netplan writes for the bridge."""
    return f"{GENERATED}{bridge}.network.d/0-vnet.conf"


def paths(source: Source, bridge: str, unconfirmed: bool = False) -> tuple[str, str, str]:
    """The files that are written: that of the definition, our own, and the drop-in."""
    netplan, networkd = (
        (UNCONFIRMED, owner_networkd.UNCONFIRMED) if unconfirmed else (DIRECTORY, owner_networkd.DIRECTORY)
    )
    name = posixpath.basename(source.path)
    return f"{netplan}/{name}", f"{netplan}/{own_name(bridge)}", f"{networkd}/{drop_in_name(bridge)}"


def definition_of(network_file: str) -> str:
    """The name of the definition for which netplan wrote a .network file."""
    return posixpath.basename(network_file)[len(GENERATED) : -len(".network")]


def source_of(name: str, device: str, bridge: str, texts: Mapping[str, str]) -> Source:
    """Where a device is defined, of all of netplan's files (by path). Refused where a bridge can't take its place for sure."""
    found = []
    for path, text in texts.items():
        network = child(document(path, text), "network")
        if child(child(network, "ethernets"), name) is not None:
            found.append(path)
        for kind, other, options in definitions(network):
            check_other(path, kind, other, options, name, bridge)
    if len(found) != 1:
        what = f"in {' and in '.join(sorted(found))}" if found else "nowhere among 'ethernets'"
        raise errors.Refused(f"netplan's definition '{name}' is {what}: have it in one file, under {DIRECTORY}")
    path = found[0]
    if posixpath.dirname(path) != DIRECTORY:
        raise errors.Refused(f"netplan's definition '{name}' is in {path}, and not under {DIRECTORY}")
    source = Source(path, name, texts[path])
    check_match(source, device)
    split(source)
    return source


def check_other(path: str, kind: str, other: str, options: Node | None, name: str, bridge: str) -> None:
    """Refused where another definition has the device, or the name of the bridge."""
    if other == bridge:
        raise errors.Refused(f"{path} defines {bridge} already, among '{kind}'")
    if kind in MEMBERS and name in [item.value for item in items(child(options, "interfaces"))]:
        raise errors.Refused(f"{path} has '{name}' among the interfaces of {other}")
    if kind != "vlans" and getattr(child(options, "link"), "value", None) == name:
        raise errors.Refused(f"{path} has '{name}' as the link of {other}")


def check_match(source: Source, device: str) -> None:
    """Refused where a definition may be about other devices as well: all of them would become ports."""
    options = mapping_of(source)
    match = child(options, "match")
    single = child(match, "macaddress") or child(options, "set-name")
    if match is None and source.name != device:
        raise errors.Refused(f"netplan's definition '{source.name}' is not about {device}")
    if match is not None and not single and getattr(child(match, "name"), "value", "") != device:
        raise errors.Refused(
            f"netplan's definition '{source.name}' in {source.path} may match other devices than {device}:"
            f" give {device} one of its own"
        )


def written(uplink: str, bridge: Bridge, source: Source) -> Written:
    """The configuration of a bridge in the place of its uplink's."""
    near, far = split(source)
    return Written(edit_of(source, near), own_file(uplink, bridge, source, far), drop_in(uplink, bridge, source))


def edit_of(source: Source, near: list[tuple[Node, Node]]) -> Edit:
    """The definition of the device without what passes to the bridge; all around it stays as it is."""
    key = next(key for key, _value in pairs(ethernets(source)) if key.value == source.name)
    value = mapping_of(source)
    start, end = key.start_mark.index - key.start_mark.column, end_of(value)
    title = source.text[start : key.end_mark.index]
    if not near:
        new = f"{title}: {{}}"
    elif value.flow_style:
        new = f"{title}: {yaml_text(mapping(near, flow=True)).strip()}"
    else:
        margin = " " * (key.start_mark.column + 2)
        new = "\n".join([f"{title}:", *(f"{margin}{line}" for line in yaml_text(mapping(near)).splitlines())])
    text = source.text[:start] + new + source.text[end:]
    old = source.text[start:end]
    # The way back looks for what was written: it has to be there once.
    return (
        Edit(source.path, new, old)
        if (source.text.count(old), text.count(new)) == (1, 1)
        else Edit(source.path, text, source.text)
    )


def own_file(uplink: str, bridge: Bridge, source: Source, far: list[tuple[Node, Node]]) -> str:
    """The file that defines the bridge."""
    given = statics(source)
    more = [address for address in bridge.addresses if address not in given]
    found = {key.value: value for key, value in far}
    options: dict[str, Any] = {
        RENDERER: NETWORKD,
        "interfaces": [source.name],
        "macaddress": quoted(bridge.mac),
        **found,
    }
    if bridge.mtu:
        options["mtu"] = str(bridge.mtu)
    if more:
        options["addresses"] = [*items(found.get("addresses")), *more]
    root = {"network": {"version": "2", "bridges": {bridge.name: options}}}
    return HEADER.format(bridge=bridge.name, uplink=uplink) + yaml_text(node_of(root))


def drop_in(uplink: str, bridge: Bridge, source: Source) -> str:
    """What netplan can't say: the mark of who made the bridge, and how DHCP servers know it."""
    found = [Section("Link", (("Group", str(bridge.group)),))] if bridge.group else []
    found += owner_networkd.identities(source.iaid, source.iaid6)
    return HEADER.format(bridge=bridge.name, uplink=uplink) + owner_networkd.text_of(found) if found else ""


def split(source: Source) -> tuple[list[tuple[Node, Node]], list[tuple[Node, Node]]]:
    """What stays with the device, and what passes to the bridge. Refused where it isn't known of something."""
    found = pairs(mapping_of(source))
    for key, value in found:
        if key.value == RENDERER and value.value != NETWORKD:
            raise errors.Refused(f"netplan's definition '{source.name}' has the renderer {value.value}")
        if key.value not in (*OF_DEVICE, *OF_BOTH, *OF_BRIDGE, RENDERER):
            raise errors.Refused(
                f"netplan's definition '{source.name}' in {source.path} has '{key.value}', of which it is not known"
                " where it belongs then"
            )
    near = [pair for pair in found if pair[0].value in (*OF_DEVICE, *OF_BOTH, RENDERER)]
    return near, [pair for pair in found if pair[0].value in (*OF_BOTH, *OF_BRIDGE)]


def statics(source: Source) -> set[str]:
    """The addresses that the definition gives by itself: each is a text, or has options."""
    found = (
        item if item.id == "scalar" else next(iter(pairs(item)), (item,))[0]
        for item in items(child(mapping_of(source), "addresses"))
    )
    return {node.value for node in found if node.id == "scalar"}


def has_mtu(source: Source) -> bool:
    """Whether the definition says an MTU."""
    return child(mapping_of(source), "mtu") is not None


# -- YAML, as a tree whose leaves are texts, with the places where they are --------------------------------------------


def document(path: str, text: str) -> Node | None:
    """The tree of a file; Refused where it is none that can be cut in pieces."""
    yaml = pyyaml()
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.BaseLoader)):
            raise errors.Refused(f"{path} has aliases (*name), which can't be taken apart")
        root = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError as exc:
        raise errors.Refused(f"{path} is no YAML: {' '.join(str(exc).split())}") from None
    return root


def child(node: Node | None, key: str) -> Node | None:
    """What a mapping has under a key; None where it has nothing there, or is none."""
    return next((value for name, value in pairs(node) if name.value == key), None)


def pairs(node: Node | None) -> list[tuple[Node, Node]]:
    """The keys and values of a mapping, none of what is no mapping."""
    return list(node.value) if node is not None and node.id == "mapping" else []


def items(node: Node | None) -> list[Node]:
    """What a sequence has, nothing of what is none."""
    return list(node.value) if node is not None and node.id == "sequence" else []


def definitions(network: Node | None) -> Iterator[tuple[str, str, Node]]:
    """All that is defined: (kind, name, options)."""
    for kind, found in pairs(network):
        for name, options in pairs(found):
            yield kind.value, name.value, options


def ethernets(source: Source) -> Node | None:
    """All definitions of that kind in the file."""
    return child(child(document(source.path, source.text), "network"), "ethernets")


def mapping_of(source: Source) -> Node:
    """The definition of the device; Refused where it is no mapping, as one that is empty."""
    found = child(ethernets(source), source.name)
    if found is None or found.id != "mapping":
        raise errors.Refused(
            f"netplan's definition '{source.name}' in {source.path} has nothing that a bridge could take over"
        )
    return found


def end_of(node: Node) -> int:
    """Where the text of a node ends: without the comments and empty lines after it, which YAML counts to it."""
    if node.id == "scalar" or node.flow_style or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    return end_of(last[1] if node.id == "mapping" else last)


def mapping(found: list[tuple[Node, Node]], flow: bool = False) -> Node:
    """A mapping of such pairs."""
    return pyyaml().MappingNode("tag:yaml.org,2002:map", found, flow_style=flow)


def node_of(value: Any) -> Node:
    """A tree of nested dicts, lists and texts, in which nodes may be."""
    yaml = pyyaml()
    if isinstance(value, dict):
        found = mapping([(node_of(key), node_of(inner)) for key, inner in value.items()])
    elif isinstance(value, list):
        found = yaml.SequenceNode("tag:yaml.org,2002:seq", [node_of(inner) for inner in value], flow_style=False)
    elif isinstance(value, str):
        found = yaml.ScalarNode("tag:yaml.org,2002:str", value)
    else:
        found = value
    return found


def quoted(text: str) -> Node:
    """A text in quotes: of a MAC address of digits others than netplan would make a number."""
    return pyyaml().ScalarNode("tag:yaml.org,2002:str", text, style='"')


def yaml_text(node: Node) -> str:
    """A tree as a file has it, each text in the quotes that it had."""
    yaml = pyyaml()
    return str(yaml.serialize(node, Dumper=yaml.BaseDumper, width=1000, allow_unicode=True))


def pyyaml() -> Any:
    """PyYAML, which netplan itself needs; Refused where this Python has none."""
    try:
        import yaml  # noqa: PLC0415  # for this one configuration, and where it is
    except ImportError:
        raise errors.Refused(
            "netplan's files can only be read with PyYAML (python3-yaml), which this Python has not"
        ) from None
    return yaml
