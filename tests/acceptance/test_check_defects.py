"""Every defect that a folder may have: the report names it, with its file and severity, and says nothing else.

What is compared is the report on a sound folder with the report on the same folder with one defect in it, both as
`hubpub push` makes them: the rules for models and the rules for cards.
"""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass

import pytest
from support.corpus import CONTROLS, DEFECTS
from support.corpus.files import KEYS
from support.corpus.reports import Corpus

from hubpub.card.source import find_card
from hubpub.core.errors import UsageError
from hubpub.core.rule import Depth
from hubpub.model.folder import ModelFolder
from hubpub.rules.run import check_folder

pytestmark = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")

SAFE, INDEX, BIN = "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin"
CONFIG, GENERATION, TOKENIZER, SETTINGS = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
)
TEMPLATE, GGUF, CARD = "chat_template.jinja", "model-f32.gguf", "README.md"
ADAPTER, LORA = "adapter_config.json", "adapter_model.safetensors"

Triple = tuple[str, str, str]


@dataclass(frozen=True)
class Expected:
    """What the report on a defect holds and the one on its control does not.

    Attributes:
        severity: of the finding.
        path: of the file that it names.
        words: a regular expression that its message matches.
        depth: the shallowest that finds it; before that, nothing is said of the model.
        more: further findings, where one defect is several things to mend.
    """

    severity: str
    path: str
    words: str
    depth: Depth = Depth.QUICK
    more: tuple[Triple, ...] = ()


def error(path: str, words: str, *more: Triple) -> Expected:
    return Expected("error", path, words, more=more)


def warning(path: str, words: str, *more: Triple) -> Expected:
    return Expected("warning", path, words, more=more)


def deep(severity: str, path: str, words: str, *more: Triple) -> Expected:
    return Expected(severity, path, words, Depth.DEEP, more)


