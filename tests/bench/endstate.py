# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody built, as `ip` sees it, in a form that does not depend on who built it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import shape

if TYPE_CHECKING:
    from hosts import BenchHost

# One answer per line. The first two are the host's, then each namespace tells its name, its links and its routes.
ASK = """
ip -j -d address show
ip -j -4 route show
cd /run/netns
for name in *; do
    [ -e "$name" ] || continue
    echo "\\"$name\\""
    ip -n "$name" -j -d address show
    ip -n "$name" -j -4 route show
done
"""


def dump(host: BenchHost) -> dict[str, Any]:
    """The containers by name, the bridge, and the names of the links that belong to neither."""
    lines = [json.loads(line) for line in host.output("sh", "-ec", ASK).splitlines() if line]
    links, routes, rest = lines[0], lines[1], lines[2:]
    by_index = {link["ifindex"]: link for link in links}
    told: set[str] = set()
    containers = {
        name: _container(inside, inside_routes, by_index, told)
        for name, inside, inside_routes in zip(rest[::3], rest[1::3], rest[2::3])
    }
    bridges = {link["ifname"]: _link(link) for link in links if link["ifname"] == "br0"}
    others = sorted(link["ifname"] for link in links if link["ifname"] not in {"br0", *told})
    return {"containers": containers, "bridges": bridges, "routes": _routes(routes), "other links": others}


def _container(
    links: list[dict[str, Any]], routes: list[dict[str, Any]], on_host: dict[int, dict[str, Any]], told: set[str]
) -> dict[str, Any]:
    shown = {}
    for link in links:
        entry = _link(link)
        port = on_host.get(link.get("link_index", 0)) if "link_netnsid" in link else None
        if port:
            # By what it is a port of: CNI gives it a random name.
            told.add(port["ifname"])
            entry["other end"] = {**_link(port), "master": port.get("master")}
        shown[link["ifname"]] = entry
    return {"links": shown, "routes": _routes(routes)}


def _link(link: dict[str, Any]) -> dict[str, Any]:
    addresses = [f"{info['local']}/{info['prefixlen']}" for info in link["addr_info"] if info["scope"] != "link"]
    return {
        "kind": link.get("linkinfo", {}).get("info_kind", ""),
        "up": "UP" in link["flags"],
        "mtu": link["mtu"],
        # Whether IPv6 gave lo its ::1 is the kernel's business.
        "addresses": sorted(address for address in addresses if address != "::1/128"),
    }


def _routes(routes: list[dict[str, Any]]) -> list[str]:
    return sorted(f"{route['dst']} via {route.get('gateway', '-')} dev {route.get('dev', '-')}" for route in routes)


def expected(count: int) -> dict[str, Any]:
    """What is to be built, said once more and by hand: else all could be wrong in the same way."""

    def link(kind: str, addresses: list[str], mtu: int = 1500) -> dict[str, Any]:
        return {"kind": kind, "up": True, "mtu": mtu, "addresses": addresses}

    subnet = "10.9.0.0/16 via - dev"
    containers = {
        shape.container(number): {
            "links": {
                "lo": link("", ["127.0.0.1/8"], 65536),
                "eth0": {
                    **link("veth", [shape.address(number)]),
                    "other end": {**link("veth", []), "master": "br0"},
                },
            },
            "routes": sorted([f"{subnet} eth0", f"default via {shape.GATEWAY} dev eth0"]),
        }
        for number in range(count)
    }
    return {
        "containers": containers,
        "bridges": {"br0": link("bridge", [shape.BRIDGE_ADDRESS])},
        "routes": [f"{subnet} br0"],
        "other links": ["lo"],
    }


def nothing() -> dict[str, Any]:
    """What `state: absent` leaves."""
    return {"containers": {}, "bridges": {}, "routes": [], "other links": ["lo"]}


def difference(found: Any, wanted: Any, place: str = "") -> list[str]:
    """Each place where the two differ, in a line."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        return [
            line
            for key in sorted({*found, *wanted})
            for line in difference(found.get(key), wanted.get(key), f"{place}/{key}")
        ]
    return [] if found == wanted else [f"{place}: {found!r} and not {wanted!r}"]
