"""Run many Python snippets, each in a process of its own: `python run_snippets.py SNIPPETS.json RESULTS.json`.

SNIPPETS.json maps names to code. The libraries are imported once and every snippet runs in a fork, which saves some ten
seconds for each. RESULTS.json maps the names to the exit code and what the snippet wrote.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import traceback
from pathlib import Path

PATIENCE = 60  # seconds of processor time
AT_ONCE = 2


def start(code: str, folder: Path) -> int:
    """Begin to run a snippet in `folder`, where its output goes; the id of the process."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (PATIENCE, PATIENCE))
        for number, name in enumerate(("stdout", "stderr"), start=1):
            os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT), number)
        os.chdir(folder)
        exec(compile(code, "snippet.py", "exec"), {"__name__": "__main__"})
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def run_all(snippets: dict[str, str], root: Path) -> dict[str, tuple[int, str, str]]:
    """The exit code of each, its output and its errors."""
    waiting, running, done = list(snippets), {}, {}
    while waiting or running:
        while waiting and len(running) < AT_ONCE:
            name = waiting.pop(0)
            folder = Path(tempfile.mkdtemp(dir=root))
            running[start(snippets[name], folder)] = name, folder
        child, status = os.wait()
        name, folder = running.pop(child)
        wrote = [(folder / stream).read_text(encoding="utf-8") for stream in ("stdout", "stderr")]
        done[name] = os.waitstatus_to_exitcode(status), wrote[0], wrote[1]
    return done


def main(snippets: Path, results: Path) -> None:
    """Run them, and write down what became of each."""
    import peft  # noqa: F401
    import sentence_transformers  # noqa: F401
    import torch
    import transformers.pipelines
    import transformers.trainer  # noqa: F401

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as root:
        done = run_all(json.loads(snippets.read_text(encoding="utf-8")), Path(root))
    results.write_text(json.dumps(done), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
