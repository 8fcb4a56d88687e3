"""What the network answered, kept for a day in the user's cache directory."""

from __future__ import annotations

import json
import time
from pathlib import Path

from hubpub.model.kept import Kept, cache_directory

SECONDS = 24 * 3600

_FORMAT = 1  # to be raised when what is kept, or what it means, changes
_LARGEST = 1 << 14
_MOST_BYTES = 5_000_000  # some 20,000 answers


class AnswerCache:
    """Answers by question."""

    def __init__(self, directory: Path) -> None:
        """Args: `directory` is made when needed."""
        self._kept = Kept(directory / f"answers-{_FORMAT}", most_bytes=_MOST_BYTES)
        self._trimmed = False

    @classmethod
    def of_user(cls) -> AnswerCache:
        """The cache of this user."""
        return cls(cache_directory())

    def get(self, question: str) -> dict[str, str] | None:
        """What was answered within the last day."""
        body = self._kept.get(question)
        if body is None or len(body) > _LARGEST:
            return None
        try:
            entry = json.loads(body)
            age = time.time() - float(entry["time"])
            answer = entry["answer"]
            if entry["question"] != question or not 0 <= age < SECONDS or not isinstance(answer, dict):
                return None
            return {str(key): str(value) for key, value in answer.items()}
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None

    def put(self, question: str, answer: dict[str, str]) -> None:
        """Keep an answer."""
        body = json.dumps({"question": question, "time": time.time(), "answer": answer}).encode()
        if len(body) > _LARGEST:
            return
        self._kept.put(question, body)
        if not self._trimmed:  # once in a run is enough
            self._kept.trim()
            self._trimmed = True
