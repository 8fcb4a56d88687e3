"""Run many Python snippets, each in a process of its own: `python run_snippets.py SNIPPETS.json RESULTS.json`.

SNIPPETS.json maps names to code. The libraries are imported once and every snippet runs in a fork, which saves some ten
seconds for each. RESULTS.json maps the names to the exit code and what the snippet wrote.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback
from pathlib import Path

PATIENCE = 60  # seconds of processor time


def run(code: str) -> tuple[int, str, str]:
    """The exit code of a snippet, its output and its errors."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, name) for name in ("stdout", "stderr")]
        child = os.fork()
        if child == 0:
            status = 1
            try:
                import resource

                resource.setrlimit(resource.RLIMIT_CPU, (PATIENCE, PATIENCE))
                for number, path in enumerate(files, start=1):
                    os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
                os.chdir(folder)
                exec(compile(code, "snippet.py", "exec"), {"__name__": "__main__"})
                status = 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status)
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status), *(path.read_text(encoding="utf-8") for path in files)


def main(snippets: Path, results: Path) -> None:
    """Run them in order, and write down what became of each."""
    import peft  # noqa: F401
    import sentence_transformers  # noqa: F401
    import torch
    import transformers.pipelines
    import transformers.trainer  # noqa: F401

    torch.set_num_threads(1)
    done = {name: run(code) for name, code in json.loads(snippets.read_text(encoding="utf-8")).items()}
    results.write_text(json.dumps(done), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
