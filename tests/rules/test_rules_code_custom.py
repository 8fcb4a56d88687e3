"""Code that a model brings along: what is wrong with it is named, and plain modelling code is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.judging import judge_folder

from hubpub.core.findings import Finding
from hubpub.core.report import Skip

CONFIGURATION = """
from transformers import PretrainedConfig


class AcmeConfig(PretrainedConfig):
    model_type = "acme"

    def __init__(self, hidden_size=8, **kwargs):
        self.hidden_size = hidden_size
        super().__init__(**kwargs)
"""
MODELING = '''
"""A model, written as such files are."""
import importlib.util
import math
import os
import warnings
from typing import TYPE_CHECKING, Optional

import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.utils import logging

from .configuration_acme import AcmeConfig

if TYPE_CHECKING:
    import subprocess

try:
    from flash_attn import flash_attn_func
except ImportError:
    flash_attn_func = None

logger = logging.get_logger(__name__)
torch._C._jit_set_profiling_mode(False)
warnings.filterwarnings("ignore")
HAS_XFORMERS = importlib.util.find_spec("xformers") is not None
DEBUG = os.environ.get("ACME_DEBUG", "0") == "1"
ACTIVATIONS = {name: getattr(nn, name) for name in ("ReLU", "GELU")}


@torch.jit.script
def gelu(x):
    return x * 0.5 * (1.0 + torch.erf(x / math.sqrt(2.0)))


class AcmeModel(PreTrainedModel):
    config_class = AcmeConfig

    def __init__(self, config):
        super().__init__(config)
        self.act = getattr(nn, config.act)()
        self.eval()

    def forward(self, x: Optional[torch.Tensor] = None):
        with open("debug.txt") as file:
            file.read()
        return self.act(x)

    def load_extra(self, path):
        import requests

        requests.get(path)
        return torch.load(path)


if __name__ == "__main__":
    import subprocess

    subprocess.run(["ls"])
'''
AUTO_MAP = {"AutoConfig": "configuration_acme.AcmeConfig", "AutoModel": "modeling_acme.AcmeModel"}


@pytest.fixture
def custom(model: Path) -> Path:
    (model / "configuration_acme.py").write_text(CONFIGURATION)
    (model / "modeling_acme.py").write_text(MODELING)
    map_to(model, AUTO_MAP)
    return model


def map_to(model: Path, auto_map: object) -> None:
    document = json.loads((model / "config.json").read_text()) | {"auto_map": auto_map}
    (model / "config.json").write_text(json.dumps(document))


def code_findings(folder: Path) -> list[tuple[str, str, str | None, int | None]]:
    found = judge_folder(folder)
    return [
        (f.rule, f.severity.value, f.path, f.line)
        for f in found
        if isinstance(f, Finding) and f.rule.startswith("CODE") and f.rule != "CODE005"
    ]


def test_plain_modelling_code_only_needs_trust(custom: Path) -> None:
    found = [f for f in judge_folder(custom) if isinstance(f, Finding) and f.rule.startswith("CODE")]
    assert [(f.rule, f.severity.value, f.path) for f in found] == [("CODE005", "warning", "config.json")]
    assert "configuration_acme.AcmeConfig, modeling_acme.AcmeModel" in found[0].message


BROKEN: dict[str, tuple[object, str]] = {
    "file not there": (AUTO_MAP | {"AutoModel": "modeling_other.AcmeModel"}, "modeling_other.py is not in the folder"),
    "class not there": (AUTO_MAP | {"AutoModel": "modeling_acme.Other"}, "does not define Other"),
    "no class": (AUTO_MAP | {"AutoModel": "modeling_acme"}, "not module.Class"),
    "a number": (AUTO_MAP | {"AutoModel": 7}, "not module.Class"),
    "out of the folder": (AUTO_MAP | {"AutoModel": "../modeling_acme.AcmeModel"}, "not module.Class"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_auto_map(name: str, custom: Path) -> None:
    auto_map, says = BROKEN[name]
    map_to(custom, auto_map)
    [finding] = [f for f in judge_folder(custom) if isinstance(f, Finding) and f.rule == "CODE003"]
    assert finding.path == "config.json"
    assert says in finding.message


@pytest.mark.parametrize(
    "auto_map",
    [
        {"AutoModel": "acme/other--modeling_other.AcmeModel"},
        {"AutoTokenizer": ["modeling_acme.AcmeModel", None]},
        {"AutoModel": "modeling_acme.AcmeConfig"},  # imported there
        {},
        None,
        [],
    ],
)
def test_sound_auto_maps(auto_map: object, custom: Path) -> None:
    map_to(custom, auto_map)
    assert code_findings(custom) == []


def test_code_in_a_folder_of_the_model(custom: Path) -> None:
    (custom / "sub").mkdir()
    (custom / "sub" / "layers.py").write_text("import os\nos.system('true')\n")
    (custom / "modeling_acme.py").write_text("from .sub.layers import Layer\nfrom .sub import layers\n" + MODELING)
    assert code_findings(custom) == [
        ("CODE004", "error", "sub/layers.py", 2),
        ("CODE007", "error", "modeling_acme.py", 2),
    ]
    (custom / "sub" / "__init__.py").write_text("")
    assert code_findings(custom) == [("CODE004", "error", "sub/layers.py", 2)]


ON_IMPORT = {
    "os.system": "import os\nos.system('id')",
    "alias": "import os as o\no.system('id')",
    "from": "from os import system as s\ns('id')",
    "popen": "import os\nprint(os.popen('id').read())",
    "subprocess": "import subprocess\nsubprocess.Popen(['id'])",
    "subprocess.run in a try": "import subprocess\ntry:\n    subprocess.run(['id'])\nexcept Exception: pass",
    "eval": "eval('1')",
    "exec": "import base64\nexec(base64.b64decode('cHJpbnQoMSk='))",
    "__import__": "__import__('os').system('id')",
    "import_module": "import importlib\nimportlib.import_module('os').system('id')",
    "getattr": "import os\ngetattr(os, 'system')('id')",
    "getattr put together": "import os\ngetattr(os, 'sys' + 'tem')('id')",
    "import put together": "__import__('o' + 's').system('id')",
    "class body": "import os\nclass A:\n    x = os.system('id')",
    "decorator": "import os\n@os.system('id')\ndef f(): pass",
    "default": "import os\ndef f(x=os.system('id')): pass",
    "keyword default": "import os\ndef f(*, x=os.system('id')): pass",
    "comprehension": "import os\nx = [os.system(c) for c in ['id']]",
    "walrus": "import os\nif (x := os.system('id')): pass",
    "called function": "import os\ndef f():\n    os.system('id')\nf()",
    "called through another": "import os\ndef g():\n    os.system('id')\ndef f():\n    g()\nf()",
    "socket": "import socket\nsocket.create_connection(('h', 1))",
    "urllib": "from urllib.request import urlopen\nurlopen('http://h')",
    "requests": "import requests\nrequests.post('http://h', json={})",
    "pickle": "import pickle\npickle.load(open('x', 'rb'))",
    "torch.load": "import torch\ntorch.load('x.bin')",
    "ctypes": "import ctypes\nctypes.CDLL('x.so')",
    "rmtree": "import shutil\nshutil.rmtree('/x')",
    "write": "open('/x', 'w').write('y')",
    "marshal": "import marshal\nmarshal.loads(b'')",
    "nested in if": "import os\nif True:\n    if 1:\n        os.execv('/bin/id', [])",
    "lambda default": "import os\nf = lambda x=os.system('id'): x",
    "while": "import os\nwhile os.fork(): pass",
    "with": "import subprocess\nwith subprocess.Popen('id') as p: pass",
    "f-string": "import os\nx = f'{os.system(\"id\")}'",
    "match": "import os\nmatch os.system('id'):\n    case 0: pass",
    "asynchronous default": "import os\nasync def f(x=os.system('id')): pass",
}


@pytest.mark.parametrize("name", ON_IMPORT)
def test_what_acts_on_import(name: str, custom: Path) -> None:
    (custom / "modeling_acme.py").write_text(MODELING + "\n" + ON_IMPORT[name] + "\n")
    found = code_findings(custom)
    assert [(rule, severity, path) for rule, severity, path, _ in found] == [("CODE004", "error", "modeling_acme.py")]
    assert (found[0][3] or 0) > MODELING.count("\n")


def test_a_script_beside_the_model_is_a_warning(custom: Path) -> None:
    (custom / "convert.py").write_text("import subprocess\nsubprocess.run(['make'])\n")
    assert code_findings(custom) == [("CODE004", "warning", "convert.py", 2)]


LATER = {
    "exec": "def f(x):\n    exec(x)",
    "command": "import os\nclass A:\n    def forward(self, x):\n        os.system(x)",
    "lambda": "f = lambda x: eval(x)",
}


@pytest.mark.parametrize("name", LATER)
def test_what_acts_when_it_is_used(name: str, custom: Path) -> None:
    (custom / "modeling_acme.py").write_text(MODELING + "\n" + LATER[name] + "\n")
    assert [found[:3] for found in code_findings(custom)] == [("CODE006", "warning", "modeling_acme.py")]


def test_a_syntax_error(custom: Path) -> None:
    (custom / "modeling_acme.py").write_text(MODELING + "\nclass :\n")
    assert [found[:3] for found in code_findings(custom)] == [("CODE007", "error", "modeling_acme.py")]
    (custom / "modeling_acme.py").write_text(MODELING)
    (custom / "old.py").write_text("print 'python 2'\n")
    assert code_findings(custom) == [("CODE007", "warning", "old.py", 1)]


def test_an_import_of_a_file_that_is_not_there(custom: Path) -> None:
    (custom / "configuration_acme.py").rename(custom / "elsewhere.py")
    map_to(custom, {"AutoModel": "modeling_acme.AcmeModel"})
    [found] = code_findings(custom)
    assert found[:3] == ("CODE007", "error", "modeling_acme.py")


@pytest.mark.parametrize(
    "source",
    [
        b"(" * 100_000,
        b"-" * 200_000 + b"1",
        b"a" + b"()" * 50_000,
        b"a" + b".b" * 50_000,
        b"x = " + b"[" * 5_000 + b"]" * 5_000,
        b"\0",
        b"\xff\xfe\x00",
        b"# coding: nonsense\n",
        b"x = 1\n" * 180_000,
        b"f'" + b"{x:" * 500 + b"}" * 500 + b"'",
        b"if a:\n" + b"".join(b" " * n + b"if a:\n" for n in range(1, 90)) + b" " * 90 + b"pass",
        b"import os\n" + b"\n".join(b"def f%d():\n    f%d()" % (n, n + 1) for n in range(3000)) + b"\nf0()\n",
    ],
    ids=range(12),
)
@pytest.mark.timeout(20)
def test_hostile_sources_are_bounded(source: bytes, custom: Path) -> None:
    (custom / "modeling_acme.py").write_bytes(source)
    found: list[Finding | Skip] = judge_folder(custom)
    assert found


def test_nothing_is_imported(custom: Path, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    text = f"open({str(canary)!r}, 'w').close()\n"
    (custom / "modeling_acme.py").write_text(text + MODELING)
    (custom / "__init__.py").write_text(text)
    (custom / "setup.py").write_text(text)
    judge_folder(custom)
    assert not canary.exists()
