"""What `git fetch` asks for and gets: wants, haves, acknowledgements, a pack. Versions 0 and 2 of git's protocol.

Over HTTP every request is complete in itself: the client repeats what was agreed on before. So one request is one
`Fetch`, whichever version it came in, and only the framing of the answer differs.

Protocol: https://git-scm.com/docs/gitprotocol-pack, https://git-scm.com/docs/gitprotocol-v2.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from dulwich.object_format import SHA1
from dulwich.object_store import MissingObjectFinder, find_shallow
from dulwich.objects import Commit, ObjectID
from dulwich.pack import PackChunkGenerator, full_unpacked_object

from hubpub import __version__
from hubpub.hub.errors import bad_request, too_large
from hubpub.hub.store.git import AdvertisedRef, GitRepo
from hubpub.hub.web.pkt_line import Mark, Packet, packet, side_band

_MOST_NAMED = 50_000
_OID = re.compile(rb"[0-9a-f]{40}")
_CAPABILITIES = (
    "multi_ack_detailed no-done side-band-64k thin-pack ofs-delta shallow no-progress include-tag "
    f"allow-tip-sha1-in-want allow-reachable-sha1-in-want object-format=sha1 agent=hubpub/{__version__}"
)


@dataclass(slots=True)
class Fetch:
    """One request for objects. What it names more than once counts once, in the order of first mention.

    Attributes:
        version: of the protocol: 0 or 2.
        wants: commits and tags that the client asks for.
        haves: commits that it has.
        done: whether it has said all it has, and waits for the pack.
        wants_only: whether it says nothing after its wants, as version 0 does to be told of the boundary first.
        shallow: commits that it has without their parents.
        depth: how many commits of each history it wants; None for all.
        features: what it asked for besides.
    """

    version: int = 0
    wants: dict[ObjectID, None] = field(default_factory=dict)
    haves: dict[ObjectID, None] = field(default_factory=dict)
    done: bool = False
    wants_only: bool = False
    shallow: dict[ObjectID, None] = field(default_factory=dict)
    depth: int | None = None
    features: set[bytes] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a fetch is answered with.

    Attributes:
        head: packets that come first.
        objects: of the pack that follows; None if none does.
        side_band: whether the pack goes in packets, or as it is.
    """

    head: bytes
    objects: list[ObjectID] | None
    side_band: bool = True


def advertisement(refs: Iterable[AdvertisedRef], version: int) -> bytes:
    """The answer to `GET info/refs?service=git-upload-pack`."""
    service = packet("# service=git-upload-pack") + Mark.FLUSH.value
    if version == 2:
        offered = ("version 2", f"agent=hubpub/{__version__}", "ls-refs", "fetch=shallow", "object-format=sha1")
        return service + b"".join(map(packet, offered)) + Mark.FLUSH.value
    lines: list[bytes] = []
    capabilities = _CAPABILITIES.encode()
    for ref in refs:
        if ref.symref:
            capabilities += b" symref=%b:%b" % (ref.name, ref.symref)
        lines.append(b"%b %b" % (ref.oid, ref.name))
        if ref.peeled != ref.oid:
            lines.append(b"%b %b^{}" % (ref.peeled, ref.name))
    first, *others = lines or [b"0" * 40 + b" capabilities^{}"]
    lines = [first + b"\0" + capabilities, *others]
    return service + b"".join(packet(line + b"\n") for line in lines) + Mark.FLUSH.value


def list_refs(refs: Iterable[AdvertisedRef], arguments: Iterable[bytes]) -> bytes:
    """The answer to version 2's `ls-refs`."""
    wanted = set(arguments)
    prefixes = tuple(line.removeprefix(b"ref-prefix ") for line in wanted if line.startswith(b"ref-prefix "))
    lines = []
    for ref in refs:
        if prefixes and not ref.name.startswith(prefixes):
            continue
        line = b"%b %b" % (ref.oid, ref.name)
        if b"symrefs" in wanted and ref.symref:
            line += b" symref-target:" + ref.symref
        if b"peel" in wanted and ref.peeled != ref.oid:
            line += b" peeled:" + ref.peeled
        lines.append(packet(line + b"\n"))
    return b"".join(lines) + Mark.FLUSH.value


