"""Whether a signing key is too weak to sign with."""

from collections import Counter
from itertools import pairwise

MINIMUM = 32

_PLACEHOLDERS = ("changeme", "replaceme", "placeholder", "password", "yoursecret", "insertkey")


def weakness(key: str) -> str | None:
    """Why this key is refused, in words that never quote it; None for a good one.

    Randomness cannot be proven. This catches what people type: one character held down, a word
    repeated, a run along the alphabet, a placeholder left in. Thirty-two random hexadecimal digits
    pass every test with a margin that makes a false alarm less likely than one in a million.
    """
    if len(key) < MINIMUM:
        return f"is shorter than {MINIMUM} characters"
    letters = "".join(filter(str.isalpha, key.casefold()))
    if any(word in letters for word in _PLACEHOLDERS):
        return "is a placeholder"
    if len(set(key)) < 8:
        return "has too few different characters"
    if len({key[i : i + 3] for i in range(len(key) - 2)}) < 24:
        return "repeats itself"
    steps = Counter(ord(after) - ord(before) for before, after in pairwise(key))
    if max(steps.values()) > len(key) // 2:
        return "is a sequence"
    return None
