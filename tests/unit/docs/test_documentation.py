# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules' pages against the code: options, examples and return values. A page is what ansible-doc makes of it."""

from __future__ import annotations

import ast
import functools
import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils import basic
from ansible_collections.linuxnet.vnet.plugins.module_utils import module as rim
from ansible_collections.linuxnet.vnet.plugins.module_utils import module_topology, netlink
from ansible_collections.linuxnet.vnet.plugins.module_utils.desired import (
    LinkWant,
    NamespaceWant,
    NatWant,
    OvsWant,
    PortWant,
    RowWant,
)
from ansible_collections.linuxnet.vnet.plugins.module_utils.engine import Result
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds import LINK_KINDS, ROW_KINDS
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.base import LinkKind, Option
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.bridge_port import PORT_OPTIONS, VLANS
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.link import LINK
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.nat import NAT_IDENTITY, NAT_OPTIONS
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.ovs_bridge import OVS_IDENTITY, OVS_OPTIONS
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.route import with_metrics
from ansible_collections.linuxnet.vnet.plugins.module_utils.ovs_table import OvsBridge
from ansible_collections.linuxnet.vnet.plugins.module_utils.plan import plan
from ansible_collections.linuxnet.vnet.plugins.module_utils.route_metrics import TYPES
from ansible_collections.linuxnet.vnet.plugins.module_utils.rows import (
    ALL_ZEROS,
    NTF_PROXY,
    ONLINK,
    Fdb,
    Neighbor,
    Route,
    Row,
    Rule,
)
from ansible_collections.linuxnet.vnet.plugins.module_utils.state import Addr, Forward, Link, Nat, State, Vlan, Vni
from ansible_collections.linuxnet.vnet.plugins.module_utils.topology import topology_wants

ROOT = Path(__file__).resolve().parents[3]
COLLECTION = "linuxnet.vnet"
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("vnet_*.py"))
LINK_MODULES = {kind.module: kind for kind in (LINK, *LINK_KINDS)}
ROW_MODULES = {kind.module: kind for kind in ROW_KINDS}
OURS = sorted(
    [
        *LINK_MODULES,
        *ROW_MODULES,
        "vnet_bridge_port",
        "vnet_nat",
        "vnet_netns",
        "vnet_ovs_bridge",
        "vnet_sysctl_forward",
        "vnet_topology",
    ]
)
"""The modules that change something; vnet_info's result is its own."""

SAID_ANEW = {"vnet_link": {"name", "state", "netns", "recreate"}, "vnet_vrf": {"mtu"}}
"""Shared options that mean something else to a module that makes no devices."""

PARAMETERS: dict[str, dict[str, Any]] = {
    "vnet_nat": {"name": "x", "source": ["192.0.2.0/24"]},
    "vnet_netns": {"name": "x", "sysctl": {"net.ipv4.ip_forward": 1}},
    "vnet_route": {"destination": "default", "netns": "web"},
    "vnet_rule": {
        "priority": 5,
        "from": "192.0.2.0/24",
        "to": "10.0.0.0/8",
        "iif": "x",
        "oif": "y",
        "fwmark": "0x1",
        "tos": 16,
        "ipproto": "tcp",
        "sport": "80",
        "dport": "1-2",
        "uidrange": "0-9",
        "not": True,
        "netns": "web",
    },
    "vnet_neighbor": {"device": "x", "address": "192.0.2.9", "netns": "web", "proxy": True},
    "vnet_fdb": {"device": "x", "mac": "02:00:00:00:00:09", "netns": "web", "vlan": 7},
    "vnet_topology": {"name": "x", "namespaces": [{"name": "web"}], "routes": [{"destination": "default"}]},
    "vnet_sysctl_forward": {"ipv4": True},
}


class Stopped(Exception):
    """Carries out of a module what was waited for."""


