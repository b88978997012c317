from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import Field, ValidationError

from slipway.config import ConfigError, DataFolder, LoopbackAddress, Settings, from_env, load


class Rpc(Settings):
    listen: LoopbackAddress = from_env("TEST_LISTEN", "127.0.0.1:1")
    limit_bytes: int = Field(10, ge=1)


class Config(Settings):
    rpc: Rpc = Rpc()
    other: Rpc | None = None
    data: DataFolder = from_env("TEST_DATA", factory=lambda: Path("here"))
    name: str = "x"


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def make(text: str) -> Path:
        file = tmp_path / "service.toml"
        file.write_text(text)
        return file

    return make


def faults(*arguments: Any, **named: Any) -> dict[str, str]:
    with pytest.raises(ConfigError) as caught:
        load(*arguments, **named)
    assert caught.value.reason == "INVALID_CONFIG"
    return {one.field: one.description for one in caught.value.violations}


def test_the_defaults_stand_without_anything() -> None:
    config = load(Config, environ={})
    assert (config.rpc.listen, config.rpc.limit_bytes, config.name) == ("127.0.0.1:1", 10, "x")
    assert config.data == Path("here").resolve()


def test_a_flag_beats_the_environment_which_beats_the_file(write: Any) -> None:
    file = write('[rpc]\nlisten = "127.0.0.1:2"\nlimit_bytes = 20\n')
    environ = {"TEST_LISTEN": "127.0.0.1:3"}
    assert load(Config, file, environ={}).rpc == Rpc(listen="127.0.0.1:2", limit_bytes=20)
    assert load(Config, file, environ=environ).rpc == Rpc(listen="127.0.0.1:3", limit_bytes=20)
    flagged = load(Config, file, environ=environ, flags={"rpc.listen": "127.0.0.1:4", "name": None})
    assert (flagged.rpc.listen, flagged.name) == ("127.0.0.1:4", "x")


def test_an_empty_variable_is_none(write: Any) -> None:
    file = write('data = "/from/file"\n')
    assert load(Config, file, environ={"TEST_DATA": "", "TEST_LISTEN": ""}).data == Path("/from/file")


def test_every_unknown_key_is_named(write: Any) -> None:
    told = faults(Config, write('nmae = "x"\n[rpc]\nlimt_bytes = 1\n[prc]\nx = 1\n'), environ={})
    assert set(told) == {"nmae", "rpc.limt_bytes", "prc"}
    assert all("not a known key" in one for one in told.values())


def test_every_bad_value_is_named_with_its_mend(write: Any) -> None:
    told = faults(Config, write('[rpc]\nlisten = "0.0.0.0:1"\nlimit_bytes = 0\n'), environ={})
    assert set(told) == {"rpc.listen", "rpc.limit_bytes"}
    assert "127.0.0.1" in told["rpc.listen"]


def test_a_value_where_a_section_belongs_is_named(write: Any) -> None:
    assert set(faults(Config, write("rpc = 3\n"), environ={"TEST_LISTEN": "127.0.0.1:3"})) == {"rpc"}
    assert set(faults(Config, write("rpc = 3\n"), environ={}, flags={"rpc.listen": "127.0.0.1:3"})) == {"rpc"}


@pytest.mark.parametrize("text", ["= 1", "a = ", "[", "\x00"])
def test_what_is_no_toml_is_told_with_its_file(write: Any, text: str) -> None:
    with pytest.raises(ConfigError, match=r"service\.toml is not valid TOML"):
        load(Config, write(text), environ={})


def test_a_file_that_can_t_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load(Config, tmp_path / "none.toml", environ={})
    with pytest.raises(ConfigError, match="Is a directory"):
        load(Config, tmp_path, environ={})
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe9"')
    with pytest.raises(ConfigError, match="not valid TOML"):
        load(Config, tmp_path / "latin.toml", environ={})


def test_what_was_loaded_does_not_change() -> None:
    with pytest.raises(ValidationError):
        setattr(load(Config, environ={}), "name", "y")  # noqa: B010 - a checker refuses the plain assignment


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1:0", "127.0.0.1:65535", "127.8.8.8:1", "localhost:8001", "[::1]:8001"],
)
def test_a_loopback_address_is_taken(address: str) -> None:
    assert Rpc(listen=address).listen == address


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0:8001",
        ":8001",
        "*:8001",
        "[::]:8001",
        "10.0.0.1:8001",
        "example.com:8001",
        "localhost.example.com:1",
        "[::ffff:10.0.0.1]:1",
        "::1:8001",
        "[127.0.0.1:1",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "127.0.0.1:²",
        "127.0.0.1:1 ",
        "unix:/run/socket",
        "",
    ],
)
def test_anything_wider_than_loopback_is_refused(address: str) -> None:
    with pytest.raises(ValidationError):
        Rpc(listen=address)
