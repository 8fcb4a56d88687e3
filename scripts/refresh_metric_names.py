"""Write the ids in hubpub/card/data/metrics.json anew from a checkout of the evaluate library.

    git clone --depth 1 https://github.com/huggingface/evaluate && python scripts/refresh_metric_names.py evaluate

The ids are the folders of its metrics; what else the file holds (spellings, ranges) was written by hand and stays.
"""

from __future__ import annotations

import datetime
import json
import sys
from pathlib import Path

DATA = Path(__file__).parent.parent / "hubpub" / "card" / "data" / "metrics.json"


def main(checkout: Path) -> None:
    """Replace the ids and the date."""
    metrics = json.loads(DATA.read_text(encoding="utf-8"))
    metrics["ids"] = sorted(path.name for path in (checkout / "metrics").iterdir() if path.is_dir())
    metrics["date"] = datetime.datetime.now(tz=datetime.UTC).strftime("%Y-%m")
    DATA.write_text(json.dumps(metrics, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
