from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from support.profile_folders import PROFILES

from hubpub.card.facts.collect import card_facts
from hubpub.card.writing.render import render_card
from hubpub.core.settings import CardSettings
from hubpub.model.folder import ModelFolder


def test_a_card_tells_what_only_trackio_kept(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    PROFILES["llm"](folder)
    with closing(sqlite3.connect(folder / "chats.db")) as database:
        database.execute("CREATE TABLE metrics (id INTEGER PRIMARY KEY, run_id, run_name, step INTEGER, metrics TEXT)")
        database.execute("CREATE TABLE configs (id INTEGER PRIMARY KEY, run_id, run_name, config TEXT)")
        config = {
            "learning_rate": 3e-05,
            "num_train_epochs": 7,
            "per_device_train_batch_size": 16,
            "_Username": "lovelace-home",
        }
        database.execute("INSERT INTO configs VALUES (1, 'a', 'fox', ?)", (json.dumps(config),))
        database.execute("INSERT INTO metrics VALUES (1, 'a', 'fox', 0, '{\"train/loss\": 1.5}')")
        database.commit()
    facts = card_facts(ModelFolder.open(folder), repo_id="acme/tiny", settings=CardSettings(license="mit"))
    card = render_card(facts)
    assert facts.sources["run.settings.learning_rate"] == "chats.db: configs.learning_rate"
    assert "| `learning_rate` | 0.00003 |" in card or "| `learning_rate` | 3e-05 |" in card
    assert "| `num_train_epochs` | 7 |" in card
    assert "lovelace-home" not in card
