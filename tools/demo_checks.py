# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the demo tries on throwaway hosts: real pings and programs, and what came of them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from throwaway_lab import ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from throwaway_lab import Lab

GROUPCAST = Path(__file__).resolve().with_name("groupcast.py")
TAPDANCE = Path(__file__).resolve().with_name("tapdance.py")

# IPv6 addresses are tentative for a second or two before they can be used (RFC 4862).
PATIENCE = 8.0

# A bridge floods until its querier has waited for answers, ten seconds and on a slow machine some more.
GROUP_PATIENCE = 40.0


@dataclass(frozen=True)
class Crossing:
    """Something tried: what, whether it went as it should, and what was seen.

    ``output`` explains a failure, and ``arrow`` says of a packet from whom to whom it was.
    """

    what: str
    ok: bool
    seen: str
    output: str = ""
    arrow: tuple[str, str] | None = None


def place(host: str, netns: str) -> str:
    """Return host and namespace, for people."""
    return f"{netns} on {host}" if netns else host


def replies(output: str) -> tuple[int, int]:
    """Return how many pings were sent, and how many came back, from the summary that ping prints."""
    found = re.search(r"(\d+) packets transmitted, (\d+) received", output)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def inside(netns: str) -> list[str]:
    """Return what goes before a command to run it in a namespace, by its name or its file."""
    return ["nsenter", f"--net={Path('/run/netns', netns)}"] if netns else []


def _ping(lab: Lab, host: str, netns: str, address: str, *options: str) -> str:
    done = lab.run(host, *inside(netns), "ping", "-n", "-i", "0.2", "-W", "1", *options, address, check=False)
    return str(done.stdout + done.stderr)


def answered(lab: Lab, host: str, netns: str, address: str, *options: str, note: str = "") -> Crossing:
    """Ping three times, and again for a while until all come back."""
    deadline = time.monotonic() + PATIENCE
    while True:
        output = _ping(lab, host, netns, address, "-c", "3", *options)
        sent, received = replies(output)
        if received == 3 or time.monotonic() > deadline:
            break
    seen = f"{received} of {sent} replies" + (f", {note}" if note else "")
    return Crossing(f"ping {place(host, netns)} -> {address}", received == 3, seen, output)


def unanswered(lab: Lab, host: str, netns: str, address: str) -> Crossing:
    """Ping twice, and be content when nothing comes back."""
    output = _ping(lab, host, netns, address, "-c", "2")
    sent, received = replies(output)
    ok = sent == 2 and not received
    seen = f"{received} of {sent} replies" + (", as it should be" if ok else "")
    return Crossing(f"ping {place(host, netns)} -> {address}", ok, seen, output)


def arrows(
    lab: Lab, places: dict[str, tuple[str, str, str]], closed: Collection[tuple[str, str]] = ()
) -> Iterator[Crossing]:
    """Ping from each place to each other, by the names of places; those that are closed must not answer.

    A place has a host, a namespace there, and the address under which the others know it.
    """
    for source, (host, netns, _address) in places.items():
        for target, (_host, _netns, address) in places.items():
            if source == target:
                continue
            wanted = (source, target) not in closed
            tried = answered(lab, host, netns, address) if wanted else unanswered(lab, host, netns, address)
            yield replace(tried, what=f"{source} -> {target}, {address}", arrow=(source, target))


SERVICE = (
    "import socket; server = socket.create_server(('{any}', {port}), family=socket.{family}); print('ready', flush=True);"
    " connection, peer = server.accept(); connection.sendall('{port} {{}}'.format(peer[0]).encode())"
)
CALLER = "import socket; print(socket.create_connection(('{address}', {port}), timeout=5).makefile().read())"


