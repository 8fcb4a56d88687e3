"""Which namespace somebody means: a user or an organisation, by its name or by how it is displayed."""

from __future__ import annotations

import difflib
import re

from hubpub.core.errors import AuthError, UsageError
from hubpub.publish.identity import Identity
from hubpub.publish.target import is_name

_SHOWN = 8


def find_namespace(identity: Identity, wanted: str | None) -> str:
    """The namespace that `--org` means; without one, the token's user.

    A name that the hub spells so is taken as it is, even if the token's user is no member there: the repo may be open
    to them. Otherwise case, spaces and the displayed name of their organisations count.

    Raises:
        UsageError: it could be several, or is no name and means none.
        AuthError: a trusted publisher has no namespace of its own.
    """
    if wanted is None:
        if identity.keyless:
            raise AuthError(
                "a keyless token is for one repo, and belongs to nobody", "name the repo with --repo-id", layer="token"
            )
        return identity.name
    known = _spellings(identity)
    if wanted in known:
        return wanted
    meant = sorted(name for name, spellings in known.items() if _plain(wanted) in spellings)
    if len(meant) == 1:
        return meant[0]
    if meant:
        raise UsageError(f"--org {wanted} could be {' or '.join(meant)}", "give the name as it is in the URL")
    if is_name(wanted):
        return wanted
    raise UsageError(f"no organisation of {identity.name} is called {wanted!r}", suggestion(identity, wanted))


def suggestion(identity: Identity, wanted: str) -> str:
    """What somebody may have meant, and where the token may publish to."""
    known = _spellings(identity)
    plain = {spelling: name for name, spellings in known.items() for spelling in spellings}
    near = list(
        dict.fromkeys(plain[found] for found in difflib.get_close_matches(_plain(wanted), plain, n=3, cutoff=0.6))
    )
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    return f"{hint}{open_to(identity)}"


def open_to(identity: Identity) -> str:
    """Where the token may publish to, as a sentence without its full stop."""
    places = [*identity.open_namespaces(), *identity.open_repos()]
    more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
    return f"this token may publish to: {', '.join(places[:_SHOWN]) or 'nothing'}{more}"


def _spellings(identity: Identity) -> dict[str, set[str]]:
    titles = {org.name: org.title for org in identity.organisations}
    own = {} if identity.keyless else {identity.name: {_plain(identity.name)}}
    return own | {name: {_plain(name), _plain(titles.get(name, name))} for name in identity.orgs}


def _plain(text: str) -> str:
    """Without case, spaces and what stands for them."""
    return re.sub(r"[\s_.-]+", "", text.casefold())