@functools.cache
def pages() -> dict[str, Any]:
    """What ansible-doc knows of each module, fragments included."""
    environment = {
        **os.environ,
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": str(ROOT / ".cache"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache"),
    }
    command = [str(Path(sys.executable).parent / "ansible-doc"), "--type", "module", "--json"]
    done = subprocess.run(
        [*command, *(f"{COLLECTION}.{module}" for module in MODULES)],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return {name.rsplit(".", 1)[1]: page for name, page in found.items()}


def run_module(monkeypatch: pytest.MonkeyPatch, module: str, parameters: dict[str, Any]) -> None:
    arguments = {"ANSIBLE_MODULE_ARGS": {**parameters, "_ansible_diff": True}}
    monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps(arguments).encode())
    monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
    importlib.import_module(f"ansible_collections.{COLLECTION}.plugins.modules.{module}").main()


def argument_spec(monkeypatch: pytest.MonkeyPatch, module: str) -> dict[str, Any]:
    """The argument spec that the module hands to Ansible."""

    def stop(_module: Any, argument_spec: dict[str, Any], **_: Any) -> None:
        raise Stopped(argument_spec)

    monkeypatch.setattr(basic.AnsibleModule, "__init__", stop)
    with pytest.raises(Stopped) as stopped:
        run_module(monkeypatch, module, {})
    spec: dict[str, Any] = stopped.value.args[0]
    return spec


def comparable(option: dict[str, Any], nested: str) -> dict[str, Any]:
    """An option of a page or of an argument spec, in one shape."""
    shape = {key: option.get(key) for key in ("choices", "default", "elements")}
    shape["type"] = option.get("type", "str")
    shape["required"] = bool(option.get("required"))
    shape["aliases"] = sorted(option.get("aliases") or [])
    if isinstance(shape["choices"], dict):
        shape["choices"] = list(shape["choices"])
    shape["options"] = {name: comparable(inner, nested) for name, inner in (option.get(nested) or {}).items()}
    return shape


