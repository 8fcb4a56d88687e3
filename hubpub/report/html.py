"""One HTML page that needs nothing else: no script, no font, no picture from anywhere."""

from __future__ import annotations

import html
from collections.abc import Sequence

from hubpub import __version__
from hubpub.core.findings import Finding, Severity
from hubpub.core.report import Report
from hubpub.core.wording import counted
from hubpub.report.excerpt import excerpt, printable
from hubpub.report.judged import Judged

_STYLE = """
:root { color-scheme: light dark; --ground: #fff; --raised: #f6f7f9; --ink: #1b1f24; --soft: #5b6470;
  --line: #d9dde3; --error: #b3261e; --warning: #8a5a00; --info: #2257a8; --good: #1a7f37; }
@media (prefers-color-scheme: dark) { :root { --ground: #15181c; --raised: #1e2227; --ink: #e6e9ed; --soft: #9aa4b0;
  --line: #343b44; --error: #ff8a80; --warning: #f0b849; --info: #8ab4f8; --good: #6fdd8b; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 2rem 1rem 4rem; background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; }
h2 { font-size: 1.1rem; margin: 2.5rem 0 .5rem; overflow-wrap: anywhere; }
p { margin: .25rem 0; }
.soft, footer { color: var(--soft); }
.ok { color: var(--good); } .failed { color: var(--error); }
ol { list-style: none; margin: 0; padding: 0; border: 1px solid var(--line); border-radius: .5rem; }
li { padding: .75rem 1rem; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
li:first-child { border-top: 0; }
.severity { font-weight: 600; }
.error { color: var(--error); } .warning { color: var(--warning); } .info { color: var(--info); }
code, pre { font: .875em/1.5 ui-monospace, monospace; }
pre { margin: .5rem 0; padding: .5rem .75rem; background: var(--raised); border-radius: .375rem; overflow-x: auto; }
mark { background: none; color: inherit; border-bottom: 2px solid currentColor; }
meter { width: 8rem; vertical-align: middle; }
footer { margin-top: 3rem; font-size: .875rem; }
"""


def render_html(all_judged: Sequence[Judged]) -> str:
    """The whole page."""
    ok = all(judged.report.ok for judged in all_judged)
    total = sum(len(judged.report.findings) for judged in all_judged)
    verdict = "ok" if ok else "failed"
    summary = f"{counted(total, 'finding')} in {counted(len(all_judged), 'target')}"
    body = "".join(_report(judged) for judged in all_judged)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>hubpub: {verdict}, {summary}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f'<h1>hubpub: <span class="{verdict}">{verdict}</span></h1>\n<p class="soft">{summary}</p>\n'
        f"{body}</main>\n<footer>Written by hubpub {html.escape(__version__)}. "
        "<code>hubpub rule CODE</code> explains a finding.</footer>\n</body>\n</html>\n"
    )


def _report(judged: Judged) -> str:
    report = judged.report
    verdict = "ok" if report.ok else "failed"
    items = "".join(_finding(judged, finding) for finding in report.findings)
    skipped = "".join(
        f"<li><span class=soft>not checked</span> {_text(skip.what)}: {_text(skip.reason)}</li>\n"
        for skip in report.skipped
    )
    listed = f"<ol>\n{items}{skipped}</ol>\n" if items or skipped else ""
    return (
        f"<section>\n<h2>{_text(report.target)}</h2>\n"
        f'<p><span class="{verdict}">{verdict}</span>: {report.summary}{_score(report)}</p>\n{listed}</section>\n'
    )


def _score(report: Report) -> str:
    if "sections_filled" not in report.facts:
        return ""
    filled, total = int(report.facts["sections_filled"]), int(report.facts["sections_required"])
    words = f"{filled} of {total} sections filled"
    return f' · {words} <meter min="0" max="{total}" value="{filled}" aria-label="{words}"></meter>'


def _finding(judged: Judged, finding: Finding) -> str:
    place = ":".join(str(part) for part in (judged.place(finding), finding.line, finding.column) if part is not None)
    tensor = f" <code>{_text(finding.tensor)}</code>" if finding.tensor else ""
    parts = [
        f'<span class="severity {finding.severity.value}">{finding.severity.value}</span> '
        f"<code>{_text(finding.rule)}</code> {_text(finding.name)} <code class=soft>{_text(place)}</code>",
        f"<p>{_text(finding.message)}{tensor}</p>",
    ]
    shown = excerpt(judged.line_of(finding), finding)
    if shown:
        parts.append(f"<pre>{_marked(shown.text, shown.caret, finding.severity)}</pre>")
    if finding.hint:
        parts.append(f"<p class=soft>→ {_text(finding.hint)}</p>")
    if finding.fix:
        flag = "--fix" if finding.fix.safe else "--fix --unsafe-fixes"
        parts.append(f"<p class=soft><code>{flag}</code>: {_text(finding.fix.description)}</p>")
    return "<li>" + "\n".join(parts) + "</li>\n"


def _marked(text: str, caret: int | None, severity: Severity) -> str:
    """The line with a mark from the caret to the end of the word."""
    if caret is None or caret >= len(text) or not text.isascii():
        return _text(text)  # a caret counts columns, which are characters in ASCII only
    end = caret + len((text[caret:].split() or [" "])[0])
    word = _text(text[caret:end])
    return f'{_text(text[:caret])}<mark class="{severity.value}">{word}</mark>{_text(text[end:])}'


def _text(text: str) -> str:
    return html.escape(printable(text))
