# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs of the host are found, run, and ended where they don't end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils import networkmanager, programs
from ansible_collections.linuxnet.vnet.plugins.module_utils.errors import Refused, Unfinished

if TYPE_CHECKING:
    from pathlib import Path


def test_it_says_what_came_of_one() -> None:
    done = programs.run("sh", "-c", 'cat; echo "$LC_ALL $1" >&2; exit 3', "sh", "word", text="in")
    assert (done.returncode, done.stdout, done.stderr) == (3, "in", "C word\n")
    assert programs.run("cat").stdout == "", "its standard input is not ours"


def test_one_that_cannot_be_started_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"^nowhere: No such file or directory$") as caught:
        programs.run("/nowhere/nowhere")
    assert not isinstance(caught.value, Unfinished), "there is nothing to undo"
    (tmp_path / "text").write_text("no program")
    with pytest.raises(Refused, match=r"^text: Permission denied$"):
        programs.run(str(tmp_path / "text"))


def test_one_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(programs, "SECONDS", 0.5)
    with pytest.raises(
        Unfinished,
        match=r"^sh did not end within 0\.5 seconds, and was ended: call it by hand to see what it waits for$",
    ):
        programs.run("sh", "-c", f"sleep 2; touch {tmp_path}/late")
    time.sleep(2)
    assert not (tmp_path / "late").exists()


def test_one_that_a_search_path_does_not_lead_to_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert programs.find("sh") in ("/usr/bin/sh", "/bin/sh")
    assert programs.find("no-such-program") is None
    own = tmp_path / "sh"
    own.touch(0o755)
    assert programs.find("sh") == str(own), "the search path goes first"


def test_networkmanager_is_undone_where_nmcli_does_not_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(programs, "PLACES", "")
    with pytest.raises(Unfinished, match=r"^this host has no 'nmcli', by which NetworkManager is asked: install "):
        networkmanager.await_profiles([("eth0", "of-eth0")])
    (tmp_path / "nmcli").touch(0o755)
    with pytest.raises(Unfinished, match=r"^nmcli: Exec format error$"):
        networkmanager.await_profiles([("eth0", "of-eth0")])
