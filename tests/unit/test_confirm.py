# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of `confirm_timeout` that need no host."""

from __future__ import annotations

import time
from typing import Any

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils import confirm, engine
from ansible_collections.linuxnet.vnet.plugins.module_utils.errors import Refused


@pytest.mark.parametrize(("given", "seconds"), [(None, 0), (0, 0), (1, 1), (3600, 3600)])
def test_seconds(given: Any, seconds: int) -> None:
    assert confirm.seconds_of({"confirm_timeout": given}) == seconds


@pytest.mark.parametrize("given", [-1, 3601])
def test_seconds_that_make_no_sense(given: int) -> None:
    with pytest.raises(Refused, match="confirm_timeout"):
        confirm.seconds_of({"confirm_timeout": given})


def test_who_waits_for_the_lock_is_told_how_much_time_is_left() -> None:
    word = confirm.unconfirmed("vnet_bridge br0", time.monotonic() + 20.4)
    with pytest.raises(Refused, match=r"vnet_bridge br0 is not confirmed yet.* 20 seconds are left"):
        engine.refuse_unconfirmed(word)


@pytest.mark.parametrize("word", ["", "\n", confirm.unconfirmed("vnet_bridge br0", 0.0)])
def test_otherwise_they_wait(word: str) -> None:
    engine.refuse_unconfirmed(word)


def test_who_waits_reads_the_word_of_who_holds_the_lock(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "LOCK", str(tmp_path / "lock"))
    with engine.locked() as note:
        note(confirm.unconfirmed("vnet_topology lab", time.monotonic() + 100))
        with pytest.raises(Refused, match="vnet_topology lab is not confirmed yet"), engine.locked():
            pass
        note("")
        with pytest.raises(Refused, match="another run"), engine.locked(0.05):
            pass
