# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""Rules of policy routing, as net/core/fib_rules.c and ip-rule(8) describe them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..rows import BEYOND_OPTIONS, IP_PROTOCOLS, RULE_ACTIONS, SELECTING, TABLES, RowKey, Rule, rivals
from ..state import Link
from ..values import BadValue, Bool, Choice, DeviceName, Int, Network, Type, Word
from .base import Option
from .route import TABLE_NUMBERS
from .row import NETNS, RowKind, Rows

SELECTORS = ("from", "to", "iif", "oif", "fwmark", "tos", "ipproto", "sport", "dport", "uidrange", "not")
"""The options for what a rule has in its fields rows.SELECTING, in the same order."""

ECN = 3
"""INET_ECN_MASK in include/net/inet_ecn.h."""


class Selector(Network):
    """A network that addresses are in, "" for all."""

    unset = True

    def parse(self, value: Any) -> str:
        if value in ("", "all", "any"):
            return ""
        network = super().parse(value)
        if network == "default" or network.endswith("/0"):
            raise BadValue(f"{value!r} is every address, which is what a rule without this option is about")
        return network


class Mark(Type):
    """A firewall mark, with the mask of the bits that are looked at: 16, 0x10, 0x10/0xff. Canonical is what iproute2 prints."""

    unset = True

    def parse(self, value: Any) -> str:
        if value == "":
            return ""
        words = re.fullmatch(r"(0[xX][0-9a-fA-F]+|[0-9]+)(?:/(0[xX][0-9a-fA-F]+|[0-9]+))?", str(value).strip())
        if not words or isinstance(value, (bool, float)):
            raise BadValue(f"{value!r} is not a mark such as 0x10, or 0x10/0xff with the mask of its bits")
        number, mask = (int(word, 0 if word[:2] in ("0x", "0X") else 10) for word in words.groups("0xffffffff"))
        if max(number, mask) >= 2**32:
            raise BadValue(f"{value!r} has more than 32 bits")
        if number & ~mask:
            raise BadValue(f"{value!r} has bits that its mask leaves out, and so no packet has it")
        return shown_mark(number, mask)


def shown_mark(number: int | None, mask: int | None) -> str:
    """A mark as iproute2 writes it, with its mask where that is not all ones; "" for none."""
    if not number and not mask:
        return ""
    return f"{number or 0:#x}" if mask in (None, 0xFFFFFFFF) else f"{number or 0:#x}/{mask:#x}"


class Tos(Type):
    """The type of service that packets carry, in decimal or in hex; canonical is hex."""

    unset = True

    def parse(self, value: Any) -> str:
        if value == "":
            return ""
        in_hex = isinstance(value, str) and re.fullmatch(r"0[xX][0-9a-fA-F]+", value.strip())
        number = Int(1, 255).parse(int(value, 16) if in_hex else value)
        if number & ECN:
            raise BadValue(f"{number:#x} has bits of 0x3, which are those of ECN (RFC 3168): rules don't look at them")
        return f"{number:#x}"


class Protocol(Type):
    """A protocol over IP, by its name or its number; canonical is the name where there is one."""

    unset = True

    def parse(self, value: Any) -> str:
        return "" if value == "" else str(Word(1, 255, IP_PROTOCOLS).parse(value))


class Span(Type):
    """A number or a range of them, such as 1000-2000."""

    unset = True

    def __init__(self, low: int, high: int) -> None:
        self.low, self.high = low, high

    def parse(self, value: Any) -> str:
        if value == "":
            return ""
        if not re.fullmatch(r"\s*[0-9]+\s*(-\s*[0-9]+\s*)?", str(value)):
            raise BadValue(f"{value!r} is neither a number nor a range such as 1000-2000")
        first, dash, last = str(value).partition("-")
        one = Int(self.low, self.high)
        low, high = one.parse(first.strip()), one.parse(last.strip() if dash else first.strip())
        if high < low:
            raise BadValue(f"the range {value} is empty, write {high}-{low}")
        return f"{low}-{high}" if high > low else str(low)


class Inverted(Bool):
    """Whether it is about all packets but those; canonical is iproute2's word, as of all that says which packets a rule is about."""

    def parse(self, value: Any) -> Any:
        return "not" if super().parse(value) else ""


class PrefixLength(Type):
    """A prefix length, "" for none."""

    unset = True

    def parse(self, value: Any) -> str:
        return "" if value == "" else str(Int(0, 128).parse(value))


class Family(Choice):
    """An address family, in iproute2's words or in those of the addresses."""

    def parse(self, value: Any) -> str:
        word = super().parse(value)
        return {"ipv4": "inet", "ipv6": "inet6"}.get(word, word)


