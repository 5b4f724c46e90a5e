# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's judgement: what it takes for a lie, for a reply, for an answer; it must not be easily pleased."""

from __future__ import annotations

import json
import socket
import struct
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tools"))

import demo  # noqa: E402
import demo_checks  # noqa: E402
import demo_pictures  # noqa: E402
import demo_play  # noqa: E402
import demo_topologies  # noqa: E402
import tapdance  # noqa: E402


def outcome(**given: Any) -> demo_play.Outcome:
    fields = {
        "host": "h1",
        "task": "Make the bridge",
        "action": "linuxnet.vnet.vnet_bridge",
        "outcome": "ok",
        "changed": True,
        "operations": ("ip link add br0 type bridge",),
        "diff": {"before": {}, "after": {"links": {"br0": {}}}},
    }
    return demo_play.Outcome(**{**fields, **given})


class TestCompare:
    def test_alike(self) -> None:
        assert demo_play.compare([outcome()], [outcome()]) == demo_play.Comparison(1, 1, ())

    @pytest.mark.parametrize(
        "different",
        [{"changed": False}, {"operations": ()}, {"operations": ("ip link add br1 type bridge",)}, {"diff": {}}],
    )
    def test_each_difference_is_a_lie(self, different: dict[str, Any]) -> None:
        found = demo_play.compare([outcome(**different)], [outcome()])
        assert (found.tasks, found.alike, len(found.lies)) == (1, 0, 1)
        assert found.lies[0].startswith("Make the bridge on h1: ")

    def test_a_task_that_saw_too_little_may_differ_but_does_not_count_as_alike(self) -> None:
        warned = outcome(operations=(), warnings=("master: there is no device br0",))
        assert demo_play.compare([warned], [outcome()]) == demo_play.Comparison(1, 0, ())

    def test_a_task_that_saw_too_little_is_alike_without_its_diff(self) -> None:
        warned = outcome(diff={}, warnings=("master: there is no device br0",))
        assert demo_play.compare([warned], [outcome()]) == demo_play.Comparison(1, 1, ())

    def test_any_other_warning_excuses_nothing(self) -> None:
        warned = outcome(operations=(), warnings=("br0 has addresses and no 'mac' of its own",))
        assert len(demo_play.compare([warned], [outcome()]).lies) == 1

    def test_tasks_of_only_one_of_the_runs_are_lies(self) -> None:
        assert "did not get there" in demo_play.compare([], [outcome()]).lies[0]
        assert "never done" in demo_play.compare([outcome()], []).lies[0]

    def test_items_and_hosts_are_told_apart(self) -> None:
        ones = [outcome(item={"name": "ns1"}), outcome(item={"name": "ns2"}), outcome(host="h2")]
        assert demo_play.compare(ones, ones[::-1]) == demo_play.Comparison(3, 3, ())
        assert len(demo_play.compare(ones[:2], [*ones[:1], outcome(item={"name": "ns3"})]).lies) == 2

    def test_tasks_of_others_are_left_out(self) -> None:
        command = outcome(action="ansible.builtin.command")
        assert demo_play.compare([], [command]) == demo_play.Comparison(0, 0, ())


def test_records_are_read_back() -> None:
    entry = {"host": "h1", "task": "T", "action": "a", "item": None, "outcome": "ok", "warnings": ["w"]}
    lines = f"{json.dumps(entry)}\n{json.dumps({**entry, 'changed': True, 'operations': ['o']})}\n"
    first, second = demo_play.parse(lines)
    assert (first.changed, first.operations, first.warnings) == (False, (), ("w",))
    assert demo_play.changes([first, second]) == [second]
    assert demo_play.told(second) == "o"
    assert demo_play.told(first) == "nothing"


def test_the_command_shown_is_the_one_to_type() -> None:
    play = demo_play.Play("routed_host.yml", ("a", "b"), ROOT / ".lab/demo/inventory.yml", {"forwarding": "false"})
    shown = "-i .lab/demo/inventory.yml --limit a,b playbooks/routed_host.yml -e forwarding=false --check"
    assert " ".join(play.arguments("--check")) == shown


@pytest.mark.parametrize("topology", demo_topologies.TOPOLOGIES, ids=lambda topology: topology.name)
def test_each_playbook_has_a_title_and_a_drawing(topology: demo_topologies.Topology) -> None:
    title, drawing = demo.heading((ROOT / "playbooks" / topology.playbook).read_text(encoding="utf-8"))
    assert title[0].isupper()
    assert len(drawing) >= 5
    assert max(map(len, drawing)) <= 100
    assert set(topology.limit) <= set(topology.hosts)


