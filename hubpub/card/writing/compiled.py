"""hubpub's own templates as Python code, kept where Python keeps that of modules: in `__pycache__` beside them.

Whoever may write there may change hubpub itself. So nothing is kept in a directory that jobs may share or restore, and
no template of a project is kept at all. Each is compiled again when it changes, or hubpub, jinja2 or Python does.
"""

from __future__ import annotations

import hashlib
import marshal
import os
import secrets
import sys
from contextlib import suppress
from importlib.util import MAGIC_NUMBER, cache_from_source
from pathlib import Path

from jinja2.bccache import Bucket, BytecodeCache

from hubpub.core.code_state import code_of, package_code

_LARGEST = 4 << 20
_DIGEST = hashlib.sha256().digest_size


class CompiledTemplates(BytecodeCache):
    """The code of the templates in one folder; what lies elsewhere passes it by."""

    def __init__(self, folder: Path) -> None:
        self._folder = f"{folder}{os.sep}"
        # The modules beside this one say what an environment of these templates is like.
        self._made_by = package_code("jinja2") + code_of(sorted(Path(__file__).parent.glob("*.py")))

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        """The path of the template, by which it is known here."""
        return filename or name

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give the bucket its code, if it was kept for this very template."""
        path = self._path(bucket)
        if path is None:
            return
        with suppress(OSError, EOFError, ValueError, TypeError), path.open("rb") as file:
            content = file.read(_LARGEST)
            digest, code = content[:_DIGEST], content[_DIGEST:]
            if digest == self._digest(bucket, code):
                bucket.code = marshal.loads(code)  # noqa: S302 -- of hubpub's own folder, as Python does

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code of the bucket, where that can be done."""
        path = self._path(bucket)
        if path is None or bucket.code is None or sys.dont_write_bytecode:
            return
        code = marshal.dumps(bucket.code)
        temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(self._digest(bucket, code) + code)
            temporary.replace(path)
        except OSError:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)

    def _path(self, bucket: Bucket) -> Path | None:
        if not bucket.key.startswith(self._folder) or sys.implementation.cache_tag is None:
            return None
        return Path(cache_from_source(bucket.key, optimization="jinja"))

    def _digest(self, bucket: Bucket, code: bytes) -> bytes:
        made_of = f"{bucket.key}\0{bucket.checksum}\0{self._made_by}\0"
        return hashlib.sha256(MAGIC_NUMBER + made_of.encode("utf-8", "surrogateescape") + code).digest()
