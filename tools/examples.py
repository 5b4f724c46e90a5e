# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The EXAMPLES of the modules' pages, and what a run of one may not do: fail, change again, or return what RETURN is silent of."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable

MODULES = Path(__file__).resolve().parents[1] / "plugins" / "modules"

# What pages take for granted: a host with a network device. Nobody is at the other end.
UNDERLAY: dict[str, Any] = {
    "name": "Give the host the eth0 that it would have",
    "linuxnet.vnet.vnet_veth": {
        "name": "eth0",
        "addresses": ["192.0.2.11/24", "2001:db8::11/64"],
        "peer": {"name": "underlay"},
    },
}

# Return values that are dicts by name; what an entry has is said by kind of device.
BY_NAME = {"links", "namespaces"}

# What Ansible itself adds to a result.
ANSIBLES_OWN = {"changed", "diff", "failed", "invocation", "warnings", "ansible_facts", "deprecations"}


@dataclass
class Example:
    """A task of a page, why it was skipped, and what was wrong with it, in sentences."""

    task: dict[str, Any]
    skipped: str = ""
    problems: list[str] = field(default_factory=list)

    @property
    def arguments(self) -> dict[str, Any]:
        for key, value in self.task.items():
            if "." in key:
                return value or {}
        return {}

    @property
    def undoes(self) -> bool:
        return self.arguments.get("state") == "absent" or self.arguments.get("persist") is False

    @property
    def is_ours(self) -> bool:
        return any(key.startswith("linuxnet.vnet.") for key in self.task)


@dataclass
class Page:
    """The examples of a module, and what its RETURN says."""

    module: str
    examples: list[Example]
    returned: dict[str, Any]
    error: str = ""

    @classmethod
    def read(cls, module: str) -> Page:
        tree = ast.parse((MODULES / f"{module}.py").read_text(encoding="utf-8"))
        texts = {
            node.targets[0].id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and isinstance(node.value, ast.Constant)
        }
        tasks = yaml.safe_load(str(texts["EXAMPLES"])) or []
        returned = yaml.safe_load(str(texts["RETURN"])) or {}
        if module == "vnet_link":
            # Its page leaves to the others what a device of their kind has besides.
            for path in MODULES.glob("vnet_*.py"):
                if path.stem != module and "run_link" in path.read_text(encoding="utf-8"):
                    returned["link"]["contains"].update(cls.read(path.stem).returned["link"]["contains"])
        return cls(module, [Example(task) for task in tasks], returned)

    @property
    def host(self) -> str:
        return self.module.replace("_", "-")

    @property
    def in_order(self) -> list[Example]:
        """What is run: what undoes others comes last. Each is run twice on end, and the second time it may change nothing."""
        return sorted((example for example in self.examples if not example.skipped), key=lambda one: one.undoes)


def problems_of(page: Page, example: Example, result: dict[str, Any], again: bool) -> Iterable[str]:
    """What is wrong with a task's result, or with one of its items'."""
    for one in result.get("results", [result]):
        if one.get("failed"):
            yield f"it failed: {one.get('msg')}"
            return
        if again and one.get("changed"):
            yield f"it changed something when run again: {one.get('operations')}"
        if example.is_ours:
            if "operations" in one and bool(one["operations"]) != one["changed"]:
                yield f"changed is {one['changed']}, and operations {one['operations']}"
            if f"linuxnet.vnet.{page.module}" in example.task:
                ours = {key: value for key, value in one.items() if key not in ANSIBLES_OWN}
                yield from undocumented(page.returned, ours)


def undocumented(returned: dict[str, Any], result: dict[str, Any], path: str = "") -> Iterable[str]:
    """The keys of a result that RETURN says nothing of. Keys that Ansible adds for a loop are none of ours."""
    for key, value in result.items():
        if key in ("item", "ansible_loop_var", "_ansible_item_label", "_ansible_no_log"):
            continue
        if key not in returned:
            yield f"it returned {path}{key}, which RETURN does not document"
        elif isinstance(value, dict) and "contains" in returned[key] and key not in BY_NAME:
            yield from undocumented(returned[key]["contains"], value, f"{path}{key}.")
