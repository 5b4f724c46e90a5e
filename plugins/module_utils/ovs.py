# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""Open vSwitch's database, by ovs-vsctl: the only file that runs it. Each change is one transaction."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence

from . import errors, ovs_table, programs

SECONDS = 10
"""For which it waits for ovs-vswitchd to take up what it was told."""

MISSING = "this host has no 'ovs-vsctl', which Open vSwitch bridges need: install its package openvswitch-switch or openvswitch"


def program() -> str | None:
    """The path of ovs-vsctl, None where there is none."""
    return programs.find("ovs-vsctl")


def is_there() -> bool:
    """Whether this host seems to have an Open vSwitch that runs. No process is started for it."""
    directory = os.environ.get("OVS_RUNDIR", "/var/run/openvswitch")
    return program() is not None and os.path.exists(f"{directory}/db.sock")


def call(*words: str, wait: bool = False) -> str:
    """What ovs-vsctl prints; Refused with its own words where it fails, Unfinished where only ovs-vswitchd does not follow."""
    path = program()
    if path is None:
        raise errors.Refused(MISSING)
    done = programs.run(path, f"--timeout={SECONDS}", *([] if wait else ["--no-wait"]), *words)
    if done.returncode == -signal.SIGALRM and wait:
        raise errors.Unfinished(f"ovs-vswitchd did not take it up within {SECONDS} seconds: is it running?", deaf=True)
    if done.returncode:
        raise errors.Refused(in_one_sentence(done.stderr, done.returncode))
    return done.stdout


def in_one_sentence(stderr: str, code: int) -> str:
    """What ovs-vsctl complained of, and what can be done about that."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    said = (lines[-1] if lines else f"it ended with {code}").rstrip(".")
    said = said[len("ovs-vsctl: ") :] if said.startswith("ovs-vsctl: ") else said
    hint = ""
    if "Permission denied" in said or "not permitted" in said:
        hint = ": changing it needs root, add 'become: true'"
    elif "connection failed" in said or code == -signal.SIGALRM:
        hint = ": start Open vSwitch (the service openvswitch-switch on Debian and Ubuntu, openvswitch elsewhere)"
    return f"ovs-vsctl says '{said}'{hint}"


def read() -> tuple[dict[str, ovs_table.OvsBridge], tuple[str, ...]]:
    """The bridges by name, and the kinds of datapath that there can be. One call, and so one state of the database."""
    words: list[str] = []
    for table in ovs_table.TABLES:
        words += ["--", "list", table] if words else ["list", table]
    return ovs_table.bridges_of(ovs_table.documents(call("--format=json", *words)))


def transact(commands: Sequence[ovs_table.Command], wait: bool) -> None:
    """Carry commands out, all or none."""
    words: list[str] = []
    for command in commands:
        words += ["--", *command] if words else command
    if words:
        call(*words, wait=wait)


def replace(new: ovs_table.OvsBridge, old: ovs_table.OvsBridge | None, wait: bool = True, check: bool = True) -> None:
    """Make `new` of `old`. With `check` it raises Unfinished where it is in the database, but Open vSwitch can't set it up.

    `wait`: until it took effect, where ovs-vswitchd has not failed to follow before.
    """
    transact(ovs_table.replacing(new, old), wait)
    names = ovs_table.fresh(new, old)
    if not (wait and check and names):
        return
    (table,) = ovs_table.documents(call("--format=json", "--columns=name,error,ofport", "list", "Interface", *names))
    for row in ovs_table.rows_of(table):
        if ovs_table.listed(row["error"]) or ovs_table.listed(row["ofport"]) in ([], [-1]):
            why = "; ".join(map(str, ovs_table.listed(row["error"]))) or "the log of ovs-vswitchd may say why"
            raise errors.Unfinished(f"Open vSwitch can't set up {row['name']}: {why}")


def delete(name: str, wait: bool = True) -> None:
    """Delete the bridge of this name."""
    transact([["del-br", name]], wait)
