from webapp.recent import Recent


def test_remembers_what_was_put_last() -> None:
    recent = Recent[str, int](2)
    recent.put("a", 1)
    recent.put("a", 2)
    assert recent.get("a") == 2
    assert recent.get("b") is None


def test_forgets_what_was_used_least_recently() -> None:
    recent = Recent[str, int](2)
    recent.put("a", 1)
    recent.put("b", 2)
    recent.get("a")
    recent.put("c", 3)
    assert [recent.get(key) for key in "abc"] == [1, None, 3]


def test_looking_for_what_is_not_there_takes_no_room() -> None:
    recent = Recent[str, int](1)
    recent.put("a", 1)
    recent.get("b")
    assert recent.get("a") == 1


def test_putting_again_is_a_use() -> None:
    recent = Recent[str, int](2)
    recent.put("a", 1)
    recent.put("b", 2)
    recent.put("a", 3)
    recent.put("c", 4)
    assert [recent.get(key) for key in "abc"] == [3, None, 4]
