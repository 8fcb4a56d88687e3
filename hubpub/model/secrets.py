"""Secrets in text, by patterns that are anchored to what makes a key of one service recognisable.

The patterns follow the services' documentation and the rules of gitleaks
(https://github.com/gitleaks/gitleaks/blob/master/config/gitleaks.toml). A value that is plainly made up
(`hf_xxxxxxxx`, AWS's own EXAMPLE key, an alphabet) is no secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hubpub.core.pattern import Pattern


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret in a text.

    Attributes:
        kind: whose it is, as a noun phrase.
        redacted: enough to find it, not enough to use it: its first characters and its length.
        start: index of its first character in the text.
    """

    kind: str
    redacted: str
    start: int


@dataclass(frozen=True, slots=True)
class _Pattern:
    """The slow `regex` is only tried where the `clue` is, from at most `before` characters in front of it on.

    A clue with `any_case` is in lower case here and in any case in texts.
    """

    kind: str
    clue: str
    regex: str
    before: int = 0
    any_case: bool = False

    def find(self, text: str, lowered: str) -> Iterator[re.Match[str]]:
        """The matches in `text`, of which `lowered` is the same in lower case, character by character."""
        searched = lowered if self.any_case else text
        tried, at = 0, searched.find(self.clue)
        if at < 0:
            return
        regex = re.compile(self.regex)  # not before it is needed: compiling all of them takes longer than most checks
        while at >= 0:
            starts = range(max(tried, at - self.before), at + 1)
            matches = (regex.match(text, start, at + _LONGEST) for start in starts)
            found = next(filter(None, matches), None)
            if found is not None:
                yield found
            tried = found.end() if found else at + 1
            at = searched.find(self.clue, tried)


