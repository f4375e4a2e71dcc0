import re

import pytest

from docs import generate
from webapp.local import reference
from webapp.local.meanings import MEANINGS


def test_nothing_generated_is_out_of_date():
    assert [file.name for file in generate.stale()] == [], "run `make docs`"


def test_every_block_of_the_pages_is_a_known_one():
    text = "".join(text for _, text in generate.generated())

    names = re.findall("<!-- generated: (.+?) -->", text)
    assert sorted(n for n in names if not n.startswith("python ")) == sorted(generate.BLOCKS)


def test_an_edited_table_is_stale(monkeypatch):
    monkeypatch.setitem(generate.BLOCKS, "stack-reference", lambda: "| key |")

    assert "configuration.md" in [file.name for file in generate.stale()]


@pytest.mark.parametrize("kind", MEANINGS)
def test_every_field_has_a_meaning(kind):
    assert set(MEANINGS[kind]) == set(kind.__struct_encode_fields__)


def test_every_key_is_in_one_of_the_tables():
    shown = reference.keys(reference.OF_THE_GATEWAY) + reference.keys(reference.OF_THE_STACK)

    assert all(shown.count(f"\n| `{key}` |") == 1 for key in reference.KEYS)
