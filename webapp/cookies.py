"""The session cookie: how it is set and cleared."""

from webapp.settings import SessionSettings


def session_cookie(rules: SessionSettings, token: str, max_age: int) -> str:
    """A Set-Cookie value; `max_age` in seconds. Browsers keep `__Host-` cookies to this host."""
    secure = "; Secure" if rules.secure else ""
    return (
        f"{rules.cookie_name}={token}; Path=/; Max-Age={max_age}{secure}; HttpOnly"
        f"; SameSite={rules.same_site}"
    )


def cleared_cookie(rules: SessionSettings) -> str:
    """A Set-Cookie value that deletes the cookie: same attributes, no life left."""
    return session_cookie(rules, "", 0)
