# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network of a host and of its named namespaces as the kernel's own tools tell it, as JSON on standard output.

It judges the collection, so it shares no code with it. Left out is what changes by itself: counters, timers,
carrier, what was learned, and what IPv6 makes of a link by itself some time after that came up. Indexes of devices
stand apart, as not even undoing brings them back.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import ipaddress
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

CLONE_NEWNET = 0x40000000
NETNS = Path("/run/netns")
FILES = {"/etc/sysctl.d": "**/*", "/etc/vnet": "**/*", "/etc/systemd/system": "**/vnet-*"}

IP = ("addr show", "netconf show", "neigh show nud permanent", "neigh show proxy")
IP_OF_FAMILY = ("route show table all", "rule show")
BRIDGE = ("fdb", "vlan", "link")

# Keys of `ip -j` and `bridge -j` whose values move without anybody's doing, and on ports of a bridge besides.
RESTLESS = frozenset(
    {
        *(
            "ifindex",
            "viaIfIndex",
            "linkNetNsId",
            "link_index",
            "link_netnsid",
            "operstate",
            "qdisc",
            "allmulti",
            "root_port",
            "root_path_cost",
        ),
        *(
            "hello_timer",
            "tcn_timer",
            "topology_change_timer",
            "gc_timer",
            "topology_change",
            "topology_change_detected",
        ),
        *("valid_life_time", "preferred_life_time", "used", "updated", "expires", "age", "tentative", "dadfailed"),
    }
)
RESTLESS_ON_PORT = frozenset(
    {
        *(
            "state",
            "no",
            "id",
            "link",
            "bridge_id",
            "root_id",
            "designated_port",
            "designated_cost",
            "topology_change_ack",
            "config_pending",
        ),
        *("message_age_timer", "forward_delay_timer", "hold_timer"),
    }
)
RESTLESS_FLAGS = ("NO-CARRIER", "LOWER_UP", "M-DOWN", "linkdown", "dead")
SYSCTLS = ("net/ipv4", "net/ipv4/conf", "net/ipv6", "net/ipv6/conf", "net/bridge")

_libc = ctypes.CDLL(None, use_errno=True)


def enter(namespace: Path) -> bool:
    """Go into a network namespace; False where the file is none."""
    with namespace.open() as file:
        return bool(_libc.setns(file.fileno(), CLONE_NEWNET) == 0)


def ask(tool: str, *commands: str) -> list[Any]:
    """What each command prints, by one process; nothing where the kernel has nothing of the kind."""
    text = subprocess.run(
        [*tool.split(), "-batch", "-"], input="\n".join(commands), capture_output=True, text=True, check=False
    ).stdout.strip()
    answers: list[Any] = []
    while text and len(answers) < len(commands):
        try:
            answer, end = json.JSONDecoder().raw_decode(text)
        except ValueError:
            break
        answers.append([item for item in answer if item])
        text = text[end:].strip()
    return answers + [[]] * (len(commands) - len(answers))


def steady(value: Any, restless: frozenset[str] = RESTLESS) -> Any:
    """Without what moves by itself."""
    if isinstance(value, dict):
        return {
            key: steady(item, RESTLESS | RESTLESS_ON_PORT if key == "info_slave_data" else restless)
            for key, item in value.items()
            if key not in restless
        }
    if isinstance(value, list):
        return [steady(item, restless) for item in value if item not in RESTLESS_FLAGS]
    return value


def made_by_ipv6(entry: dict[str, Any]) -> bool:
    """Link-local addresses (known by their ff:fe) and routes, and the local routes of addresses, which DAD delays."""
    if "local" in entry:
        return entry["family"] == "inet6" and ipaddress.ip_address(entry["local"]).packed[11:13] == b"\xff\xfe"
    if entry.get("protocol") != "kernel":
        return False
    return str(entry["dst"]).startswith(("fe80:", "ff00:")) or entry.get("type") in ("local", "anycast", "multicast")


def learned(entry: dict[str, Any]) -> bool:
    """FDB entries from packets, and the groups that devices join by themselves."""
    group = int(entry["mac"][:2], 16) & 1
    return entry.get("state") not in ("permanent", "static") or bool(group and "dst" not in entry)


