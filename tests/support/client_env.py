"""Settings that huggingface_hub and hf_xet read once, at import: import this module before them."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

_home = tempfile.mkdtemp(prefix="hubpub-test-hf-")
atexit.register(shutil.rmtree, _home, ignore_errors=True)
os.environ["HF_HOME"] = _home
os.environ["HUBPUB_CACHE_DIR"] = _home + "/hubpub"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
os.environ["HF_XET_CLIENT_RETRY_MAX_ATTEMPTS"] = "1"
os.environ["HF_XET_CLIENT_RETRY_BASE_DELAY"] = "10ms"
