# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real kernel, in namespaces that end with the test: nothing here ever touches the machine's own network."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import traceback
import warnings
from collections import Counter
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils.apply import Applier
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds import LINK_KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.base import LinkKind
    from ansible_collections.linuxnet.vnet.plugins.module_utils.operations import Operation

CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
MS_REC, MS_PRIVATE = 0x4000, 0x40000
_libc = ctypes.CDLL(None, use_errno=True)

needs_root = [
    pytest.mark.kernel,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can make namespaces for the real kernel's tests"),
]


def _call(function: str, *arguments: Any) -> None:
    if getattr(_libc, function)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")


def _mount(source: bytes, target: bytes, kind: bytes, flags: int = 0) -> None:
    _call("mount", source, target, kind, ctypes.c_ulong(flags), None)


def own_device_files() -> None:
    """Give this host a /dev of its own. The kernel's, which all hosts of a machine share, has room for one /dev/tapN of each N."""
    kept = {name: os.stat(f"/dev/{name}") for name in ("null", "zero", "random", "urandom", "net/tun")}
    _mount(b"tmpfs", b"/dev", b"tmpfs")
    Path("/dev/net").mkdir()
    for name, found in kept.items():
        os.mknod(f"/dev/{name}", found.st_mode, found.st_rdev)


def on_a_new_host(scenario: Callable[..., None], *arguments: Any) -> None:
    """Run `scenario` in a process with a network, and a /run, /sys and /etc/sysctl.d, of its own; fail as it fails."""
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        # Python warns of forks beside threads, as the test runner has; the child never uses them.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reader)
            _call("unshare", CLONE_NEWNS | CLONE_NEWNET)
            _mount(b"none", b"/", b"none", MS_REC | MS_PRIVATE)
            _mount(b"tmpfs", b"/run", b"tmpfs")
            _mount(b"sysfs", b"/sys", b"sysfs")
            _mount(b"tmpfs", b"/etc/sysctl.d", b"tmpfs")
            scenario(*arguments)
            status = 0
        except BaseException:  # noqa: BLE001  # whatever it was, the parent has to hear of it
            os.write(writer, traceback.format_exc().encode()[-60000:])
        finally:
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8", errors="replace") as pipe:
        report = pipe.read()
    _pid, status = os.waitpid(child, 0)
    if status:
        raise AssertionError(report or f"the process ended with status {status}")


@cache
def kinds_here() -> tuple[LinkKind, ...]:
    """The kinds of devices that the running kernel can make."""
    found = []
    for kind in LINK_KINDS:
        attempt = ["unshare", "--net", "ip", "link", "add", "probe", "type", kind.name]
        done = subprocess.run(attempt, capture_output=True, text=True, check=False)
        if kind.by_ioctl or "Unknown device type" not in done.stderr:
            found.append(kind)
    return tuple(found)


@cache
def bridges_filter_vlans() -> bool:
    """Whether the running kernel's bridges do; it may have been built without."""
    probe = "ip link add probe type bridge vlan_filtering 1 && ip -d -j link show dev probe"
    done = subprocess.run(["unshare", "--net", "sh", "-c", probe], capture_output=True, text=True, check=False)
    return '"vlan_filtering":1' in done.stdout


def with_systemd() -> None:
    """Give the host an /etc of its own, with what names users and groups, and a systemd that takes notice of nothing."""
    needed = {name: Path("/etc", name).read_bytes() for name in ("passwd", "group")}
    _mount(b"tmpfs", b"/etc", b"tmpfs")
    for directory in ("/etc/sysctl.d", "/run/systemd/system", "/run/bin"):
        Path(directory).mkdir(parents=True)
    for name, content in needed.items():
        Path("/etc", name).write_bytes(content)
    systemctl = Path("/run/bin/systemctl")
    systemctl.write_text("#!/bin/sh\n", encoding="ascii")
    systemctl.chmod(0o755)
    os.environ["PATH"] = f"/run/bin:{os.environ['PATH']}"


def tally(**counts: int) -> None:
    """Count what was tried, for the table of `./dev campaign`."""
    if "VNET_TALLY" in os.environ:
        with Path(os.environ["VNET_TALLY"]).open("a", encoding="utf-8") as file:
            file.write(json.dumps(counts) + "\n")


def operations_tried() -> Counter[str]:
    """How many of each kind of operation are carried out from now on, undoing included, for `tally`."""
    tried: Counter[str] = Counter()
    carry_out = Applier.carry_out

    def noted(applier: Applier, operation: Operation) -> None:
        tried[type(operation).__name__] += 1
        carry_out(applier, operation)

    Applier.carry_out = noted  # type: ignore[method-assign, assignment]  # it goes with the process of the test
    return tried


# What goes with time, with the order of creation, or with the carrier, which comes when the kernel finds time for it.
FLEETING = {
    "ifindex",
    "link_index",
    "link_netnsid",
    "operstate",
    "flags",
    "stats64",
    "stats",
    "valid_life_time",
    "preferred_life_time",
    "expires",
    "state",
    "hello_timer",
    "tcn_timer",
    "topology_change_timer",
    "gc_timer",
    "topology_change",
    "topology_change_detected",
    "message_age_timer",
    "forward_delay_timer",
    "hold_timer",
    "root_id",
    "bridge_id",
    "root_port",
    "root_path_cost",
    "designated_bridge",
    "designated_root",
    "designated_port",
    "designated_cost",
    "port_id",
    "port_no",
    "id",
    "no",
    "protocol_down",
    "linkmode",
    "qdisc",
    "tentative",
    "dadfailed",
    "deprecated",
    "nodad",
    "pref",
    # A bridge's follow its ports.
    "tso_max_size",
    "tso_max_segs",
}


