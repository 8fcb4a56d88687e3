"""Preflight: may this token publish to that repo? Asked before a byte is hashed, uploaded or created.

Each refusal names the layer that it comes from: the token, its scopes, a role, a policy of the organisation, or the
repo.
"""

from __future__ import annotations

from dataclasses import replace

from hubpub.core.errors import AuthError, UsageError
from hubpub.publish.client import HubClient
from hubpub.publish.identity import WRITING_ROLES, Identity
from hubpub.publish.namespaces import open_to, suggestion

_PROPOSE = "propose it with --pr: a pull request needs no right to write"


def sign_in(client: HubClient, repo_id: str | None) -> Identity:
    """Whose token it is.

    A hub need not answer for the token of a trusted publisher; then it is taken for what it was asked for.

    Raises:
        AuthError: the hub does not know the token.
    """
    if not client.http.keyless or repo_id is None:
        return replace(client.whoami(), token_source=client.http.token_source)
    # An exchange that fails is not a question that the hub does not answer.
    _ = client.http.token
    try:
        found = client.whoami()
    except AuthError:
        found = Identity(repo_id.partition("/")[0], None, {}, kind="app", repos=(repo_id,))
    return replace(found, token_source=client.http.token_source)


def check_may_publish(client: HubClient, identity: Identity, repo_id: str, *, exists: bool) -> None:
    """Return if the push may go on.

    An existing repo is asked itself (`auth-check/write`), and what `whoami` says explains its refusal. For a new one,
    that decides: the namespace is the user's own, or an organisation in which the user's role may create repos.

    Raises:
        AuthError: naming what stands in the way, and the namespaces that are open.
    """
    if exists:
        try:
            client.check_write(repo_id)
        except AuthError as error:
            raise _explained(identity, repo_id, error) from error
        return
    if identity.keyless:
        raise AuthError(
            f"there is no {repo_id} to see, and a keyless token never creates a repo",
            "publish once with a token of your own, then name this job as a trusted publisher in the repo's settings",
            layer="token",
        )
    refusal = _token(identity, repo_id) or _membership(identity, repo_id) or _scope(identity, repo_id, creates=True)
    if refusal:
        raise refusal


def check_may_write(client: HubClient, repo_id: str) -> None:
    """Return if the token may write to a repo that is there, where a pull request is no way out.

    Raises:
        AuthError: naming what stands in the way.
    """
    try:
        client.check_write(repo_id)
    except AuthError as error:
        raise _reason(sign_in(client, repo_id), repo_id, error) from error


def check_may_propose(identity: Identity, repo_id: str, *, exists: bool) -> None:
    """Return if the token may open a pull request, as far as `whoami` tells.

    Raises:
        UsageError: there is no such repo to see.
        AuthError: the token cannot.
    """
    if not exists:
        raise UsageError(
            f"there is no {repo_id} to open a pull request in, or this token may not see it",
            "check the repo id, or publish without --pr to create it",
        )
    if identity.token_role == "read":  # noqa: S105 -- a role, not a secret
        raise AuthError(
            f"{identity.token} can only read",
            "a pull request needs a write token, or a fine-grained one with discussion.write",
            layer="token",
        )
    if not identity.may_discuss(repo_id):
        raise AuthError(
            f"{identity.token} has no discussion.write for {repo_id}",
            "add it to the token's permissions in the hub's settings, or use another token",
            layer="scope",
        )


def _explained(identity: Identity, repo_id: str, error: AuthError) -> AuthError:
    """The refusal of an existing repo, with the way out that there is."""
    found = _reason(identity, repo_id, error)
    if found.layer == "token":
        return found
    return AuthError(found.message, f"{found.next_step}; or {_PROPOSE}", layer=found.layer)


def _reason(identity: Identity, repo_id: str, error: AuthError) -> AuthError:
    """The refusal of an existing repo, by the first layer that explains it."""
    found = _token(identity, repo_id)
    if found is None and error.layer == "organisation policy":
        found = error
    found = found or _restricted(identity, repo_id.partition("/")[0])
    if found is None and not identity.keyless:
        found = _scope(identity, repo_id, creates=False) or _role(identity, repo_id)
    return found or AuthError(error.message, error.next_step, layer=error.layer or "repo")


def _token(identity: Identity, repo_id: str) -> AuthError | None:
    if identity.token_role == "read":  # noqa: S105 -- a role, not a secret
        return AuthError(
            f"{identity.token} can only read",
            "use a token with write permission; set HF_TOKEN to it",
            layer="token",
        )
    if identity.keyless and not identity.may_write(repo_id):
        return AuthError(
            f"the keyless token is for {', '.join(identity.repos)}, not {repo_id}",
            f"name this job as a trusted publisher in the settings of {repo_id}",
            layer="token",
        )
    return None


def _membership(identity: Identity, repo_id: str) -> AuthError | None:
    namespace = repo_id.partition("/")[0]
    if namespace == identity.name:
        return None
    if namespace not in identity.orgs:
        return AuthError(
            f"{identity.name} is not a member of {namespace}, or there is no such organisation",
            suggestion(identity, namespace),
            layer="role",
        )
    role = identity.orgs[namespace]
    if role is not None and role not in WRITING_ROLES:
        return AuthError(
            f"{identity.name} has the role {role} in {namespace} and may not publish", open_to(identity), layer="role"
        )
    return _restricted(identity, namespace)


def _restricted(identity: Identity, namespace: str) -> AuthError | None:
    asked = next((org.restrictions for org in identity.organisations if org.name == namespace), ())
    if not asked:
        return None
    return AuthError(
        f"{namespace} lets nobody in without {' and '.join(asked)}, which {identity.name} has not set up",
        "do so in the settings of your account on the hub, then run the same command again",
        layer="organisation policy",
    )


def _role(identity: Identity, repo_id: str) -> AuthError | None:
    """The role that keeps somebody from writing to a repo that is there."""
    namespace = repo_id.partition("/")[0]
    if namespace == identity.name:
        return None
    role = identity.orgs.get(namespace, "")
    if role == "":
        return AuthError(
            f"{identity.name} is not a member of {namespace}, whose repo {repo_id} is", open_to(identity), layer="role"
        )
    if role == "contributor":
        return AuthError(
            f"{identity.name} has the role contributor in {namespace}, which writes only to repos of one's own making",
            f"ask an administrator of {namespace} for the role write",
            layer="role",
        )
    if role in ("read", "no_access"):
        return AuthError(
            f"{identity.name} has the role {role} in {namespace} and may not write to {repo_id}",
            f"ask an administrator of {namespace} for the role write",
            layer="role",
        )
    return None


def _scope(identity: Identity, repo_id: str, *, creates: bool) -> AuthError | None:
    """What a fine-grained token lacks."""
    namespace = repo_id.partition("/")[0]
    what = namespace if creates else repo_id
    enough = identity.writable is None or namespace in identity.writable if creates else identity.may_write(repo_id)
    if enough:
        return None
    return AuthError(
        f"{identity.token} has no repo.write for {what}",
        f"add {what} to the token's scopes, or use another token; {open_to(identity)}",
        layer="scope",
    )
