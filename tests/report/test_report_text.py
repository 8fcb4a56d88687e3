from __future__ import annotations

from hubpub.core.findings import Finding, Severity
from hubpub.core.report import Report, Skip
from hubpub.report.text import printable, render_report


def test_a_report_reads_from_worst_to_verdict() -> None:
    findings = (
        Finding("WEIGHT002", "n", Severity.ERROR, "a.safetensors is cut short", "a.safetensors", hint="copy it again"),
        Finding("SECRET001", "n", Severity.ERROR, "b.txt holds a token", "b.txt", 3, 7),
        Finding("WEIGHT005", "n", Severity.ERROR, "two shards hold it", "index.json", tensor="lm_head.weight"),
        Finding("CONF001", "n", Severity.WARNING, "there is no config.json"),
    )
    report = Report("./model", findings, (Skip("CODE001 on x.pkl", "it is too large"),), seconds=0.5)
    assert render_report(report).splitlines() == [
        "error WEIGHT002 a.safetensors is cut short",
        "    → copy it again",
        "error SECRET001 b.txt:3:7 holds a token",
        "error WEIGHT005 index.json: two shards hold it [lm_head.weight]",
        "warning CONF001 there is no config.json",
        "not checked CODE001 on x.pkl: it is too large",
        "failed: ./model: 3 errors, 1 warning in 0.50 s",
    ]


def test_a_clean_report_is_one_line() -> None:
    assert render_report(Report("m", ())) == "ok: m: no findings in 0.00 s\n"


def test_a_file_name_cannot_steer_the_terminal() -> None:
    finding = Finding("FILE009", "n", Severity.ERROR, "bad \x1b[2J name", "a\nb\x9b")
    shown = render_report(Report("t\x07", (finding,)))
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert shown.splitlines()[0] == "error FILE009 a\\x0ab\\x9b: bad \\x1b[2J name"
    assert printable("é → 模型") == "é → 模型"
