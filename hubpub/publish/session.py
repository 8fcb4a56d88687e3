"""The client of huggingface_hub, which reads the proxies and certificates of the environment when it is made."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hubpub.core.errors import UsageError
from hubpub.publish.refusals import one_line

if TYPE_CHECKING:
    import httpx2

_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


def session() -> httpx2.Client:
    """The client.

    Raises:
        UsageError: a proxy of the environment cannot be used, or its certificates cannot be read.
    """
    import httpx2
    from huggingface_hub import get_session

    try:
        return get_session()
    except ImportError as error:
        raise UsageError(
            f"a proxy of the environment speaks SOCKS, which needs a package: {_proxies()}",
            "pip install socksio, or unset it",
        ) from error
    except (ValueError, httpx2.InvalidURL) as error:  # it may hold a password
        raise UsageError(
            f"a proxy of the environment cannot be used: {_proxies()}", "set it to a URL such as http://host:3128"
        ) from error
    except OSError as error:
        raise UsageError(
            f"the certificates cannot be read: {error.strerror or one_line(error)}",
            "see where SSL_CERT_FILE and SSL_CERT_DIR lead to, or unset them",
        ) from error


def _proxies() -> str:
    """Names of the variables, without what is in them."""
    names = [name for name, value in sorted(os.environ.items()) if value and name.lower() in _PROXIES]
    return ", ".join(names) or "that of the system"
