# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The phases of the plan that topologies add: whose a thing is, and what goes because it is not wanted any more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from . import (
    desired,
    errors,
    file_operations,
    link_operations,
    operations,
    plan_links,
    plan_ports,
    plan_rows,
    plan_shared,
    plan_stack,
)
from .kinds import ROW_KINDS, kind_of
from .nat_operations import NatDelete
from .ovs_operations import OvsDelete
from .planner import Planner
from .state import Key, Link, State, key_text
from .topology import OWNER, Record, Topology, is_group_of_topology


def claimed(
    current: State,
    wants: tuple[desired.Want, ...],
    topology: Topology,
    commands_of: Callable[[desired.Want], list[str]],
) -> tuple[desired.Want, ...]:
    """The wants, those whose things are or become the topology's with its mark among the options.

    What is there and nobody's is used where it is as wanted already (`commands_of` says what it lacks), taken over with
    `adopt`, and refused otherwise; what another topology made is refused always.
    """
    made = Record.read(current.text(topology.record)).row_keys
    found: list[desired.Want] = []
    for want in wants:
        if isinstance(want, desired.NamespaceWant):
            found.append(_namespace(current, want, topology, commands_of))
        elif isinstance(want, desired.LinkWant) and want.kind.name:
            found.append(_link(current, want, topology, commands_of))
        elif isinstance(want, desired.NatWant):
            found.append(_nat(current, want, topology, commands_of))
        elif isinstance(want, desired.OvsWant):
            found.append(_ovs_bridge(current, want, topology, commands_of))
        else:
            rows = plan_rows.found(current, want) if isinstance(want, desired.RowWant) else []
            if isinstance(want, desired.RowWant) and rows and rows[0][0] not in made:
                _taken_over(want, topology, commands_of, want.kind.words(want.key))
            found.append(want)
    return tuple(found)


def _namespace(
    current: State, want: desired.NamespaceWant, topology: Topology, commands_of: Callable[[desired.Want], list[str]]
) -> desired.Want:
    owner = current.namespaces.get(want.name, {"owner": topology.owner}).get("owner", "")
    if owner != topology.owner:
        if owner.startswith(OWNER):
            raise errors.Refused(
                f"{want.where}: name: the namespace {want.name} belongs to the topology {owner[len(OWNER) :]}"
            )
        if not _taken_over(want, topology, commands_of, f"namespace {want.name}"):
            return want
    return want._replace(owner=topology.owner)


def _link(
    current: State, want: desired.LinkWant, topology: Topology, commands_of: Callable[[desired.Want], list[str]]
) -> desired.Want:
    link = current.link(want.key)
    if link and not topology.owns(link):
        group = link.get("link_group")
        if is_group_of_topology(group):
            raise errors.Refused(
                f"{want.where}: name: the device {key_text(want.key)} belongs to another topology (its link group is {group})"
            )
        if not _taken_over(want, topology, commands_of, f"device {key_text(want.key)}"):
            return want
    mark = {"link_group": topology.link_group}
    peer = want.peer._replace(options={**want.peer.options, **mark}) if want.peer else None
    return want._replace(options={**want.options, **mark}, peer=peer)


def _nat(
    current: State, want: desired.NatWant, topology: Topology, commands_of: Callable[[desired.Want], list[str]]
) -> desired.Want:
    nat = current.nats.get(want.key)
    made = Record.read(current.text(topology.record)).nat_keys
    if nat and nat.owner != topology.owner and not (want.key in made and not nat.owner):
        if nat.owner.startswith(OWNER):
            raise errors.Refused(
                f"{want.where}: name: the address translation {key_text(want.key)} belongs to the topology {nat.owner[len(OWNER) :]}"
            )
        if not _taken_over(want, topology, commands_of, f"address translation {key_text(want.key)}"):
            return want
    return want._replace(owner=topology.owner)


def _ovs_bridge(
    current: State, want: desired.OvsWant, topology: Topology, commands_of: Callable[[desired.Want], list[str]]
) -> desired.Want:
    bridge = current.ovs.get(want.name)
    if bridge and bridge.owner != topology.owner:
        if bridge.owner.startswith(OWNER):
            raise errors.Refused(
                f"{want.where}: name: the Open vSwitch bridge {want.name} belongs to the topology {bridge.owner[len(OWNER) :]}"
            )
        if not _taken_over(want, topology, commands_of, f"Open vSwitch bridge {want.name}"):
            return want
    return want._replace(owner=topology.owner)


def _taken_over(
    want: desired.Want, topology: Topology, commands_of: Callable[[desired.Want], list[str]], what: str
) -> bool:
    if topology.adopt:
        return True
    lacking = commands_of(want)
    if lacking:
        more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
        raise errors.Refused(
            f"{want.where}: the {what} is already there, the topology {topology.name} did not make it, and it is not as listed,"
            f" which it would be by '{lacking[0]}'{more}: set 'adopt: true' to take it over, or delete it first"
        )
    return False


