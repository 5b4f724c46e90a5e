# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who can talk to whom through an address translation, and under whose address: each cell by real packets (see nat_lab.py)."""

from __future__ import annotations

import functools
import itertools
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils import engine
from ansible_collections.linuxnet.vnet.plugins.module_utils.desired import nat_want
from ansible_collections.linuxnet.vnet.tests.unit.kernel.nat_lab import ADDRESSES, HOST, Attempt, Services, build, tried
from ansible_collections.linuxnet.vnet.tests.unit.kernel.throwaway_kernel import needs_root, on_a_new_host

pytestmark = needs_root

ENTRY: dict[str, Any] = {
    "name": "containers",
    "source": ["192.168.9.0/24", "fd00:9::/64"],
    "out_interface": ["eth0"],
    "port_forwards": [
        forward
        for version in (4, 6)
        for forward in (
            {"port": 8080, "to_address": ADDRESSES[version]["c1"], "to_port": 80},
            {
                "port": 8081,
                "to_address": ADDRESSES[version]["c2"],
                "to_port": 80,
                "in_address": [ADDRESSES[version]["uplink"]],
            },
            {"port": "9000-9002", "to_address": ADDRESSES[version]["c1"]},
            {"port": "7000-7002", "to_address": ADDRESSES[version]["c2"], "to_port": "8080-8082"},
            {"protocol": "udp", "port": "5000-5001", "to_address": ADDRESSES[version]["c1"], "to_port": "6000-6001"},
        )
    ],
}

Setting = tuple[bool, str, bool]
"""Isolated; how sources are translated; whether br_netfilter shows bridged frames to the firewall."""

SETTINGS: list[Setting] = list(itertools.product((True, False), ("masquerade", "snat"), (False, True)))

YES, NO, ISOLATED = "yes", "", "isolated"

# source, target, what it is seen as, and by whom; ISOLATED: only where it is not isolated.
DIRECT: list[tuple[str, str, str]] = [
    ("c1", "c2", "c2 sees c1"),
    ("c1", "gateway", "host sees c1"),
    ("c1", "uplink", "host sees c1"),
    ("c1", "other gateway", "host sees c1"),
    ("c1", "outside", "outside sees TRANSLATED"),
    ("c1", "other", "other sees c1"),
    (HOST, "c1", "c1 sees gateway"),
    (HOST, "c2", "c2 sees gateway"),
    (HOST, "outside", "outside sees uplink"),
    (HOST, "other", "other sees other gateway"),
    ("outside", "c1", "ISOLATED c1 sees outside"),
    ("outside", "c2", "ISOLATED c2 sees outside"),
    ("outside", "uplink", "host sees outside"),
    ("outside", "gateway", "host sees outside"),
    ("outside", "other", "other sees outside"),
    ("other", "c1", "ISOLATED c1 sees other"),
    ("other", "c2", "ISOLATED c2 sees other"),
    ("other", "outside", "outside sees other"),
    ("other", "gateway", "host sees other"),
]

