"""Which licence a LICENSE file holds, by the words that only that licence has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from hubpub.core.pattern import Pattern

if TYPE_CHECKING:
    from hubpub.model.folder import ModelFolder


# Order matters: a licence that quotes another comes before it.
_MARKS: tuple[tuple[str, str], ...] = (
    ("llama4", r"llama 4 community licen[sc]e"),
    ("llama3.3", r"llama 3\.3 community licen[sc]e"),
    ("llama3.2", r"llama 3\.2 community licen[sc]e"),
    ("llama3.1", r"llama 3\.1 community licen[sc]e"),
    ("llama3", r"meta llama 3 community licen[sc]e"),
    ("llama2", r"llama 2 community licen[sc]e"),
    ("gemma", r"gemma terms of use"),
    ("bigscience-bloom-rail-1.0", r"bigscience rail licen[sc]e v1\.0"),
    ("creativeml-openrail-m", r"creativeml open rail-m"),
    ("bigcode-openrail-m", r"bigcode open rail-m"),
    ("cc-by-nc-sa-4.0", r"attribution-noncommercial-sharealike 4\.0 international"),
    ("cc-by-nc-nd-4.0", r"attribution-noncommercial-noderivatives 4\.0 international"),
    ("cc-by-nc-4.0", r"attribution-noncommercial 4\.0 international"),
    ("cc-by-sa-4.0", r"attribution-sharealike 4\.0 international"),
    ("cc-by-nd-4.0", r"attribution-noderivatives 4\.0 international"),
    ("cc-by-4.0", r"attribution 4\.0 international"),
    ("cc0-1.0", r"cc0 1\.0 universal"),
    ("agpl-3.0", r"gnu affero general public licen[sc]e version 3"),
    ("lgpl-3.0", r"gnu lesser general public licen[sc]e version 3"),
    ("lgpl-2.1", r"gnu lesser general public licen[sc]e version 2\.1"),
    ("gpl-3.0", r"gnu general public licen[sc]e version 3"),
    ("gpl-2.0", r"gnu general public licen[sc]e version 2"),
    ("mpl-2.0", r"mozilla public licen[sc]e,? version 2\.0"),
    ("apache-2.0", r"apache licen[sc]e,? version 2\.0"),
    ("bsl-1.0", r"boost software licen[sc]e - version 1\.0"),
    (
        "isc",
        r"permission to use, copy, modify, and(?:/or)? distribute this software for any purpose with or without fee",
    ),
    ("unlicense", r"this is free and unencumbered software released into the public domain"),
    ("bsd-3-clause", r"redistribution and use in source and binary forms.{0,1500}may be used to endorse or promote"),
    ("bsd-2-clause", r"redistribution and use in source and binary forms"),
    (
        "mit",
        r"permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated "
        r"documentation files \(the [\"“]software[\"”]\), to deal in the software without restriction",
    ),
)
_HEAD = 3000
_FILE = Pattern(r"licen[sc]e(?:[.-](?:md|txt|rst))?|copying(?:\.txt)?", re.IGNORECASE)
_LIMIT = 1 << 16


def licence_files(folder: ModelFolder) -> Mapping[str, str | None]:
    """The LICENSE files of a model folder, each with the licence that it holds, if that is a common one."""
    names = sorted(name for name in folder.root_names if _FILE.fullmatch(name))
    return {name: licence_of_text(folder.text(name, _LIMIT)) for name in names}


def licence_of_text(text: str) -> str | None:
    """The Hub's id of the licence whose text this is; None when it is none of the common ones.

    Only the beginning counts: the GNU licences and Creative Commons name others further down.
    """
    head = " ".join(text.casefold().split())[:_HEAD]
    return next((licence for licence, mark in _MARKS if re.search(mark, head)), None)
