# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The rim: from Ansible's options to wants, and from the engine's result to Ansible's. Only this and module_topology.py import ansible here."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Callable

from ansible.module_utils import basic
from ansible.module_utils.basic import AnsibleModule

from . import (  # pylint: disable=unused-import
    archive,  # noqa: F401  # for what it does
    desired,
    errors,
    netlink,
    persist,
)
from .engine import Change, foresee, run
from .kinds.base import link_spec
from .later import Later
from .state import forwarding_shown, link_shown

if TYPE_CHECKING:
    from . import bundle, confirm
    from .engine import Result
    from .kinds.base import LinkKind
    from .state import FileContent, State
else:
    bundle, confirm = Later("bundle"), Later("confirm")

NAMESPACE_SPEC: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "loopback": {"type": "bool", "default": True},
    "sysctl": {"type": "dict"},
    "persist": {"type": "bool"},
}

FORWARD_SPEC: dict[str, Any] = {
    "ipv4": {"type": "bool"},
    "ipv6": {"type": "bool"},
    "interfaces": {"type": "list", "elements": "str"},
    "netns": {"type": "str"},
    "keep_ra": {"type": "bool", "default": True},
    "persist": {"type": "bool"},
    "sysctl_file": {"type": "path", "default": "/etc/sysctl.d/30-ipforward.conf"},
}


def misread(spec: Mapping[str, Any], params: Any) -> str | None:
    """What Ansible's types would let pass although YAML made something else of it than was meant: a sentence, or None."""
    if not isinstance(params, dict):
        return None
    found = (misread_value(name, option, params.get(name)) for name, option in spec.items())
    return next((problem for problem in found if problem), None)


def misread_value(name: str, option: Mapping[str, Any], value: Any) -> str | None:
    """The same for one option's value."""
    kind = option["type"]
    if isinstance(value, (list, dict)) and kind in ("str", "path"):
        return f"{name}: {value!r} is a {'list' if isinstance(value, list) else 'dictionary'} and no string"
    if isinstance(value, bool) and kind in ("int", "float", "str", "path"):
        return f"{name}: {str(value).lower()} is a boolean and no {'string: quote it' if kind in ('str', 'path') else 'number'}"
    if kind == "list" and isinstance(value, list):
        element = {
            "type": option.get("elements", "raw"),
            **({"options": option["options"]} if "options" in option else {}),
        }
        for number, item in enumerate(value):
            if item is None:
                return f"{name}: null is not an element of this list"
            if element["type"] != "dict" and isinstance(item, (bool, list, dict)):
                shown = str(item).lower() if isinstance(item, bool) else repr(item)
                return f"{name}: {shown} is not an element of this list"
            if element["type"] == "dict":
                problem = misread_dict(f"{name}[{number}]", element.get("options", {}), item)
                if problem:
                    return problem
    if kind == "dict" and "options" in option and value is not None:
        return misread_dict(name, option["options"], value)
    return None


def misread_dict(where: str, spec: Mapping[str, Any], value: Any) -> str | None:
    """The same for an option that holds options."""
    if not isinstance(value, dict):
        return f"{where}: {value!r} is not a dictionary of options"
    problem = misread(spec, value)
    return f"{where}: {problem}" if problem else None


def as_written(params: Mapping[str, Any], raw: Any) -> dict[str, Any]:
    """The parameters, but a MAC as YAML gave it: it makes a number of one without letters, and Ansible a string of that."""
    written = dict(params)
    if isinstance(raw, dict):
        if isinstance(raw.get("mac"), (int, float)):
            written["mac"] = raw["mac"]
        if isinstance(written.get("peer"), dict):
            written["peer"] = as_written(written["peer"], raw.get("peer"))
    return written


def start(spec: dict[str, Any], **limits: Any) -> tuple[AnsibleModule, Any]:
    """The module, and its parameters as YAML gave them. Ends it where these make no sense, or pyroute2 is missing."""
    raw = basic._load_params()  # noqa: SLF001  # meant for modules that need their parameters early, as its docstring says
    problem = misread(spec, raw)

    class Module(AnsibleModule):  # type: ignore[misc]  # Ansible comes without types
        """Says what YAML made of a value before Ansible says what it would have liked."""

        def fail_json(self, msg: str, **details: Any) -> None:
            super().fail_json(problem or msg, **details)

    module = Module(argument_spec=spec, supports_check_mode=True, **limits)
    if problem:
        module.fail_json(problem)
    if not netlink.HAS_PYROUTE2:
        module.fail_json(msg=netlink.missing())
    return module, raw