class RuleKind(RowKind):
    """Rules: see RowKind. The kernel lets several have the same priority, and even the same selectors."""

    name, module, plural = "rule", "vnet_rule", "rules"
    loose = True
    identity = (
        Option("priority", Int(0, 2**32 - 1), level="none"),
        Option("from", Selector(), level="none"),
        Option("to", Selector(), level="none"),
        Option("iif", DeviceName(unset=True), level="none"),
        Option("oif", DeviceName(unset=True), level="none"),
        Option("fwmark", Mark(), level="none"),
        Option("tos", Tos(), level="none"),
        Option("ipproto", Protocol(), level="none"),
        Option("sport", Span(1, 65534), level="none"),
        Option("dport", Span(1, 65534), level="none"),
        Option("uidrange", Span(0, 2**32 - 2), level="none"),
        Option("not", Inverted(), level="none"),
        Option("family", Family({"inet": 4, "inet6": 6, "ipv4": 4, "ipv6": 6}), level="none"),
        NETNS,
    )
    options = (
        Option("table", Word(1, 2**32 - 1, TABLE_NUMBERS), level="none"),
        Option("action", Choice(RULE_ACTIONS), level="none"),
        Option("suppress_prefixlength", PrefixLength(), level="none"),
    )

    def check(self, said: Mapping[str, Any], absent: bool) -> str | None:
        families = {6 if ":" in said[name] else 4 for name in ("from", "to") if said.get(name)}
        if "family" in said:
            families.add(4 if said["family"] == "inet" else 6)
        if len(families) > 1:
            return "family: the addresses of a rule are of one family, and this one mixes IPv4 and IPv6"
        if not any(said.get(name) not in (None, "") for name in ("priority", "table", *SELECTORS)):
            return f"priority: say which rule by at least one of priority, {', '.join(SELECTORS)}, and table"
        if said.get("action", "lookup") != "lookup" and "table" in said and not absent:
            return f"table: a rule with the action {said['action']} looks at no table"
        return None

    def key(self, netns: str, said: Mapping[str, Any]) -> RowKey:
        words = [said.get(name, "") for name in SELECTORS]
        six = said.get("family") == "inet6" or ":" in words[0] + words[1]
        return ("rule", netns, said.get("priority"), 6 if six else 4, *words)

    def find(self, key: RowKey, said: Mapping[str, Any], rows: Rows, absent: bool) -> list[tuple[RowKey, Any]]:
        _kind, netns, priority, family, *selectors = key
        table = self.options[0].type.encode(said["table"]) if "table" in said else None
        found = []
        for place, row in rows.items():
            if not isinstance(row, Rule) or place[1] != netns or row.family != family or row.action == BEYOND_OPTIONS:
                continue
            if priority not in (None, row.priority) or not all(
                word == has or (absent and name not in said)
                for name, word, has in zip(SELECTORS, selectors, row.selectors)
            ):
                continue
            # Those that are there from the start are left alone, unless it is them that are meant.
            if row.by_kernel and (priority is None if absent else table not in (None, row.table)):
                continue
            found.append((place, row))
        return sorted(found, key=lambda item: (item[1].table != table, item[0]))

    def devices(self, said: Mapping[str, Any]) -> list[tuple[str, str]]:
        return []  # a rule waits for its devices

    def weight(self, row: Any) -> int:
        return int(row.weight)

    def takes_place(self, netns: str, old: Any, new: Any, rows: Rows) -> bool:
        return not any(rivals(rows, netns, rule) for rule in (old, new))

    def device(self, key: RowKey, row: Any) -> str:
        return ""

    def has(self, row: Any) -> dict[str, Any]:
        return {
            "table": TABLES.get(row.table, row.table),
            "action": row.action,
            "suppress_prefixlength": row.suppress_prefixlength,
        }

    def wanted(self, key: RowKey, said: Mapping[str, Any], found: Any, rows: Rows, link: Link | None) -> Any:
        action = said.get("action", "lookup" if "table" in said or not found else found.action)
        if action == "lookup" and "table" not in said and not (found and found.table):
            new = f"there is no {self.words(key)}, and to make it this option is needed"
            raise BadValue(f"table: {'a rule that looks somewhere up needs one' if found else new}")
        table = self.options[0].type.encode(said["table"]) if "table" in said else found.table if found else 0
        more = {
            "action": action,
            "table": table if action == "lookup" else 0,
            "suppress_prefixlength": said.get(
                "suppress_prefixlength", found.suppress_prefixlength if found and action == "lookup" else ""
            ),
        }
        if more["suppress_prefixlength"] and action != "lookup":
            raise BadValue(f"suppress_prefixlength: a rule with the action {action} looks at no table")
        if found:
            return found._replace(**more)
        _kind, _netns, priority, family, *selectors = key
        if priority is None:
            # As the kernel would have it: before all but the first (fib_default_rule_pref()).
            taken = sorted(
                place[2] for place, row in rows.items() if row and place[:2] == key[:2] and place[3] == family
            )
            priority = max(taken[1] - 1, 0) if len(taken) > 1 else 0
        return Rule(priority, family, **dict(zip(SELECTING, selectors)), **more)

    def shown(self, key: RowKey, row: Any) -> dict[str, Any]:
        shown: dict[str, Any] = {"priority": row.priority, "family": "inet" if row.family == 4 else "inet6"}
        shown.update({name: value for name, value in zip(SELECTORS, row.selectors) if value})
        if row.inverted:
            shown["not"] = True
        if row.table:
            shown["table"] = TABLES.get(row.table, row.table)
        if row.action != "lookup":
            shown["action"] = row.action
        if row.suppress_prefixlength:
            shown["suppress_prefixlength"] = int(row.suppress_prefixlength)
        if key[1]:
            shown["netns"] = key[1]
        return shown

    def words(self, key: RowKey) -> str:
        priority, selectors = key[2], key[4:]
        parts = [f"priority {priority}"] if priority else []
        parts += [value if name == "not" else f"{name} {value}" for name, value in zip(SELECTORS, selectors) if value]
        return f"rule {' '.join(parts) or 'from all'}"

    def file_words(self, key: RowKey) -> list[str]:
        priority, family, selectors = key[2], key[3], key[4:]
        words = [str(priority)] if priority is not None else []
        words += ["inet6"] if family == 6 else []
        words += [
            value if name == "not" else f"{name}-{value.replace('/', '_')}"
            for name, value in zip(SELECTORS, selectors)
            if value
        ]
        return words or ["all"]

    def displaced(self, name: str, value: Any, kept: Mapping[str, Any]) -> tuple[str, ...]:
        if name == "action" and value != "lookup":
            return ("table", "suppress_prefixlength")
        return ("action",) if name == "table" and kept.get("action", "lookup") != "lookup" else ()


RULE = RuleKind()
