# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the EXAMPLES of every module's page, as they stand, each page on a throwaway host of its own.

The tasks of a page are run in their order, each twice on end: the second time it may change nothing. What undoes others
(``state: absent``, ``persist: false``) comes last. What tasks return is compared with what RETURN says.

What a kernel lacks is left out, and said so. Where it is something that not every kernel has, the target of the page has to
run the examples on the second kernel.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from examples import MODULES, UNDERLAY, Example, Page, problems_of
from throwaway_host import ThrowawayError, tun_problem
from throwaway_lab import Lab

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[1]
TARGETS = ROOT / "tests" / "integration" / "targets"
PARALLEL = 2
PLAY_SECONDS = 300

# What runs as long as the host does.
SWITCH = """
mkdir -p /run/openvswitch
ovsdb-tool create /run/openvswitch/conf.db /usr/share/openvswitch/vswitch.ovsschema
ovsdb-server /run/openvswitch/conf.db --remote=punix:/run/openvswitch/db.sock --pidfile --detach --no-chdir --log-file=/run/openvswitch/db.log
ovs-vsctl --no-wait init
ovs-vswitchd --pidfile --detach --no-chdir --log-file=/run/openvswitch/switch.log
"""

# What the examples of a page speak of besides.
PREPARATIONS: dict[str, list[dict[str, Any]]] = {
    "vnet_link": [
        # Told from the other end, which stays where it is.
        {
            "name": "Give the host a second network card",
            "linuxnet.vnet.vnet_veth": {"name": "underlay1", "peer": {"name": "eth1"}},
        },
        {
            "name": "Make a device as a hypervisor does",
            "linuxnet.vnet.vnet_veth": {"name": "vm7", "peer": {"name": "vnet7"}},
        },
    ],
    "vnet_ovs_bridge": [
        {
            "name": "Start Open vSwitch",
            "ansible.builtin.shell": SWITCH,
            "args": {"creates": "/run/openvswitch/db.sock"},
        },
    ],
    "vnet_topology": [
        {
            "name": "Set up a bridge by hand",
            "linuxnet.vnet.vnet_bridge": {"name": "br-office", "mac": "52:54:00:00:0c:01"},
        },
    ],
    "vnet_info": [
        {"name": "Make a container's namespace", "linuxnet.vnet.vnet_netns": {"name": "web"}},
        {
            "name": "Wire the container to the host",
            "linuxnet.vnet.vnet_veth": {
                "name": "web0",
                "peer": {"name": "eth0", "netns": "web", "addresses": ["192.168.9.10/24"]},
            },
        },
    ],
}

# What a throwaway host has for itself (see throwaway_host.py). The rest of the file system is the machine's.
PRIVATE = ("/etc/", "/run/", "/tmp/", "/var/tmp/")

