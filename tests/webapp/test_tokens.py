from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha1, sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import URLSafeSerializer

from tests.webapp.containers import SECOND, Clock
from webapp.errors import Problem
from webapp.keys import Secrets
from webapp.tokens import Token, Tokens

NEW = "n3w-Qm7hXc92LkVbT5rZs8WdYpGfJa4E"
OLD = "0ld-Hs61RkPz8MvCq3YtNb7XwGfUj5De"
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
NOW = Clock()() // SECOND


@dataclass
class Held:
    """Keys in memory; `next` is what reading them once more would find."""

    signing: tuple[str, ...] = (NEW,)
    next: tuple[str, ...] | None = None
    rereads: int = 0

    def secrets(self) -> Secrets:
        return Secrets(self.signing, {})

    def reread(self) -> bool:
        self.rereads += 1
        changed = self.next not in (None, self.signing)
        self.signing = self.next or self.signing
        return changed


def tokens(*signing: str, clock: Clock | None = None) -> Tokens:
    return Tokens(Held(signing or (NEW,)), clock or Clock())  # type: ignore[arg-type]


def token(user: str = "ada", **fields: Any) -> Token:
    return Token(**{"user_id": user, "session_id": "s" * 43, "expires_at": NOW + 3600} | fields)


def code(reader: Tokens, text: str) -> str:
    with pytest.raises(Problem) as refused:
        reader.verify(text)
    assert refused.value.status == 401
    return refused.value.code


TEXT = tokens().sign(token())


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=256))
def test_what_was_signed_is_read_again(user: str) -> None:
    assert tokens().verify(tokens().sign(token(user))) == token(user)


def test_a_token_is_a_cookie_and_a_bearer_value_as_it_stands() -> None:
    assert TEXT.startswith("tg_")
    assert set(TEXT) <= {*ALPHABET, "."}


def at(position: int, change: Callable[[str], str]) -> str:
    position %= len(TEXT)
    return TEXT[:position] + change(TEXT[position]) + TEXT[position + 1 :]


@given(st.integers(0, len(TEXT) - 1), st.sampled_from(ALPHABET + ".=~\n é"))
def test_another_character_anywhere_makes_another_token(position: int, char: str) -> None:
    changed = at(position, lambda _: char)
    if changed != TEXT:
        assert code(tokens(), changed) == "invalid_token"


@given(st.integers(0, len(TEXT) - 1))
def test_a_token_cut_anywhere_is_invalid(end: int) -> None:
    assert code(tokens(), TEXT[:end]) == "invalid_token"
    assert code(tokens(), TEXT[end + 1 :]) == "invalid_token"


@pytest.mark.parametrize("idle", [1, 2, 3])
def test_idle_bits_of_the_signature_are_zero(idle: int) -> None:
    twin = ALPHABET[ALPHABET.index(TEXT[-1]) | idle]
    assert code(tokens(), TEXT[:-1] + twin) == "invalid_token"


@pytest.mark.parametrize(
    "spelling",
    [
        TEXT + "=",
        TEXT + "==",
        TEXT.replace(".", "=.", 1),
        TEXT + "\n",
        " " + TEXT,
        TEXT.replace("_", "/"),
        "tg_" + TEXT,
        TEXT.removeprefix("tg_"),
        TEXT.replace("tg_", "TG_"),
        "",
        "tg_",
        "tg_.",
        "tg_" + "A" * 43,
        "tg_." + "A" * 43,
        "tg_" + "." * 60,
        "tg_" + "A" * 100_000,
        "tg_eyJ." + "A" * 43,
        "\ud800" * 10,
    ],
)
def test_there_is_one_spelling(spelling: str) -> None:
    assert code(tokens(), spelling) == "invalid_token"


def foreign(key: str = NEW, salt: str = "tollgate.session.1", **signer: Any) -> str:
    """A token of the same shape that something else signs."""
    signer = {"key_derivation": "hmac", "digest_method": sha256} | signer
    body = URLSafeSerializer(key, salt=salt, signer_kwargs=signer).dumps(list(token()))
    return f"tg_{body!s}"


def test_the_signature_is_keyed_and_salted() -> None:
    assert tokens().verify(foreign()) == token()
    assert code(tokens(), foreign(salt="password-reset")) == "invalid_token"
    assert code(tokens(), foreign(key=OLD)) == "invalid_token"
    assert code(tokens(), foreign(key_derivation="django-concat")) == "invalid_token"
    assert code(tokens(), foreign(digest_method=sha1)) == "invalid_token"


def test_a_token_longer_than_any_that_is_issued_is_not_looked_at() -> None:
    long = tokens().sign(token("".join(f"{i:x}" for i in range(0, 10**7, 7_919))))
    assert len(long) > 2048
    assert code(tokens(), long) == "invalid_token"


def test_forms_that_cannot_be_a_token_cost_no_key() -> None:
    held = Held()
    for text in ("tg_x", TEXT + "A" * 3000, TEXT + "="):
        assert code(Tokens(held, Clock()), text) == "invalid_token"  # type: ignore[arg-type]
    assert held.rereads == 0


def test_a_token_ends_on_the_second() -> None:
    clock = Clock()
    reader = tokens(clock=clock)
    clock.advance(3599.999)
    assert reader.verify(TEXT)
    clock.advance(0.001)
    assert code(reader, TEXT) == "session_expired"


def test_an_expired_forgery_is_invalid() -> None:
    clock = Clock()
    clock.advance(7200)
    assert code(tokens(clock=clock), foreign(key=OLD)) == "invalid_token"


def test_the_previous_key_verifies_and_never_signs() -> None:
    of_old = tokens(OLD).sign(token())
    rotated = tokens(NEW, OLD)
    assert rotated.verify(of_old) == token()
    assert rotated.sign(token()) == tokens(NEW).sign(token()) != of_old
    assert code(tokens(NEW), of_old) == "invalid_token"


def test_a_key_this_container_has_not_seen_is_looked_for() -> None:
    held = Held((OLD,), next=(NEW, OLD))
    reader = Tokens(held, Clock())  # type: ignore[arg-type]
    assert reader.verify(TEXT) == token()
    assert reader.verify(TEXT) == token()
    assert held.rereads == 1


def test_a_key_that_was_removed_makes_its_tokens_invalid() -> None:
    held = Held((OLD,), next=(NEW,))
    reader = Tokens(held, Clock())  # type: ignore[arg-type]
    of_old = tokens(OLD).sign(token())
    assert reader.verify(of_old) == token()
    assert reader.verify(TEXT) == token()
    assert code(reader, of_old) == "invalid_token"


def test_without_a_key_nothing_is_said_about_a_token() -> None:
    class Unavailable(Held):
        def secrets(self) -> Secrets:
            raise Problem("signing_key_unavailable", "no")

    reader = Tokens(Unavailable(), Clock())  # type: ignore[arg-type]
    with pytest.raises(Problem, match="signing_key_unavailable"):
        reader.verify(TEXT)
