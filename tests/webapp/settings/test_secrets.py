import base64
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.settings.secrets import weakness


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("", "is shorter than 32 characters"),
        ("h7Vd92kLmQ0xYc4RtZpW8sNbEuJ3gF6", "is shorter than 32 characters"),
        ("a" * 64, "has too few different characters"),
        ("ab" * 32, "has too few different characters"),
        ("changeme" * 8, "is a placeholder"),
        ("change-me-9f83a1c07be2d4566e0f8a", "is a placeholder"),
        ("My-Password-9f83a1c07be2d4566e0f8a", "is a placeholder"),
        ("0123456789abcdef" * 4, "repeats itself"),
        ("correct horse correct horse correct horse", "repeats itself"),
        ("aaaabbbbccccddddeeeeffffgggghhhh", "repeats itself"),
        ("aaaaaaaaaaaaaaaaaaaaaaaa12345678", "repeats itself"),
        ("abcdefghijklmnopqrstuvwxyz0123456789", "is a sequence"),
        ("zyxwvutsrqponmlkjihgfedcba9876543210", "is a sequence"),
    ],
)
def test_what_people_type_is_refused(key: str, reason: str) -> None:
    assert weakness(key) == reason


@given(st.text(max_size=31))
def test_a_short_key_is_never_good(key: str) -> None:
    assert weakness(key)


@given(st.text(min_size=1, max_size=10), st.integers(4, 40))
def test_a_repeated_word_is_never_good(word: str, times: int) -> None:
    assert weakness(word * times)


def test_random_keys_are_good() -> None:
    source = random.Random(7)  # noqa: S311 (a fixed sample, not a key)
    for _ in range(2000):
        assert weakness(source.randbytes(16).hex()) is None
        assert weakness(base64.b64encode(source.randbytes(48)).decode()) is None
