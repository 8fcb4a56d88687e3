"""Preflight: may this token publish to that repo? Asked before anything is uploaded or created."""

from __future__ import annotations

from hubpub.core.errors import AuthError
from hubpub.publish.client import HubClient
from hubpub.publish.remote import WRITING_ROLES, Identity


def check_may_publish(client: HubClient, identity: Identity, repo_id: str, *, exists: bool) -> None:
    """Return if the push may go on.

    An existing repo is asked itself (`auth-check/write`). For a new one, what `whoami` says decides: the
    namespace is the user's own, or an organisation in which the user's role may create repos.

    Raises:
        AuthError: naming what stands in the way, and the namespaces that are open.
    """
    if identity.token_role == "read":  # noqa: S105 -- a role, not a secret
        raise AuthError(
            f"the token of {identity.name} can only read",
            "use a token with write permission; set HF_TOKEN to it",
        )
    if exists:
        client.check_write(repo_id)
        return
    namespace = repo_id.partition("/")[0]
    role = "admin" if namespace == identity.name else identity.orgs.get(namespace)
    if namespace != identity.name and namespace not in identity.orgs:
        raise AuthError(
            f"{identity.name} is not a member of {namespace}, or there is no such organisation",
            _open_to(identity),
        )
    if role is not None and role not in WRITING_ROLES:
        raise AuthError(f"{identity.name} has the role {role} in {namespace} and may not publish", _open_to(identity))
    if identity.writable is not None and namespace not in identity.writable:
        raise AuthError(
            f"the fine-grained token of {identity.name} has no repo.write for {namespace}",
            f"add {namespace} to the token's scopes, or use another token",
        )


def open_namespaces(identity: Identity) -> list[str]:
    """The namespaces in which the token may create repos, as far as `whoami` tells."""
    if identity.token_role == "read":  # noqa: S105 -- a role, not a secret
        return []
    spaces = {
        identity.name,
        *(org for org, role in identity.orgs.items() if role is None or role in WRITING_ROLES),
    }
    return sorted(spaces if identity.writable is None else spaces & identity.writable)


def _open_to(identity: Identity) -> str:
    return f"this token may publish to: {', '.join(open_namespaces(identity)) or 'nothing'}"
