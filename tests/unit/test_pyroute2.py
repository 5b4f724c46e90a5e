# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both ends of pyroute2's range: imported no further than needed, and saying the same to the kernel."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
INTERPRETERS = {"newest": Path(sys.executable), "0.7.2": ROOT / ".cache/pyroute2-0.7.2/bin/python"}

# What a module's process would see; it prints what it saw as JSON.
PROGRAM = """
import json, sys
from ansible_collections.linuxnet.vnet.plugins.module_utils import netlink
def loaded():
    return sorted(name for name in sys.modules if name.startswith("pyroute2"))
at_first = loaded()
info = [
    ("IFLA_INFO_KIND", "vxlan"),
    ("IFLA_INFO_DATA", {"attrs": [
        ("IFLA_VXLAN_ID", 7), ("IFLA_VXLAN_LOCAL6", "2001:db8::1"), ("IFLA_VXLAN_PORT", 4789),
        ("IFLA_VXLAN_PORT_RANGE", {"low": 1, "high": 2}), ("IFLA_VXLAN_TTL_INHERIT", True), ("IFLA_VXLAN_VNIFILTER", 1),
        ("IFLA_VXLAN_LABEL", 1), ("IFLA_VXLAN_LOCALBYPASS", 0),
    ]}),
]
peer = [("IFLA_IFNAME", "p"), ("IFLA_ADDRESS", "02:00:00:00:00:01"), ("IFLA_NET_NS_FD", 3), ("IFLA_MTU", 1400)]
veth = [("IFLA_INFO_KIND", "veth"), ("IFLA_INFO_DATA", {"attrs": [("VETH_INFO_PEER", {"attrs": peer})]})]
common = netlink.link_message([("IFLA_IFNAME", "x"), ("IFLA_MTU", 1400)])
until_then = loaded()
messages = [
    common,
    netlink.link_message([("IFLA_IFNAME", "x"), ("IFLA_LINKINFO", {"attrs": info})]),
    netlink.link_message([("IFLA_IFNAME", "x"), ("IFLA_LINKINFO", {"attrs": veth})], 7, 1, 1),
    netlink.address_message({"family": 10, "prefixlen": 64, "index": 2}, [("IFA_LOCAL", "2001:db8::1"), ("IFA_FLAGS", 2)]),
    netlink.neighbor_message({"family": 7, "ifindex": 2}, [("NDA_LLADDR", "00:00:00:00:00:00"), ("NDA_DST", "10.0.0.1")]),
    netlink.neighbor_message({"family": 7, "ifindex": 2}, [("NDA_LLADDR", "02:00:00:00:00:01"), ("NDA_VNI", 8), ("NDA_SRC_VNI", 7)]),
    netlink.route_message({"family": 2, "dst_len": 8}, [("RTA_DST", "10.0.0.0"), ("RTA_GATEWAY", "192.0.2.1")]),
]
later = loaded()
import pyroute2
print(json.dumps({
    "version": netlink.version(),
    "not yet": at_first + until_then,
    "loaded": later,
    "messages": [bytes(message).hex() for message in messages],
    "whole": hasattr(pyroute2, "IPRoute"),
}))
"""


def seen_by(version: str) -> dict[str, Any]:
    python = INTERPRETERS[version]
    if version != "newest" and not (python.parents[1] / ".complete").exists():
        pytest.skip(f"pyroute2 {version} comes with ./dev integration --pyroute2 {version}")
    done = subprocess.run([python, "-c", PROGRAM], capture_output=True, text=True, check=True)
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


@pytest.mark.parametrize("version", INTERPRETERS)
def test_no_more_of_pyroute2_is_imported_than_its_messages(version: str) -> None:
    seen = seen_by(version)
    assert seen["not yet"] == [], "what everybody asks for needs nothing of it"
    assert version in ("newest", seen["version"])
    assert "pyroute2.netlink.rtnl.ifinfmsg" in seen["loaded"]
    assert not [
        name for name in seen["loaded"] if name.startswith(("pyroute2.iproute", "pyroute2.ndb", "pyroute2.nslink"))
    ]
    assert seen["whole"], "who imports pyroute2 afterwards gets all of it"


def test_both_ends_of_the_range_say_the_same_to_the_kernel() -> None:
    oldest, newest = seen_by("0.7.2"), seen_by("newest")
    assert oldest["messages"] == newest["messages"]


def test_a_pyroute2_that_lacks_its_messages_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "pyroute2").mkdir()
    (tmp_path / "pyroute2" / "__init__.py").touch()
    program = """if True:
        from ansible_collections.linuxnet.vnet.plugins.module_utils import errors, netlink
        try:
            netlink.rule_message({}, [])
        except errors.VnetError as exc:
            print(exc)
    """
    paths = os.pathsep.join([str(tmp_path), os.environ["PYTHONPATH"]])
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert re.fullmatch(
        r"the Python library pyroute2 of this host can't be used, 0\.7\.2 or newer is needed: No module named .*\n",
        done.stdout,
    )