def test_each_playbook_is_shown() -> None:
    shown = {topology.playbook for topology in demo_topologies.TOPOLOGIES}
    assert {path.name for path in (ROOT / "playbooks").glob("*.yml")} == shown


def test_heading_of_a_playbook() -> None:
    licence = "# {}-License-Identifier: X\n#\n".format("SPDX")  # in pieces, or it would be this file's own
    head = licence + "# Two things\n#\n#     .--.\n#       |\n#\n# Words.\n---\n#     no\n"
    assert demo.heading(head) == ("Two things", [".--.", "  |"])


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("3 packets transmitted, 3 received, 0% packet loss, time 403ms", (3, 3)),
        ("2 packets transmitted, 0 received, +2 errors, 100% packet loss", (2, 0)),
        ("ping: connect: Network is unreachable", (0, 0)),
    ],
)
def test_replies(output: str, expected: tuple[int, int]) -> None:
    assert demo_checks.replies(output) == expected


class TestReport:
    def report(self, **fields: Any) -> demo.Report:
        good = {"tasks": 2, "alike": 2, "crossed": 3, "tried": 3, "unchanged": True}
        return demo.Report(demo_topologies.TOPOLOGIES[0], **{**good, **fields})

    def test_good(self) -> None:
        assert self.report().ok

    @pytest.mark.parametrize("bad", [{"error": True}, {"lies": 1}, {"crossed": 2}, {"unchanged": False}])
    def test_bad(self, bad: dict[str, Any]) -> None:
        report = self.report(**bad)
        assert not report.ok
        assert "FAILED" in list(demo.summary([report], demo.Paint(False)))[1]

    def test_a_skipped_one_is_counted_with_its_reason(self) -> None:
        lines = list(demo.summary([self.report(skipped="There is no tun.")], demo.Paint(False)))
        assert lines[-1].endswith("1 skipped (veth_pair): There is no tun.")

    def test_colour_only_where_wanted(self) -> None:
        assert "\033" not in "".join(demo.summary([self.report()], demo.Paint(False)))
        assert "\033[32mok" in "".join(demo.summary([self.report()], demo.Paint(True)))

    def test_who_reached_whom_is_a_table(self) -> None:
        reached = [("vm", "lan", True, "3 of 3 replies"), ("lan", "vm", True, "0 of 2 replies, as it should be")]
        report = self.report(reached=[*reached, ("vm", "far", False, "0 of 3 replies")])
        head, *rows, _last = (line.split() for line in demo.who_reached_whom(report, demo.Paint(False)))
        assert head[-3:] == ["1", "2", "3"]
        assert rows == [["1", "vm", "yes", "FAILED"], ["2", "lan", "no"], ["3", "far"]]

    def test_each_reason_to_skip_is_named(self) -> None:
        skipped = [self.report(skipped="No tun."), self.report(skipped="No geneve."), self.report(skipped="No tun.")]
        lines = list(demo.summary(skipped, demo.Paint(False)))
        assert lines[-2:] == ["2 skipped (veth_pair, veth_pair): No tun.", "1 skipped (veth_pair): No geneve."]


class TestLacks:
    @pytest.mark.parametrize(
        ("said", "lacking"),
        [
            ("Error: Unknown device type.", True),
            ("RTNETLINK answers: Operation not supported", True),
            ("RTNETLINK answers: Invalid argument", False),  # as of a macvlan without a parent
            ("", False),
        ],
    )
    def test_of_devices(self, monkeypatch: pytest.MonkeyPatch, said: str, lacking: bool) -> None:
        done = subprocess.CompletedProcess([], 2 if said else 0, "", said)
        monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)
        found = demo_pictures.lacks.__wrapped__("geneve")
        assert (found is not None) == lacking
        assert found is None or found.endswith("has no geneve.")


def answering(output: object, code: int = 0) -> Any:
    """A lab in which each command prints this."""
    done = subprocess.CompletedProcess([], code, json.dumps(output), "")
    return SimpleNamespace(run=lambda *_, **__: done)


@pytest.mark.parametrize(
    ("said", "seen_as", "expected"),
    [
        ("80 203.0.113.1\n", "", (True, "")),
        ("80 203.0.113.1\n", "203.0.113.1", (True, ", and saw 203.0.113.1")),
        ("80 192.168.8.3\n", "203.0.113.1", (False, ", and saw 192.168.8.3")),
        ("8080 203.0.113.1\n", "203.0.113.1", (False, None)),
        ("", "", (False, None)),
    ],
)
def test_who_answers_a_call_and_whom_it_saw(said: str, seen_as: str, expected: tuple[bool, str | None]) -> None:
    assert demo_checks.told_by(said, 80, seen_as) == expected