EXPECTED = {
    # containers
    "a01": error(SAFE, "git-LFS pointer"),
    "a02": error(SAFE, "0 bytes"),
    "a03": error(SAFE, "cut short: 1,000 of"),
    "a04": error(SAFE, "header of 4,611,686,018,427,387,904 bytes"),
    "a05": error(SAFE, "header of .* bytes but has"),
    "a06": error(SAFE, "over the bytes of"),
    "a07": error(SAFE, "hole of 64 bytes"),
    "a08": error(SAFE, "twice in its header"),
    "a09": error(SAFE, "4,096 bytes after its last tensor"),
    "a10": error(SAFE, "header that is not JSON"),
    "a11": error(SAFE, "F17"),
    "a12": error(SAFE, r"\[999, 32\] needs 127,872"),
    "a14": error(SAFE, "HTML page"),
    # values
    "b01": deep("error", SAFE, "NaN .*self.query.weight"),
    "b02": deep("error", SAFE, "infinite .*self.query.weight"),
    "b03": deep("error", SAFE, "NaN .*mlp.up_proj.weight"),
    "b04": deep("error", SAFE, "zeros .*layer.1.output.dense.weight"),
    # index
    "c01": error(INDEX, "not in the folder: model-00003-of-00004.safetensors"),
    "c02": error(INDEX, "not in the folder: model-00009-of-00004.safetensors"),
    "c03": error(INDEX, "router.weight.* no shard holds"),
    "c04": error(INDEX, "does not name .*model.norm.weight"),
    "c05": error(INDEX, "outside of the folder"),
    "c07": error(INDEX, "not JSON"),
    "c08": error(INDEX, "model.norm.weight.* shard that does not hold it"),
    "c09": warning("model-00001-of-00005.safetensors", "never names"),
    "c11": error("model-00002-of-00004.safetensors", "cut short: 1,000 of"),
    "c12": error(INDEX, "missing beside its 4 shards"),
    # tensors against config.json
    "d01": deep("error", SAFE, r"\[32\] instead of \[48\]"),
    "d02": error(TOKENIZER, "20 tokens past the 167 rows"),
    "d03": error(CONFIG, "vocab_size 177.* 167 rows"),
    "d04": deep("error", SAFE, "lacks 2 tensors .*classifier.bias, classifier.weight"),
    "d05": deep("error", SAFE, "lacks 1 tensor .*intermediate.dense.weight"),
    "d06": deep("warning", SAFE, "does not have: value_head.weight"),
    "d07": warning(CONFIG, "float16.* F32"),
    "d08": error(CONFIG, "num_hidden_layers 3.* 2 layers"),
    "d09": error(CONFIG, "num_hidden_layers 1.* 2 layers"),
    "d10": error(CONFIG, "2 labels .*3 rows"),
    "d11": warning(CONFIG, "num_labels .*5.* 3 labels"),
    "d13": error(SAFE, "'module.'"),
    "d15": deep("warning", SAFE, "lm_head.weight"),
    "d16": deep("error", SAFE, "lm_head.weight.*tie_word_embeddings"),
    "d17": deep(
        "error",
        CONFIG,
        "BertForMaskedLM.* holds a BertForSequenceClassification",
        ("warning", CARD, "BertForMaskedLM is for fill-mask"),
    ),
    "d18": deep("error", SAFE, r"transposed: .*\[32, 64\] instead of \[64, 32\]"),
    # configuration
    "e01": error(CONFIG, "missing"),
    "e02": error(CONFIG, "not JSON"),
    "e03": deep("error", CONFIG, "model type acmebert"),
    "e04": warning(CONFIG, "no architectures"),
    "e05": deep("error", CONFIG, "BertForAcme"),
    "e06": warning(CONFIG, "trust_remote_code"),
    # without the command the folder would still have e06
    "e08": error("modeling_acme.py", "os.system", ("warning", CONFIG, "trust_remote_code")),
    "e09": warning(CONFIG, "_name_or_path: /home/jane"),
    "e10": error(GENERATION, "not JSON"),
    "e11": error(GENERATION, "temperature .*top_p .*num_beams"),
    "e12": warning(GENERATION, "do_sample is false.* temperature 0.6, top_p 0.9"),
    "e14": error(CONFIG, "hidden_size is '32'"),
    "e15": error(CONFIG, "hidden_size 32 .*num_attention_heads 3"),
    # tokenizer
    "f01": error(TOKENIZER, "missing"),
    "f02": error(TOKENIZER, "not JSON"),
    "f03": error(CONFIG, "pad_token_id is 99,999"),
    "f04": error(GENERATION, r"eos_token_id is 1 .*<\|im_end\|>"),
    "f05": warning(CONFIG, "pad_token_id is 2 .*<pad>"),
    "f06": error(SETTINGS, "AcmeTokenizer"),
    "f07": error(SETTINGS, r"\[PADX\]"),
    "f08": error(TOKENIZER, "past the 167 rows .*<acme>"),
    "f10": error(TOKENIZER, "missing"),
    # pickles
    "g01": error(BIN, "posix.system"),
    "g02": error(BIN, "pickle.loads"),
    "g03": error(BIN, "torch.serialization.os.system"),
    "g04": error(BIN, "torch.utils.collect_env.run"),
    "g06": error(BIN, "posix.system"),
    # an attack, and weights that nobody can load
    "g07": error(SAFE, "posix.system", ("error", SAFE, "not safetensors")),
    "g09": error("vocab_cache.dat", "posix.system"),
    "g10": warning(BIN, "acme_made_up.Thing"),
    # chat templates
    "h01": error(TEMPLATE, "popen"),
    "h02": error(TEMPLATE, "endfr"),
    "h03": error(TEMPLATE, "seconds"),
    "h04": error(TEMPLATE, "__class__"),
    "h06": error(TEMPLATE, r"<\|start_header_id\|>"),
    "h07": warning(TEMPLATE, "add_generation_prompt"),
    "h08": error(TEMPLATE, "account 4711.* only when .*'invoice'"),
    "h10": error(TEMPLATE, r"<\|im_end\|>"),
    "h12": warning(SETTINGS, "no chat template"),
    # leftovers, each a finding of its own
    "i01": warning("optimizer.pt", "optimizer state", ("warning", "scheduler.pt", "scheduler state")),
    "i02": warning("rng_state.pth", "random generator state"),
    "i03": warning("checkpoint-500/", "training checkpoint"),
    "i04": warning("trainer_state.json", "/home/jane/out"),
    "i05": warning("runs/", "TensorBoard"),
    "i06": warning(
        ".DS_Store",
        "desktop",
        ("warning", "__pycache__/", "cache"),
        ("warning", ".ipynb_checkpoints/", "Jupyter"),
        ("warning", ".git/", "version control"),
    ),
    "i07": warning("training_args.bin", "training arguments"),
    # secrets
    "j01": error(CARD, "Hugging Face token"),
    "j02": error(CONFIG, "Hugging Face token"),
    # two strings in two lines, each to be taken out
    "j03": error(CARD, "AWS access key id", ("error", CARD, "AWS secret access key")),
    "j04": error("deploy.pem", "private key"),
    "j05": error(".env", "keys"),
    "j06": error("train.py", "GitHub token"),
    "j07": error("train.yaml", "Weights & Biases key"),
    "j09": error(SETTINGS, "Slack token"),
    # what is no file
    "k01": error("notes.txt", "symlink to /etc/passwd"),
    "k02": error("vocab.txt", "does not exist"),
    "k03": error("assets/self", r"symlink to a directory: \.\."),
    "k05": error("pipe", "FIFO"),
    # copies
    "l01": deep("error", BIN, "values of 1 tensor of model.safetensors .*query.weight"),
    "l03": deep("error", SAFE, f"{INDEX} hold different values in 1 of 21"),
    # adapters
    "m01": error(ADAPTER, "base_model_name_or_path"),
    "m02": error(ADAPTER, "local path"),
    "m03": error(ADAPTER, "r 8.* rank 4"),
    "m04": deep("error", LORA, "changes nothing"),
    "m05": error(LORA, "lora_A without lora_B"),
    "m07": error(ADAPTER, "missing"),
    # GGUF
    "n01": error(GGUF, "GGXF"),
    "n02": error(GGUF, "cut short: 4,000 of"),
    "n03": error(GGUF, "1,152,921,504,606,846,976 tensors"),
    "n04": error(GGUF, "popen"),
    "n05": error(GGUF, "'output_norm.weight' over the bytes of 'token_embd.weight'"),
    "n06": error(GGUF, "version 99"),
    "n07": error(GGUF, "git-LFS pointer"),
    # cards
    "o02": error(CARD, "metadata block cannot be read"),
    "o03": warning(CARD, "no licence"),
    "o04": error(CARD, "apache2"),
    "o05": error(CARD, "empty"),
    "o06": warning(CARD, "no metadata block"),
    "o07": warning(CARD, "sentence-classification"),  # the Hub takes such a card, so it is no error
    "o08": error(CARD, "/home/jane/models/bert"),
    "o09": error(CARD, "More Information Needed"),
    "o10": error(CARD, "language.*english"),  # the Hub rejects the commit
}