# --- (a) options ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", MODULES)
def test_documented_options_are_the_argument_spec(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    spec = argument_spec(monkeypatch, module)
    documented = {name: comparable(option, "suboptions") for name, option in pages()[module]["doc"]["options"].items()}
    assert documented == {name: comparable(option, "options") for name, option in spec.items()}


TABLES: dict[str, tuple[Option, ...]] = {
    **{module: kind.common + kind.options for module, kind in LINK_MODULES.items()},
    **{module: kind.identity + kind.options for module, kind in ROW_MODULES.items()},
    "vnet_bridge_port": (VLANS, *PORT_OPTIONS),
    "vnet_nat": NAT_IDENTITY + NAT_OPTIONS,
    "vnet_ovs_bridge": OVS_IDENTITY + OVS_OPTIONS,
}


@pytest.mark.parametrize("module", TABLES)
def test_options_say_what_the_tables_say(module: str) -> None:
    """Bounds, the default of new devices, and what needs a device to be made anew."""
    documented = pages()[module]["doc"]["options"]
    for option in TABLES[module]:
        text = " ".join(documented[option.name]["description"])
        low, high = getattr(option.type, "low", None), getattr(option.type, "high", None)
        if isinstance(low, (int, float)) and option.name not in ("ttl", "tos"):
            assert f"V({low:.0f})" in text, option.name
            assert f"V({high:.0f})" in text, option.name
        if option.new is not None:
            assert re.search(rf"new \w+ gets V\({str(option.new).lower()}\)", text), option.name
        if option.default is None and not documented[option.name].get("required"):
            assert "If omitted" in text, option.name
        if not option.mutable:
            assert "O(recreate)" in text, option.name
        if getattr(option.type, "unset", False) and option.name != "link_netns":
            assert 'V("")' in text, option.name


@pytest.mark.parametrize("plural", module_topology.ENTRY_SPECS)
def test_entries_of_a_topology_are_documented_by_the_modules_of_one_thing(plural: str) -> None:
    option = pages()["vnet_topology"]["doc"]["options"][plural]
    text = " ".join(option["description"])
    (module,) = (name for name in MODULES if f"M({COLLECTION}.{name})" in text)
    less = set(pages()[module]["doc"]["options"]) - set(module_topology.ENTRY_SPECS[plural])
    assert set(re.findall(r"C\((\w+)\)", text.split(", less ")[1].split(".")[0])) == less
    assert "suboptions" not in option


@pytest.mark.parametrize("module", MODULES)
def test_pages_have_what_all_pages_have(module: str) -> None:
    doc = pages()[module]["doc"]
    assert doc["module"] == module
    assert doc["version_added"]
    assert doc["author"] == ["linuxnet.vnet contributors (@linuxnet)"]
    assert not doc["short_description"].endswith(".")


# --- (b) examples -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", MODULES)
def test_examples_are_tasks_with_documented_options(module: str) -> None:
    tasks = yaml.safe_load(pages()[module]["examples"])
    assert isinstance(tasks, list)
    assert any(f"{COLLECTION}.{module}" in task for task in tasks)
    for task in tasks:
        assert re.match(r"[A-Z]", task["name"]), task
        actions = [key for key in task if "." in key]
        assert len(actions) == 1, f"{task['name']}: not one module by its full name"
        assert set(task) - {"name", actions[0]} <= {"loop", "register", "vars", "when"}, task["name"]
        if actions[0].startswith(f"{COLLECTION}."):
            options = pages()[actions[0].rsplit(".", 1)[1]]["doc"]["options"]
            check_arguments(task["name"], task[actions[0]] or {}, options)
        else:
            assert actions[0].startswith("ansible.builtin."), task["name"]


def check_arguments(task: str, arguments: dict[str, Any], options: dict[str, Any]) -> None:
    for name, value in arguments.items():
        assert name in options, f"{task}: {name} is not documented"
        if "suboptions" in options[name]:
            for inner in value if isinstance(value, list) else [value]:
                check_arguments(task, inner, options[name]["suboptions"])
        elif name in module_topology.ENTRY_SPECS and isinstance(value, list):
            for entry in value:
                check_entry(task, name, entry)
    missing = [name for name, option in options.items() if option.get("required") and name not in arguments]
    assert not missing, f"{task}: needs {missing}"


def check_entry(task: str, plural: str, entry: dict[str, Any]) -> None:
    """An entry of a topology: what there is to it is on the page of the module that makes one such thing."""
    spec = module_topology.ENTRY_SPECS[plural]
    assert set(entry) <= set(spec), f"{task}: {plural}"
    assert {name for name, option in spec.items() if option.get("required")} <= set(entry), f"{task}: {plural}"


@pytest.mark.parametrize("module", MODULES)
def test_names_of_examples_are_unique(module: str) -> None:
    names = [task["name"] for task in yaml.safe_load(pages()[module]["examples"])]
    assert len(names) == len(set(names))


# --- (c) return values ------------------------------------------------------------------------------------------


HOPS = (("192.0.2.1", "x", 1), ("192.0.2.2", "x", 1))
FULL_ROWS: dict[str, Row] = {
    "route": with_metrics(
        Route("default", 4, 254, 0, "192.0.2.1", "192.0.2.9", scope=253, flags=ONLINK, device="x", nexthops=HOPS),
        {name: "x" if name == "congctl" else 1 for name in TYPES},
    ),
    "rule": Rule(
        5,
        4,
        "192.0.2.0/24",
        "10.0.0.0/8",
        "x",
        "y",
        "0x1",
        77,
        "0x10",
        "tcp",
        "80",
        "1-2",
        "0-9",
        "not",
        "prohibit",
        "0",
    ),
    "neighbor": Neighbor("192.0.2.9", "02:00:00:00:00:09", NTF_PROXY),
    "fdb": Fdb("02:00:00:00:00:09", "192.0.2.9", 4790, 9, 7, "y", src_vni=8, sticky=True),
}
"""Of each kind one that has all that there can be, more than the kernel would allow."""


def full_link(want: LinkWant, kind: LinkKind) -> Link:
    """A device of which the kernel says everything that it can."""
    attrs: dict[str, Any] = {
        name: "x" for name, option in kind.table.items() if option.level != "none" or name == "link_netns"
    }
    of_file = dict.fromkeys(("device", "owner", "group"), "x") if kind.tap_info else {}
    attrs.update(admin_state="up", altnames=("other",), link_group=1, **of_file)
    return Link(
        "web",
        want.name,
        kind.netlink,
        attrs,
        addresses=(Addr("192.0.2.1/24"),),
        routes=(Route("default", 4),),
        fdb=(Fdb(ALL_ZEROS, "192.0.2.2"),) if kind.name == "vxlan" else (),
        vnis=(Vni(7),) if "vnis" in kind.table else (),
        peer=("web", "y") if kind.paired else None,
    )


def returned(monkeypatch: pytest.MonkeyPatch, module: str) -> dict[str, Any]:
    """What the module hands to Ansible when the engine found everything."""

    def run(wants: tuple[Any, ...], *_: Any, **__: Any) -> Result:
        state = State()
        want = wants[0]
        if isinstance(want, LinkWant):
            state.put(full_link(want, want.kind))
            # Its own place, so that it is found, and the namespace is shown nonetheless.
            state.links[want.key] = state.links["web", want.name]
        elif isinstance(want, NamespaceWant):
            state.namespaces[want.name] = {}
        elif isinstance(want, PortWant):
            port = {option.name: 1 for option in PORT_OPTIONS}
            state.links[want.key] = Link("web", "x", "veth", {"master": "br0"}, port=port, vlans=(Vlan(20),))
        elif isinstance(want, RowWant):
            row = FULL_ROWS[want.kind.name]
            state.rows[row.key("web", "x")] = row
        elif isinstance(want, NatWant):
            state.nats[want.key] = Nat("web", want.name, ("x",), ("x",), ("x",), (Forward("tcp", "1", "x"),))
        elif isinstance(want, OvsWant):
            state.ovs[want.name] = OvsBridge(want.name, (), "system", "secure", ("x",))
        return Result(True, ["ip link"], {"before": {}, "after": {}}, state, [])

    def stop(_module: Any, **result: Any) -> None:
        raise Stopped(result)

    monkeypatch.setattr(rim, "run", run)
    monkeypatch.setattr(netlink, "HAS_PYROUTE2", True)
    monkeypatch.setattr(basic.AnsibleModule, "exit_json", stop)
    # The module's own net for unexpected exceptions must not catch ours.
    monkeypatch.setattr(basic.AnsibleModule, "fail_json", lambda _module, msg, **_: pytest.fail(msg))
    with pytest.raises(Stopped) as stopped:
        run_module(monkeypatch, module, PARAMETERS.get(module, {"name": "x"}))
    result: dict[str, Any] = stopped.value.args[0]
    return result


def keys(result: dict[str, Any], documented: dict[str, Any]) -> dict[str, Any]:
    """The keys of a result, nested as far as the page goes."""
    return {
        name: keys(value, documented[name]["contains"])
        if isinstance(value, dict) and "contains" in documented.get(name, {})
        else {}
        for name, value in result.items()
    }


def documented_keys(documented: dict[str, Any]) -> dict[str, Any]:
    return {name: documented_keys(value.get("contains", {})) for name, value in documented.items()}


@pytest.mark.parametrize("module", OURS)
def test_return_documents_what_is_returned(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    documented = pages()[module]["return"]
    result = returned(monkeypatch, module)
    assert result.pop("changed") is True
    assert set(result.pop("diff")) == {"before", "after"}
    assert keys(result, documented) == documented_keys(documented)


def values(documented: dict[str, Any], path: str = "") -> list[tuple[str, dict[str, Any]]]:
    found = []
    for name, value in documented.items():
        found += [(path + name, value), *values(value.get("contains", {}), f"{path}{name}.")]
    return found


PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "bool": (bool,),
    "dict": (dict,),
    "float": (int, float),
    "int": (int,),
    "list": (list,),
    "raw": (object,),
    "str": (str,),
}


@pytest.mark.parametrize("module", OURS)
def test_return_has_samples_of_the_type_that_it_names(module: str) -> None:
    for path, value in values(pages()[module]["return"]):
        assert value["returned"], path
        if "contains" not in value:
            assert isinstance(value["sample"], PYTHON_TYPES[value["type"]]), path
            assert value["type"] == "bool" or not isinstance(value["sample"], bool), path


# --- (d) fragments ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", OURS)
def test_fragments_are_used(module: str) -> None:
    source = (ROOT / "plugins" / "modules" / f"{module}.py").read_text(encoding="utf-8")
    own = yaml.safe_load(source.split('DOCUMENTATION = r"""')[1].split('"""')[0])
    used = own["extends_documentation_fragment"]
    assert f"{COLLECTION}.attributes" in used
    assert (f"{COLLECTION}.link" in used) == (module in LINK_MODULES)
    if module in LINK_MODULES:
        shared = {"name", "state", "netns", "append", "recreate"}
        shared |= {option.name for option in LINK_MODULES[module].common}
        assert shared & set(own.get("options", {})) == SAID_ANEW.get(module, set()), "said twice"


@pytest.mark.parametrize("module", OURS)
def test_attributes_promise_what_all_modules_promise(module: str) -> None:
    attributes = pages()[module]["doc"]["attributes"]
    promised = ("action_group", "check_mode", "diff_mode", "idempotent", "platform")
    found = {name: attribute["support"] for name, attribute in attributes.items()}
    assert found == dict.fromkeys(promised, "full")


def test_action_groups_are_those_of_the_pages() -> None:
    groups = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))["action_groups"]
    for module in OURS:
        said = pages()[module]["doc"]["attributes"]["action_group"]["membership"]
        assert said == [f"{COLLECTION}.{group}" for group in groups if module in groups[group]], module
        assert (module in groups["netns"]) == ("netns" in pages()[module]["doc"]["options"])