def clear_the_way(planner: Planner) -> None:
    """Delete before anything is made what is the topology's own and stands where something else of it should be.

    All else that is not listed any more goes last, as deletions are what can be undone least well; unless a bridge would have
    too many ports until then.
    """
    topology = planner.topology
    if topology is None:
        return
    names = wanted_names(planner)
    going = [link for link in unlisted(planner, topology) if may_bar(link, names)] if topology.prune else []
    for want in planner.links:
        for link in in_the_way(planner, topology, want) + [link for link in going if bars(planner, link, want)]:
            if planner.model.link(link.key):
                planner.do(link_operations.LinkDelete(link.netns, link.name, link.kind))
    new = Counter(
        (want.netns, want.options["master"])
        for want in planner.links
        if want.options.get("master") and planner.model.link(want.key) is None
    )
    if topology.prune and any(
        len(planner.model.ports(bridge)) + more > plan_links.MOST_PORTS for bridge, more in new.items()
    ):
        delete_links(planner, topology, set(namespaces_going(planner, topology)))


def in_the_way(planner: Planner, topology: Topology, want: desired.LinkWant) -> list[Link]:
    """The topology's own devices that have a wanted name, and can't become what is wanted."""
    found = []
    link = planner.model.link(want.key)
    if link and want.kind.name and kind_of(link.kind) is not want.kind and topology.owns(link):
        found.append(link)
    if want.peer_key:
        other = planner.model.link(want.peer_key)
        if other and other.peer != want.key and topology.owns(other):
            first = planner.model.link(other.peer) if other.peer else None
            moved = first is not None and first.name == want.name and link is None
            if not moved:
                found.append(other)
    return found


def unlisted(planner: Planner, topology: Topology) -> list[Link]:
    """The topology's own devices that are not listed."""
    marked = [link for link in planner.model.links.values() if link and topology.owns(link)]
    listed = {key for want in planner.links for key, _options in plan_stack.ends(planner, want)} if marked else set()
    return [link for link in marked if link.key not in listed]


def links_going(planner: Planner) -> set[Key]:
    """The devices that this run prunes."""
    topology = planner.topology
    return {link.key for link in unlisted(planner, topology)} if topology and topology.prune else set()


def wanted_names(planner: Planner) -> set[Key]:
    """All names that the devices listed shall have, alternative ones too, each with its namespace."""
    keys = {(want.netns, name) for want in planner.links for name in want.options.get("altnames", ())}
    return keys | {key for want in planner.links for key in (want.key, want.peer_key) if key}


def may_bar(going: Link, names: set[Key]) -> bool:
    """Whether there are devices that the kernel would not have beside this one."""
    kind = kind_of(going.kind)
    own = {going.key, *((going.netns, name) for name in going.get("altnames") or ())}
    return kind.exclusive or bool(kind.unique) or bool(own & names)


def bars(planner: Planner, going: Link, want: desired.LinkWant) -> bool:
    """Whether the kernel refuses what is wanted as long as this device is there."""
    kind, there = kind_of(going.kind), planner.model.link(want.key)
    if kind.exclusive and going.below:
        lower = want.options.get(want.kind.lower) if want.kind.exclusive and there is None else None
        if going.below in joining(planner, want) or going.below == (want.options.get("link_netns", want.netns), lower):
            return True
    altnames = {(going.netns, name) for name in going.get("altnames") or ()}
    wanted = {(want.netns, name) for name in want.options.get("altnames", ())}
    if going.key in wanted or altnames & {*wanted, want.key, want.peer_key}:
        return True
    return want.kind is kind and plan_stack.identity(going) == plan_stack.identity(there, want) != ()


def joining(planner: Planner, want: desired.LinkWant) -> list[Key]:
    """The devices that a want makes ports of bridges."""
    found = [key for key, options in plan_stack.ends(planner, want) if options.get("master")]
    return found + [(want.netns, name) for name in want.options.get("ports", ())]


def namespaces_going(planner: Planner, topology: Topology) -> list[str]:
    """The topology's own namespaces that are not listed."""
    listed = {want.name for want in planner.namespaces}
    return sorted(  # a folder has no order that lasts, and a run should do what its check run said as it said it
        name
        for name, facts in planner.model.namespaces.items()
        if facts.get("owner") == topology.owner and name not in listed
    )


