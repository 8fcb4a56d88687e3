"""Hypothesis strategies for requests to a hub: near the valid ones, and far from them."""

from __future__ import annotations

import json
import pkgutil
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

import hubpub.hub
from hubpub.hub.web.routing import Param, RawRoute

OID = "0123456789abcdef0123456789abcdef01234567"
SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

_WORDS = """
. .. ... %2e%2e %2E. ..%2f ..%2F..%2F..%2F..%2Fhub.json %2Fetc%2Fpasswd ..\\..\\hub.json %5c..%5c %00 a%00b %0a
%0d%0aX-Evil:%201 % %z %ff%fe %c0%ae%c0%ae %ed%a0%80 %f0%9f%92%a9 ~ ~root C: con .git .GIT%2Fconfig git~1 hub.json
repo.json locks scratch lfs link HEAD main FETCH_HEAD refs refs%2Fheads%2Fmain refs%2Fpr%2F1
refs%2F..%2F..%2Frepo.json refs%2Fheads%2F..%2F..%2Fconfig main.lock @%7B-1%7D main%5E main~1 v1 - -- -rf * ? # %3F
%23 ;x=y $HOME <script> %3Cscript%3E ' " %22 models datasets spaces api acme model acme%2Fmodel None README.md sub
sub%2Fa.txt sub/a.txt 0 1 -1 99999999999999999999 1e9 ١ NaN true
"""
_TRICKS = [*_WORDS.split(), "", OID, OID[:7], "0" * 40, SHA256, "a" * 255, "a" * 300, "a" * 5000, "%2F".join("d" * 300)]
_KEYS = """
name organization type visibility private gated fromRepo toRepo content repoType files path sample size gitIgnore
gitAttributes operation transfers objects oid hash_algo ref title description pullRequest comment status tag message
startingPoint paths expand key value summary parentCommit encoding algo srcPath srcRevision sdk license grant_type
subject_token resource subject_token_type user token role parts partNumber etag lfs sha256 url draft overwrite route
"""
_QUERY_KEYS = """
recursive expand expand[] limit cursor p create_pr author search service blobs type status sort direction filter
full diff include_prs securityStatus formatted download config cardData
"""

_METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH", "TRACE", "BREW", "CONNECT"]
_WRONG_LENGTHS = ["-1", "+5", "0x10", "1e3", "", " ", "99999999999999999999999", "1000", "1, 1", "٣"]

_text = st.text(max_size=20)
_encoded = st.text(max_size=12).map(lambda text: quote(text.encode("utf-8", "surrogatepass"), safe=""))
_hostile_text = st.one_of(
    _text,
    st.sampled_from(
        [
            "",
            "\0",
            "../../hub.json",
            "a/../../b",
            "/etc/passwd",
            "x" * 70_000,
            "\ud800",
            "\r\nX-Evil: 1",
            "\u202e",
            "💩",
        ]
    ),
    st.sampled_from(
        [
            "main",
            "acme",
            "model",
            "acme/model",
            OID,
            SHA256,
            "refs/pr/1",
            "README.md",
            "sub/a.txt",
            "base64",
            "sha256",
            "e30=",
        ]
    ),
)
_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([-1, 0, 1, 2**31, 2**63, 2**64, 10**400, 1.5, 1e308, float("inf"), float("nan")]),
    _hostile_text,
)
json_values = st.recursive(
    _scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(_KEYS.split()), _text), inner, max_size=5),
    ),
    max_leaves=12,
)
json_objects = st.dictionaries(st.sampled_from(_KEYS.split()), json_values, max_size=6)
_broken_json = st.sampled_from(
    [
        b"",
        b"{",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"1" * 10_000,
        b'{"size":' + b"9" * 5000 + b"}",
        b'{"files":' + b"[" * 500 + b"]" * 500 + b"}",
        b"null",
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\x00}\x00",
        b"\x00",
        b'{"name":"\\ud800","organization":"\\udfff"}',
        b'{"a":1,"a":2}',
        b"nul\xc3",
    ]
)


def dumped(value: Any) -> bytes:
    """As JSON, whatever is in it."""
    return json.dumps(value).encode()


def _line(key: str, **value: st.SearchStrategy[Any]) -> st.SearchStrategy[bytes]:
    fitting = st.fixed_dictionaries({}, optional=value)
    return st.one_of(fitting, fitting, json_values).map(lambda found: dumped({"key": key, "value": found}))


