# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""What `persist` keeps: one JSON file per resource, or per topology, under /etc/vnet/conf.d.

A file holds the name of a module and the options of its tasks, in their words. Tasks that name only some options are
merged into it. At boot restore.py makes wants of it again.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from . import desired, errors, files
from .later import Later

if TYPE_CHECKING:
    from . import parsers, systemd
    from . import topology as topologies
    from .state import FileContent, State
    from .topology import Topology
else:
    parsers, systemd, topologies = Later("parsers"), Later("systemd"), Later("topology")

DIRECTORY = "/etc/vnet/conf.d"
MODE = 0o600

# All in one place, and not under /usr, which may be read-only, nor on a file system that is mounted late.
ENGINE = "/etc/vnet/vnet-restore.pyz"
UNIT = "/etc/systemd/system/vnet-restore.service"
ENABLED = "/etc/systemd/system/multi-user.target.wants/vnet-restore.service"
SOFTWARE = (ENGINE, UNIT, ENABLED)
"""What restores at boot, in the order in which it is put there."""

NOT_KEPT = ("state", "append", "recreate", "persist", "confirm_timeout", "sysctl_file", "uplink")
"""Options that say how to do something, and not what should be."""

TOPOLOGY = "vnet_topology"


class Document(NamedTuple):
    """The content of a file. `appended`: lists to which tasks with `append` have added, and of which nobody said all."""

    module: str
    options: Mapping[str, Any] = {}
    appended: Mapping[str, Any] = {}
    awaits: Mapping[str, Any] = {}
    """By bridge, the uplink and the link group that another program gives it at boot."""

    @classmethod
    def read(cls, path: str, content: str) -> Document:
        """From a file's content; Refused names the file that has no such thing in it."""
        try:
            found = json.loads(content)
        except ValueError as exc:
            raise errors.Refused(f"{path} is no JSON ({exc}): mend it, or remove it") from None
        module = found.get("module") if isinstance(found, dict) else None
        if module not in (TOPOLOGY, *parsers.PARSERS):
            raise errors.Refused(f"{path} does not name a module that it is of: mend it, or remove it")
        parts = [found.get(name, {}) for name in ("options", "appended", "awaits")]
        if not all(isinstance(part, dict) for part in parts):
            raise errors.Refused(f"{path} does not hold the options of {module}: mend it, or remove it")
        return cls(module, *parts)

    def written(self) -> str:
        """As the file has it."""
        parts: dict[str, Any] = {"module": self.module, "options": self.options}
        if self.appended:
            parts["appended"] = self.appended
        if self.awaits:
            parts["awaits"] = self.awaits
        return json.dumps(parts, indent=1, sort_keys=True) + "\n"

    def wants(self, where: str = "") -> tuple[Topology | None, tuple[desired.Want, ...]]:
        """What the engine should bring about; Refused where the options make no sense. Sentences begin with `where`."""
        try:
            if self.module == TOPOLOGY:
                return topologies.topology_wants(self.options)
            lists = {**self.appended, "append": list(self.appended)} if self.appended else {}
            want = parsers.PARSERS[self.module]({**self.options, **lists}, where)
        except (AttributeError, LookupError, TypeError, ValueError) as exc:
            raise errors.Refused(f"these are no options of {self.module} ({type(exc).__name__}: {exc})") from None
        return None, (want,)

    def is_in(self, namespaces: Iterable[str]) -> bool:
        """Whether what it is about goes when these namespaces go."""
        peer = self.options.get("peer")
        places = {self.options.get("netns"), peer.get("netns") if isinstance(peer, dict) else None}
        return bool(places & set(namespaces))


class Entry(NamedTuple):
    """What a task has to say of one file.

    `persist` as in the task; `goes`: what the file is about shall not be; `adds`: its lists are additions.
    """

    path: str
    said: Document
    persist: bool | None = None
    goes: bool = False
    adds: bool = False
    want: desired.Want | None = None

    def is_about(self, link: desired.LinkWant) -> bool:
        """Whether a link is kept in this file: a topology's has no want of its own."""
        return self.want is None or (isinstance(self.want, desired.LinkWant) and self.want.key == link.key)


class Keep(NamedTuple):
    """What a task has to say of all that is kept.

    `going`: namespaces that go, and with them the files of what is in them. `software`: what restores at boot, by
    path, where this task asks for it.
    """

    entries: tuple[Entry, ...] = ()
    going: tuple[str, ...] = ()
    software: Mapping[str, FileContent] = {}
    later: bool = False
    """Whether all this is yet to be confirmed: what could not be kept is refused, but nothing is written."""


# -- what a task says --------------------------------------------------------------------------------------------------


