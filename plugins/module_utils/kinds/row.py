# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""How a kind of table row is described: what identifies it, and what it has besides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from ..rows import Row, RowKey
from ..state import Link
from ..values import NetnsName
from .base import Option

Rows = Mapping[RowKey, Optional[Row]]

NETNS = Option("netns", NetnsName(), level="none")


class RowKind:
    """A kind of table row; routes, rules, neighbors and FDB entries are one each.

    - `name`: its word, which is also the key of what its module returns. `module`, `plural`: its module, and its key in `vnet_topology`.
    - `identity`, `options`: what identifies a row, and what else it has. `required`: what no task can do without.
    - `loose`: `absent` is of all rows that have what is said, and needs not say all that identifies them.
    """

    name: str
    module: str
    plural: str
    identity: tuple[Option, ...]
    options: tuple[Option, ...]
    required: tuple[str, ...] = ()
    loose = False

    @property
    def table(self) -> dict[str, Option]:
        """All its options by name."""
        return {option.name: option for option in (*self.identity, *self.options)}

    def spec(self) -> dict[str, Any]:
        """Ansible's argument spec of its module."""
        spec: dict[str, Any] = {option.name: option.argument() for option in self.table.values()}
        for name in self.required:
            spec[name]["required"] = True
        spec["state"] = {"type": "str", "choices": ["present", "absent"], "default": "present"}
        spec["persist"] = {"type": "bool"}
        return spec

    def check(self, said: Mapping[str, Any], absent: bool) -> str | None:
        """What can be said of options together: a sentence that says what is wrong, or None."""
        raise NotImplementedError

    def key(self, netns: str, said: Mapping[str, Any]) -> RowKey:
        """What the canonical options `said` identify: the row's own key, where they say all of that."""
        raise NotImplementedError

    def find(self, key: RowKey, said: Mapping[str, Any], rows: Rows, absent: bool) -> list[tuple[RowKey, Any]]:
        """The rows that are meant: to be present it is the first of them, to be absent all that differ in nothing that is said."""
        row = rows.get(key)
        return [(key, row)] if row else []

    def covers(self, said: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
        """Whether `absent` with the options `said` is also of what the options `other` ask for, which have the same key or are `loose`."""
        names = said if self.loose else [option.name for option in self.options if option.name in said]
        return all(
            self.table[name].type.same(said[name], other.get(name, "" if self.loose else said[name])) for name in names
        )

    def meant(self, said: Mapping[str, Any], link: Link | None) -> Mapping[str, Any]:
        """What is asked of a row by `said`, where some of it goes without saying on the device."""
        return said

    def devices(self, said: Mapping[str, Any]) -> list[tuple[str, str]]:
        """The devices that have to be there, each behind the option that names it."""
        return [("device", said["device"])] if said.get("device") else []

    def device(self, key: RowKey, row: Any) -> str:
        """The device that a row hangs on, "" for none."""
        return str(key[2])

    def has(self, row: Any) -> dict[str, Any]:
        """What a row has, by option, besides what identifies it."""
        raise NotImplementedError

    def wanted(self, key: RowKey, said: Mapping[str, Any], found: Any, rows: Rows, link: Link | None) -> Any:
        """The row as it should be: what is said, and else what the one has that was `found`, None for a new one.

        `rows` has all others that were read, and `link` is the device that is named. Raises BadValue, the option first,
        where it takes more than is said.
        """
        raise NotImplementedError

    def weight(self, row: Any) -> int:
        """Of rows that are deleted the heavier ones go first, as the kernel would take them for lighter ones."""
        return 0

    def takes_place(self, netns: str, old: Any, new: Any, rows: Rows) -> bool:
        """Whether `new` can take the place of `old`, and be put back, without that other rows get out of the way."""
        return True

    def differs(self, said: Mapping[str, Any], row: Any, absent: bool = False) -> bool:
        """Whether the row has anything else than what is asked of it."""
        has = self.has(row)
        return any(
            not option.type.same(said[option.name], has[option.name]) for option in self.options if option.name in said
        )

    def refuse(self, row: Any) -> None:
        """Raise BadValue, the option first, for a row that no kernel makes as it is then."""

    def shown(self, key: RowKey, row: Any) -> dict[str, Any]:
        """A row in the words of the options."""
        raise NotImplementedError

    def words(self, key: RowKey) -> str:
        """What the key identifies, as messages name it."""
        raise NotImplementedError

    def brief(self, key: RowKey) -> str:
        """The same without the kind, for lists of them."""
        return self.words(key).partition(" ")[2]

    def file_words(self, key: RowKey) -> list[str]:
        """The parts of the name of the file that keeps it."""
        raise NotImplementedError

    def displaced(self, name: str, value: Any, kept: Mapping[str, Any]) -> tuple[str, ...]:
        """The options that give way to this one in what is `kept` for the next boot."""
        return ()
