# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark at its smallest: it runs, and all who took part built the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).resolve().parents[2] / "bench" / "run.py"


@pytest.mark.kernel
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make namespaces for the benchmark")
def test_end_states_are_equal() -> None:
    asked = "--quick --sizes 5 --repeat 1 --after 0 --settle 1 --peers floor module ip"
    done = subprocess.run([sys.executable, str(RUN), *asked.split()], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\n0 differences between end states" in done.stdout


def test_the_stopwatch_finds_all_that_it_times() -> None:
    code = "import stopwatch; stopwatch.Stopwatch().wrap_engine()"
    subprocess.run([sys.executable, "-c", code], cwd=RUN.parent, check=True)
