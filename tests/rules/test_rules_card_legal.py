from __future__ import annotations

import time

import pytest
from support.linting import codes_of, findings_of, fixed, subject

TOKEN = "hf_" + "TqWzRkLpXvNmJdSgYbHcFrKtQwZxVpLmNd"


def front(lines: str) -> str:
    return f"---\n{lines}\n---\n\n"


def test_a_secret_is_found_wherever_it_is_and_never_shown() -> None:
    text = f"# T\n\nUse `{TOKEN}`.\n\n```python\nlogin('{TOKEN}')\n```\n"
    findings = findings_of(subject(text), "LEGAL001")
    assert [(finding.line, finding.column) for finding in findings] == [(3, 6), (6, 8)]
    assert all(TOKEN[5:] not in finding.message for finding in findings)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        # LEGAL003
        ("## Intended uses\n\n" + "It sorts reviews of films by mood. " * 4, ["LEGAL003"]),
        ("## Intended uses\n\n" + "It sorts reviews. " * 8 + "It isn't for people.", []),
        ("## Intended uses\n\n" + "It sorts reviews. " * 8 + "\n\n### Out-of-scope use\n\nPeople.", []),
        ("## Intended uses\n\n" + "It sorts reviews. " * 8 + "\n\n## Data\n\nThe data is not public.", ["LEGAL003"]),
        ("## Intended uses\n\n" + "It sorts reviews. " * 8 + "\n\n## Ethics\n\nMalicious use is forbidden.", []),
        ("## Intended uses\n\nShort.", []),
        ("## Data\n\nOf films.", []),
        # LEGAL004
        (
            "## Bias, Risks, and Limitations\n\nUsers (both direct and downstream) should be made aware of the risks, "
            "biases and limitations of the model.",
            ["LEGAL004"],
        ),
        ("## Limitations\n\nLike all language models, this model may produce biased outputs.", ["LEGAL004"]),
        ("## Limitations\n\nThe model may reflect biases present in the training data.", ["LEGAL004"]),
        ("## Limitations\n\nThe model may reflect biases. Irony is read literally in 38 % of cases.", []),
        ("## Limitations\n\nFails on irony and on films before 1930.", []),
        ("## Limitations\n\n[More Information Needed]", []),
        ("## Limitations\n", []),
        # LEGAL005
        (front("license: mit") + "This model is for research use only.", ["LEGAL005"]),
        (front("license: apache-2.0") + "The weights must not be used for commercial purposes.", ["LEGAL005"]),
        (front("license: apache-2.0") + "These weights are for non-commercial use.", ["LEGAL005"]),
        (front("license: cc-by-nc-4.0") + "This model is for research use only.", []),
        (front("license: mit") + "This model was trained on data for non-commercial use.", []),
        (front("license: mit") + "The model is free. The dataset is for research only.", []),
        (front("license: mit") + "`This model is for research use only.`", []),
        ("This model is for research use only.", []),
        # LEGAL006
        (front("license: mit") + "- **License:** Apache 2.0", ["LEGAL006"]),
        (front("license: mit") + "**License:** [Apache-2.0](https://x.org)", ["LEGAL006"]),
        (front("license: mit") + "| License | Apache 2.0 |\n|---|---|\n| a | b |", ["LEGAL006"]),
        (front("license: mit") + "- License: MIT License", []),
        (front("license: bsd-3-clause") + "- License: BSD", []),
        (front("license: mit") + "- License: MIT (code), Apache 2.0 (weights)", []),
        (front("license: mit") + "- Dataset license: CC-BY-4.0", []),
        (front("license: mit") + "- License: see the base model", []),
        (front("license: other") + "- License: MIT", []),
        (front("license: [mit]") + "- License: Apache 2.0", ["LEGAL006"]),
        (front("license: [mit, apache-2.0]") + "- License: Apache 2.0", []),
        (front("license: mit") + "```\nLicense: Apache 2.0\n```", []),
        # LEGAL007
        (front("pipeline_tag: text-generation") + "An erotic story writer.", ["LEGAL007"]),
        (front("pipeline_tag: text-classification") + "It detects porn.", []),
        (front("pipeline_tag: text-generation") + "NSFW content was filtered out.", []),
        (front("pipeline_tag: text-to-image\ntags: [not-for-all-audiences]") + "NSFW model.", []),
        # LEGAL008
        ("# X\n\nFinds cancer in MRI scans of patients.", ["LEGAL008"]),
        ("# X\n\nFinds cancer in MRI scans. Not a medical device.", []),
        ("# X\n\nIt beats the patient opponent.", []),
        # LEGAL009
        (front("extra_gated_fields:\n  Name: text") + "# X", ["LEGAL009"]),
        (front("extra_gated_fields:\n  Name: text\nlicense: gemma") + "# X", []),
        (front("extra_gated_fields:\n  Name: text") + "Read the [terms](https://x.org).", []),
        # LEGAL010
        ("Mail jane@acme.io or [jane](mailto:jane@acme.io).", ["LEGAL010"]),
        ("Call +49 30 1234 5678.", ["LEGAL010"]),
        ("At http://8.8.8.8/x", ["LEGAL010"]),
        ("`jane@acme.io`, git@github.com:a/b, you@example.org, 127.0.0.1, http://10.0.0.1/, v1.2.3.4", []),
        ("arXiv:2402.05160, doi 10.1000/182, 2020-01-02, +1.5 - 2.5, 1 000 000", []),
        ("```bibtex\n@misc{x, note={jane@acme.io}}\n```", []),
        # LEGAL011
        (front("license: llama3.1\nbase_model: meta-llama/Llama-3.1-8B") + "# X", ["LEGAL011"]),
        (front("license: llama3.1\nbase_model: meta-llama/Llama-3.1-8B") + "Built with Meta Llama 3", []),
        (front("license: mit\nbase_model: meta-llama/Llama-2-7b") + "# X", []),
        (front("license: llama3.1") + "# Llama 3.1", []),
        # LEGAL014
        ("```bibtex\n@misc{x, title={A}, year=2020}\n```", []),
        ("```bibtex\n@misc{x, title={A}\n```", ["LEGAL014"]),
        ("```\n@misc{title={A}}\n```", ["LEGAL014"]),
        ("```python\n@decorator(x, y\n```", []),
        ("@misc{x, title={A}}", ["LEGAL014"]),
        ("@jane {hello} and the rest", []),
        ("<!--\n@misc{title}\n-->", []),
    ],
)  # fmt: skip
def test_what_a_card_is_told(text: str, codes: list[str]) -> None:
    quiet = {"LEGAL013", "LEGAL015"}
    assert [code for code in codes_of(subject(text), "LEGAL") if code not in quiet] == codes


