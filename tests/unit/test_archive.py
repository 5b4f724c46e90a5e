# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sources in an archive are compiled once, and go by the names that Python would give them."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from ansible_collections.linuxnet.vnet.plugins.module_utils import bundle

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import collections, json, sys, zipimport

archive = sys.argv[1]
compiled = collections.Counter()
sys.addaudithook(lambda event, words: compiled.update([str(words[1])]) if event == "compile" else None)
sys.path.insert(0, archive)
import vnet.archive
import vnet.later, vnet.restore
vnet.later.load_all()

modules = [module for name, module in sys.modules.items() if name.partition(".")[0] == "vnet"]
counted = dict(compiled)  # before Python is asked for the names, for which it compiles them
def python_says(module):
    place, _slash, _name = module.__name__.replace(".", "/").rpartition("/")
    return zipimport.zipimporter(f"{archive}/{place}" if place else archive).get_filename(module.__name__)
print(json.dumps({
    "compiled": counted,
    "files": [module.__file__ for module in modules],
    "python": [python_says(module) for module in modules],
    "importers": {place: type(importer).__name__ for place, importer in sys.path_importer_cache.items()},
}))
"""


def test_sources_in_an_archive_are_compiled_once(tmp_path: Path) -> None:
    archive = tmp_path / "engine.pyz"
    archive.write_bytes(bundle.engine())
    command = [sys.executable, "-I", "-c", PROGRAM, str(archive)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    said = json.loads(done.stdout)
    assert len(said["files"]) > 70
    assert said["files"] == said["python"]
    before = {f"{archive}/vnet/__init__.py", f"{archive}/vnet/archive.py"}  # which Python loaded as it always does
    assert {said["compiled"][file] for file in said["files"] if file not in before} == {1}
    ours = {place for place, name in said["importers"].items() if name == "SourceImporter"}
    assert ours == {place for place in said["importers"] if place.startswith(str(archive))}
