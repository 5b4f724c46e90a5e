# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the integration run says of cases that no kernel came to."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tools"))

from run_integration import Run, ran_nowhere  # noqa: E402

MAIN = """
- name: Everywhere
  case: { args: { name: x } }
- name: Look
  ansible.builtin.command: uname
- name: Only where there is none
  case: { args: { name: y } }
  when: probe.rc
"""
UML = """
- name: Only there
  case: { args: { name: z } }
"""


def run(vehicle: str, *names: str, skipped: str = "") -> Run:
    tasks = [{"name": f"vnet_x : {name}", "outcome": "ok", "is_case": True, "asserts": 1} for name in names]
    return Run("vnet_x", vehicle, "main", skipped=skipped, tasks=tasks)


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    for name, text in (("main", MAIN), ("uml", UML)):
        (tmp_path / f"{name}.yml").write_text(text)
    return tmp_path


def test_a_case_that_no_kernel_came_to_is_named(tasks: Path) -> None:
    runs = [run("namespaces", "Everywhere"), run("uml", "Only there")]
    assert ran_nowhere(tasks, runs) == {"Only where there is none"}
    runs[0].tasks += run("namespaces", "Only where there is none").tasks
    assert ran_nowhere(tasks, runs) == set()


def test_nothing_is_said_while_a_vehicle_is_missing(tasks: Path) -> None:
    assert ran_nowhere(tasks, [run("namespaces", "Everywhere")]) == set()
    assert ran_nowhere(tasks, [run("namespaces", "Everywhere"), run("uml", skipped="no linux.uml")]) == set()