def keep(
    module: str, params: Mapping[str, Any], want: desired.Want | None, software: Callable[[], Mapping[str, FileContent]]
) -> Keep | None:
    """What a task of `module` has to say, None where nothing is kept in these files.

    `want` is what became of its `params`, None for a topology. `software` is asked only where it is needed.
    """
    persist, absent = params.get("persist"), params.get("state") == "absent"
    said = _given(params)
    appended = {}
    if params.get("append"):
        appended = {name: said.pop(name) for name, value in list(said.items()) if isinstance(value, list)}
    if want is None:
        said = {name: value for name, value in said.items() if value != []}  # which is what an omitted kind equals
    documents = {path_of(want, said): Document(module, said, appended)}
    if isinstance(want, desired.ForwardWant):
        if not want.netns:
            return None  # /etc/sysctl.d keeps that
        if want.devices:
            documents = {
                path_of(want, said, name): Document(module, {**said, "interfaces": [name]}) for name in want.devices
            }
    goes = absent or persist is False
    return Keep(
        tuple(
            Entry(path, document, persist, goes, bool(params.get("append")), want)
            for path, document in documents.items()
        ),
        (want.name,) if isinstance(want, desired.NamespaceWant) and absent else (),
        software() if persist and not goes else {},
    )


def _given(params: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were given, those in dictionaries and lists of them too."""

    def inner(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: inner(item) for name, item in value.items() if item is not None}
        return [inner(item) for item in value] if isinstance(value, list) else value

    return {name: inner(value) for name, value in params.items() if value is not None and name not in NOT_KEPT}


# -- names of files ----------------------------------------------------------------------------------------------------


def path_of(want: desired.Want | None, options: Mapping[str, Any], device: str = "") -> str:
    """The file of a resource: `bridge-br0.json`, `veth-eth0@web.json`, `route-default-table77@web.json`.

    A topology's has no want, and is named for its option `name`; `device` is that of forwarding on a single one.
    """
    netns = ""
    if want is None:
        words = ["topology", str(options.get("name"))]
    elif isinstance(want, desired.LinkWant):
        words, netns = [want.kind.module[len("vnet_") :], want.name], want.netns
    elif isinstance(want, desired.NamespaceWant):
        words = ["netns", want.name]
    elif isinstance(want, desired.PortWant):
        words, netns = ["bridge_port", want.name], want.netns
    elif isinstance(want, desired.RowWant):
        words, netns = [want.kind.name, *want.kind.file_words(want.key)], want.netns
    elif isinstance(want, desired.NatWant):
        words, netns = ["nat", want.name], want.netns
    elif isinstance(want, desired.OvsWant):
        words = ["ovs_bridge", want.name]
    else:
        words, netns = ["sysctl_forward", *([device] if device else [])], want.netns
    stem = "-".join(map(_escaped, words)) + (f"@{_escaped(netns)}" if netns else "")
    if len(stem) > 200:  # a file name has at most 255 bytes, and so has a namespace's
        stem = f"{stem[:180]}~{hashlib.sha256(stem.encode()).hexdigest()[:16]}"
    return f"{DIRECTORY}/{stem}.json"


def _escaped(text: str) -> str:
    """As it is where it can't be mistaken for something else, as URLs have it otherwise."""
    data = text.encode("utf-8", "surrogateescape")
    return re.sub(rb"[^A-Za-z0-9_.:+=,-]", lambda byte: b"%%%02X" % byte[0][0], data).decode("ascii")


# -- what is there -----------------------------------------------------------------------------------------------------


def listed(directory: str = DIRECTORY) -> list[str]:
    """The files that are kept."""
    try:
        names = sorted(os.listdir(directory))
    except FileNotFoundError:
        return []
    except OSError as exc:
        raise errors.Refused(f"{directory}: {os.strerror(exc.errno or 0)}") from None
    return [f"{directory}/{name}" for name in names if name.endswith(".json") and not name.startswith(".")]


def look(state: State, kept: Keep) -> None:
    """Read into `state` the files that the plan will look at."""
    removes = False
    for entry in kept.entries:
        content = state.files[entry.path] = files.read_text(entry.path)
        removes = removes or (entry.goes and content is not None)
    loose = any(
        isinstance(entry.want, desired.RowWant) and entry.want.kind.loose and entry.goes for entry in kept.entries
    )
    for path in listed() if kept.going or loose else ():
        content = files.read_text(path)
        if content is not None and goes_too(path, content, kept):
            state.files[path] = content
            removes = True
    if removes:
        state.kept = frozenset(listed())
    if removes or kept.software:
        state.files.update({path: files.read(path) for path in SOFTWARE})
        state.systemd = systemd.state()


def covers(entry: Entry, path: str, content: str) -> bool:
    """Whether a file goes with an entry: it is of another row than that which is named, which need not be all that identifies it."""
    want = entry.want
    if not (isinstance(want, desired.RowWant) and want.absent and want.kind.loose):
        return False
    if not path.startswith(f"{DIRECTORY}/{want.kind.name}-"):
        return False
    try:
        other = Document.read(path, content).wants()[1][0]
    except errors.Refused:
        return False
    return isinstance(other, desired.RowWant) and other.netns == want.netns and want.kind.covers(want.said, other.said)


def goes_too(path: str, content: str, kept: Keep) -> bool:
    """Whether a file that no entry names goes all the same."""
    return is_in(path, content, kept.going) or any(covers(entry, path, content) for entry in kept.entries)


def is_in(path: str, content: str, namespaces: Iterable[str]) -> bool:
    """Whether what a file is about goes with these namespaces. Of a corrupt one nobody can say."""
    try:
        return Document.read(path, content).is_in(namespaces)
    except errors.Refused:
        return False