def served(
    lab: Lab, service: tuple[str, str, int], caller: tuple[str, str, str, int], *, seen_as: str = ""
) -> Crossing:
    """Have a program listen on a TCP port in one namespace, and another call it under the address that it has there.

    ``seen_as``: the address from which the program must see the call come.
    """
    (host, netns, port), (at, from_netns, address, called) = service, caller
    family, everywhere = ("AF_INET6", "::") if ":" in address else ("AF_INET", "")
    program = SERVICE.format(port=port, family=family, any=everywhere)
    with subprocess.Popen(
        lab.command(host, [*inside(netns), sys.executable, "-c", program]),
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        call = [*inside(from_netns), sys.executable, "-c", CALLER.format(address=address, port=called)]
        done = lab.run(at, *call, check=False)
        if done.returncode:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
    ok, who = told_by(done.stdout, port, seen_as)
    seen = f"{place(host, netns)} answers{who}" if who is not None else "nobody answers"
    to = f"[{address}]:{called}" if ":" in address else f"{address}:{called}"
    return Crossing(f"TCP {place(at, from_netns)} -> {to}", ok, seen, done.stdout + done.stderr)


def told_by(said: str, port: int, seen_as: str) -> tuple[bool, str | None]:
    """Judge a program's answer; return also, for people, whom it has seen, None where it was not that program."""
    answer, _blank, peer = said.strip().partition(" ")
    if answer != str(port):
        return False, None
    return seen_as in ("", peer), f", and saw {peer}" if seen_as else ""


def expired(lab: Lab, host: str, address: str, note: str) -> Crossing:
    """Ping with a time to live of one hop, and be content when a router says that it ran out."""
    output = _ping(lab, host, "", address, "-c", "1", "-t", "1")
    found = re.search(r"From (\S+) .*Time to live exceeded", output)
    seen = f"ttl 1: dropped by {found[1]}, {note}" if found else "no router spoke up"
    return Crossing(f"ping {host} -> {address}", found is not None, seen, output)


def _json(lab: Lab, host: str, *command: str) -> Any:
    return json.loads(lab.run(host, *command).stdout)


def carrier(lab: Lab, host: str, netns: str, device: str, *, expected: bool) -> Crossing:
    """Look whether a device that is up has a carrier."""
    link = _json(lab, host, "ip", "-n", netns, "-j", "link", "show", "dev", device)[0]
    flags = link["flags"]
    found = "LOWER_UP" in flags
    seen = "carrier" if found else "up, but no carrier"
    return Crossing(f"the plug of {device} in {netns}", found == expected and "UP" in flags, seen, json.dumps(link))


def mac(lab: Lab, host: str, netns: str, device: str) -> str:
    """Return the MAC of a namespace's device."""
    link = _json(lab, host, "nsenter", f"--net=/run/netns/{netns}", "ip", "-j", "link", "show", "dev", device)[0]
    return str(link["address"])


def learned(lab: Lab, host: str, bridge: str, port: str, netns: str, device: str) -> Crossing:
    """Look whether a bridge knows behind which port a namespace's device is: only its frames can have told."""
    mac = _json(lab, host, "ip", "-n", netns, "-j", "link", "show", "dev", device)[0]["address"]
    entries = _json(lab, host, "bridge", "-j", "fdb", "show", "br", bridge)
    ports = [entry["ifname"] for entry in entries if entry["mac"] == mac and entry.get("state") != "permanent"]
    seen = f"learned {mac} behind {ports[0]}" if ports else f"does not know {mac}"
    return Crossing(f"{bridge} on {device} in {netns}", ports == [port], seen, json.dumps(entries))


def stated(lab: Lab, host: str, netns: str, address: str, state: str) -> Crossing:
    """Look what the ARP table of a namespace has of an address, and whether it was learned or said."""
    shown = lab.run(host, "nsenter", f"--net=/run/netns/{netns}", "ip", "-j", "neighbor", "show", address).stdout
    entries = json.loads(shown or "[]")
    states = entries[0]["state"] if entries else []
    permanent = "PERMANENT" in states
    ok = bool(entries) and "lladdr" in entries[0] and permanent == (state == "permanent")
    seen = f"{address} is at {entries[0].get('lladdr')}, {'said' if permanent else 'learned'}" if entries else "nothing"
    return Crossing(f"the ARP table of {place(host, netns)}", ok, seen, shown)


def forwards(
    lab: Lab, host: str, netns: str, device: str, mac: str, *, to: str = "", learned: bool = False
) -> Crossing:
    """Look whether the forwarding database of a device has a MAC, and whether that was learned or said. ``to``: a host of an overlay."""
    enter = ["nsenter", f"--net=/run/netns/{netns}"] if netns else []
    entries = _json(lab, host, *enter, "bridge", "-j", "fdb", "show", "dev", device)
    ours = [entry for entry in entries if entry["mac"] == mac and entry.get("dst", "") == to]
    is_said = any(entry.get("state") in ("static", "permanent") for entry in ours)
    where = f"behind {to}" if to else f"on {device}"
    seen = f"{mac} {where}, {'said' if is_said else 'learned'}" if ours else f"does not know {mac}"
    return Crossing(f"the FDB of {device} on {host}", bool(ours) and is_said != learned, seen, json.dumps(entries))


def group(lab: Lab, host: str, address: str, sender: str, member: str, other: str, *, flooded: bool) -> Crossing:
    """Send to a multicast group, and again for a while until only who joined it gets that; or, where it is flooded, both."""
    deadline = time.monotonic() + GROUP_PATIENCE
    while True:
        done = lab.run(host, sys.executable, str(GROUPCAST), address, sender, member, other, check=False)
        found = json.loads(done.stdout) if done.returncode == 0 else {"sent": 0, member: 0, other: 0}
        sent = found["sent"]
        ok = bool(sent) and found[member] == sent and found[other] == (sent if flooded else 0)
        if ok or time.monotonic() > deadline:
            break
    seen = f"{found[member]} of {sent} came to {member}, {found[other]} to {other}"
    return Crossing(f"{sender} -> group {address}, joined by {member}", ok, seen, done.stdout + done.stderr)


def kept(lab: Lab, host: str, path: str, lines: tuple[str, ...]) -> Crossing:
    """Look whether a file has just these lines."""
    content = lab.run(host, "cat", path, check=False).stdout
    ok = sorted(content.splitlines()) == sorted(lines)
    return Crossing(f"{path}", ok, f"{len(lines)} lines for the next boot" if ok else "other lines", content)


# Programs behind /dev/net/tun


def asked(lab: Lab, host: str, tap: str, address: str, wanted: str) -> Crossing:
    """Have a program send an ARP request into a tap, and wait for the answer there."""
    done = lab.run(host, sys.executable, str(TAPDANCE), "ask", tap, address, wanted, check=False)
    seen = (done.stdout.strip().splitlines() or ["no answer"])[-1]
    return Crossing(f"{tap}: a program asks by ARP for {wanted}", done.returncode == 0, seen, done.stdout + done.stderr)


class Program:
    """A program that runs in a host, reading and writing a tap or tun."""

    def __init__(self, process: subprocess.Popen[str], device: str, output: Path) -> None:
        self._process = process
        self._device = device
        self._output = output

    def said(self) -> str:
        """Return what it has printed so far."""
        return self._output.read_text(encoding="utf-8")

    def wait_for(self, text: str, seconds: float) -> str:
        """Return the first line that starts with ``text``, or nothing if none comes in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for line in self.said().splitlines():
                if line.startswith(text):
                    return line
            if self._process.poll() is not None:
                break
            time.sleep(0.02)
        return ""

    def namespace(self) -> str:
        """Return the file of the network namespace in which it is, once it is ready: as its own host numbers processes."""
        words = self.wait_for("ready", 5.0).split()
        return f"/proc/{words[1]}/ns/net" if len(words) > 1 else ""

    def saw(self, text: str, what: str) -> Crossing:
        """Look whether the program has read from its device what it should have."""
        line = self.wait_for(text, 2.0)
        return Crossing(f"{self._device}: {what}", bool(line), line or "it did not see it", self.said())


@contextlib.contextmanager
def program(lab: Lab, host: str, *arguments: str) -> Iterator[Program]:
    """Run tapdance.py in a host while the block lasts."""
    with tempfile.NamedTemporaryFile(prefix="vnet-demo-") as output:
        process = subprocess.Popen(
            lab.command(host, [sys.executable, str(TAPDANCE), *arguments]),
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            found = Program(process, arguments[1], Path(output.name))
            found.wait_for("ready", 5.0)
            yield found
        finally:
            # The group, as nsenter waits for the program and would not pass the signal on.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait()