@contextmanager
def inside(netns: str) -> Iterator[None]:
    """In a named network namespace, "" for the one that we are in; who is started there is in it as well.

    Not by `ip -n`, each of which makes a mount namespace of its own and mounts /sys there: of a few hundred at once the
    kernel 6.18 has crashed, more than once, with its lock on mounts held ("list_add corruption" in clone_mnt).
    """
    own = Path("/proc/self/ns/net")
    with own.open("rb") as back, (Path("/run/netns", netns) if netns else own).open("rb") as there:
        _call("setns", there.fileno(), CLONE_NEWNET)
        try:
            yield
        finally:
            _call("setns", back.fileno(), CLONE_NEWNET)


def ip(netns: str, *words: str) -> None:
    with inside(netns):
        subprocess.run(["ip", *words], check=True)


SYSCTLS = (
    "ipv4/ip_forward",
    "ipv4/ip_default_ttl",
    "ipv[46]/conf/*/forwarding",
    "ipv4/conf/*/accept_redirects",
    "ipv4/conf/default/arp_notify",
    "ipv6/conf/default/hop_limit",
)


def dump() -> dict[str, Any]:
    """The network of this host in all its namespaces, as iproute2 tells it, less what is fleeting."""
    spaces = ["", *sorted(path.name for path in Path("/run/netns").glob("*"))]
    questions = {netns: Questions(netns) for netns in spaces}
    found: dict[str, Any] = {netns: question.answers() for netns, question in questions.items()}
    found["/etc/sysctl.d"] = {path.name: path.read_text() for path in Path("/etc/sysctl.d").iterdir()}
    return found


class Questions:
    """What is asked of one namespace: by processes that all run at once."""

    def __init__(self, netns: str) -> None:
        self.netns = netns
        with inside(netns):
            self._asked: dict[tuple[str, ...], subprocess.Popen[bytes]] = {
                words: subprocess.Popen([words[0], "-j", *words[1:]], stdout=subprocess.PIPE)
                for words in (LINKS, ROUTES, ROUTES6, FDB, VLANS, TUNNELS)
            }

    def _answer(self, words: tuple[str, ...]) -> Any:
        answer = self._asked[words].communicate()[0]
        assert self._asked[words].returncode == 0, words
        return json.loads(answer or "[]")

    def answers(self) -> dict[str, Any]:
        routes = self._answer(ROUTES) + self._answer(ROUTES6)
        links = self._answer(LINKS)
        own = {link["address"] for link in links if link.get("link_type") == "ether"}
        return {
            "links": {link["ifname"]: link_dumped(link) for link in links},
            "routes": as_set(route for route in routes if not made_by_itself(route)),
            # Which of a bridge and its ports holds an address that several have is the kernel's business.
            "fdb": as_set(entry for entry in self._answer(FDB) if entry["mac"] not in own and not learned(entry)),
            "vlans": as_set(self._answer(VLANS)),
            "tunnels": as_set(self._answer(TUNNELS)),
            "sysctls": sysctls_of(self.netns),
        }


LINKS = ("ip", "-d", "address", "show")
ROUTES = ("ip", "-4", "route", "show", "table", "all")
ROUTES6 = ("ip", "-6", "route", "show", "table", "all")
FDB = ("bridge", "fdb", "show")
VLANS = ("bridge", "vlan", "show")
TUNNELS = ("bridge", "vlan", "tunnelshow")
OF_ADDRESSES = ("anycast", "multicast", "local", "broadcast")


def made_by_itself(route: Any) -> bool:
    """Whether the kernel makes the route with an address; link-local ones come and go with the carrier."""
    return route.get("type") in OF_ADDRESSES or route["dst"].startswith("fe80:")


def learned(entry: Any) -> bool:
    """Whether an FDB entry is from a packet, or for a group that a device joins by itself."""
    return entry.get("state") not in ("permanent", "static") or entry["mac"][:6] in ("33:33:", "01:00:")


def sysctls_of(netns: str) -> dict[str, str]:
    root = Path("/proc/sys/net")
    with inside(netns):
        return {str(path): path.read_text() for pattern in SYSCTLS for path in sorted(root.glob(pattern))}


def differences(before: Any, after: Any, where: str = "") -> list[str]:
    """What two dumps don't have in common, each with its place."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        if isinstance(before, list) and isinstance(after, list):
            gone, come = ([x for x in one if x not in two] for one, two in ((before, after), (after, before)))
            return [f"{where}: -{thing}" for thing in gone] + [f"{where}: +{thing}" for thing in come]
        return [] if before == after else [f"{where}: {before!r} -> {after!r}"]
    keys = sorted({*before, *after})
    return [line for key in keys for line in differences(before.get(key), after.get(key), f"{where}/{key}")]


def as_set(things: Iterable[Any]) -> list[str]:
    return sorted(json.dumps(steady(thing), sort_keys=True) for thing in things)


def steady(thing: Any) -> Any:
    """`thing` without what is fleeting, however deep."""
    if isinstance(thing, dict):
        return {
            key: steady(value) for key, value in thing.items() if key not in FLEETING and not key.startswith("mcast_st")
        }
    return [steady(item) for item in thing] if isinstance(thing, list) else thing


def link_dumped(link: Any) -> Any:
    shown = steady(link)
    shown["up"] = "UP" in link["flags"]
    shown["altnames"] = sorted(link.get("altnames", []))
    shown["addr_info"] = as_set(info for info in link["addr_info"] if info["scope"] not in ("link", "host"))
    return shown
