"""What the gateway's own endpoints are called to whoever reads the description."""

from typing import NamedTuple

SERVICES, SESSIONS, HEALTH, DOCUMENTATION = "Services", "Sessions", "Health", "Documentation"

TAGS = {
    SERVICES: "Passed on to the service behind each path; its answer comes back as it is.",
    SESSIONS: "Who is signed in, and for how long. Answered by the gateway.",
    HEALTH: "For monitors. Never limited.",
    DOCUMENTATION: "What you are reading, for programs and for people. Never limited.",
}

PAGE = "Page"


class Told(NamedTuple):
    """`schema` is that of the JSON answered, or `PAGE`; where there is none the answer is 204."""

    tag: str
    summary: str
    schema: str = ""


BUILTIN = {
    "health": Told(HEALTH, "What runs here", "Health"),
    "health.live": Told(HEALTH, "Whether the gateway answers", "Live"),
    "health.ready": Told(HEALTH, "Whether it can check sessions and rate limits", "Ready"),
    "auth.session": Told(SESSIONS, "The caller's session", "Session"),
    "auth.session.refresh": Told(
        SESSIONS,
        "A new token, in the form in which the old one came; the old one is dead",
        "Session",
    ),
    "auth.session.end": Told(SESSIONS, "Sign out"),
    "auth.sessions": Told(SESSIONS, "All sessions of the caller", "Sessions"),
    "auth.sessions.end": Told(SESSIONS, "Sign out everywhere"),
    "auth.user.sessions": Told(SESSIONS, "All sessions of a user", "Sessions"),
    "auth.user.sessions.end": Told(SESSIONS, "Sign a user out everywhere"),
    "docs.openapi": Told(DOCUMENTATION, "This API as OpenAPI 3.1", "OpenApi"),
    "docs.page": Told(DOCUMENTATION, "This API as a page", PAGE),
}
