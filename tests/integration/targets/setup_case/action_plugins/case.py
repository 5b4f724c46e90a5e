# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action `case`: one case of an integration target, in the rhythm that every module has to keep.

The module is the one that the target is named for, or `module`. `args` are its options. `expect` says what should
come of it:

- `changed` (default): a check run tells the truth and changes nothing, the run changes, the same again does not.
- `unchanged`: check run and run do nothing.
- `refused`: both fail with one sentence, which contains each word of `says`, and nothing is changed.
- `failed`: the kernel refuses on the way. The run fails with `says`; all is as it was before. The check run is free.
- `examples`: the examples of the module's page do what they should, as they stand, and nothing when they are run again.
- `missing`: something referred to isn't there yet. The check run warns with `says`, the run fails with it.

In place of these, `refuses` is a list of bad inputs, each with its `says`, and `with`: options on top of `args`.

Around that:

- `prepare`: shell commands before the first look; `cleanup`: shell commands at the very end.
- `warns`: words that a warning has to contain; `operations`: words that the operations have to contain.
- `returns`: {path: expected} in the result.
- `then`: what the kernel's own tools say after the run, as {command: expected}; `gone`: commands that have to fail.
- `anew`: regular expressions of the devices, each as `host.br0`, that the kernel can't but make anew. Without it, and
  without `recreate` in `args`, each device keeps its index.
- `undiffed`: true for a change that the options' words can't tell.
- `touches`: regular expressions of all that may differ between the dumps before and after, each a path such as
  `host.link.br0.mtu`.

An expected value is compared with all that the command prints (as JSON, where it is JSON) or, if it is a mapping, with
what is found at each of its paths: `a.b.0.c`, where `*` collects from all elements of a list, and a word finds the
equal element of a list of words. A list of a single element needs no `0`. Null stands for nothing there.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jinja2
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

DUMP = Path(__file__).parents[1] / "files" / "dump.py"
OPTIONS = {
    *(
        "module",
        "args",
        "expect",
        "says",
        "prepare",
        "cleanup",
        "warns",
        "operations",
        "then",
        "gone",
        "returns",
        "touches",
    ),
    *("refuses", "undiffed", "anew"),
}
SENTENCE = 700  # more than this nobody reads
LONG = 600
CHILDREN = "VNET_FORK" in os.environ
"""Whether modules run in children of a process that has them loaded, and not by a new interpreter each. What Ansible does
around a module is tried elsewhere, and on a kernel in user space an interpreter takes seconds to start."""


class Server:
    """A process that answers each line with one, in JSON."""

    def __init__(self, script: Path, *options: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, script, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, request: Any) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise AnsibleActionFail(f"{self._process.args} has no answer: see the log")
        return json.loads(line)


if CHILDREN:
    DUMPS, MODULES = Server(DUMP, "--serve"), Server(DUMP.with_name("modules.py"))


def at(value: Any, path: str) -> Any:
    """What is at a path, None where there is nothing."""
    parts = path.split(".") if path else []
    while parts:
        part = parts.pop(0)
        if part == "*":
            return [at(item, ".".join(parts)) for item in value or []]
        if isinstance(value, list) and not part.isdigit():
            if part in value:
                return part
            value = value[0] if len(value) == 1 else None
        try:
            value = value[int(part)] if isinstance(value, list) else value.get(part)
        except (IndexError, ValueError, AttributeError):
            return None
    return value