def test_the_name_of_a_llama() -> None:
    text = front("license: llama3.1\nbase_model: meta-llama/Llama-3.1-8B") + "Built with Llama."
    assert not findings_of(subject(text, repo_id="acme/Llama-med-8b"), "LEGAL011")
    (finding,) = findings_of(subject(text, repo_id="acme/med-8b"), "LEGAL011")
    assert (finding.line, finding.message) == (3, "the name of the repo, med-8b, does not begin with Llama")


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("# X\n\nA model.", ["LEGAL013", "LEGAL015"]),
        ("# X\n\nPlease open an issue. See [the paper](https://arxiv.org/abs/1).", []),
        ("# X\n\n## 引用\n\n联系 x", []),
        ("", []),
    ],
)
def test_contact_and_citation(text: str, codes: list[str]) -> None:
    assert codes_of(subject(text), "LEGAL013 LEGAL015") == codes


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("```bibtex\r\n@misc{x,\r\n title={A}\r\n}\r\n```\r\n@", None),
        (
            "```bibtex\r\n@misc{x,\r\n title={Ä} \r\n year=2020\r\n}\r\n```\r\n",
            "```bibtex\r\n@misc{x,\r\n title={Ä}, \r\n year=2020\r\n}\r\n```\r\n",
        ),
        ("```bibtex\n@misc{x,\n title={A},\n```\n", "```bibtex\n@misc{x,\n title={A},\n}\n```\n"),
        ("```bibtex\n@misc{x,\n title={A, year={2020}\n}\n```\n", None),
        ("> ```bibtex\n> @misc{x,\n>  title={A},\n> ```\n", None),
        ("See:\n\n@misc{x, title={A}}\n\nB.", "See:\n\n```bibtex\n@misc{x, title={A}}\n```\n\nB."),
        ("> @misc{x, title={A}}\n", None),
    ],
)
def test_a_citation_is_mended_only_when_that_is_certain(before: str, after: str | None) -> None:
    finding = next(iter(findings_of(subject(before), "LEGAL014")), None)
    assert (fixed(before, finding) if finding and finding.fix else None) == after
    if after:
        assert not findings_of(subject(after), "LEGAL014")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "pipeline_tag: text-generation\ntags: [a] # c",
            "pipeline_tag: text-generation\ntags: [a, not-for-all-audiences] # c",
        ),
        ("pipeline_tag: text-generation", "pipeline_tag: text-generation\ntags:\n  - not-for-all-audiences"),
    ],
)  # fmt: skip
def test_the_tag_is_added(before: str, after: str) -> None:
    text = front(before) + "An erotic story writer."
    (finding,) = findings_of(subject(text), "LEGAL007")
    assert finding.fix
    assert not finding.fix.safe
    assert fixed(text, finding) == front(after) + "An erotic story writer."


@pytest.mark.parametrize(
    "text",
    [
        "a@b." * 60_000,
        "+1 " * 80_000,
        front("license: mit") + "license: " * 25_000,
        front("license: mit") + "this model the model research only " * 7_000,
        "not be not be " * 17_000,
        "## Limitations\n\n" + "like all models, " * 15_000,
        front("pipeline_tag: text-generation") + "nsfw not " * 25_000,
        "# X\n\n" + "cancer " * 35_000,
        "## Limitations\n\nx\n\n" * 10_000,
        "@misc{x, title={A}}\n\n" * 10_000,
        "http://1.1.1." * 17_000,
    ],
)
def test_a_quarter_of_a_megabyte_is_judged_in_time(text: str) -> None:
    judged = subject(text)
    started = time.perf_counter()
    findings_of(judged, "LEGAL")
    assert time.perf_counter() - started < 10
