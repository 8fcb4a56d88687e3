"""Rendering a card from the templates in `templates/`: the same facts give the same bytes, today and next year.

What comes from the model folder is text to the templates, never template or markup: every value that a template
prints is escaped for Markdown unless a filter has made it ready for another place.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubpub.card.facts import CardFacts
from hubpub.card.metadata import front_matter
from hubpub.card.presentation import FILTERS, Ready, section_names, shown
from hubpub.card.snippets import choose_snippet, example_input, peft_class
from hubpub.card.template_choice import choose_template, no_such_template, template_file
from hubpub.core.errors import HubpubError, UsageError

if TYPE_CHECKING:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

DEFAULT_TEMPLATE = "default.md.jinja"


def render_card(facts: CardFacts, *, template: str | None = None) -> str:
    """The card of a model, with a visible gap where only a person knows what to write.

    Args:
        facts: what is known of the model.
        template: name of the profile; None takes the one that fits the model.

    Raises:
        UsageError: there is no such template, or it is wrong; the message names its file and line.
        HubpubError: the templates are not installed.
    """
    from jinja2 import TemplateError, TemplateNotFound, TemplateSyntaxError

    chosen = template or choose_template(facts)
    name = template_file(chosen)
    try:
        text = _environment().get_template(name).render(_names(facts))
    except TemplateNotFound as error:
        if error.name == name:
            raise no_such_template(chosen) from error
        raise UsageError(f"{name}: {error.message}", "mend the template") from error
    except TemplateSyntaxError as error:
        place = f"{error.name or name}:{error.lineno}"
        raise UsageError(f"{place}: {error.message}", "mend the template") from error
    except TemplateError as error:
        raise UsageError(f"{name}: {error.message}", "mend the template") from error
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n"


@cache
def template_folder() -> Path:
    """Where the templates are: inside an installed package, else beside it in a checkout.

    Raises:
        HubpubError: neither is there.
    """
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "_templates", package.parent / "templates"):
        if (folder / DEFAULT_TEMPLATE).is_file():
            return folder
    raise HubpubError("hubpub's card templates are not installed", "install hubpub again")


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    from jinja2 import FileSystemLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(template_folder()),
        undefined=StrictUndefined,
        autoescape=False,  # that escapes for HTML; `finalize` escapes for Markdown
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    return environment


def _names(facts: CardFacts) -> dict[str, Any]:
    """What templates may use."""
    return {
        **section_names(facts),
        "facts": facts,
        "front_matter": Ready(front_matter(facts)),
        "snippet": choose_snippet(facts),
        "example_input": example_input(facts),
        "peft_class": Ready(peft_class(facts)),
        "remote_code": Ready(", trust_remote_code=True" if facts.custom_code else ""),
    }
