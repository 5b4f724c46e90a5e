# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""Imported before others for what it does: a module that runs from an archive starts, and ends, sooner.

Ansible sends a module's sources in an archive without bytecode. Python's importer compiles each of them twice: once to
learn the name of its file, of which it needs nothing but the name, and once to run it. And what runs from there makes
one run and ends: looking for cycles in what it holds costs a twentieth of its time and frees next to nothing.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import Any
from zipimport import zipimporter


class SourceImporter(zipimporter):
    """An importer from an archive of sources."""

    def get_filename(self, fullname: str) -> str:
        """The file of a module that the archive has, by its name alone."""
        name = fullname.rpartition(".")[2]
        ending = f"{os.sep}__init__.py" if self.is_package(fullname) else ".py"
        return f"{self.archive}{os.sep}{self.prefix}{name}{ending}"


def compile_once(archive: str) -> None:
    """Let this importer find what is in the archive; whatever else is imported goes as before."""

    def hook(place: str) -> SourceImporter:
        if not place.startswith(archive):
            raise ImportError(place)
        return SourceImporter(place)

    sys.path_hooks.insert(0, hook)
    for place in [place for place in sys.path_importer_cache if place.startswith(archive)]:
        del sys.path_importer_cache[place]


loader: Any = __spec__.loader  # of another kind where this is a file, as on Ansible's controller
if isinstance(loader, zipimporter):
    compile_once(loader.archive)
    gc.disable()

from . import python  # noqa: E402, F401  # for what it does  # pylint: disable=unused-import,wrong-import-position
