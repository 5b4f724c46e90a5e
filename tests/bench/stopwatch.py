# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a payload of vnet_topology and note where its time goes: stopwatch.py PAYLOAD TIMES.json.

The engine's functions are wrapped from here, so that no line of the collection is about timing. What comes before
(the interpreter, unpacking) is the rest of what the caller measured.
"""

from __future__ import annotations

import functools
import importlib
import json
import runpy
import sys
import time
import types
from collections import defaultdict
from pathlib import Path
from typing import Any, Callable

UTILS = "ansible_collections.linuxnet.vnet.plugins.module_utils"


class Stopwatch:
    """Each moment counts for the innermost part that is running."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self._running = ["unpacking"]
        self._since = time.perf_counter()

    def charge(self) -> None:
        moment = time.perf_counter()
        self.spent[self._running[-1]] += moment - self._since
        self._since = moment

    def turn_to(self, part: str) -> None:
        """From now on, what is in no part that was wrapped counts for this one."""
        self.charge()
        self._running[0] = part

    def wrap(self, owner: Any, name: str, part: str, after: str = "") -> None:
        """Let calls of a function count for a part. What verifying calls is part of verifying."""
        function = getattr(owner, name)

        @functools.wraps(function)
        def timed(*arguments: Any, **keywords: Any) -> Any:
            self.charge()
            self._running.append("verify" if "verify" in self._running else part)
            try:
                return function(*arguments, **keywords)
            finally:
                self.charge()
                self._running.pop()
                if after:
                    self.turn_to(after)

        setattr(owner, name, timed)

    def wrap_engine(self) -> None:
        """Time the parts of a run; `apply` is handed what verifies."""
        engine: Any = importlib.import_module(f"{UTILS}.engine")
        applying: Any = importlib.import_module(f"{UTILS}.apply")
        apply: Callable[..., None] = applying.apply

        def apply_and_verify(host: Any, plan: Any, verify: Callable[[], None]) -> None:
            box = types.SimpleNamespace(verify=verify)
            self.wrap(box, "verify", "verify")
            apply(host, plan, box.verify)

        applying.apply = apply_and_verify
        for owner, part in ((engine, "retrieve"), (engine, "plan"), (applying, "apply")):
            self.wrap(owner, part, part)
        self.wrap(engine, "run", "lock, diff, closing", after="answer")


def main() -> None:
    payload, times = Path(sys.argv[1]), Path(sys.argv[2])
    watch = Stopwatch()
    run_module = runpy.run_module

    def timed_run_module(*arguments: Any, **keywords: Any) -> Any:
        # The payload has put its archive on sys.path by now.
        watch.turn_to("imports")
        watch.wrap_engine()
        watch.turn_to("options")
        return run_module(*arguments, **keywords)

    runpy.run_module = timed_run_module
    sys.argv = [str(payload)]
    try:
        code = compile(payload.read_bytes(), str(payload), "exec")
        exec(code, {"__name__": "__main__", "__file__": str(payload)})
    finally:
        watch.charge()
        times.write_text(json.dumps(watch.spent), encoding="utf-8")


if __name__ == "__main__":
    main()
