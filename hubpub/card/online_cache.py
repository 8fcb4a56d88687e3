"""What the network answered, kept for a day: one small file per question in the user's cache directory."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import time
from pathlib import Path

DIRECTORY_VARIABLE = "HUBPUB_CACHE_DIR"
SECONDS = 24 * 3600

_FORMAT = 1
_LARGEST = 1 << 14
_MOST_ENTRIES = 20_000


class AnswerCache:
    """Answers by question. What goes wrong with the cache itself is nobody's concern: it then knows nothing."""

    def __init__(self, directory: Path) -> None:
        """Args: `directory` is made when needed."""
        self._directory = directory / f"answers-{_FORMAT}"
        self._trimmed = False

    @classmethod
    def of_user(cls) -> AnswerCache:
        """The cache in `HUBPUB_CACHE_DIR`, else in the cache directory of this user."""
        named = os.environ.get(DIRECTORY_VARIABLE)
        if named:
            return cls(Path(named))
        import platformdirs

        return cls(Path(platformdirs.user_cache_dir("hubpub", appauthor=False)))

    def get(self, question: str) -> dict[str, str] | None:
        """What was answered within the last day."""
        try:
            with self._place(question).open("rb") as file:
                entry = json.loads(file.read(_LARGEST))
            age = time.time() - float(entry["time"])
            answer = entry["answer"]
            if entry["question"] != question or not 0 <= age < SECONDS or not isinstance(answer, dict):
                return None
            return {str(key): str(value) for key, value in answer.items()}
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None

    def put(self, question: str, answer: dict[str, str]) -> None:
        """Keep an answer."""
        content = json.dumps({"question": question, "time": time.time(), "answer": answer}).encode()
        if len(content) > _LARGEST:
            return
        with contextlib.suppress(OSError):
            self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, temporary = tempfile.mkstemp(prefix="new-", dir=self._directory)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                Path(temporary).replace(self._place(question))
            except OSError:
                Path(temporary).unlink(missing_ok=True)
                raise
            self._trim()

    def _trim(self) -> None:
        """Delete what is older than a day, once in a run and only when there is much."""
        if self._trimmed:
            return
        self._trimmed = True
        entries = list(self._directory.iterdir())
        if len(entries) > _MOST_ENTRIES:
            for entry in entries:
                with contextlib.suppress(OSError):
                    if time.time() - entry.stat().st_mtime > SECONDS:
                        entry.unlink()

    def _place(self, question: str) -> Path:
        return self._directory / hashlib.sha256(question.encode("utf-8", "surrogatepass")).hexdigest()[:40]