FORWARDED: list[tuple[str, str, str, int, str]] = [
    *(("outside", target, "tcp", 8080, "c1 sees outside") for target in ("uplink", "uplink, second", "gateway")),
    *(("other", target, "tcp", 8080, "c1 sees other") for target in ("uplink", "gateway", "other gateway")),
    *(("c2", target, "tcp", 8080, "c1 sees gateway") for target in ("uplink", "gateway", "other gateway")),
    *(("c1", target, "tcp", 8080, "HAIRPIN c1 sees gateway") for target in ("uplink", "gateway")),
    *((HOST, target, "tcp", 8080, f"c1 sees {target}") for target in ("uplink", "gateway", "other gateway")),
    (HOST, "loopback", "tcp", 8080, NO),
    # That the port is forwarded here says nothing of the same port elsewhere.
    ("c1", "outside", "tcp", 8080, "outside sees TRANSLATED"),
    ("c1", "c2", "tcp", 8080, "c2 sees c1"),
    ("other", "outside", "tcp", 8080, "outside sees other"),
    # One that is for a single address of the host.
    ("outside", "uplink", "tcp", 8081, "c2 sees outside"),
    ("outside", "uplink, second", "tcp", 8081, NO),
    ("c1", "uplink", "tcp", 8081, "c2 sees gateway"),
    ("c1", "gateway", "tcp", 8081, NO),
    (HOST, "uplink", "tcp", 8081, "c2 sees uplink"),
    (HOST, "gateway", "tcp", 8081, NO),
    # Ranges: the same ports, and others.
    ("outside", "uplink", "tcp", 9000, "c1 sees outside"),
    ("outside", "uplink", "tcp", 9002, "c1 sees outside"),
    (HOST, "uplink", "tcp", 9002, "c1 sees uplink"),
    ("c2", "uplink", "tcp", 9002, "c1 sees gateway"),
    ("outside", "uplink", "tcp", 7000, "c2 sees outside"),
    ("outside", "uplink", "tcp", 7001, "c2 sees outside"),
    ("outside", "uplink", "udp", 5000, "c1 sees outside"),
    ("other", "uplink", "udp", 5001, "c1 sees other"),
    ("c2", "gateway", "udp", 5001, "c1 sees gateway"),
    (HOST, "uplink", "udp", 5000, "c1 sees uplink"),
    # What is not forwarded.
    ("outside", "uplink", "tcp", 9003, NO),
    ("outside", "uplink", "udp", 8080, NO),
]


def cells() -> dict[Attempt, str]:
    """What is tried, and what should come of it."""
    found = {}
    for version in (4, 6):
        for source, target, seen in DIRECT:
            found[Attempt("ping", source, target, version)] = seen
            found[Attempt("tcp", source, target, version, 80)] = seen
            if not seen.startswith("host"):  # which answers under an address of its own choice
                found[Attempt("udp", source, target, version, 53)] = seen
        for source, target, what, port, seen in FORWARDED:
            found[Attempt(what, source, target, version, port)] = seen
    return found


CELLS = cells()


def expected(attempt: Attempt, setting: Setting) -> str:
    """What should come of an attempt in a setting."""
    isolated, translation, bridged = setting
    seen = CELLS[attempt].replace("TRANSLATED", "uplink" if translation == "masquerade" else "uplink, second")
    words = seen.split(" ", 1)
    if words[0] in ("ISOLATED", "HAIRPIN"):
        seen = NO if {"ISOLATED": isolated, "HAIRPIN": bridged}[words[0]] else words[1]
    return ("answered" if seen else NO) if attempt.what == "ping" else seen


@functools.cache
def results(setting: Setting) -> dict[Attempt, str]:
    """What came of all attempts in one setting."""
    with tempfile.NamedTemporaryFile() as file:
        on_a_new_host(scenario, setting, Path(file.name))
        found = json.loads(Path(file.name).read_text(encoding="utf-8"))
    return {Attempt(*attempt): seen for attempt, seen in found}


def scenario(setting: Setting, path: Path) -> None:
    isolated, translation, bridged = setting
    build(bridged)
    snat = [ADDRESSES[version]["uplink, second"] for version in (4, 6)] if translation == "snat" else []
    engine.run((nat_want({**ENTRY, "isolate": isolated, "snat_to": snat}),))
    services = Services()
    # The first packets of all are for finding neighbours.
    tried(services, CELLS)
    path.write_text(json.dumps(list(tried(services, CELLS).items())), encoding="utf-8")


def name_of(setting: Setting) -> str:
    isolated, translation, bridged = setting
    return f"{'isolated' if isolated else 'open'}-{translation}{'-bridged' if bridged else ''}"


def name_of_cell(attempt: Attempt) -> str:
    port = f" {attempt.port}" if attempt.port else ""
    return f"{attempt.source or 'host'} to {attempt.target}{port} by {attempt.what} over IPv{attempt.version}"


@pytest.mark.parametrize("setting", SETTINGS, ids=name_of)
@pytest.mark.parametrize("attempt", CELLS, ids=name_of_cell)
def test_who_reaches_whom_and_as_whom(attempt: Attempt, setting: Setting) -> None:
    assert results(setting)[attempt] == expected(attempt, setting)