_paths = st.one_of(
    _hostile_text, st.sampled_from(["a.txt", "sub", "sub/b.txt", "d/" * 70 + "x", "a", "a/b", ".gitattributes"])
)
_lines = st.one_of(
    _line("file", path=_paths, content=st.one_of(st.just("YQ=="), _hostile_text), encoding=st.just("base64")),
    _line("lfsFile", path=_paths, algo=st.just("sha256"), oid=st.one_of(st.just(SHA256), _text), size=_scalars),
    _line("deletedFile", path=_paths),
    _line("deletedFolder", path=_paths),
    _line("copyFile", path=_paths, srcPath=_paths, srcRevision=_hostile_text),
    json_values.map(dumped),
    _broken_json,
    st.binary(max_size=30),
)
_headers = st.one_of(
    st.just(b'{"key":"header","value":{"summary":"s"}}'),
    _line("header", summary=_hostile_text, description=_hostile_text, parentCommit=st.one_of(st.just(OID), _text)),
)
commit_bodies = st.builds(
    lambda header, lines, end: b"\n".join([header, *lines]) + end,
    _headers,
    st.lists(_lines, max_size=4),
    st.sampled_from([b"", b"\n", b"\n\n", b"\r\n"]),
)
_pkt_lines = st.lists(
    st.one_of(
        st.sampled_from(
            [
                b"0000",
                b"0001",
                b"0002",
                b"0004",
                b"0014command=ls-refs\n",
                b"0012command=fetch\n",
                b"0009done\n",
                b"000cdeepen 1",
            ]
        ),
        st.builds(
            lambda word, oid: b"%04x%b %b" % (5 + len(word) + 40, word, oid),
            st.sampled_from([b"want", b"have", b"shallow"]),
            st.sampled_from([OID.encode(), b"0" * 40, b"z" * 40]),
        ),
        st.binary(max_size=8),
    ),
    max_size=6,
).map(b"".join)
_oids = st.one_of(st.just(SHA256), st.just("f" * 64), _hostile_text)
_files = st.fixed_dictionaries({}, optional={"path": _paths, "size": _scalars, "sample": _hostile_text})
_objects = st.fixed_dictionaries({}, optional={"oid": _oids, "size": st.one_of(st.integers(0, 30_000), _scalars)})
_plausible = st.fixed_dictionaries(
    {},
    optional={
        "files": st.lists(_files, max_size=3),
        "objects": st.lists(_objects, max_size=3),
        "operation": st.sampled_from(["upload", "download"]),
        "transfers": st.lists(st.sampled_from(["basic", "multipart", "xet"]), max_size=3),
        "paths": st.one_of(_paths, st.lists(_paths, max_size=3)),
        "expand": st.booleans(),
        "title": _hostile_text,
        "description": _hostile_text,
        "comment": _hostile_text,
        "status": st.sampled_from(["open", "closed", "merged", "draft", "accepted", "rejected", "x"]),
        "pullRequest": st.booleans(),
        "tag": _hostile_text,
        "message": _hostile_text,
        "startingPoint": _hostile_text,
        "name": _hostile_text,
        "organization": _hostile_text,
        "type": st.sampled_from(["model", "dataset", "space", "kernel"]),
        "visibility": st.sampled_from(["public", "private", "protected"]),
        "gated": st.sampled_from([False, "auto", "manual", True]),
        "content": st.one_of(
            _hostile_text, st.just("---\nlicense: mit\n---\n"), st.just("---\n" + "a: &a [*a]\n" * 50)
        ),
        "repoType": st.sampled_from(["model", "dataset", "space"]),
        "user": _hostile_text,
    },
)
bodies = st.one_of(
    _plausible.map(dumped),
    _plausible.map(dumped),
    json_objects.map(dumped),
    json_values.map(dumped),
    _broken_json,
    commit_bodies,
    _pkt_lines,
    st.binary(max_size=200),
)

_number = st.one_of(
    st.integers(-5, 40).map(str),
    st.sampled_from(["", "0", "-0", "+1", "99999999999999999999", "1" * 400, "١", "x", " 1"]),
)
ranges = st.one_of(
    st.builds(lambda first, last: f"bytes={first}-{last}", _number, _number),
    st.sampled_from(
        [
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=0-0,2-3",
            "bytes=0-0" + ",1-1" * 500,
            "items=0-1",
            "BYTES=0-1",
            "bytes = 0-1",
            "\t",
        ]
    ),
)
_authorization = st.one_of(
    st.sampled_from(
        [
            "Bearer",
            "Bearer ",
            "Bearer hf_wrong",
            "bearer  x y",
            "Basic",
            "Basic %%%",
            "Basic Og==",
            "Basic 6Q==",
            "Digest x",
            "\t",
        ]
    ),
    st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=40),
)
_hosts = st.sampled_from(
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost",
        "LOCALHOST",
        "[::1]",
        "[",
        "]:1",
        "127.0.0.1:99999999",
        "a b",
        "@127.0.0.1",
        "127.0.0.1@evil",
        "127.0.0.1#",
        "",
        "127.0.0.1\x00",
        "127.0.0.1,evil",
        "2130706433",
        "x" * 5000,
    ]
)
_types = st.sampled_from(
    [
        "application/json",
        "application/x-ndjson",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/vnd.git-lfs+json",
        "application/json; charset=utf-16",
        ";",
        "\xff",
        "x/" + "y" * 5000,
    ]
)
_other_headers = st.one_of(
    st.tuples(
        st.just("Git-Protocol"),
        st.sampled_from(["version=2", "version=1", "version=0", "version=x:version=2", "version=" + "9" * 5000]),
    ),
    st.tuples(st.just("Content-Encoding"), st.sampled_from(["gzip", "br", "identity", "gzip, gzip", "\xff"])),
    st.tuples(st.just("Origin"), st.sampled_from(["https://evil.example", "null", "http://127.0.0.1"])),
    st.tuples(st.just("Accept"), st.sampled_from(["*/*", "application/vnd.xet-fileinfo+json", "text/html", "\xff"])),
    st.tuples(st.just("Accept-Encoding"), st.sampled_from(["gzip", "identity", "br;q=x"])),
    st.tuples(st.just("Expect"), st.sampled_from(["100-continue", "1"])),
    st.tuples(st.just("If-None-Match"), st.sampled_from(["*", '"x"', "W/"])),
    st.tuples(st.just("X-HTTP-Method-Override"), st.just("DELETE")),
    st.tuples(st.just("X-Forwarded-Host"), st.just("evil.example")),
    st.tuples(st.just("Upgrade"), st.sampled_from(["websocket", "h2c"])),
    st.tuples(st.just("Cookie"), st.just("token=x; " * 100)),
    st.tuples(
        st.text("abcXYZ-_1", min_size=1, max_size=10),
        st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=30),
    ),
)


