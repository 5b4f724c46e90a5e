# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The command that vnet-restore.service runs at boot: each file under /etc/vnet/conf.d in one transaction, without Ansible.

A file may speak of what another one makes, or of a device that comes late: it is tried again. Files that speak of each
other, as those of a bridge and of a port may do, are restored together; where one is a topology's, a device joins its
bridge when both are there. What can't be restored is said by the file's name and doesn't keep the others from being
restored.
"""

from __future__ import annotations

import argparse
import glob
import os
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Callable

from . import desired, errors, files, persist
from .engine import run
from .parsers import PARSERS
from .state import Key
from .topology import Topology

WAIT_SECONDS = 30.0
"""For devices that come late."""

AGAIN_SECONDS = 5.0
"""To try again also where nothing seems to have come: not all that is waited for can be seen from here."""

ORDER = ["vnet_netns", "vnet_nat", persist.TOPOLOGY, *PARSERS]


def restore(path: str) -> list[str]:
    """Bring about what one file holds; return warnings. Raises VnetError, Missing where it refers to what isn't there."""
    content = files.read_text(path)
    if content is None:
        return []  # somebody removed it just now
    document = persist.Document.read(path, content)
    topology, wants = document.wants(path)
    await_others(path, document)
    return run(wants, topology=topology).warnings


def await_others(path: str, document: persist.Document) -> None:
    """Raise Missing where it is about a bridge that another program has still to make."""
    for bridge, (uplink, group) in document.awaits.items():
        if not is_made(bridge, uplink, group):
            raise errors.Missing(
                f"{path}: there is no bridge {bridge} with the port {uplink} yet, which another program makes"
            )


def is_made(bridge: str, uplink: str, group: int) -> bool:
    """Whether the program that makes a bridge at boot has done so."""
    place = f"/sys/class/net/{bridge}"
    is_in_group = not group or (files.read_text(f"{place}/netdev_group") or "").strip() == str(group)
    return os.path.exists(f"{place}/brif/{uplink}") and is_in_group


def rank(path: str) -> int:
    """The place of a file in the first pass. It saves passes and is no promise: only the references count."""
    try:
        return ORDER.index(persist.Document.read(path, files.read_text(path) or "").module)
    except errors.VnetError:
        return len(ORDER)


class Restoration:
    """All files, those that are restored already, and what is wrong with the others."""

    def __init__(self, paths: Sequence[str], say: Callable[[str, str], None]) -> None:
        self.left = sorted(paths, key=rank)
        self.problems: dict[str, Exception] = {}
        self.loosened: set[str] = set()
        """Those whose devices were made without what waits for them."""
        self.say = say

    @property
    def is_waiting(self) -> bool:
        """Whether some file refers to what may still come."""
        return any(isinstance(self.problems.get(path), errors.Missing) for path in self.left)

    def try_all(self) -> None:
        """Try what is left again and again, as long as that helps: each file may make what another one needs."""
        before = -1
        while self.left and before != len(self.left):
            before = len(self.left)
            self.left = [path for path in self.left if not self.try_one(path)]
            if before == len(self.left):
                self.try_together()
            if before == len(self.left) and self.try_loosened():
                before = -1

    def try_together(self) -> None:
        """Restore those that only lack each other, in one transaction."""
        wants: dict[str, tuple[desired.Want, ...]] = {}
        for path in self.left:
            with suppress(errors.VnetError):
                document = persist.Document.read(path, files.read_text(path) or "")
                await_others(path, document)
                topology, found = document.wants(path)
                if topology is None and isinstance(self.problems[path], errors.Missing):
                    wants[path] = found
        while len(wants) > 1:
            try:
                run(tuple(want for group in wants.values() for want in group))
            except errors.Missing as exc:
                # Its sentence begins with the file that lacks something: try without that one.
                lacking = next((path for path in wants if str(exc).startswith(f"{path}: ")), None)
                if lacking is None:
                    return
                del wants[lacking]
            except errors.VnetError:
                return
            else:
                self.left = [path for path in self.left if path not in wants]
                return

    def try_loosened(self) -> bool:
        """Make the devices of one file without the bridge and the ports that another one has; False where there is no such file.

        So the knot is cut where files wait for each other of which one is a topology's, and so a transaction of its own.
        """
        wants: dict[str, tuple[Topology | None, tuple[desired.Want, ...]]] = {}
        for path in self.left:
            with suppress(errors.VnetError):
                document = persist.Document.read(path, files.read_text(path) or "")
                await_others(path, document)
                if isinstance(self.problems[path], errors.Missing):
                    wants[path] = document.wants(path)
        # A resource sooner than a topology, which has more in it.
        for path in sorted(wants.keys() - self.loosened, key=lambda path: (wants[path][0] is not None, path)):
            topology, own = wants[path]
            others = {key for other in wants if other != path for want in wants[other][1] for key in keys_of(want)}
            loose = tuple(loosened(want, others) for want in own)
            if loose != own:
                self.loosened.add(path)
                with suppress(errors.VnetError):
                    run(loose, topology=topology)
                    return True
        return False

    def try_one(self, path: str) -> bool:
        """Whether the file is restored now."""
        try:
            warnings = restore(path)
        except errors.VnetError as exc:
            self.problems[path] = exc
            return False
        except Exception as exc:  # noqa: BLE001  # so that no file, whatever is in it, keeps the next from being restored
            self.problems[path] = errors.VnetError(f"this is a bug in linuxnet.vnet, please report it: {exc!r}")
            return False
        for warning in warnings:
            self.say("4", f"{path}: {warning}")
        return True