def prune(planner: Planner) -> None:
    """Take away what the topology made and nobody lists any more: sysctls first, then rows of tables, links, namespaces."""
    topology = planner.topology
    if topology is None:
        return
    old = Record.read(planner.model.text(topology.record))
    new = remembered(planner, old)
    if topology.prune or topology.absent:
        going = namespaces_going(planner, topology)
        check_guests(planner, topology, going)
        give_back(planner, old, new, set(going))
        delete_links(planner, topology, set(going))
        for name in going:
            planner.do(operations.NamespaceDelete(name))
        for path, content in list(planner.model.files.items()):
            if content == topology.owner and path_name(path) not in planner.model.namespaces:
                planner.do(file_operations.FileRemove(path))
    new.namespaces = namespaces_of_others(planner, topology)
    new.nats = sorted([*key] for key, nat in planner.model.nats.items() if nat and nat.owner == topology.owner)
    keep(planner, topology, new)


def places_of(want: desired.Want) -> list[str]:
    """The namespaces that a want needs."""
    if isinstance(want, desired.LinkWant):
        return [want.netns, want.peer_netns, want.options.get("link_netns", want.netns)]
    return [] if isinstance(want, (desired.NamespaceWant, desired.OvsWant)) else [want.netns]


def check_guests(planner: Planner, topology: Topology, going: Sequence[str]) -> None:
    """Refuse to take a namespace in which something is wanted, or in which another topology has something: that would go along."""
    for want in planner.wants if going else ():
        for netns in places_of(want):
            if netns in going:
                raise errors.Refused(
                    f"{want.where}: the namespace {netns}, which it needs, is no longer among the 'namespaces', and goes: list it there"
                )
    for path in sorted(planner.model.files) if going else ():
        if plan_shared.is_other(path, topology.record):
            taken = Record.read(planner.model.text(path)).places.intersection(going)
            if taken:
                raise errors.Refused(
                    f"the namespace {min(taken)} is to go, and the topology {path_name(path)[: -len('.json')]} has things"
                    f" in it that would go along: let that topology give them up first, or go on listing {min(taken)}"
                )


def bridges_going(planner: Planner) -> list[Key]:
    """The topology's own bridges that are not listed."""
    topology = planner.topology
    if topology is None or not (topology.prune or topology.absent):
        return []
    return sorted(link.key for link in unlisted(planner, topology) if kind_of(link.kind).holds_ports)


def path_name(path: str) -> str:
    """The last part of a path."""
    return path.rsplit("/", 1)[-1]


def namespaces_of_others(planner: Planner, topology: Topology) -> list[str]:
    """The named namespaces that are not the topology's, and in which links of it are."""
    own = {name for name, facts in planner.model.namespaces.items() if facts.get("owner") == topology.owner}
    own |= {want.name for want in planner.namespaces if want.owner}
    marked = (link for link in planner.model.links.values() if link and topology.owns(link))
    return sorted({link.netns for link in marked if link.netns} - own)


def remembered(planner: Planner, old: Record) -> Record:
    """What the record has to say after this run."""
    made = old.row_keys
    adopting = bool(planner.topology and planner.topology.adopt)
    # One that was there as it is wanted, and was not taken over, is used and never pruned.
    rows = sorted(
        list(key)
        for want in planner.rows
        for key, _row in plan_rows.found(planner.model, want)[:1]
        if key in made or adopting or planner.before.rows.get(key) is None
    )
    moved = {(netns, name): origin for netns, name, origin in old.moved}
    for step in planner.steps:
        if isinstance(step.operation, link_operations.LinkMove) and any(
            want.key == step.operation.to and not want.kind.name for want in planner.links
        ):
            was = (step.operation.netns, step.operation.name)
            moved.setdefault(step.operation.to, moved.pop(was, step.operation.netns))
    return Record(
        rows,
        plan_shared.remembered(planner, old),
        [[*key, origin] for key, origin in sorted(moved.items())],
        [],
        ports_told(planner, old),
    )


def moved_to(planner: Planner, origin: Key) -> Key:
    """Where the topology has brought a device that it found there; the place itself where it has not."""
    if planner.topology:
        for netns, name, was in Record.read(planner.model.text(planner.topology.record)).moved:
            if (was, name) == origin and planner.model.link((netns, name)):
                return (netns, name)
    return origin


def ports_told(planner: Planner, old: Record) -> list[list[Any]]:
    """What bridges were told of ports that were there and are not the topology's own, with the value before."""
    ports = {((entry[0], entry[1]), entry[2]): (entry[3], entry[4]) for entry in old.ports}
    for (key, option), (before, now) in planner.told.items():
        first = ports.get((key, option), (before, now))[0]
        if first != now:
            ports[key, option] = (first, now)
        else:
            ports.pop((key, option), None)
    return [
        [*key, option, before, now] for (key, option), (before, now) in sorted(ports.items(), key=lambda item: item[0])
    ]


def is_own(planner: Planner, key: Key) -> bool:
    """Whether a device is the topology's, and goes unless it is listed."""
    link = planner.model.link(key)
    own = link is not None and planner.topology is not None and planner.topology.owns(link)
    ends = {end for want in planner.links for end, _options in plan_stack.ends(planner, want)}
    return own and key not in ends