def read_v0(lines: Iterable[Packet]) -> Fetch:
    """The fetch of a request in version 0: wants, then haves.

    Raises:
        ApiError: 400 for a line that has no place in one.
    """
    fetch = Fetch(wants_only=True)
    flushes = 0
    for line in lines:
        if isinstance(line, Mark):
            flushes += 1
            continue
        fetch.wants_only = flushes == 0
        if line.startswith(b"want ") and not fetch.wants:
            line, _, features = line[:45], line[45:46], line[46:]
            fetch.features = set(features.split())
        _read_line(fetch, line)
    return fetch


def read_v2(arguments: Iterable[bytes]) -> Fetch:
    """The fetch that the arguments of version 2's `fetch` ask for.

    Raises:
        ApiError: 400 for an argument that was not offered.
    """
    fetch = Fetch(version=2)
    for line in arguments:
        if line in (b"thin-pack", b"no-progress", b"include-tag", b"ofs-delta"):
            fetch.features.add(line)
        else:
            _read_line(fetch, line)
    return fetch


def answer(git: GitRepo, fetch: Fetch) -> Answer:
    """What to answer.

    Raises:
        ApiError: 400 if something is wanted that is no commit and no tag of the repo.
    """
    if not fetch.wants:
        return Answer(b"" if fetch.version == 0 else Mark.FLUSH.value, None)
    for want in fetch.wants:
        if git.history_tip(want) is None:
            raise bad_request(f"upload-pack: not our ref {want.decode()}")
    common = [have for have in git.present(fetch.haves) if git.history_tip(have) is not None]
    ready = bool(common) and _all_reach(git, fetch.wants, set(common))
    boundary, deepened = _boundary(git, fetch)
    shallow = [f"shallow {oid.decode()}" for oid in sorted(boundary - fetch.shallow.keys())]
    shallow += [f"unshallow {oid.decode()}" for oid in sorted(deepened)]
    if fetch.version == 2:
        head, sends = _head_v2(fetch, common, shallow, ready=ready)
    else:
        head, sends = _head_v0(fetch, common, shallow, ready=ready)
    objects = _missing(git, fetch, common, boundary, deepened) if sends else None
    return Answer(head, objects, fetch.version == 2 or b"side-band-64k" in fetch.features)


def answer_stream(git: GitRepo, found: Answer) -> Iterator[bytes]:
    """The bytes of an answer; one object is in memory at a time."""
    yield found.head
    if found.objects is None:
        return
    records = (full_unpacked_object(git.objects[oid]) for oid in found.objects)
    # Quick rather than small: most of what a hub of one's own sends does not leave the machine.
    chunks = iter(PackChunkGenerator(SHA1, len(found.objects), records, compression_level=1))
    if found.side_band:
        yield from side_band(chunks)
        yield Mark.FLUSH.value
    else:
        yield from chunks


def _read_line(fetch: Fetch, line: bytes) -> None:
    word, _, value = line.partition(b" ")
    if line == b"done":
        fetch.done = True
    elif word in (b"want", b"have", b"shallow") and _OID.fullmatch(value):
        oid = ObjectID(value)
        named = {b"want": fetch.wants, b"have": fetch.haves, b"shallow": fetch.shallow}[word]
        named[oid] = None
        if len(named) > _MOST_NAMED:
            raise too_large(f"upload-pack: a request may name at most {_MOST_NAMED} commits")
    elif word == b"deepen" and value.isdigit() and int(value[:18]) > 0:
        fetch.depth = int(value[:18])
    else:
        raise bad_request(f"upload-pack: this hub does not know {line[:100].decode('ascii', 'replace')!r}")