def keys_of(want: desired.Want) -> set[Key]:
    """The devices that a want makes."""
    if isinstance(want, desired.OvsWant):
        return {("", want.name)}
    if not isinstance(want, desired.LinkWant):
        return set()
    return {want.key, *([want.peer_key] if want.peer_key else [])}


def loosened(want: desired.Want, others: set[Key]) -> desired.Want:
    """A link that is no port of these devices, and has none of them as its port."""
    if not isinstance(want, desired.LinkWant):
        return want
    peer = want.peer
    if peer:
        peer = peer._replace(options=without(peer.options, want.peer_netns, others))
    return want._replace(options=without(want.options, want.netns, others), peer=peer)


def without(options: Mapping[str, Any], netns: str, others: set[Key]) -> dict[str, Any]:
    """Options of a device without these as its master or its ports."""
    left = {name: value for name, value in options.items() if name != "master" or (netns, value) not in others}
    if "ports" in left:
        left["ports"] = tuple(port for port in left["ports"] if (netns, port) not in others)
    return left


def what_is_there() -> list[list[str]]:
    """The names of devices, namespaces and ports, as far as they show without asking the kernel in earnest."""
    names = [sorted(os.listdir(path)) if os.path.isdir(path) else [] for path in ("/sys/class/net", "/run/netns")]
    return [*names, sorted(glob.glob("/sys/class/net/*/brif/*"))]


def await_change(seen: list[list[str]], deadline: float) -> None:
    """Return when something came or went, when it is time to try again, or at the deadline."""
    deadline = min(deadline, time.monotonic() + AGAIN_SECONDS)
    while time.monotonic() < deadline and what_is_there() == seen:
        time.sleep(0.1)


def say(priority: str, sentence: str) -> None:
    """To the journal with its priority (sd-daemon(3)), to people without."""
    mark = f"<{priority}>" if "JOURNAL_STREAM" in os.environ else ""
    sys.stderr.write(f"{mark}vnet-restore: {sentence}\n")
    sys.stderr.flush()


def main(argv: Sequence[str]) -> int:
    """Restore everything; return 1 where something could not be."""
    parser = argparse.ArgumentParser(prog="vnet-restore", description="Restore the virtual networks that are kept.")
    parser.add_argument(
        "directory", nargs="?", default=persist.DIRECTORY, help="where the files are (default: %(default)s)"
    )
    parser.add_argument(
        "--wait", type=float, default=WAIT_SECONDS, help="seconds to wait for devices that come late (%(default)g)"
    )
    arguments = parser.parse_args(argv)
    start = time.monotonic()
    try:
        paths = persist.listed(arguments.directory)
    except errors.VnetError as exc:
        say("3", str(exc))
        return 1
    restoration = Restoration(paths, say)
    while True:
        seen = what_is_there()
        restoration.try_all()
        if not restoration.is_waiting or time.monotonic() - start > arguments.wait:
            break
        await_change(seen, start + arguments.wait)
    for path in restoration.left:
        said = str(restoration.problems[path])
        say("3", said if said.startswith(path) else f"{path}: {said}")
    done = len(paths) - len(restoration.left)
    say("6", f"restored {done} of {len(paths)} files in {time.monotonic() - start:.1f} s")
    return 1 if restoration.left else 0
