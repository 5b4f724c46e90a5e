# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host with more namespaces than a process may usually have files open."""

from __future__ import annotations

import errno
import os
import resource

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils import errors, namespaces
from ansible_collections.linuxnet.vnet.tests.unit.kernel.test_topology import everything, run
from ansible_collections.linuxnet.vnet.tests.unit.kernel.throwaway_kernel import differences, needs_root, on_a_new_host

pytestmark = needs_root

ENTRIES = {"name": "t", "namespaces": [{"name": f"n{number:03}"} for number in range(60)]}
BUSY = 40
"""Files that the tests themselves may have open."""


def with_a_low_limit(hard: int | None) -> None:
    before = everything()
    _soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (BUSY + 60, hard or most))
    if hard:
        with pytest.raises((errors.VnetError, OSError), match=r"[Tt]oo many open files"):
            run(ENTRIES)
    else:
        run(ENTRIES)
        assert run(ENTRIES).operations == []
        run({"name": "t", "state": "absent"})
    assert differences(before, everything()) == []


def test_the_limit_is_raised_as_far_as_it_goes() -> None:
    on_a_new_host(with_a_low_limit, None)


def test_where_it_does_not_go_further_all_is_undone() -> None:
    on_a_new_host(with_a_low_limit, BUSY + 60)


def test_it_is_not_raised_without_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "setrlimit", lambda _what, limits: given.append(limits))
    for soft, hard in ((1024, 524288), (1024, -1), (1024, 4096), (-1, -1), (1000000, -1)):
        monkeypatch.setattr(resource, "getrlimit", lambda _what, limits=(soft, hard): limits)
        namespaces.Namespaces().close()
    assert given == [(65536, 524288), (65536, -1), (4096, 4096)]


def test_a_name_that_one_may_not_open_is_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    of_the_host = namespaces.Namespaces()

    def refused(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", refused)
    assert of_the_host.descriptor("stale") is None
    monkeypatch.undo()
    of_the_host.close()


def test_that_limit_is_told_in_one_sentence() -> None:
    assert "ulimit" in str(errors.of_the_system(OSError(24, "Too many open files")))
    assert errors.of_the_system(OSError(1, "Operation not permitted")) is None
