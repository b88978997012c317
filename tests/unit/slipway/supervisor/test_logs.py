from __future__ import annotations

from itertools import islice

from slipway.supervisor import logs


def test_tail_gives_the_last_lines_of_a_stretch(tmp_path):
    path = tmp_path / "a.log"
    path.write_text("one\ntwo\nthree\nfour\n")
    assert logs.tail(path, 2) == ["three", "four"]
    assert logs.tail(path, 9, start=8) == ["three", "four"]
    assert logs.tail(path, 9, end=8) == ["one", "two"]
    assert logs.tail(path, 0) == []
    assert logs.tail(path, 9, start=10_000) == ["one", "two", "three", "four"]  # rotated since
    assert logs.tail(tmp_path / "none.log", 9) == []


def test_tail_survives_bytes_that_are_no_text(tmp_path):
    path = tmp_path / "a.log"
    path.write_bytes(b"\xff\xfe\n")
    assert logs.tail(path, 1) == ["\ufffd\ufffd"]


def test_rotation_keeps_one_generation(tmp_path):
    path = tmp_path / "a.log"
    for text in ("old", "new"):
        path.write_text(text * 10)
        logs.rotate(path, limit_bytes=20)
    assert not path.exists()
    assert (tmp_path / "a.log.1").read_text() == "new" * 10
    path.write_text("small")
    logs.rotate(path, limit_bytes=20)
    assert path.exists()


def test_follow_gives_whole_lines_across_rotation(tmp_path):
    path = tmp_path / "a.log"
    path.write_text("before\nhal")
    following = logs.follow({path: 7})
    with path.open("a") as log:
        log.write("f\nsecond\n")
    assert [line for _, line in islice(following, 2)] == ["half", "second"]
    path.write_text("new\n")
    assert next(following) == (path, "new")
