# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""One run of the engine: retrieve, plan, apply, verify. All modules come through here; nothing here knows Ansible."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from . import errors
from .host import Host
from .later import Later
from .plan import Plan, plan
from .retrieve import retrieve

if TYPE_CHECKING:
    from . import apply as applying
    from . import desired, hints, persist, warn
    from .state import State
    from .topology import Topology
else:
    applying, hints, warn = Later("apply"), Later("hints"), Later("warn")

LOCK = "/run/vnet/lock"
LOCK_SECONDS = 60.0


class Result(NamedTuple):
    """What a run did, or in check mode would do. `state` is what is afterwards."""

    changed: bool
    operations: list[str]
    diff: dict[str, Any]
    state: State
    warnings: list[str]


class Change(NamedTuple):
    """What a task asks for, and `show`, which tells the resource from the state afterwards."""

    wants: tuple[desired.Want, ...]
    topology: Topology | None
    keep: persist.Keep | None
    show: Callable[[State], dict[str, Any]]
    what: str
    """The resource, as whoever has to wait for it is told."""


Note = Callable[[str], None]
"""Leaves a word in the lock's file for those who wait: `DEADLINE WHAT`, where WHAT waits to be confirmed; or nothing."""


@contextmanager
def locked(seconds: float = LOCK_SECONDS) -> Iterator[Note]:
    """Hold the host's lock: two runs at one moment would plan on a state that the other is changing.

    The kernel lets go of it when its holder dies. Raises Refused where another run holds it for too long, and where what
    another run changed waits to be confirmed.
    """
    try:
        os.makedirs(os.path.dirname(LOCK), 0o755, exist_ok=True)
        descriptor = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as exc:
        raise errors.Refused(
            f"{LOCK}: {os.strerror(exc.errno or 0)}: changing the network needs root, add 'become: true'"
        ) from None
    try:
        deadline = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as exc:
                if exc.errno not in (errno.EAGAIN, errno.EACCES):
                    raise
            holder, _newline, word = os.pread(descriptor, 300, 0).decode(errors="replace").partition("\n")
            refuse_unconfirmed(word)
            if time.monotonic() > deadline:
                holder = holder or "unknown"
                raise errors.Refused(
                    f"another run (process {holder}) has held {LOCK} for {seconds:g} seconds: let it end, or look what it waits for"
                )
            time.sleep(0.02)

        def note(word: str) -> None:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n{word}".encode(), 0)

        note("")
        yield note
    finally:
        os.close(descriptor)


def refuse_unconfirmed(word: str) -> None:
    """Refuse to wait for a change that waits itself."""
    deadline, _blank, what = word.strip().partition(" ")
    if what:
        left = float(deadline) - time.monotonic()
        if left > 0:
            raise errors.Refused(
                f"a change of {what} is not confirmed yet (confirm_timeout), and till it is, nothing else is changed:"
                f" {left:.0f} seconds are left"
            )


def foresee(
    wants: tuple[desired.Want, ...], topology: Topology | None = None, keep: persist.Keep | None = None
) -> Result:
    """What a run would do now, found out under the lock. Raises what the run would raise before it writes."""
    with locked(), Host() as host:
        found = plan(retrieve(host, wants, topology, keep), wants, topology, keep)
        if found.missing:
            raise errors.Missing(found.missing[0])
        return result_of(found, found.after, wants, [])


def run(
    wants: tuple[desired.Want, ...],
    check: bool = False,
    topology: Topology | None = None,
    keep: persist.Keep | None = None,
    confirm: Callable[[Note], None] | None = None,
) -> Result:
    """Bring the host to what `wants` ask for; with `check` only find out what that would take.

    `topology`: whose they are. `keep`: what of it is kept for the next boot. `confirm`: called when all is done and
    verified, but nothing kept yet; where it raises VnetError, all is undone.
    Raises VnetError with one sentence where it can't be done; the host is then as it was, or the sentence says what is left.
    """

    def planned(host: Host, keep: persist.Keep | None) -> Plan:
        return plan(retrieve(host, wants, topology, keep), wants, topology, keep)

    # After a crash till then, the boot is the way back.
    first = keep._replace(later=True) if keep and confirm else keep
    if check:
        with Host() as host:
            return foreseen(planned(host, keep), wants)
    with locked() as note, Host() as host:
        found = planned(host, first)
        if found.missing:
            raise errors.Missing(found.missing[0])
        if not found.steps and first is not keep:  # there is nothing to confirm
            first, confirm, found = keep, None, planned(host, keep)
        if not found.steps:
            return result_of(found, found.before, wants, [])
        reached: list[State] = []

        def verify() -> None:
            left = planned(host, first)
            reached.append(left.before)
            check_done(left)
            if confirm:
                confirm(note)
                applying.apply(host, planned(host, keep), lambda: check_done(planned(host, keep)))

        applying.apply(host, found, verify)
        result = result_of(found, reached[0], wants, [])
    # The lock may go: what is left to happen happens by itself.
    await_far_ends(found)
    return result


def foreseen(found: Plan, wants: tuple[desired.Want, ...]) -> Result:
    """What check mode has to say: what is missing may be there when it counts."""
    return result_of(found, found.after, wants, list(found.missing))


def check_done(left: Plan) -> None:
    """Raise VnetError where there is still something to do."""
    if left.steps:
        old = hints.too_old(step.operation for step in left.steps)
        left_to_do = old or f"still to do would be: {'; '.join(left.commands)}"
        raise errors.VnetError(f"the kernel did not keep what it was given{':' if old else ','} {left_to_do}")


def await_far_ends(done: Plan, seconds: float = 10.0) -> None:
    """Wait until what is gone whose peers, or what it stood on, went with their namespace.

    The kernel tears a namespace down after the last descriptor of it was closed, in its own time, and till then the
    next task would find an end without a peer.
    """
    gone = set(done.before.namespaces) - set(done.after.namespaces)
    ends = [
        link
        for link in done.before.links.values()
        if link
        and link.netns not in gone
        and any(key[0] in gone for key in (link.peer, link.below) if key)
        and not done.after.link(link.key)
    ]
    deadline = time.monotonic() + seconds
    with Host() as host:
        for end in ends:
            while host.namespaces.descriptor(end.netns) is not None and time.monotonic() < deadline:
                if host.socket(end.netns).link(index=end.index) is None:
                    break
                time.sleep(0.005)


def result_of(found: Plan, state: State, wants: tuple[desired.Want, ...], warnings: list[str]) -> Result:
    """What a run has to say."""
    told = warn.warnings_for(found, wants) if found.steps else []
    return Result(bool(found.steps), found.commands, found.diff(), state, warnings + told)
