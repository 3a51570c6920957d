"""A lean template says the same as the one laid out for people, in fewer bytes."""

from __future__ import annotations

from itertools import product

import pytest
from django.template import engines
from django.template.loader import get_template

from console.lib.lean_templates import lean
from console.settings import BASE_DIR


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<ul>\n    <li>a</li>\n\n    <li>b</li>\n</ul>\n", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("{% comment %}What.\nContext: a.{% endcomment %}\n<b>a</b>\n", "<b>a</b>"),
        ("{% load i18n %}\n<b>a</b>", "{% load i18n %}<b>a</b>"),
        ("a\n{% if b %}\n  c\n{% endif %}\nd", "a\n{% if b %}c\n{% endif %}d"),
        ("a\n{% if b %}{{ b }}{% endif %}\nc", "a\n{% if b %}{{ b }}{% endif %}\nc"),
        ("a {% icon 'x' %}\n{% icon 'y' %}\nb", "a {% icon 'x' %}\n{% icon 'y' %}\nb"),
        ("{# djlint:off #}\n<i>a</i>\n{# djlint:on #}\n", "<i>a</i>"),
    ],
)
def test_only_what_its_reader_needs_is_dropped(source: str, expected: str) -> None:
    assert lean(source) == expected


@pytest.mark.parametrize(
    "text",
    [
        "<pre>\n  a\n    b\n</pre>",
        "<textarea name='a'\n  rows='2'>\n  {{ a }}</textarea>",
        "{% blocktranslate trimmed %}\n  a\n  b\n{% endblocktranslate %}",
    ],
)
def test_text_whose_white_space_counts_stays(text: str) -> None:
    assert lean(f"<div>\n  {text}\n</div>") == f"<div>\n{text}\n</div>"


BRANCHES = """
<p>
  one
  {% if a %}
    {% for x in b %}
      <b>{{ x }}</b>
    {% empty %}
      none
    {% endfor %}
  {% elif c %}
    two
  {% else %}
    <i>three</i>{% if b %},{% endif %}
  {% endif %}
  four
</p>
"""


@pytest.mark.parametrize(("a", "b", "c"), list(product([True, False], [[], [1, 2]], [True, False])))
def test_white_space_neither_disappears_nor_appears(a: bool, b: list[int], c: bool) -> None:
    given = {"a": a, "b": b, "c": c}
    engine = engines["django"]
    laid_out, made_lean = (
        engine.from_string(source).render(given) for source in (BRANCHES, lean(BRANCHES))
    )
    assert made_lean.split() == laid_out.split()
    assert " ".join(made_lean.split()) == " ".join(laid_out.split())
    assert len(made_lean) < len(laid_out)


def test_pages_are_made_of_lean_templates() -> None:
    template = get_template("base.html").template  # type: ignore[attr-defined]
    assert template.source == lean((BASE_DIR / "templates/base.html").read_text())
