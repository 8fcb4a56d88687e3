"""JSON documents that hubpub wrote itself, read back: saved plans and receipts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hubpub.core.errors import UsageError

_LARGEST = 64 << 20


def read_document(path: Path, schema: str, maker: str) -> dict[str, Any]:
    """A JSON document of hubpub's.

    Raises:
        UsageError: it cannot be read, is too large, or is of another schema.
    """
    hint = f"give the file that `{maker}` wrote"
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST:
            raise UsageError(f"{path} is not a file that can be read", hint)
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", hint) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not JSON", hint) from error
    if not isinstance(document, dict) or document.get("schema") != schema:
        raise UsageError(f"{path} is not a {schema} document", hint)
    return document