class TestTables:
    @pytest.mark.parametrize(
        ("entries", "state", "ok"),
        [
            ([{"lladdr": "02:00:00:00:00:01", "state": ["PERMANENT"]}], "permanent", True),
            ([{"lladdr": "02:00:00:00:00:01", "state": ["PERMANENT"]}], "learned", False),
            ([{"lladdr": "02:00:00:00:00:01", "state": ["REACHABLE"]}], "learned", True),
            ([{"lladdr": "02:00:00:00:00:01", "state": ["STALE"]}], "permanent", False),
            ([{"state": ["FAILED"]}], "learned", False),
            ([], "learned", False),
            ([], "permanent", False),
        ],
    )
    def test_arp(self, entries: list[Any], state: str, ok: bool) -> None:
        assert demo_checks.stated(answering(entries), "h", "ns1", "192.0.2.1", state).ok == ok

    @pytest.mark.parametrize(
        ("entry", "asked", "ok"),
        [
            ({"state": "permanent", "dst": "10.0.0.2"}, {"to": "10.0.0.2"}, True),
            ({"state": "static"}, {}, True),
            ({"state": ""}, {"learned": True}, True),
            ({"state": ""}, {}, False),
            ({"state": "static"}, {"learned": True}, False),
            ({"state": "permanent", "dst": "10.0.0.3"}, {"to": "10.0.0.2"}, False),
            ({"mac": "02:00:00:00:00:02", "state": ""}, {"learned": True}, False),
        ],
    )
    def test_fdb(self, entry: dict[str, Any], asked: dict[str, Any], ok: bool) -> None:
        lab = answering([{"mac": "02:00:00:00:00:01", **entry}])
        assert demo_checks.forwards(lab, "h", "", "br0", "02:00:00:00:00:01", **asked).ok == ok

    @pytest.mark.parametrize(
        ("member", "other", "flooded", "ok"),
        [
            (10, 0, False, True),
            (10, 10, True, True),
            (10, 1, False, False),
            (9, 0, False, False),
            (10, 0, True, False),
            (0, 0, False, False),
        ],
    )
    def test_groups(self, monkeypatch: pytest.MonkeyPatch, member: int, other: int, flooded: bool, ok: bool) -> None:
        monkeypatch.setattr(demo_checks, "GROUP_PATIENCE", 0.0)
        lab = answering({"sent": 10, "m": member, "o": other})
        assert demo_checks.group(lab, "h", "239.1.2.3", "s", "m", "o", flooded=flooded).ok == ok

    def test_a_program_that_fails_is_no_silence(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(demo_checks, "GROUP_PATIENCE", 0.0)
        assert not demo_checks.group(answering({}, 1), "h", "239.1.2.3", "s", "m", "o", flooded=False).ok


class TestTapdance:
    def test_arp_request_goes_to_all_and_is_read_back(self) -> None:
        arp = tapdance.Arp(tapdance.ARP_REQUEST, b"\2\0\0\0\0\1", b"\n\0\0\1", bytes(6), b"\n\0\0\2")
        assert arp.frame()[:14] == b"\xff" * 6 + b"\2\0\0\0\0\1\x08\x06"
        assert tapdance.Arp.parse(arp.frame()) == arp
        assert tapdance.Arp.parse(arp.frame()[:40]) is None

    def test_checksum_of_rfc_1071(self) -> None:
        assert tapdance.checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0x220D
        assert tapdance.checksum(b"\1") == 0xFEFF

    def test_echo(self) -> None:
        ends = socket.inet_aton("10.8.0.1") + socket.inet_aton("10.8.0.99")
        message = struct.pack("!BBHHH", 8, 0, 0, 7, 1) + b"odd"
        packet = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(message), 1, 0, 64, 1, 0) + ends + message
        reply = tapdance.echo_reply(packet)
        assert reply is not None
        assert reply[12:20] == ends[4:] + ends[:4]
        assert reply[20] == 0
        assert reply[24:] == message[4:]
        assert tapdance.checksum(reply[20:]) == 0
        assert tapdance.echo_reply(reply) is None
        assert tapdance.echo_reply(b"\x60" + packet[1:]) is None
