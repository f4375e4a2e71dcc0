import pytest

from webapp.local.overrides import overridden
from webapp.settings import Settings, Upstream
from webapp.settings.mistakes import Mistakes

SETTINGS = Settings(
    upstreams={
        "users": Upstream(url="https://users.example.com"),
        "shop": Upstream(url="https://shop.example.com"),
    }
)


def test_overrides_may_be_plain_and_have_a_path() -> None:
    given = ["users=http://127.0.0.1:9000/base", "shop=https://x.example.com"]
    assert overridden(SETTINGS, given) == {
        "users": "http://127.0.0.1:9000/base",
        "shop": "https://x.example.com",
    }


@pytest.mark.parametrize(
    ("override", "remedy"),
    [
        ("users", "write NAME=URL, such as users=http://127.0.0.1:9000"),
        ("usres=http://a.example", 'no upstream named "usres" (did you mean "users"?)'),
        ("users=ftp://a.example", "is not an address such as https://users.example.com"),
        ("users=", "is not an address such as https://users.example.com"),
        ("users=http://a.example?q", "must not carry a query or a fragment"),
    ],
)
def test_wrong_overrides_are_named_with_a_remedy(override: str, remedy: str) -> None:
    with pytest.raises(Mistakes) as mistakes:
        overridden(SETTINGS, ["shop=http://a.example", override])
    assert str(mistakes.value) == f"--upstream {override}: {remedy}"


def test_all_wrong_overrides_are_named() -> None:
    with pytest.raises(Mistakes) as mistakes:
        overridden(SETTINGS, ["users", "shop"])
    assert len(mistakes.value.mistakes) == 2
