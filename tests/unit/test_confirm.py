# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of `confirm_timeout` that need no host."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils import confirm, engine
from ansible_collections.linuxnet.vnet.plugins.module_utils.errors import Refused
from ansible_collections.linuxnet.vnet.plugins.plugin_utils import confirm as controller


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


# -- the controller's half ---------------------------------------------------------------------------------------------


class Answering(controller.Host):
    """A host that gives these answers in turn, the last of them for ever, each after so many seconds of a clock of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answers: list[str | None], takes: float) -> None:
        super().__init__(None, "/run/vnet/confirm/1")
        self.answers, self.takes = answers, takes
        self.now = 1000.0
        self.asked: list[str] = []
        self.forgot = False
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        monkeypatch.setattr(time, "sleep", self.passes)

    def passes(self, seconds: float) -> None:
        self.now += seconds

    def ask(self, command: str) -> str | None:
        self.passes(self.takes)
        self.asked.append(command)
        if command == "touch begin":
            return ""
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def forget(self) -> None:
        self.forgot = True


PLANNED = {"changed": True, "operations": ["ip link add br0 type bridge"], "warnings": ["w"], "link": {}}


def said(monkeypatch: pytest.MonkeyPatch, *answers: str | None, takes: float = 0.1) -> tuple[dict[str, Any], Answering]:
    host = Answering(monkeypatch, list(answers), takes)
    action = controller.ActionModule.__new__(controller.ActionModule)
    return controller.ActionModule.confirmed(action, PLANNED, host, 30.0), host


def verdict(**words: Any) -> str:
    return "begin\nverdict\nworker\n" + json.dumps(words)


@pytest.mark.parametrize("takes", [0.1, 9.5, 60.0])
def test_what_was_confirmed_is_the_result_however_slow_the_connections_are(
    monkeypatch: pytest.MonkeyPatch, takes: float
) -> None:
    kept = verdict(outcome="kept", shown={"link": {"name": "br0"}})
    result, host = said(monkeypatch, "begin\nworker", None, "begin\npending\nworker", kept, takes=takes)
    assert result == {**PLANNED, "link": {"name": "br0"}}
    assert host.asked == ["touch begin", *[controller.LOOK] * 3, controller.CONFIRM]
    assert host.forgot


def test_a_host_that_can_be_reached_may_take_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    working: list[str | None] = ["begin\nworker"] * 50
    result, _host = said(monkeypatch, *working, "pending", "confirmed\nworker", verdict(outcome="kept"), takes=9.5)
    assert result == PLANNED


def test_what_the_host_undid(monkeypatch: pytest.MonkeyPatch) -> None:
    result, host = said(monkeypatch, None, None, verdict(outcome="undone", msg="nobody confirmed it"))
    assert result == {
        "failed": True,
        "changed": False,
        "warnings": ["w"],
        "msg": "the change was undone, as nobody confirmed it",
    }
    assert controller.CONFIRM not in host.asked
    assert host.forgot


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([verdict(outcome="failed", msg="the kernel said no")], "the kernel said no"),
        ([None], "could not be reached any more after the change; by itself it goes back .* 30 seconds"),
        (["pending", None], "was reached after the change, and then no more: either"),
        (["worker", None, "gone"], "nothing of the change any more, which was not confirmed"),
        (["pending", None, "gone"], "nothing of the change any more, though it may have been confirmed"),
        (["dead\nbegin\nworker"], "ended by somebody, so that nothing undoes it"),
        (["pending\n{", "dead\npending\n{"], "ended by somebody"),
    ],
)
def test_what_else_may_come_of_it(monkeypatch: pytest.MonkeyPatch, answers: list[str | None], words: str) -> None:
    result, host = said(monkeypatch, *answers)
    assert result["failed"]
    assert not result["changed"]
    assert "operations" not in result
    with pytest.raises(Refused, match=words):
        raise Refused(result["msg"])
    assert host.now < 1000 + 30 + controller.AFTER_SECONDS + 5