@contextmanager
def in_one_sentence(module: AnsibleModule) -> Iterator[None]:
    """Let what goes wrong in the body end the module with one sentence."""
    try:
        yield
    except errors.VnetError as exc:
        module.fail_json(msg=str(exc))
    except Exception as exc:  # noqa: BLE001  # so that nobody ever has to read a traceback to learn that it was our mistake
        known = errors.of_the_system(exc) if isinstance(exc, OSError) else None
        if known:
            module.fail_json(msg=str(known))
        module.fail_json(
            msg=f"this is a bug in linuxnet.vnet, please report it with the output of -vvv: {type(exc).__name__}: {exc}",
            exception=traceback.format_exc(),
        )


def main(
    name: str,
    spec: dict[str, Any],
    want_of: Callable[[Mapping[str, Any]], desired.Want],
    resource: Callable[[State, desired.Want], dict[str, Any]],
    **limits: Any,
) -> None:
    """Run the module `name` of one resource: `want_of` its options, `resource` what it returns of the state afterwards."""
    module, raw = start(spec, **limits)
    with in_one_sentence(module):
        params = as_written(module.params, raw)
        want = want_of(params)
        kept = persist.keep(name, params, want, software)
        change = Change((want,), None, kept, lambda state: resource(state, want), f"{name} {params.get('name')}")
        result, armed = bring_about(module, change, params)
        shown = change.show(result.state)
    finish(module, result, {**shown, **armed})


def software() -> Mapping[str, FileContent]:
    """What restores at boot, for tasks that keep something for it."""
    return bundle.software()


def bring_about(module: AnsibleModule, change: Change, params: Mapping[str, Any]) -> tuple[Result, dict[str, Any]]:
    """Do it, or with `confirm_timeout` have it done when this process has ended.

    The action plugin, which then comes back to confirm, finds in the module's answer where the worker is.
    """
    seconds = confirm.seconds_of(params) if params.get("confirm_timeout") else 0
    if not seconds or module.check_mode:
        return run(change.wants, module.check_mode, change.topology, change.keep), {}
    result = foresee(change.wants, change.topology, change.keep)
    if not result.changed:
        return result, {}
    return result, {"confirm": {"directory": confirm.arm(change, seconds), "seconds": seconds}}


def finish(module: AnsibleModule, result: Result, shown: dict[str, Any]) -> None:
    """End the module with its result. `shown` is the resource, under its key."""
    for warning in result.warnings:
        module.warn(warning)
    answer: dict[str, Any] = {"changed": result.changed, "operations": result.operations, **shown}
    if module._diff:  # noqa: SLF001  # there is no public name for it
        answer["diff"] = result.diff
    module.exit_json(**answer)


def run_link(kind: LinkKind) -> None:
    """The `main()` of a link module."""

    def resource(state: State, want: Any) -> dict[str, Any]:
        link = state.link(want.key)
        return {"link": link_shown(state, link, {"mac", *want.options}) if link else {}}

    main(kind.module, link_spec(kind), lambda params: desired.link_want(kind, params), resource)


def run_netns() -> None:
    """The `main()` of vnet_netns."""

    def resource(state: State, want: Any) -> dict[str, Any]:
        if want.name not in state.namespaces:
            return {"namespace": {}}
        loopback = state.link((want.name, "lo"))
        sysctls = {key: state.sysctls[want.name, key] for key in want.sysctls if (want.name, key) in state.sysctls}
        return {
            "namespace": {
                "name": want.name,
                "loopback": bool(loopback and loopback.get("admin_state") == "up"),
                "sysctl": sysctls,
            }
        }

    main("vnet_netns", NAMESPACE_SPEC, desired.namespace_want, resource)


def run_forward() -> None:
    """The `main()` of vnet_sysctl_forward."""

    def resource(state: State, want: Any) -> dict[str, Any]:
        found = {key: value for (netns, key), value in state.sysctls.items() if netns == want.netns}
        return {"forwarding": forwarding_shown(found)}

    main("vnet_sysctl_forward", FORWARD_SPEC, desired.forward_want, resource)
