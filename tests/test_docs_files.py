"""The examples of docs/files.md are files that Tidegate reads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agents.selectors.grammar import from_yaml, parse, to_yaml
from console.lib.yaml import load
from rollouts.documents import DocumentItem, File, read_files
from rollouts.plans.metrics import METRICS
from rollouts.plans.parse import PACE_KEYS, PLAN_KEYS

TEXT = (Path(__file__).parent.parent / "docs" / "files.md").read_text()
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
ROWS = re.findall(r"^\| `([^`]+)`[^|]*\| `((?:labels|capabilities): [^`]+)` \|", TEXT, re.MULTILINE)


def read(example: str) -> list[DocumentItem]:
    return read_files([File("docs/files.md", example.encode(), "example")])


@pytest.mark.parametrize("example", EXAMPLES, ids=[text.split(":")[0] for text in EXAMPLES])
def test_examples_are_read(example: str) -> None:
    assert read(example)


@pytest.mark.parametrize(("text", "data"), ROWS)
def test_both_forms_in_the_table_are_the_same(text: str, data: str) -> None:
    assert to_yaml(parse(text)) == to_yaml(from_yaml(load(data).data))


def test_every_key_and_metric_is_described() -> None:
    missing = [word for word in (*PLAN_KEYS, *PACE_KEYS, *METRICS) if f"`{word}" not in TEXT]
    assert [word for word in missing if f"{word}:" not in TEXT] == []