def in_order(entries: list[Any], restless: frozenset[str] = RESTLESS) -> list[Any]:
    """For lists whose order follows the indexes of devices, which says nothing."""
    return sorted(steady(entries, restless), key=lambda entry: json.dumps(entry, sort_keys=True))


def told_once(entries: list[Any]) -> list[Any]:
    """Of a large FDB the kernel tells some entries twice, as each message goes on where it believes that the one before ended."""
    return list({json.dumps(entry, sort_keys=True): entry for entry in steady(entries)}.values())


def namespace(at_home: bool = False) -> dict[str, Any]:
    """All of the network namespace that this process is in."""
    devices, netconf, neighbors, proxies = ask("ip -d -j", *IP)
    found: dict[str, Any] = {
        "index": {device["ifname"]: device["ifindex"] for device in devices},
        "link": {},
        "addresses": {},
        "netconf": in_order(netconf),
        "neighbors": in_order(neighbors),
        "proxies": in_order(proxies),
    }
    for device in devices:
        addresses = device.pop("addr_info", [])
        if device.get("linkinfo", {}).get("info_kind") in ("macvtap", "ipvtap"):
            device["file"] = rights(Path(f"/dev/tap{device['ifindex']}"))
        found["addresses"][device["ifname"]] = steady(
            [entry for entry in addresses if entry and not made_by_ipv6(entry)]
        )
        found["link"][device["ifname"]] = steady(device)
        if device.get("linkinfo", {}).get("info_kind") == "bridge" and at_home:
            # Netlink doesn't tell whether somebody gave a bridge its MAC, and sysfs only of its own namespace.
            path = Path("/sys/class/net", device["ifname"], "addr_assign_type")
            found["link"][device["ifname"]]["addr_assign_type"] = path.read_text(encoding="ascii").strip()
    for family in (4, 6):
        routes, rules = ask(f"ip -d -j -{family}", *IP_OF_FAMILY)
        found[f"routes{family}"] = in_order([entry for entry in routes if family == 4 or not made_by_ipv6(entry)])
        found[f"rules{family}"] = steady(rules)
    kinds = {device.get("linkinfo", {}).get("info_kind") for device in devices}
    for topic in BRIDGE:
        entries = ask("bridge -d -j", f"{topic} show")[0] if kinds & {"bridge", "vxlan"} else []
        restless = RESTLESS | RESTLESS_ON_PORT if topic == "link" else RESTLESS
        found[f"bridge {topic}"] = in_order(
            told_once([entry for entry in entries if not learned(entry)]) if topic == "fdb" else entries, restless
        )
    if any(device.get("linkinfo", {}).get("info_slave_data", {}).get("vlan_tunnel") for device in devices):
        found["bridge tunnels"] = in_order(ask("bridge -j", "vlan tunnelshow")[0])
    if any(device.get("linkinfo", {}).get("info_data", {}).get("vnifilter") for device in devices):
        found["bridge vni"] = in_order(ask("bridge -j", "vni show")[0])
    found["sysctl"] = sysctls()
    found["nft"] = ruleset()
    return found


def rights(path: Path) -> list[Any] | None:
    """What a file is, and who may do what with it; None where there is none."""
    if not path.exists():
        return None
    found = path.stat()
    return [oct(found.st_mode), found.st_uid, found.st_gid]


@functools.cache
def kernel_has_nft() -> bool:
    """Asked once: where it has not, each question costs a process."""
    return not subprocess.run(["nft", "list", "tables"], capture_output=True, check=False).returncode


def ruleset() -> dict[str, list[Any]]:
    """By table, all that nft lists of it, without what it was counted by and what counts its packets."""
    if not (shutil.which("nft") and kernel_has_nft()):
        return {}
    listed = subprocess.run(["nft", "-j", "list", "ruleset"], capture_output=True, text=True, check=False).stdout
    found: dict[str, list[Any]] = {}
    for item in json.loads(listed or "{}").get("nftables", []):
        ((kind, body),) = item.items()
        if kind != "metainfo":
            body = steady(body, frozenset({"handle", "packets", "bytes"}))
            table = body["name" if kind == "table" else "table"]
            found.setdefault(f"{body['family']} {table}", []).append({kind: body})
    return found


