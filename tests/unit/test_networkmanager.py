# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""NetworkManager is stopped while its devices change, and doesn't stay so, whatever happens to who stopped it."""

from __future__ import annotations

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils import networkmanager, systemd
from ansible_collections.linuxnet.vnet.plugins.module_utils.errors import Refused

RESCUE = "systemctl stop vnet-networkmanager.timer"
STOP, START = "systemctl stop NetworkManager.service", "systemctl start NetworkManager.service"


@pytest.fixture(name="said")
def fixture_said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All that is told to systemd, which knows of no timer."""
    said: list[str] = []

    def run(_speaker: str, *words: str) -> None:
        said.append(" ".join(words))
        if said[-1] == RESCUE:
            raise Refused("Unit vnet-networkmanager.timer not loaded")

    monkeypatch.setattr(systemd, "run", run)
    return said


def test_systemd_is_asked_to_start_it_before_it_is_stopped(said: list[str]) -> None:
    networkmanager.stop()
    timer = said.index(f"systemd-run --quiet --collect --unit=vnet-networkmanager --on-active=60 {START}")
    assert said.index(RESCUE) < timer < said.index(STOP)


def test_who_starts_it_needs_no_timer_any_more(said: list[str]) -> None:
    networkmanager.start((), (), wait=False)
    assert said == [START, RESCUE]


def test_where_there_can_be_no_timer_it_is_not_stopped(monkeypatch: pytest.MonkeyPatch, said: list[str]) -> None:
    run = systemd.run

    def without_timers(speaker: str, *words: str) -> None:
        run(speaker, *words)
        if words[0] == "systemd-run":
            raise Refused("systemd says 'no'")

    monkeypatch.setattr(systemd, "run", without_timers)
    with pytest.raises(Refused, match="no"):
        networkmanager.stop()
    assert STOP not in said