def test_all_modules_are_sent_as_they_were_packed_before() -> None:
    routes = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))["plugin_routing"]["modules"]
    own = {path.stem for path in (ROOT / "plugins" / "action").glob("vnet_*.py")}
    assert own ^ set(routes) == {*OURS, "vnet_info"}
    assert all(route == {"action_plugin": f"{COLLECTION}.vnet_info"} for route in routes.values())


def test_the_first_example_of_the_readme_shows_what_its_playbook_does() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    playbook, shown = re.findall(r"```(?:yaml|console)\n(.*?)```", readme, re.DOTALL)[:2]
    topology, wants = topology_wants(yaml.safe_load(playbook)[0]["tasks"][0]["linuxnet.vnet.vnet_topology"])
    after = json.dumps(plan(State(), wants, topology).diff()["after"], indent=4, sort_keys=True)
    assert [line[1:] for line in shown.splitlines() if line.startswith("+")][1:] == after.splitlines()


def sentences() -> str:
    """All strings of the plugins, one a line; `{}` where a value goes in."""
    found = []
    for path in (ROOT / "plugins").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            parts = node.values if isinstance(node, ast.JoinedStr) else [node]
            words = [part.value if isinstance(part, ast.Constant) else "{}" for part in parts]
            found.append("".join(map(str, words)))
    return "\n".join(found)


def test_the_page_on_troubles_has_the_sentences_that_tasks_say() -> None:
    page = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    table = page.partition("## What a task says")[2].partition("\n## ")[0]
    rows = [row.split("|")[1] for row in table.splitlines() if row.startswith("|")]
    quoted = [text for row in rows for text in re.findall("`(.*?)`", row)]
    assert len(quoted) > 20
    known = sentences()
    assert [text for text in quoted if not all(part in known for part in text.split("..."))] == []
