# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an earlier run packed is taken where all that it was packed from is the same, and never else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Callable

import ansible
import pytest
from ansible import constants
from ansible.plugins.loader import module_utils_loader
from ansible_collections.linuxnet.vnet.plugins.plugin_utils import packed

NAME = packed.NAMES.format(module="vnet_x").replace("*", "ZIP_DEFLATED")

SOURCES = (
    "meta/runtime.yml",
    "plugins/modules/vnet_x.py",
    "plugins/module_utils/kinds/a.py",
    "other/b.py",
    "ansible/executor/module_common.py",
    "ansible/config/ansible_builtin_runtime.yml",
    "ansible/_internal/_ansiballz/c.py",
)


class Controller:
    """Runs of one controller: a collection, what was kept of earlier runs, and the temporary directory of each run."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.directory, self.monkeypatch, self.runs = directory, monkeypatch, 0
        self.home = directory / "home"
        self.collection = directory / "collection"
        self.home.mkdir()
        for name in SOURCES:
            self.source(name).parent.mkdir(parents=True, exist_ok=True)
            self.source(name).write_text("one")
        self.cache = directory
        monkeypatch.setattr(packed, "COLLECTION", self.collection)
        monkeypatch.setattr(packed, "ANSIBLE", self.source("ansible"))
        monkeypatch.setattr(
            module_utils_loader, "_get_paths", lambda **_options: [str(self.source("other")), "/nowhere"]
        )
        monkeypatch.setattr(constants.config, "get_config_value", {"ANSIBLE_HOME": str(self.home)}.__getitem__)
        self.next_run()

    def source(self, name: str) -> Path:
        return self.collection / name

    def next_run(self) -> None:
        self.runs += 1
        temporary = self.directory / f"run{self.runs}"
        temporary.mkdir()
        self.monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(temporary))
        self.cache = temporary / "ansiballz_cache"

    def task(self, meanwhile: Callable[[], object] = lambda: None) -> str:
        """Who packed what this task ran: `packed N`, where N is the run."""
        with packed.kept("vnet_x"):
            path = self.cache / NAME
            if not path.exists():  # as Ansible does it
                self.cache.mkdir(exist_ok=True)
                path.write_text(f"packed {self.runs}")
                for ending in (".lock", "-part"):
                    (self.cache / f"{NAME}{ending}").touch()
            meanwhile()
            return path.read_text()

    def run(self) -> str:
        self.next_run()
        return self.task()

    @property
    def stored(self) -> Path:
        return self.home / "linuxnet.vnet" / NAME


@pytest.fixture(name="controller")
def fixture_controller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Controller:
    return Controller(tmp_path, monkeypatch)


def test_the_next_run_takes_what_the_first_packed(controller: Controller) -> None:
    assert [controller.task(), controller.task(), controller.run(), controller.run()] == ["packed 1"] * 4
    assert os.listdir(controller.stored.parent) == [NAME], "no lock, and nothing unfinished"
    assert controller.stored.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", SOURCES)
def test_with_another_source_it_is_packed_anew(controller: Controller, name: str) -> None:
    controller.task()
    before = controller.source(name).stat()
    controller.source(name).write_text("two")
    # As where all files of a host have the time of its image.
    os.utime(controller.source(name), ns=(before.st_atime_ns, before.st_mtime_ns))
    assert [controller.run(), controller.run()] == ["packed 2"] * 2
    controller.source(name).write_text("one")
    assert controller.run() == "packed 4"


def test_with_one_source_more_it_is_packed_anew(controller: Controller) -> None:
    controller.task()
    controller.source("other/a.py").touch()
    assert controller.run() == "packed 2"


def test_with_another_ansible_it_is_packed_anew(controller: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    controller.task()
    monkeypatch.setattr(ansible, "__version__", "2.99.0")
    assert controller.run() == "packed 2"
    monkeypatch.setattr(sys, "version", "4.0")
    assert controller.run() == "packed 3"


def test_what_others_pack_meanwhile_is_kept_by_who_knows_the_sources_from_before(controller: Controller) -> None:
    with packed.kept("vnet_x"):
        controller.source("other/b.py").write_text("two")
        with packed.kept("vnet_x"):
            (controller.cache / NAME).write_text("packed of one")
    assert not controller.stored.exists()


def test_where_sources_may_be_behind_a_link_nothing_is_kept(controller: Controller) -> None:
    (controller.directory / "elsewhere").mkdir()
    controller.source("other/linked").symlink_to(controller.directory / "elsewhere")
    assert [controller.task(), controller.run()] == ["packed 1", "packed 2"]
    assert not controller.stored.exists()


def test_a_name_that_is_no_text_is_as_good_as_any(controller: Controller) -> None:
    Path(os.fsdecode(os.fsencode(controller.source("other")) + b"/\xff.py")).touch()
    assert [controller.task(), controller.run()] == ["packed 1"] * 2


def test_who_is_interrupted_leaves_nothing_unfinished(controller: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_paths: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        controller.task()
    assert not os.listdir(controller.stored.parent)


def test_what_changed_while_it_was_packed_is_not_kept(controller: Controller) -> None:
    controller.task(lambda: controller.source("plugins/modules/vnet_x.py").write_text("two"))
    assert not controller.stored.exists()
    assert [controller.run(), controller.run()] == ["packed 2"] * 2


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(path.read_bytes() + b"\n"),
        lambda path: path.write_bytes(b"x" + path.read_bytes()[1:]),
        lambda path: path.write_bytes(b""),
        lambda path: path.chmod(0o620),
        lambda path: path.chmod(0o602),
    ],
    ids=["cut", "longer", "digest", "empty", "group", "others"],
)
def test_what_is_spoilt_or_open_to_others_is_packed_anew(
    controller: Controller, spoil: Callable[[Path], object]
) -> None:
    controller.task()
    spoil(controller.stored)
    assert [controller.run(), controller.run()] == ["packed 2"] * 2


def test_what_somebody_else_wrote_is_packed_anew(controller: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    controller.task()
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    assert controller.run() == "packed 2"


def test_where_nothing_can_be_kept_all_else_is_as_ever(controller: Controller) -> None:
    controller.home.rmdir()
    controller.home.write_text("no directory")
    assert [controller.task(), controller.run()] == ["packed 1", "packed 2"]
    controller.home.unlink()
    controller.source("meta/runtime.yml").unlink()
    assert [controller.run(), controller.run()] == ["packed 3", "packed 4"]


def test_what_fails_is_not_kept(controller: Controller) -> None:
    def fail() -> None:
        raise ValueError("by Ansible")

    with pytest.raises(ValueError, match="by Ansible"):
        controller.task(fail)
    assert not os.listdir(controller.home)


def test_ansible_runs_the_code_that_is_there(tmp_path: Path) -> None:
    collection = tmp_path / "ansible_collections" / "linuxnet" / "vnet"
    for part in ("plugins", "meta"):
        shutil.copytree(Path(packed.__file__).parents[2] / part, collection / part)
    module = collection / "plugins" / "modules" / "vnet_topology.py"
    kept = tmp_path / "home" / "linuxnet.vnet"
    kept.parent.mkdir()

    def said() -> str:
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("ansible")),
                "localhost",
                "-c",
                "local",
                "-m",
                "linuxnet.vnet.vnet_topology",
            ],
            env={
                **os.environ,
                "ANSIBLE_HOME": str(tmp_path / "home"),
                "ANSIBLE_COLLECTIONS_PATH": str(tmp_path),
                "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout + done.stderr

    assert "missing required arguments: name" in said()
    (path,) = kept.iterdir()
    assert "modules.vnet_topology-" in path.name
    first = path.stat().st_mtime_ns
    assert "missing required arguments: name" in said()
    assert path.stat().st_mtime_ns == first, "it was taken"
    module.write_text("#!/usr/bin/python\nimport ansible.module_utils.basic\nraise SystemExit('another code')\n")
    assert "another code" in said()
    (path,) = kept.iterdir()
    assert path.stat().st_mtime_ns > first
