"""Load a published model by its repo id: `python load_back.py REPO_ID REVISION`, with HF_ENDPOINT naming the hub."""

from __future__ import annotations

import math
import sys

from huggingface_hub import hf_hub_download
from safetensors import safe_open
from transformers import AutoConfig, AutoTokenizer

SENTENCE = "A release is one commit."


def main(repo_id: str, revision: str) -> None:
    config = AutoConfig.from_pretrained(repo_id, revision=revision, trust_remote_code=False)
    print(f"  config      {type(config).__name__}, {config.num_hidden_layers} layers of {config.hidden_size}")

    tokenizer = AutoTokenizer.from_pretrained(repo_id, revision=revision, trust_remote_code=False)
    print(f"  tokenizer   {len(tokenizer):,} tokens: {' '.join(tokenizer.tokenize(SENTENCE))}")

    with safe_open(hf_hub_download(repo_id, "model.safetensors", revision=revision), "np") as weights:
        shapes = [weights.get_slice(name).get_shape() for name in weights.keys()]  # noqa: SIM118 -- not a dict
    print(f"  weights     {len(shapes)} tensors, {sum(map(math.prod, shapes)):,} parameters")

    try:
        import torch
    except ImportError:
        print("  forward     skipped: torch is not installed (pip install 'hubpub[torch]')")
        return
    from transformers import AutoModel

    model = AutoModel.from_pretrained(repo_id, revision=revision, trust_remote_code=False)
    with torch.no_grad():
        output = model(**tokenizer(SENTENCE, return_tensors="pt")).last_hidden_state
    print(f"  forward     last_hidden_state of shape {tuple(output.shape)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