@dataclass(frozen=True)
class Sent:
    """A request, as bytes.

    Attributes:
        raw: all of it.
        framed: whether its length is as it says, so that an answer is due.
    """

    raw: bytes
    framed: bool


def routes() -> list[RawRoute]:
    """Every route of the hub, in the order in which they are declared."""
    modules = [import_module(f"hubpub.hub.{found.name}") for found in pkgutil.iter_modules(hubpub.hub.__path__)]
    return [route for module in modules for route in getattr(module, "ROUTES", [])]


def _once_in(times: int) -> st.SearchStrategy[bool]:
    """True once in so many times, roughly: hypothesis likes the ends of a range, so this is not one of them."""
    return st.integers(0, times).map(lambda number: number == times // 2)


@st.composite
def targets(draw: st.DrawFn, pattern: tuple[str | Param, ...], values: dict[str, list[str]]) -> str:
    """An address that fits a route, or nearly; parameters get one of `values`, and now and then a trick."""
    parts = []
    for part in pattern:
        if isinstance(part, str):
            parts.append(part)
            continue
        fitting = [quote(value, safe="") for value in (sorted(part.choices) or values.get(part.name, []))]
        if not fitting or draw(_once_in(9)):
            chosen = draw(st.one_of(st.sampled_from(_TRICKS), _encoded))
        else:
            chosen = draw(st.sampled_from(fitting))
        parts.append(chosen if draw(_once_in(30)) else chosen + part.suffix)
    if draw(_once_in(20)):
        parts.insert(draw(st.integers(0, len(parts))), draw(st.sampled_from(_TRICKS)))
    parameters = st.tuples(st.sampled_from(_QUERY_KEYS.split()), st.one_of(_number, st.sampled_from(_TRICKS)))
    query = "&".join(f"{key}={value}" for key, value in draw(st.lists(parameters, max_size=3)))
    return "/" + "/".join(parts) + (f"?{query}" if query else "")


@st.composite
def sent(draw: st.DrawFn, host: str, choices: list[RawRoute], values: dict[str, list[str]]) -> Sent:
    """A request to one of the routes, with one of the tokens among the values."""
    chosen = draw(st.sampled_from(choices))
    method = draw(st.sampled_from(_METHODS)) if draw(_once_in(15)) else min(chosen.methods)
    target = draw(targets(chosen.pattern, values))
    token = draw(st.sampled_from(values["cas token" if chosen.pattern[:1] == ("cas",) else "token"]))
    headers = [
        ("Host", draw(_hosts) if draw(_once_in(30)) else host),
        ("Connection", "close"),
        (
            "Authorization",
            draw(_authorization) if draw(_once_in(9)) else f"Bearer {token}",
        ),
        ("Content-Type", draw(_types)),
    ]
    if draw(_once_in(4)):
        headers.append(("Range", draw(ranges)))
    headers += draw(st.lists(_other_headers, max_size=2))
    if method in ("GET", "HEAD"):
        body = draw(bodies) if draw(_once_in(9)) else b""
    else:
        body = draw(commit_bodies if "commit" in chosen.pattern else bodies)
    length, framed, body = draw(_framing(body))
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in [*headers, *length])]
    return Sent("\r\n".join(lines).encode("utf-8", "surrogatepass") + b"\r\n\r\n" + body, framed)


@st.composite
def _framing(draw: st.DrawFn, body: bytes) -> tuple[list[tuple[str, str]], bool, bytes]:
    """How the length of a body is told, whether truly, and the body."""
    true = ("Content-Length", str(len(body)))
    if not draw(_once_in(6)):
        return [true], True, body
    way = draw(st.integers(0, 4))
    if way == 0:
        chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
        return [("Transfer-Encoding", "chunked")], True, chunk + b"0\r\n\r\n"
    if way == 1:
        return [("Transfer-Encoding", "chunked"), true], False, body
    if way == 2:
        return [("Content-Length", draw(st.sampled_from(_WRONG_LENGTHS)))], False, body
    if way == 3:
        return [true, ("Content-Length", str(len(body) + 1))], False, body
    return [], False, body