# Of the database of Open vSwitch what is configured, and no status.
SWITCH = {
    "Bridge": "name,ports,controller,datapath_type,fail_mode,external_ids,other_config,stp_enable,mcast_snooping_enable",
    "Port": "name,interfaces,tag,trunks,vlan_mode,external_ids,other_config",
    "Interface": "name,type,options,mtu_request,external_ids,other_config",
    "Controller": "target,connection_mode",
}


def switches() -> dict[str, list[Any]]:
    """By table of Open vSwitch's database, its rows, where they refer to others with these in their place."""
    if not Path("/run/openvswitch/db.sock").exists():
        return {}
    words = ["ovs-vsctl", "--no-wait", "--timeout=10", "--format=json"]
    for table, columns in SWITCH.items():
        words += ["--", f"--columns=_uuid,{columns}", "list", table]
    listed = subprocess.run(words, capture_output=True, text=True, check=False).stdout.split("\n")
    tables = {name: json.loads(text) for name, text in zip(SWITCH, listed, strict=False) if text}
    rows = {
        name: [dict(zip(table["headings"], row, strict=True)) for row in table["data"]]
        for name, table in tables.items()
    }
    by_number = {row["_uuid"][1]: row for found in rows.values() for row in found}

    def resolved(value: Any) -> Any:
        if isinstance(value, list) and len(value) == 2 and value[0] == "uuid" and value[1] in by_number:
            other = by_number[value[1]]
            return other.get("name") or other.get("target")
        if isinstance(value, list):
            return [value[0], sorted(map(resolved, value[1]), key=str)] if value[:1] == ["set"] else value
        return value

    return {
        name: in_order(
            [{column: resolved(value) for column, value in row.items() if column != "_uuid"} for row in found]
        )
        for name, found in rows.items()
    }


def sysctls() -> dict[str, str]:
    """All settings of the network, by their names: with a few devices thousands, so with as few calls as can be."""
    found = {}
    for directory in SYSCTLS:
        root = f"/proc/sys/{directory}"
        if os.path.isdir(root):
            deep = directory.endswith("/conf")
            for folder in [entry.path for entry in os.scandir(root) if entry.is_dir()] if deep else [root]:
                for entry in os.scandir(folder):
                    value = None if entry.is_dir() else value_of(entry.path)
                    if value is not None:
                        found[entry.path[len("/proc/sys/") :]] = value
    return found


def value_of(path: str) -> str | None:
    """What a setting is, None for one that can only be written; and stable_secret can be read only once it was set."""
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        return " ".join(os.read(file, 4096).decode("ascii").split())
    except OSError:
        return None
    finally:
        os.close(file)


def content_of(path: Path) -> str:
    """A file's text, where a symbolic link leads, or a digest of what is no text."""
    if path.is_symlink():
        return f"-> {path.readlink()}"
    data = path.read_bytes()
    return hashlib.sha256(data).hexdigest() if b"\0" in data else data.decode("utf-8", "surrogateescape")


def dump() -> dict[str, Any]:
    """The host that this process is on."""
    home = Path("/proc/self/ns/net")
    names = sorted(path.name for path in NETNS.iterdir()) if NETNS.is_dir() else []
    with home.open() as keep:
        found: dict[str, Any] = {"namespaces": names, "host": namespace(at_home=True)}
        for name in names:
            found[f"namespace {name}"] = namespace() if enter(NETNS / name) else "a stale file"
            _libc.setns(keep.fileno(), CLONE_NEWNET)
    found["indexes"] = {
        f"{place}.{name}": index
        for place, part in found.items()
        if isinstance(part, dict)
        for name, index in part.pop("index").items()
    }
    found["ovs"] = switches()
    found["files"] = {
        str(path): [oct(path.lstat().st_mode), content_of(path)]
        for root, pattern in FILES.items()
        for path in sorted(Path(root).glob(pattern))
        if path.is_symlink() or path.is_file()
    }
    return found


def main() -> None:
    """Print a dump; with `--serve`, one for each line that is read."""
    for _request in sys.stdin if "--serve" in sys.argv else [""]:
        print(json.dumps(dump(), sort_keys=True), flush=True)


if __name__ == "__main__":
    main()