# Options and modules whose part not every kernel has, and what finds out.
PROBES = {
    "vlan_filtering": "type bridge vlan_filtering 1",
    "vlans": "type bridge vlan_filtering 1",
    "vnet_dummy": "type dummy",
    "vnet_geneve": "type geneve id 1 remote 192.0.2.1",
    "vnet_ipvlan": "link lo type ipvlan",
    "vnet_vlan": "link lo type vlan id 1",
    "vnet_vrf": "type vrf table 1",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the pages that the command line names; return 1 when an example failed."""
    known = sorted(path.stem for path in MODULES.glob("vnet_*.py"))
    parser = argparse.ArgumentParser(prog="./dev examples", description="Run the examples of the modules' pages.")
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="by default all")
    parser.add_argument("--lab", type=Path, metavar="DIR", help="use this lab, and leave its hosts there")
    arguments = parser.parse_args(argv)
    unknown = set(arguments.modules) - set(known)
    if unknown:
        parser.error(f"no module is named {', '.join(sorted(unknown))}; there are: {', '.join(known)}")
    pages = [Page.read(module) for module in arguments.modules or known]
    with tempfile.TemporaryDirectory(prefix="vnet-examples-") as directory:
        work = Path(directory)
        lab = Lab(arguments.lab.absolute() if arguments.lab else work / "lab")
        try:
            lab.up([page.host for page in pages])
            with ThreadPoolExecutor(PARALLEL) as pool:
                for page in pool.map(lambda page: carry_out(page, lab, work / page.module), pages):
                    report(page)
        except ThrowawayError as error:
            print(f"run_examples: {error}", file=sys.stderr)
            return 1
        finally:
            if not arguments.lab:
                lab.down()
    return summary(pages)


def carry_out(page: Page, lab: Lab, work: Path) -> Page:
    """Run a page's examples on its host, and note at each what is wrong."""
    reasons = reasons_to_skip(page, lab)
    if page.error:
        return page
    for example in page.examples:
        example.skipped = next(
            (reasons[what] for what in reasons if what == page.module or is_about(example, what)), ""
        )
        written = str(example.arguments.get("dest", example.arguments.get("sysctl_file", "/etc/")))
        if not written.startswith(PRIVATE):
            example.skipped = f"it would write to {written}, which is the machine's own"
    examples = page.in_order
    results = play(page, [UNDERLAY, *PREPARATIONS.get(page.module, [])], examples, lab, work) if examples else []
    for example, (first, again) in zip(examples, results):
        example.problems += [*problems_of(page, example, first, False), *problems_of(page, example, again, True)]
    return page


def is_about(example: Example, what: str) -> bool:
    """Whether an example uses this option, or is a task of this module."""
    return what in example.arguments or any(key.endswith(f".{what}") for key in example.task)


def reasons_to_skip(page: Page, lab: Lab) -> dict[str, str]:
    """By option or module, why it can't be tried here."""
    reasons = {}
    problem = tun_problem()
    if problem:
        reasons["vnet_tuntap"] = reasons["tuntaps"] = problem
    for what, words in PROBES.items():
        if what == page.module or any(is_about(example, what) for example in page.examples):
            done = lab.run(page.host, "ip", "link", "add", "name", "probe", *words.split(), check=False)
            if not done.returncode:
                lab.run(page.host, "ip", "link", "delete", "dev", "probe")
            elif not is_run_elsewhere(page.module):
                page.error = f"this kernel has no {what}, and the target's uml.yml does not run the examples"
            else:
                reasons[what] = f"this kernel has no {what} ({done.stderr.strip()}); the second one runs it"
    return reasons


def is_run_elsewhere(module: str) -> bool:
    """Whether the target runs the examples of its page on the second kernel."""
    path = TARGETS / module / "tasks" / "uml.yml"
    return path.exists() and "expect: examples" in path.read_text(encoding="utf-8")


def play(
    page: Page, setup: list[dict[str, Any]], examples: list[Example], lab: Lab, work: Path
) -> list[list[dict[str, Any]]]:
    """Run the tasks as a playbook, each though the one before failed; return for each what it returned at first and again."""
    work.mkdir()
    names = [example.task.get("register", f"example_{number}") for number, example in enumerate(examples)]
    tasks = list(setup)
    for name, example in zip(names, examples):
        tasks += [{**example.task, "register": found, "ignore_errors": True} for found in (name, f"{name}_again")]
    pairs = ", ".join(f"[{name}, {name}_again]" for name in names)
    tasks.append(
        {
            "name": "Note the results",
            "ansible.builtin.copy": {
                "content": f"{{{{ [{pairs}] | to_json }}}}",
                "dest": str(work / "results"),
                "mode": "0600",
            },
            "delegate_to": "localhost",
            "vars": {"ansible_connection": "local", "ansible_python_interpreter": sys.executable},
        }
    )
    playbook = work / "playbook.yml"
    plays = [
        {
            "name": f"Examples of {page.module}",
            "hosts": page.host,
            "gather_facts": False,
            "tasks": tasks,
        }
    ]
    playbook.write_text(yaml.safe_dump(plays, sort_keys=False), encoding="utf-8")
    done = subprocess.run(
        [
            str(Path(sys.executable).parent / "ansible-playbook"),
            *("--inventory", str(lab.directory / "inventory.yml")),
            str(playbook),
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**os.environ, **ansible_environment(work)},
        timeout=PLAY_SECONDS,
        check=False,
    )
    results = work / "results"
    if done.returncode or not results.exists():
        page.error = f"ansible-playbook ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return []
    found: list[list[dict[str, Any]]] = json.loads(results.read_text(encoding="utf-8"))
    return found


def ansible_environment(work: Path) -> dict[str, str]:
    """Say what Ansible needs to find the collection in the checkout, and nothing of the user's."""
    cache = str(ROOT / ".cache")
    return {
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": cache,
        "ANSIBLE_COLLECTIONS_PATH": cache,
        "ANSIBLE_HOME": str(work / "ansible"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_NOCOLOR": "true",
        "ANSIBLE_PIPELINING": "true",
    }


def report(page: Page) -> None:
    """Print how each example of a page went."""
    if page.error:
        print(f"FAILED   {page.module}: {page.error}")
    for example in page.examples:
        result = "skipped" if example.skipped else "FAILED" if example.problems else "ok"
        print(f"{result:8} {page.module}: {example.task['name']}")
        for problem in filter(None, [example.skipped, *example.problems]):
            print(f"             {problem}")
    sys.stdout.flush()


def summary(pages: list[Page]) -> int:
    """Print the closing line; return the exit code."""
    examples = [example for page in pages for example in page.examples]
    failed = sum(bool(example.problems) for example in examples) + sum(bool(page.error) for page in pages)
    skipped = sum(bool(example.skipped) for example in examples)
    print(f"{len(examples) - failed - skipped} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not examples else 0


if __name__ == "__main__":
    sys.exit(main())
