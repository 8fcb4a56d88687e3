"""Defects of the folder: what was left in it, secrets, and what is no file."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from support.corpus.controls import BERT
from support.corpus.editing import Change, Defect, every, with_json, write

# Made up for these tests, and put together here so that no scanner takes this file for a leak.
HF_TOKEN = "hf_" + "qWnTzKvbMxPdLsRgHcJyFwEuAoIiXtYrBk"
AWS_ID = "AKIA" + "Q3EGRIZ7MWP2LTKX"
AWS_SECRET = "k9Zq/Tb3+WvNcR7pXj2LmYhD5sFgUa8EoIe1KtQw"
OPENAI = "sk-proj-" + "R7pXj2LmYhD5sFgUa8EoIe1KtQwk9ZqTb3WvNcBz_aQ"
GITHUB = "ghp_" + "R7pXj2LmYhD5sFgUa8EoIe1KtQwk9ZqTb3Wv"
WANDB = "9f3c27d1a4be058691c7f2ad3e4b5c60718293af"
SLACK = "xoxb-" + "281934750126-4819203847561-R7pXj2LmYhD5sFgUa8EoIe1K"
RSA = "-----BEGIN RSA " + "PRIVATE KEY-----\n" + "MIIEpAIBAAKCAQEA7pXj2LmYhD5sFgUa8EoIe1KtQwk9ZqTb3WvNcR\n" * 20
RSA += "-----END RSA " + "PRIVATE KEY-----\n"
KEYS = (HF_TOKEN, AWS_ID, AWS_SECRET, OPENAI, GITHUB, WANDB, SLACK, RSA.splitlines()[1])

STATE = {
    "best_metric": 0.91,
    "best_model_checkpoint": "/home/jane/out/checkpoint-500",
    "epoch": 3.0,
    "global_step": 500,
    "log_history": [{"epoch": 1.0, "loss": 0.4, "step": 100}],
}


def checkpoint(folder: Path) -> None:
    shutil.copytree(folder, folder.parent / "copy")
    shutil.move(folder.parent / "copy", folder / "checkpoint-500")


def in_card(snippet: str) -> Change:
    """Lines in a block of code at the end of the card."""
    return lambda folder: write("README.md", f"{(folder / 'README.md').read_text()}\n```\n{snippet}\n```\n")(folder)


def link(name: str, target: str) -> Change:
    def change(folder: Path) -> None:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).symlink_to(target)

    return change


LEFTOVERS = {
    "i01": Defect("optimizer.pt and scheduler.pt left in", BERT, training=("optimizer.pt", "scheduler.pt")),
    "i02": Defect("rng_state.pth left in", BERT, training=("rng_state.pth",)),
    "i03": Defect("a checkpoint-500/ folder with a second copy of the model", BERT, checkpoint),
    "i04": Defect("trainer_state.json with a local output path", BERT, write("trainer_state.json", json.dumps(STATE))),
    "i05": Defect(
        "runs/ with TensorBoard events",
        BERT,
        write("runs/Nov01_10-00-00_host/events.out.tfevents.1793520000.host.1.0", b"\x18" + bytes(100)),
    ),
    "i06": Defect(
        ".DS_Store, __pycache__/, .ipynb_checkpoints/, .git/ left in",
        BERT,
        every(
            write(".DS_Store", b"\0\0\0\1Bud1"),
            write("__pycache__/train.cpython-311.pyc", b"\xa7\r\r\n" + bytes(12)),
            write(".ipynb_checkpoints/try-checkpoint.ipynb", '{"cells": [], "metadata": {}, "nbformat": 4}'),
            write(".git/HEAD", "ref: refs/heads/main\n"),
        ),
    ),
    "i07": Defect("training_args.bin (a pickle of TrainingArguments) left in", BERT, training=("training_args.bin",)),
}

SECRETS = {
    "j01": Defect("a Hugging Face token in README.md", BERT, in_card(f'login(token="{HF_TOKEN}")')),
    "j02": Defect("a Hugging Face token in config.json", BERT, with_json("config.json", token=HF_TOKEN)),
    "j03": Defect(
        "an AWS key pair in README.md",
        BERT,
        in_card(f"AWS_ACCESS_KEY_ID={AWS_ID}\nAWS_SECRET_ACCESS_KEY={AWS_SECRET}"),
    ),
    "j04": Defect("an RSA private key file", BERT, write("deploy.pem", RSA)),
    "j05": Defect(".env with an OpenAI key", BERT, write(".env", f"OPENAI_API_KEY={OPENAI}\n")),
    "j06": Defect("a GitHub token in a Python file", BERT, write("train.py", f'TOKEN = "{GITHUB}"\n')),
    "j07": Defect("a Weights & Biases key in a YAML", BERT, write("train.yaml", f"wandb_api_key: {WANDB}\n")),
    "j09": Defect("a Slack token in tokenizer_config.json", BERT, with_json("tokenizer_config.json", notify=SLACK)),
}

PATHS = {
    "k01": Defect("notes.txt is a symlink to /etc/passwd", BERT, link("notes.txt", "/etc/passwd")),
    "k02": Defect("a broken symlink", BERT, link("vocab.txt", "../shared/vocab.txt")),
    "k03": Defect("a directory symlink to its own parent (a loop)", BERT, link("assets/self", "..")),
    "k05": Defect("a FIFO in the folder", BERT, lambda folder: os.mkfifo(folder / "pipe")),
}
