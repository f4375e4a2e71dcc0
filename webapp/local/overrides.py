"""The developer's own services in the place of upstreams: `--upstream NAME=URL`."""

from collections.abc import Sequence

from webapp.settings import Settings, Upstream
from webapp.settings.checks import upstreams as addresses
from webapp.settings.mistakes import Mistake, Mistakes, shown, suggestion


def overridden(settings: Settings, overrides: Sequence[str]) -> dict[str, str]:
    """The URLs that the options give, by name; raises Mistakes."""
    found: list[Mistake] = []
    chosen: dict[str, str] = {}
    for override in overrides:
        name, equals, url = override.partition("=")
        place = f"--upstream {override}"
        if not equals:
            found.append(Mistake(place, "write NAME=URL, such as users=http://127.0.0.1:9000"))
        elif name not in settings.upstreams:
            known = suggestion(name, settings.upstreams)
            found.append(Mistake(place, f"no upstream named {shown(name)}{known}"))
        else:
            found += [Mistake(place, message) for message in _wrong_with(name, url)]
        chosen[name] = url
    if found:
        raise Mistakes(found)
    return chosen


def _wrong_with(name: str, url: str) -> list[str]:
    alone = Settings(upstreams={name: Upstream(url=url, allow_insecure=True)})
    return [mistake.message for mistake in addresses.check(alone)]
