from typing import Any

from bench.loading.plan import limited, planned
from webapp.settings import Route, Settings, Upstream
from webapp.settings.read import load

LOGIN: dict[str, Any] = {"methods": ("POST",), "auth": "none", "session": "issue"}


def stack(*routes: Route) -> Settings:
    return Settings(upstreams={"app": Upstream(url="https://app.example.com")}, routes=routes)


def route(name: str, **fields: Any) -> Route:
    return Route(**{"id": name, "path": f"/{name}", "upstream": "app"} | fields)


def test_the_dev_stack_offers_everything() -> None:
    plan = planned(load("dev").settings)
    assert list(plan.lines) == [
        "public route: GET /api/v1/status",
        "read: GET /api/v1/users",
        "write: POST /api/v1/users",
        'sign in: POST /api/v1/login {"user": "USER", "roles": ["user"]}',
        "wrong role: GET /api/v1/admin/settings",
    ]
    assert plan.sign_out == "/api/v1/logout"
    assert len(list(plan.refusals)) == 6


def test_who_brings_a_token_does_not_sign_in() -> None:
    plan = planned(load("dev").settings)
    plan.token = "tg_mine"
    assert [line.partition(":")[0] for line in plan.lines] == ["public route", "read"]
    assert len(list(plan.refusals)) == 3


def test_what_a_stack_lacks_is_left_out() -> None:
    assert list(planned(stack(route("books"))).lines) == []
    plan = planned(stack(route("login", **LOGIN), route("books", methods=("GET",))))
    assert (plan.read, plan.write, plan.forbidden, plan.sign_out) == ("/books", "", "", "")


def test_only_writes_that_the_caller_may_make() -> None:
    admin = route("admin", roles=("admin",))
    assert planned(stack(route("login", **LOGIN), route("books"), admin)).write == "/books"
    books = route("books", methods=("GET",))
    assert planned(stack(route("login", **LOGIN), books, admin)).write == ""


def test_a_path_that_leads_nowhere_is_asked_only_where_there_is_one() -> None:
    assert planned(stack(route("books"))).unknown == "/no-such-path"
    assert planned(stack(route("rest", path="/{rest+}"))).unknown == ""


def test_on_one_machine_nobody_shares_a_limit() -> None:
    (policy,) = limited(load("dev").settings).rate_limits
    assert (policy.key, policy.roles) == ("user", ("user",))