def _head_v0(fetch: Fetch, common: list[ObjectID], shallow: list[str], *, ready: bool) -> tuple[bytes, bool]:
    """What comes before the pack in version 0, and whether it comes."""
    detailed = b"multi_ack_detailed" in fetch.features
    lines: list[Packet | str] = [*shallow, Mark.FLUSH] if fetch.depth else []
    if fetch.wants_only:
        return b"".join(map(packet, lines)), False
    last = f"ACK {common[-1].decode()}" if common else "NAK"
    if detailed:
        lines += [f"ACK {oid.decode()} common" for oid in common]
    elif common:
        lines.append(f"ACK {common[0].decode()}")
    sends = fetch.done
    if not fetch.done:
        if detailed and ready:
            lines.append(f"{last} ready")
        if detailed or not common:
            lines.append("NAK")
        sends = ready and detailed and b"no-done" in fetch.features
    if sends and (detailed or not common):
        lines.append(last)
    return b"".join(map(packet, lines)), sends


def _head_v2(fetch: Fetch, common: list[ObjectID], shallow: list[str], *, ready: bool) -> tuple[bytes, bool]:
    """What comes before the pack in version 2, and whether it comes."""
    lines: list[Packet | str] = []
    if fetch.haves and not fetch.done:
        lines += ["acknowledgments", *(f"ACK {oid.decode()}" for oid in common)]
        if not common:
            lines.append("NAK")
        lines += ["ready", Mark.DELIM] if ready else [Mark.FLUSH]
        if not ready:
            return b"".join(map(packet, lines)), False
    if fetch.depth:
        lines += ["shallow-info", *shallow, Mark.DELIM]
    return b"".join(map(packet, [*lines, "packfile"])), True


def _all_reach(git: GitRepo, wants: Iterable[ObjectID], common: set[ObjectID]) -> bool:
    """Whether every want has something common among itself and its ancestors. No commit is looked at twice."""
    reaching = common.copy()
    for want in wants:
        passed = set()
        for oid in _ancestors(git, want):
            if oid in reaching:
                break
            passed.add(oid)
        else:
            return False
        reaching |= passed
    return True


def _ancestors(git: GitRepo, want: ObjectID) -> Iterator[ObjectID]:
    yield want
    start = git.history_tip(want)
    stack, seen = [start] if start else [], set()
    while stack:
        oid = stack.pop()
        if oid in seen:
            continue
        seen.add(oid)
        yield oid
        found = git.objects[oid]
        if isinstance(found, Commit):
            stack += found.parents


def _boundary(git: GitRepo, fetch: Fetch) -> tuple[set[ObjectID], set[ObjectID]]:
    """The commits that the client is to have without their parents, and those whose parents it is to get now."""
    if fetch.depth is None:
        return set(), set()
    shallow, not_shallow = find_shallow(git.objects, fetch.wants, fetch.depth)
    return shallow - not_shallow, not_shallow & fetch.shallow.keys()


def _missing(
    git: GitRepo, fetch: Fetch, common: list[ObjectID], boundary: set[ObjectID], deepened: set[ObjectID]
) -> list[ObjectID]:
    """The objects that the client lacks."""
    wants = list(fetch.wants)
    for oid in deepened:
        found = git.objects[oid]
        if isinstance(found, Commit):
            wants += found.parents

    def parents(commit: Commit) -> list[ObjectID]:
        return [] if commit.id in boundary else commit.parents

    def tags() -> dict[ObjectID, ObjectID]:
        refs = git.advertised() if b"include-tag" in fetch.features else ()
        return {ObjectID(ref.peeled): ObjectID(ref.oid) for ref in refs if ref.peeled != ref.oid}

    finder = MissingObjectFinder(
        git.objects, common, wants, shallow=set(fetch.shallow), get_tagged=tags, get_parents=parents
    )
    return [oid for oid, _ in finder]
