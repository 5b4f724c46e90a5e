# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""A handle on the running host: one netlink socket per namespace, and the one place where names become indexes."""

from __future__ import annotations

from collections.abc import Iterator

from . import errors, netlink
from .namespaces import Namespaces


class Host:
    """Everything that one run has open. Close it, or use it in a `with`."""

    def __init__(self) -> None:
        netlink.require()
        self.namespaces = Namespaces()
        self._sockets: dict[str, netlink.Socket] = {}
        self._by_name: dict[tuple[str, str], netlink.RawLink | None] = {}
        self._by_index: dict[tuple[str, int], netlink.RawLink | None] = {}
        self._dumped: dict[str, bool] = {}
        self._dumps: dict[str, list[netlink.RawLink]] = {}
        self._nsids: dict[str, tuple[dict[int, str], Iterator[str]]] = {}

    def __enter__(self) -> Host:
        return self

    def __exit__(self, *_exc: object) -> None:
        for sock in self._sockets.values():
            sock.close()
        self.namespaces.close()

    def forget(self) -> None:
        """What was read may have changed."""
        self._by_name.clear()
        self._by_index.clear()
        self._dumped.clear()
        self._nsids.clear()

    def forget_link(self, netns: str, name: str) -> None:
        """This name may mean another device now, or one at all."""
        self._dumped[netns] = False
        found = self._by_name.pop((netns, name), None)
        if found:
            self._by_index.pop((netns, found.index), None)

    def forget_netns(self, name: str) -> None:
        """A namespace went: its name may come to mean another one."""
        sock = self._sockets.pop(name, None)
        if sock:
            sock.close()
        self.forget()

    def socket(self, netns: str) -> netlink.Socket:
        if netns not in self._sockets:
            with self.namespaces.inside(netns):
                self._sockets[netns] = netlink.Socket()
        return self._sockets[netns]

    def adopt_socket(self, netns: str) -> netlink.Socket:
        """A socket in the namespace in which the thread is just now, which is going to have this name."""
        self._sockets[netns] = netlink.Socket()
        return self._sockets[netns]

    def descriptor(self, netns: str) -> int:
        descriptor = self.namespaces.descriptor(netns)
        if descriptor is None:
            raise errors.Missing(f"netns: there is no network namespace {netns!r} on this host")
        return descriptor

    def link(self, netns: str, name: str) -> netlink.RawLink | None:
        """The link of this name, or of this alternative name."""
        key = (netns, name)
        if key not in self._by_name and not self._dumped.get(netns):
            self._remember(netns, name, self.socket(netns).link(name=name))
        return self._by_name.get(key)

    def link_at(self, netns: str, index: int) -> netlink.RawLink | None:
        key = (netns, index)
        if key not in self._by_index:
            found = self.socket(netns).link(index=index)
            self._by_index[key] = found
            if found:
                self._by_name[netns, found.name] = found
        return self._by_index[key]

    def _remember(self, netns: str, name: str, found: netlink.RawLink | None) -> None:
        self._by_name[netns, name] = found
        if found:
            self._by_index[netns, found.index] = found

    def read_all_links(self, netns: str) -> list[netlink.RawLink]:
        """Dump the namespace's links; later look-ups of a name are answered from it."""
        if self._dumped.get(netns):
            return self._dumps[netns]
        found = self.socket(netns).links()
        self._dumps[netns] = found
        for link in found:
            self._remember(netns, link.name, link)
            for altname in link.altnames:
                self._by_name[netns, altname] = link
        self._dumped[netns] = True
        return found

    def known_index(self, netns: str, name: str) -> int:
        """The index of a link if it was read already, else 0."""
        found = self._by_name.get((netns, name))
        return int(found.index) if found else 0

    def index(self, netns: str, name: str) -> int:
        """The index of a link that has to be there."""
        found = self.link(netns, name)
        if found is None:
            # Between reading and writing somebody took it away.
            raise errors.Refused(
                f"there is no device {name!r}" + (f" in the network namespace {netns}" if netns else "")
            )
        return int(found.index)

    def netns_of(self, seen_from: str, nsid: int) -> str | None:
        """The name of the namespace that has this id in `seen_from`; None for one without a name here."""
        known, rest = self._nsids.setdefault(seen_from, ({}, self._candidates()))
        while nsid >= 0 and nsid not in known:
            # Most often it is the host that a container looks at: ask no further than needed.
            name = next(rest, None)
            if name is None:
                return None
            known.setdefault(self.socket(seen_from).nsid(self.descriptor(name)), name)
        return known.get(nsid)

    def _candidates(self) -> Iterator[str]:
        yield ""
        yield from self.namespaces.names()