_LONGEST = 1000
_B = r"(?<![A-Za-z0-9_\-])"
_E = r"(?![A-Za-z0-9_\-])"
# In the JSON of a notebook a quote has a backslash before it.
_QUOTE = r"\\?[\"']?"
_ASSIGNED = rf"{_QUOTE}[^\S\n]{{0,4}}(?::|=>?|,)[^\S\n]{{0,4}}{_QUOTE}"
_PATTERNS = (
    _Pattern("a Hugging Face token", "hf_", rf"{_B}(?P<key>hf_[A-Za-z0-9]{{30,40}}){_E}"),
    _Pattern("a Hugging Face organisation token", "api_org_", rf"{_B}(?P<key>api_org_[A-Za-z0-9]{{30,40}}){_E}"),
    _Pattern("an AWS access key id", "AKIA", rf"{_B}(?P<key>AKIA[A-Z0-9]{{16}}){_E}"),
    _Pattern("a temporary AWS access key id", "ASIA", rf"{_B}(?P<key>ASIA[A-Z0-9]{{16}}){_E}"),
    _Pattern(
        "an AWS secret access key",
        "secret",
        rf"(?i:aws.{{0,20}}secret.{{0,20}}?{_ASSIGNED})(?P<key>[A-Za-z0-9/+]{{40}})(?![A-Za-z0-9/+=])",
        before=23,
        any_case=True,
    ),
    *(
        _Pattern("a GitHub token", f"gh{kind}_", rf"{_B}(?P<key>gh{kind}_[A-Za-z0-9]{{36,255}}){_E}")
        for kind in "pousr"
    ),
    _Pattern("a GitHub token", "github_pat_", rf"{_B}(?P<key>github_pat_[A-Za-z0-9]{{22}}_[A-Za-z0-9]{{59}}){_E}"),
    _Pattern("a GitLab token", "glpat-", rf"{_B}(?P<key>glpat-[A-Za-z0-9_\-]{{20,}}){_E}"),
    _Pattern("an Anthropic key", "sk-ant-", rf"{_B}(?P<key>sk-ant-[a-z0-9]+-[A-Za-z0-9_\-]{{60,}}){_E}"),
    _Pattern(
        "an OpenAI key",
        "sk-",
        rf"{_B}(?P<key>sk-(?:proj|svcacct|admin)-[A-Za-z0-9_\-]{{40,}}|sk-[A-Za-z0-9]{{32,64}}){_E}",
    ),
    _Pattern("a Slack token", "xox", rf"{_B}(?P<key>xox[abeoprs]-(?:\d+-){{1,4}}[A-Za-z0-9\-]{{16,}}){_E}"),
    _Pattern("a Slack app token", "xapp-", rf"{_B}(?P<key>xapp-\d-[A-Z0-9]+-\d+-[A-Za-z0-9]{{32,}}){_E}"),
    _Pattern(
        "a Slack webhook",
        "hooks.slack.com",
        r"(?P<key>https://hooks\.slack\.com/services/T[A-Z0-9]{6,}/B[A-Z0-9]{6,}/[A-Za-z0-9]{20,})",
        before=8,
    ),
    _Pattern(
        "a Weights & Biases key",
        "wandb",
        rf"(?i:wandb(?:[_\-. ]{{0,2}}(?:api|key|token|login|secret)){{1,3}}[^\n]{{0,10}}?{_ASSIGNED}|"
        rf"wandb\.login\((?:key=)?[\"'])(?P<key>[0-9a-f]{{40}}|wandb_v1_[A-Za-z0-9_\-]{{40,}}){_E}",
        any_case=True,
    ),
    _Pattern("a Google API key", "AIza", rf"{_B}(?P<key>AIza[A-Za-z0-9_\-]{{35}}){_E}"),
    _Pattern("a Stripe key", "k_live_", rf"{_B}(?P<key>[sr]k_live_[A-Za-z0-9]{{20,}}){_E}", before=1),
    _Pattern("a PyPI token", "pypi-", rf"{_B}(?P<key>pypi-AgEIcHlwaS5vcmc[A-Za-z0-9_\-]{{50,}}){_E}"),
    _Pattern("an npm token", "npm_", rf"{_B}(?P<key>npm_[A-Za-z0-9]{{36}}){_E}"),
    _Pattern("a Replicate token", "r8_", rf"{_B}(?P<key>r8_[A-Za-z0-9]{{37}}){_E}"),
    _Pattern("a Groq key", "gsk_", rf"{_B}(?P<key>gsk_[A-Za-z0-9]{{52}}){_E}"),
    _Pattern("a Google OAuth client secret", "GOCSPX-", rf"{_B}(?P<key>GOCSPX-[A-Za-z0-9_\-]{{28}}){_E}"),
    _Pattern("a SendGrid key", "SG.", rf"{_B}(?P<key>SG\.[A-Za-z0-9_\-]{{22}}\.[A-Za-z0-9_\-]{{43}}){_E}"),
    _Pattern("a Databricks token", "dapi", rf"{_B}(?P<key>dapi[0-9a-f]{{32}}(?:-\d)?){_E}"),
    _Pattern("a DigitalOcean token", "_v1_", rf"{_B}(?P<key>do[opr]_v1_[0-9a-f]{{64}}){_E}", before=3),
    _Pattern("an xAI key", "xai-", rf"{_B}(?P<key>xai-[A-Za-z0-9]{{70,90}}){_E}"),
    _Pattern("a Perplexity key", "pplx-", rf"{_B}(?P<key>pplx-[A-Za-z0-9]{{48}}){_E}"),
    _Pattern("a Fireworks key", "fw_", rf"{_B}(?P<key>fw_[A-Za-z0-9]{{24}}){_E}"),
    _Pattern("an Alibaba Cloud access key id", "LTAI", rf"{_B}(?P<key>LTAI[A-Za-z0-9]{{20}}){_E}"),
    _Pattern("a Telegram bot token", ":AA", rf"{_B}(?P<key>\d{{8,10}}:AA[A-Za-z0-9_\-]{{33}}){_E}", before=10),
    _Pattern(
        "a Discord webhook",
        "/api/webhooks/",
        r"(?P<key>https://(?:\w+\.)?discord(?:app)?\.com/api/webhooks/\d{17,20}/[A-Za-z0-9_\-]{60,})",
        before=60,
    ),
    _Pattern(
        "an Azure storage key",
        "accountkey=",
        r"(?i:AccountKey=)(?P<key>[A-Za-z0-9+/]{86}==)",
        any_case=True,
    ),
    _Pattern(
        "a Comet or Neptune key",
        "api_",
        rf"(?i:(?:comet|neptune)_api_(?:key|token)[^\n]{{0,4}}?{_ASSIGNED})(?P<key>[A-Za-z0-9+/=]{{25,400}}){_E}",
        before=8,
        any_case=True,
    ),
    _Pattern(
        "a Kaggle key",
        "kaggle",
        rf"(?i:kaggle[^\n]{{0,120}}?key{_ASSIGNED})(?P<key>[0-9a-f]{{32}}){_E}",
        any_case=True,
    ),
    _Pattern(
        "a Kaggle key",
        "username",
        rf"[\"']username\\?[\"'][^\n]{{0,80}}[\"']key{_ASSIGNED}(?P<key>[0-9a-f]{{32}}){_E}",
        before=1,
    ),
    _Pattern(
        "a password in an address",
        "://",
        r"(?P<key>[a-z][a-z0-9+.\-]{1,20}://[A-Za-z0-9._%+\-]{1,64}:[^\s:/@\"'<>{}$\[\]()*]{6,128}@[A-Za-z0-9.\-]+\.[A-Za-z]{2,})",
        before=21,
    ),
    _Pattern(
        "a private key",
        "PRIVATE KEY",
        r"-----BEGIN (?P<key>(?:[A-Z]{2,10} ){0,2}PRIVATE KEY(?: BLOCK)?)-----"
        r"(?:\\n|\s)+(?=[A-Za-z0-9+/=:\\\s\-,]{40})",
        before=40,
    ),
)

_MADE_UP = Pattern(
    r"example|x{6}|your|dummy|fake|placeholder|redacted|0{8}|1234567890|12345678|abcdefgh"
    # as documentation writes addresses
    r"|://[^:]*:(?:\W*|.{0,8}(?:pass|pwd|pw|secret|token|key|changeme|credential|masked)\w{0,8})@|@(?:localhost|host)\b|@127\.",
    re.IGNORECASE,
)
_FEWEST_CHARACTERS = 8
_LOWER = str.maketrans({chr(code): chr(code).lower() for code in range(ord("A"), ord("Z") + 1)})


def find_secrets(text: str) -> Iterator[Secret]:
    """The secrets in `text`, in the order of the patterns."""
    lowered = text.lower()
    if len(lowered) != len(text):
        # Some letters have two in lower case; the places must stay the same.
        lowered = text.translate(_LOWER)
    for pattern in _PATTERNS:
        if pattern.clue not in (lowered if pattern.any_case else text):
            continue
        for found in pattern.find(text, lowered):
            key = found["key"]
            if pattern.kind == "a private key":
                yield Secret(pattern.kind, f"-----BEGIN {key}-----", found.start())
            elif not _made_up(key):
                # Of an address even the beginning may be one's own.
                begin = "" if "://" in key else key[:4]
                yield Secret(pattern.kind, f"{begin}…({len(key)} characters)", found.start("key"))


def has_private_key(text: str) -> bool:
    """Whether the text holds a private key in PEM form."""
    return any(secret.kind == "a private key" for secret in find_secrets(text))


def _made_up(key: str) -> bool:
    return _MADE_UP.search(key) is not None or len(set(key)) < _FEWEST_CHARACTERS