def brief(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= LONG else text[:LONG] + " ..."


def differences(old: Any, new: Any, path: str = "") -> list[str]:
    """One line per place where two dumps differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        found: list[str] = []
        for key in sorted({*old, *new}):
            found += differences(old.get(key), new.get(key), f"{path}.{key}" if path else str(key))
        return found
    if isinstance(old, list) and isinstance(new, list) and old != new:
        gone = [item for item in old if item not in new]
        come = [item for item in new if item not in old]
        return [f"{path}: {brief(gone)} -> {brief(come)}" if gone or come else f"{path}: the order changed"]
    return [] if old == new else [f"{path}: {brief(old)} -> {brief(new)}"]


def mentions(args: Any, option: str) -> bool:
    """Whether an option is on, in a task or in any entry of a topology."""
    if isinstance(args, dict):
        return bool(args.get(option)) or any(mentions(value, option) for value in args.values())
    return isinstance(args, list) and any(mentions(value, option) for value in args)


def filled(value: Any, item: Any) -> Any:
    """A task's options with an item of its loop."""
    if isinstance(value, dict):
        return {key: filled(one, item) for key, one in value.items()}
    if isinstance(value, list):
        return [filled(one, item) for one in value]
    return jinja2.Template(value).render(item=item) if isinstance(value, str) else value


def words(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible comes without type hints
    """One case: see the head of this file."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        self.vars = task_vars or {}
        self.problems: list[str] = []
        self.asserts = 0
        case = self._task.args
        unknown = sorted(set(case) - OPTIONS)
        if unknown:
            raise AnsibleActionFail(f"a case has no {', '.join(unknown)}")
        self.module = "linuxnet.vnet." + case.get("module", self.vars["ansible_role_name"])
        start = time.monotonic()
        for command in words(case.get("prepare")):
            self.demand(self.shell(command)[0] == 0, f"prepare failed: {command}: {self.shell_error}")
        try:
            if "refuses" in case:
                self.refuse_all(case)
            else:
                getattr(self, "expect_" + case.get("expect", "changed"))(case)
        finally:
            for command in words(case.get("cleanup")):
                self.demand(self.shell(command)[0] == 0, f"cleanup failed: {command}: {self.shell_error}")
        return {
            "changed": False,
            "failed": bool(self.problems),
            "msg": "; ".join(self.problems) or "as it should be",
            "problems": self.problems,
            "asserts": self.asserts,
            "seconds": round(time.monotonic() - start, 2),
        }

    # -- what is expected --------------------------------------------------------------------------------------------

    def expect_changed(self, case: dict[str, Any]) -> None:
        before = self.dump()
        indexes = self.indexes
        check = self.play(case["args"], check=True)
        self.succeeds("the check run", check)
        self.same("the check run changed the host", before, self.dump())
        real = self.play(case["args"])
        if not self.succeeds("the run", real):
            self.same("the failed run changed the host", before, self.dump())
            return
        after = self.dump()
        self.demand(real.get("changed") is True, "the run reports no change")
        self.demand(bool(differences(before, after)), "the run changed nothing that a dump shows")
        self.truthful(check, real)
        if not mentions(case["args"], "recreate"):
            self.keep(indexes, self.indexes, words(case.get("anew")))
        self.look(case, real, before, after)
        again = self.play(case["args"])
        if self.succeeds("the second run", again):
            self.idle("the second run", again)
            self.same("the second run changed the host", after, self.dump())

    def expect_unchanged(self, case: dict[str, Any]) -> None:
        before = self.dump()
        check = self.play(case["args"], check=True)
        if self.succeeds("the check run", check):
            self.idle("the check run", check)
        real = self.play(case["args"])
        if self.succeeds("the run", real):
            self.idle("the run", real)
        self.same("a run that was to change nothing did", before, self.dump())
        self.look(case, real, before, before)

    def expect_refused(self, case: dict[str, Any]) -> None:
        before = self.dump()
        for what, check in (("the check run", True), ("the run", False)):
            self.fails(what, self.play(case["args"], check=check), words(case.get("says")))
        self.same("the refused run changed the host", before, self.dump())
        self.look(case, {}, before, before)

    def expect_failed(self, case: dict[str, Any]) -> None:
        before = self.dump()
        self.play(case["args"], check=True)
        self.same("the check run changed the host", before, self.dump())
        self.fails("the run", self.play(case["args"]), words(case.get("says")))
        self.same("the failed run left the host changed", before, self.dump())
        self.look(case, {}, before, before)

    def expect_examples(self, case: dict[str, Any]) -> None:
        """As tools/run_examples.py has it, for pages of which the machine's kernel lacks too much. Loops are over plain items."""
        sys.path.insert(0, str(Path(__file__).parents[5] / "tools"))
        examples = importlib.import_module("examples")
        page = examples.Page.read(self.module.rpartition(".")[2])
        self.module = "linuxnet.vnet.vnet_veth"
        self.succeeds("making what pages take for granted", self.play(examples.UNDERLAY[self.module]))
        for example in page.in_order:
            self.module = next(key for key in example.task if "." in key)
            for again in (False, True):
                for item in example.task.get("loop", [None]):
                    result = self.play(filled(example.arguments, item))
                    problems = list(examples.problems_of(page, example, result, again))
                    self.demand(not problems, f"{example.task['name']}: {'; '.join(problems)}")

    def expect_missing(self, case: dict[str, Any]) -> None:
        before = self.dump()
        check = self.play(case["args"], check=True)
        if self.succeeds("the check run", check):
            self.contains("a warning of the check run", check["warnings"], words(case.get("says")))
            if self.module != "linuxnet.vnet.vnet_info":  # which changes nothing ever
                self.demand(check.get("changed") is True, "the check run reports no change")
                self.demand(bool(check.get("operations")), "the check run lists no operations")
        self.same("the check run changed the host", before, self.dump())
        self.fails("the run", self.play(case["args"]), words(case.get("says")))
        self.same("the failed run changed the host", before, self.dump())

    def refuse_all(self, case: dict[str, Any]) -> None:
        """Many bad inputs, each refused as `expect_refused` has it."""
        before = self.dump()
        for item in case["refuses"]:
            says = words(item.get("says"))
            args = {**case.get("args", {}), **item.get("with", {})}
            shown = json.dumps(item.get("with", {}))
            for what, check in (("check run", True), ("run", False)):
                self.fails(f"the {what} with {shown}", self.play(args, check=check), says)
            if not CHILDREN:
                self.same(f"the refused run with {shown} changed the host", before, self.dump())
        self.same("one of the refused runs changed the host", before, self.dump())

    # -- what is demanded --------------------------------------------------------------------------------------------

    def demand(self, fine: bool, otherwise: str) -> bool:
        self.asserts += 1
        if not fine:
            self.problems.append(otherwise)
        return fine

    def same(self, otherwise: str, old: Any, new: Any) -> None:
        found = differences(old, new)
        self.demand(not found, f"{otherwise}: {' | '.join(found[:8])}{' | ...' if len(found) > 8 else ''}")

    def keep(self, old: dict[str, int], new: dict[str, int], anew: list[str]) -> None:
        """Each device that is there before and after is the same one."""
        others = [name for name in old if name in new and old[name] != new[name]]
        odd = [name for name in others if not any(re.fullmatch(one, name) for one in anew)]
        self.demand(not odd, f"made anew: {', '.join(odd)}")

    def contains(self, what: str, text: Any, expected: list[Any]) -> None:
        text = json.dumps(text) if not isinstance(text, str) else text
        for word in expected:
            self.demand(str(word) in text, f"{what} does not say {word!r} but: {text}")

    def succeeds(self, what: str, result: dict[str, Any]) -> bool:
        return self.demand(not result.get("failed"), f"{what} failed: {result.get('msg')}")

    def idle(self, what: str, result: dict[str, Any]) -> None:
        operations = result.get("operations")
        self.demand(result.get("changed") is False and operations == [], f"{what} reports changes: {operations}")

    def fails(self, what: str, result: dict[str, Any], says: list[Any]) -> None:
        """It fails as a user should see it: one sentence, no change claimed, no traceback."""
        message = str(result.get("msg"))
        if self.demand(bool(result.get("failed")), f"{what} did not fail, operations: {result.get('operations')}"):
            self.contains(f"the message of {what}", message, says)
            self.demand("Traceback" not in json.dumps(result, default=str), f"{what} shows a traceback: {message}")
            self.demand("this is a bug" not in message, f"{what} hit a bug: {message}")
            self.demand("\n" not in message and 0 < len(message) < SENTENCE, f"{what} says no sentence: {message}")
        self.demand(not result.get("changed"), f"{what} failed and claims a change")

    def truthful(self, check: dict[str, Any], real: dict[str, Any]) -> None:
        for key in ("changed", "diff", "operations"):
            found = differences({key: check.get(key)}, {key: real.get(key)})
            self.demand(not found, f"check run and run differ in {'; '.join(found)}")
        self.demand(bool(real.get("operations")), "changed without operations")
        shown = real.get("diff") or {}
        self.demand(bool(self._task.args.get("undiffed")) or shown.get("before") != shown.get("after"), "no diff")

    def look(self, case: dict[str, Any], result: dict[str, Any], before: Any, after: Any) -> None:
        """The case's own demands."""
        self.contains("a warning", result.get("warnings", []), words(case.get("warns")))
        self.contains("the list of operations", result.get("operations", []), words(case.get("operations")))
        for path, expected in case.get("returns", {}).items():
            self.equal(f"the result's {path}", at(result, path), expected)
        for command, expected in case.get("then", {}).items():
            code, output = self.shell(command)
            if not self.demand(code == 0, f"{command} failed: {self.shell_error}"):
                continue
            try:
                value = json.loads(output)
            except ValueError:
                value = output.strip()
            if isinstance(expected, dict):
                for path, one in expected.items():
                    self.equal(f"{command} at {path}", at(value, path), one)
            else:
                self.equal(command, value, expected)
        for command in words(case.get("gone")):
            self.demand(self.shell(command)[0] != 0, f"{command} should fail, and says {self.shell_output}")
        if "touches" in case:
            patterns = words(case["touches"])
            if any(re.match(one, "") for one in patterns):
                raise AnsibleActionFail(f"touches: {patterns} is anything")
            odd = [line for line in differences(before, after) if not any(re.match(one, line) for one in patterns)]
            self.demand(not odd, f"this should have stayed: {' | '.join(odd[:8])}")

    def equal(self, what: str, found: Any, expected: Any) -> None:
        self.demand(found == expected, f"{what} is {json.dumps(found)} and not {json.dumps(expected)}")

    # -- how to get at it --------------------------------------------------------------------------------------------

    def shell(self, command: str) -> tuple[int, str]:
        if CHILDREN:
            run = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False)
            done = {"rc": run.returncode, "stdout": run.stdout, "stderr": run.stderr}
        else:
            done = self._low_level_execute_command(command, executable="/bin/sh")
        self.shell_error, self.shell_output = done["stderr"].strip(), done["stdout"].strip()
        return done["rc"], done["stdout"]

    def dump(self) -> Any:
        """All that has to stay; the indexes of devices, as `host.br0`, go to `indexes`."""
        found = self.dump_as_it_is()
        self.indexes: dict[str, int] = found.pop("indexes")
        return found

    def dump_as_it_is(self) -> Any:
        if CHILDREN:
            return DUMPS.ask(None)
        python = self.vars.get("ansible_python_interpreter", "python3")
        done = self._low_level_execute_command(f"{python} -", in_data=DUMP.read_bytes())
        if done["rc"]:
            raise AnsibleActionFail(f"the dump failed: {done['stderr']}")
        return json.loads(done["stdout"])

    def play(self, args: dict[str, Any], check: bool = False) -> dict[str, Any]:
        """Run the module as a task with `diff: true` would."""
        if "confirm_timeout" in args:
            result = self.play_by_action(args, check)
        elif CHILDREN:
            result = self.play_in_child(args, check)
        else:
            self._task.check_mode, self._task.diff = check, True
            result = self._execute_module(module_name=self.module, module_args=dict(args), task_vars=self.vars)
            self._task.check_mode = False
        result["warnings"] = [str(warning) for warning in result.get("warnings") or []]
        return dict(result)

    def play_by_action(self, args: dict[str, Any], check: bool) -> dict[str, Any]:
        """As above, with the part that the module's action has in it."""
        task = self._task.copy()
        task.action, task.args, task.check_mode, task.diff = self.module, dict(args), check, True
        action = self._shared_loader_obj.action_loader.get(
            self.module,
            task=task,
            connection=self._connection,
            play_context=self._play_context,
            loader=self._loader,
            templar=self._templar,
            shared_loader_obj=self._shared_loader_obj,
        )
        return dict(action.run(task_vars=self.vars))

    def play_in_child(self, args: dict[str, Any], check: bool) -> dict[str, Any]:
        asked = {**args, "_ansible_check_mode": check, "_ansible_diff": True, "_ansible_remote_tmp": "/run/home"}
        output = MODULES.ask([self.module.rpartition(".")[2], asked])
        try:
            return dict(json.loads(output))
        except ValueError:
            return {"failed": True, "msg": f"Traceback, no result: {output}"}