def give_back(planner: Planner, old: Record, new: Record, going: set[str]) -> None:
    """What carries no mark: sysctls to the value before, rows of tables away, devices back to where they were found.

    What is in a namespace of `going` goes with that.
    """
    plan_shared.give_back(planner, new)
    for netns, name, option, before, now in [
        entry for entry in new.ports if ((entry[0], entry[1]), entry[2]) not in planner.told
    ]:
        new.ports.remove([netns, name, option, before, now])
        if netns not in going and not is_own(planner, (netns, name)):
            plan_ports.give_back(planner, (netns, name), option, before, now)
    listed = {key for want in planner.rows for key, _row in plan_rows.found(planner.model, want)[:1]}
    kinds = {kind.name: kind for kind in ROW_KINDS}
    order = list(kinds)
    gone = [(key, planner.model.rows.get(key)) for key in old.row_keys - listed if key[0] in kinds]
    order_of = {key: (-order.index(key[0]), -kinds[key[0]].weight(row), key) for key, row in gone if row}
    for place in sorted(order_of, key=order_of.__getitem__):
        row = planner.model.rows.get(place)
        if row and place[1] not in going:
            plan_rows.delete_row(planner, place[1], kinds[place[0]].device(place, row), row)
    delete_nats(planner, old, going)
    delete_ovs_bridges(planner)
    links = {want.key for want in planner.links}
    for netns, name, origin in [entry for entry in new.moved if tuple(entry[:2]) not in links]:
        new.moved.remove([netns, name, origin])
        if planner.model.link((netns, name)) and not planner.model.link((origin, name)):
            planner.do(link_operations.LinkMove(netns, name, (origin, name)))


def delete_nats(planner: Planner, old: Record, going: set[str]) -> None:
    """Delete the address translations that the topology made and that are not listed."""
    listed = {want.key for want in planner.nats}
    for netns, name in sorted(old.nat_keys - listed):
        nat = planner.model.nats.get((netns, name))
        # One without any mark has lost its rules; one with another's is somebody else's by now.
        if nat and planner.topology and nat.owner in ("", planner.topology.owner) and netns not in going:
            planner.do(NatDelete(netns, name))


def delete_ovs_bridges(planner: Planner) -> None:
    """Delete the Open vSwitch bridges that carry the mark and are not listed."""
    listed = {want.name for want in planner.ovs_bridges}
    for name, bridge in sorted(planner.model.ovs.items()):
        if bridge and planner.topology and bridge.owner == planner.topology.owner and name not in listed:
            planner.do(OvsDelete(name))


def delete_links(planner: Planner, topology: Topology, going: set[str]) -> None:
    """Delete the links that carry the mark and are not listed, but for those that go with their namespace."""
    wanted: set[Key] = set()
    for want in planner.links:
        wanted.add(want.key)
        link = planner.model.link(want.key)
        if link and link.peer:
            wanted.add(link.peer)
    by_netns: dict[str, list[Link]] = {}
    staying: dict[str, set[Any]] = {}
    for link in planner.model.links.values():
        if link and topology.owns(link) and link.netns not in going:
            if link.key in wanted:
                staying.setdefault(link.netns, set()).add(link.get("link_group"))
            else:
                by_netns.setdefault(link.netns, []).append(link)
    for netns in sorted(by_netns):
        links = [link for link in by_netns[netns] if planner.model.link(link.key)]
        group = next((group for group in topology.link_groups if group not in staying.get(netns, ())), None)
        if group and len(links) > 2:
            delete_together(planner, netns, links, group)
        else:
            delete_each(planner, links)


def delete_together(planner: Planner, netns: str, links: Sequence[Link], group: int) -> None:
    """Delete links by the group in which they are, or are put first, and nothing else is."""
    for link in links:
        if link.get("link_group") != group:
            planner.do(link_operations.LinkSet(netns, link.name, link.kind, {"link_group": group}))
    planner.do(link_operations.LinkGroupDelete(netns, tuple(sorted(link.name for link in links)), group))


def delete_each(planner: Planner, links: Sequence[Link]) -> None:
    """Delete links one by one; with one end of a veth goes the other."""
    for link in links:
        if planner.model.link(link.key):
            planner.do(link_operations.LinkDelete(link.netns, link.name, link.kind))


def keep(planner: Planner, topology: Topology, record: Record) -> None:
    """Write the record before all else, or take it away when there is nothing left to remember."""
    content, old = record.written(), planner.before.text(topology.record)
    if topology.absent:
        content = ""
    if content == (old or ""):
        return
    if not content:
        planner.do(file_operations.FileRemove(topology.record, 0o600))
        return
    planner.do_first(file_operations.FileWrite(topology.record, content, 0o600))
