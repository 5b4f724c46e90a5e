# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine against the real kernel: what the plan's model promises has to be what happens."""

from __future__ import annotations

from ansible_collections.linuxnet.vnet.plugins.module_utils import engine
from ansible_collections.linuxnet.vnet.plugins.module_utils.desired import (
    LinkWant,
    forward_want,
    namespace_want,
)
from ansible_collections.linuxnet.vnet.plugins.module_utils.errors import VnetError
from ansible_collections.linuxnet.vnet.plugins.module_utils.host import Host
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds import kind_of
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.link import LINK
from ansible_collections.linuxnet.vnet.tests.unit.kernel.throwaway_kernel import (
    bridges_filter_vlans,
    differences,
    dump,
    kinds_here,
    needs_root,
    on_a_new_host,
)
from ansible_collections.linuxnet.vnet.tests.unit.strategies import (
    NAMES,
    NAMESPACES,
    SYSCTL_FILE,
    Task,
    examples,
    single_tasks,
    tasks,
)
from hypothesis import given
from hypothesis import strategies as st

pytestmark = needs_root


def carry_out(task: Task) -> None:
    """One task as a user would run it: check, run, and run again, judged by the kernel's own tools."""
    before = dump()
    promised, refusal = attempt(task, check=True)
    assert differences(before, dump()) == [], f"a check run changed something: {refusal}"
    done, failure = attempt(task)
    if promised is None or done is None:
        assert done is None
        assert "this is left to do by hand" not in failure
        assert "did not keep" not in failure
        assert differences(before, dump()) == [], f"what was undone is not as before: {failure}"
        return
    assert (done.operations, done.diff, done.changed) == (promised.operations, promised.diff, promised.changed)
    after = dump()
    assert (after != before) == done.changed, done.operations
    again = engine.run(task)
    assert again.operations == []
    assert differences(after, dump()) == []


def attempt(task: Task, check: bool = False) -> tuple[engine.Result | None, str]:
    """What a run returned, or else what it said."""
    try:
        return engine.run(task, check=check), ""
    except VnetError as exc:
        return None, str(exc)


def history(*events: Task) -> None:
    vlans = bridges_filter_vlans()
    clean_up()
    empty = dump()
    engine.run(tuple(namespace_want({"name": netns}) for netns in NAMESPACES[1:]))
    for task in events:
        carry_out(makeable(task if vlans else without_vlans(task)))
    clean_up()
    assert differences(empty, dump()) == []


def without_vlans(task: Task) -> Task:
    return Task(
        want._replace(options={name: value for name, value in want.options.items() if not name.startswith("vlan_")})
        if isinstance(want, LinkWant)
        else want
        for want in task
    )


def makeable(task: Task) -> Task:
    """Without the devices that the running kernel can't make."""
    kinds = (LINK, *kinds_here())
    return Task(want for want in task if not isinstance(want, LinkWant) or want.kind in kinds)


def clean_up() -> None:
    """Everything absent that any of the random tasks may have made."""
    for netns in NAMESPACES[1:]:
        engine.run((namespace_want({"name": netns, "state": "absent"}),))
    for name in NAMES:
        with Host() as host:
            raw = host.link("", name)
        if raw:
            engine.run((LinkWant(kind_of(raw.kind), "", name, absent=True),))
    # A new namespace forwards where the machine does, so this is for the beginning too.
    engine.run((forward_want({"ipv4": False, "ipv6": False, "persist": False, "sysctl_file": SYSCTL_FILE}),))


@examples(12)
@given(st.lists(st.one_of(tasks(least=5), tasks(least=3), single_tasks()), min_size=2, max_size=4))
def test_any_history_of_tasks_holds_what_it_promises_and_leaves_nothing(events: list[Task]) -> None:
    on_a_new_host(history, *events)