ACCEPTED = {"torch_bin": [("warning", BIN, "the weights are there only as a pickle: pytorch_model.bin")]}
"""What is rightly said of controls."""

ELSEWHERE = {"a16", "o01"}
"""Defects that no finding can name; they have tests of their own."""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return Corpus(tmp_path_factory.mktemp("corpus"))


def test_the_table_is_whole() -> None:
    assert set(EXPECTED) | ELSEWHERE == set(DEFECTS)
    assert len(DEFECTS) == 127
    assert {defect.control for defect in DEFECTS.values()} < set(CONTROLS)


@pytest.mark.parametrize("depth", [Depth.QUICK, Depth.DEEP])
@pytest.mark.parametrize("name", CONTROLS)
def test_a_sound_folder(name: str, depth: Depth, corpus: Corpus) -> None:
    found = corpus.report(name, depth)
    assert [(finding.severity, finding.path, finding.message) for finding in found] == ACCEPTED.get(name, [])


@pytest.mark.parametrize("depth", [Depth.QUICK, Depth.DEEP])
@pytest.mark.parametrize("name", EXPECTED)
def test_a_defect(name: str, depth: Depth, corpus: Corpus) -> None:
    added, expected = corpus.added(name, depth), EXPECTED[name]
    if not depth.includes(expected.depth):
        assert [f for f in added if f.path != CARD] == [], "it is found by looking deeper"
        return
    left = added.copy()
    for severity, path, words in ((expected.severity, expected.path, expected.words), *expected.more):
        matching = [f for f in left if (f.severity, f.path) == (severity, path) and re.search(words, f.message)]
        assert len(matching) == 1, f"{severity} {path}: {words} among {added}"
        [match] = matching
        left.remove(match)
        assert match.hint
        assert "\n" not in match.message
        assert path in match.message or path == CARD
    assert left == [], "one defect, one finding"


@pytest.mark.parametrize("name", [name for name in EXPECTED if name.startswith("j")])
def test_a_secret_is_not_shown(name: str, corpus: Corpus) -> None:
    shown = " ".join(f"{finding.message} {finding.hint}" for finding in corpus.added(name, Depth.DEEP))
    assert not any(key[:8] in shown or key[-8:] in shown for key in KEYS)


def test_a_flipped_bit(corpus: Corpus) -> None:
    """Only the hash that was recorded before could tell (a16): hubpub says nothing, and records another one."""
    control = DEFECTS["a16"].control
    assert corpus.added("a16", Depth.DEEP) == []
    before, after = corpus.digests(control), corpus.digests("a16")
    assert {path for path in before if before[path] != after[path]} == {"model-00001-of-00004.safetensors"}


def test_no_card(corpus: Corpus) -> None:
    """Without a card there is nothing to lint (o01), and the report on the model does not miss it: push renders one."""
    with pytest.raises(UsageError, match=r"has no README\.md"):
        find_card(corpus.paths["o01"])
    assert check_folder(ModelFolder.open(corpus.paths["o01"]), target="o01").findings == ()
