import pytest

from webapp.cookies import cleared_cookie, session_cookie
from webapp.settings import SessionSettings


def test_the_cookie_keeps_to_this_host_and_out_of_scripts() -> None:
    assert session_cookie(SessionSettings(), "tg_x", 3600) == (
        "__Host-session=tg_x; Path=/; Max-Age=3600; Secure; HttpOnly; SameSite=Lax"
    )


def test_clearing_names_the_same_cookie_with_no_life_left() -> None:
    rules = SessionSettings(cookie_name="__Host-id", same_site="Strict")
    assert cleared_cookie(rules) == (
        "__Host-id=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict"
    )


@pytest.mark.parametrize(("name", "secure"), [("__Host-session", True), ("session", False)])
def test_only_a_plain_name_goes_without_secure(name: str, secure: bool) -> None:
    cookie = session_cookie(SessionSettings(cookie_name=name), "tg_x", 60)
    assert ("Secure" in cookie.split("; ")) is secure
