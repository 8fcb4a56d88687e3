"""Trusted publishers: CI jobs that prove who they are with an id token, and get a token for one repo.

The exchange is RFC 8693; what it means on the Hub: https://huggingface.co/docs/hub/trusted-publishers. An id token
is a JWT that the job's platform signs; only asymmetric signatures of issuers that the accounts file names count.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from hubpub.hub.naming import RepoId

LIFETIME = 3600
"""Seconds that an exchanged token is valid."""

_ALGORITHMS = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "EC": ("ES256", "ES384", "ES512"),
    "OKP": ("EdDSA",),
}
_LEEWAY = 30
_LONGEST = 16 << 10


class IdTokenError(Exception):
    """An id token that does not prove what it should; the message says why, without quoting it."""


@dataclass(frozen=True, slots=True)
class _Key:
    id: str | None
    family: str
    key: Any = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Issuer:
    """A platform that signs id tokens, with the keys that it signs with."""

    name: str
    keys: tuple[_Key, ...]

    @classmethod
    def from_pem(cls, name: str, pem: str) -> Issuer:
        """With one public key in PEM form.

        Raises:
            ValueError: it is not one.
        """
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
        from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key

        try:
            key = load_pem_public_key(pem.encode())
        except (ValueError, UnsupportedAlgorithm):
            raise ValueError("it is not a public key in PEM form") from None
        families = (
            ("RSA", RSAPublicKey),
            ("EC", EllipticCurvePublicKey),
            ("OKP", Ed25519PublicKey),
            ("OKP", Ed448PublicKey),
        )
        keys = tuple(_Key(None, family, key) for family, kind in families if isinstance(key, kind))
        if not keys:
            raise ValueError("it is not an RSA, EC, Ed25519 or Ed448 key")
        return cls(name, keys)

    @classmethod
    def from_jwks(cls, name: str, document: Any) -> Issuer:
        """With the public keys of a JWK set (RFC 7517), as issuers publish it at their `jwks_uri`.

        Raises:
            ValueError: it has no usable key.
        """
        import jwt

        try:
            found = jwt.PyJWKSet.from_dict(document).keys
        except (jwt.PyJWTError, AttributeError, TypeError):
            raise ValueError("it is not a JWK set") from None
        keys = tuple(_Key(key.key_id, str(key.key_type), key.key) for key in found if key.key_type in _ALGORITHMS)
        if not keys:
            raise ValueError("it has no public key for signatures")
        return cls(name, keys)


@dataclass(frozen=True, slots=True)
class Publisher:
    """A job that may publish to a repo: whose id token it shows, and what the token must say exactly."""

    repo: RepoId
    issuer: str
    claims: tuple[tuple[str, str], ...]


def verified_claims(id_token: str, issuers: Iterable[Issuer], audiences: Iterable[str]) -> dict[str, Any]:
    """What an id token says, once its signature, issuer, audience and time have been checked.

    Raises:
        IdTokenError: one of them is wrong.
    """
    import jwt

    if len(id_token) > _LONGEST:
        raise IdTokenError("the id token is too long")
    try:
        unverified = jwt.decode(id_token, options={"verify_signature": False})
        header = jwt.get_unverified_header(id_token)
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise IdTokenError("the id token is not a JWT") from None
    issuer = next((issuer for issuer in issuers if issuer.name == unverified.get("iss")), None)
    if issuer is None:
        raise IdTokenError("the id token is of an issuer that this hub does not know")
    algorithm, key_id = header.get("alg"), header.get("kid")
    fitting = [key for key in issuer.keys if algorithm in _ALGORITHMS[key.family] and key_id in (None, key.id)]
    # A key given as PEM has no id, so it is tried whatever the token says.
    fitting += [key for key in issuer.keys if algorithm in _ALGORITHMS[key.family] and key.id is None]
    for key in fitting:
        try:
            claims: dict[str, Any] = jwt.decode(
                id_token,
                key.key,
                algorithms=[str(algorithm)],
                audience=list(audiences),
                issuer=issuer.name,
                leeway=_LEEWAY,
                options={"require": ["exp", "iss", "aud"]},
            )
        except jwt.InvalidSignatureError:
            continue
        except jwt.InvalidAudienceError:
            raise IdTokenError("the id token is for another audience than this hub's address") from None
        except jwt.ExpiredSignatureError:
            raise IdTokenError("the id token has expired") from None
        except (jwt.PyJWTError, ValueError, OverflowError, RecursionError):
            raise IdTokenError("the id token is not valid: a claim is missing or wrong") from None
        return claims
    raise IdTokenError("the signature of the id token is not the issuer's")


def check_publisher(repo: RepoId, claims: dict[str, Any], publishers: Iterable[Publisher]) -> None:
    """Return if verified claims are those of a publisher of `repo`.

    Raises:
        IdTokenError: they are not; if one is wrong, naming it.
    """
    of_repo = [item for item in publishers if item.repo == repo and item.issuer == claims.get("iss")]
    wrong: list[str] = []
    for publisher in of_repo:
        wrong = [name for name, value in publisher.claims if claims.get(name) != value]
        if not wrong:
            return
    detail = f": the claim {wrong[0]} is not the configured one" if len(of_repo) == 1 else ""
    raise IdTokenError(f"the id token is not one of a trusted publisher of {repo.web_path}{detail}")
