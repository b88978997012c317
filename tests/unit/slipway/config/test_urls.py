import pytest

from slipway.config import ConfigError, DatabaseUrl, EventsUrl, Settings, load


class Sample(Settings):
    database_url: DatabaseUrl = ""
    events_url: EventsUrl = ""


@pytest.mark.parametrize(
    ("key", "url", "mend"),
    [
        ("database_url", "mysql://host/name", "postgresql://"),
        ("database_url", "sqlite:///relative.db", "four slashes"),
        ("database_url", "nonsense", "sqlite://"),
        ("events_url", "postgresql://host/name", "sqlite://"),
        ("events_url", "sqlite:/one", "sqlite://"),
    ],
)
def test_a_url_that_nothing_serves_is_refused_by_its_key(key: str, url: str, mend: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(Sample, flags={key: url}, environ={})
    assert [one.field for one in refused.value.violations] == [key]
    assert mend in refused.value.message


def test_what_is_shown_has_no_password_and_what_is_used_has() -> None:
    url = "postgresql://ann:s3cret@db.example/registry"
    settings = load(Sample, flags={"database_url": url}, environ={})
    assert settings.database_url == url
    assert settings.model_dump(mode="json")["database_url"] == "postgresql://ann:***@db.example/registry"


def test_a_url_without_a_password_is_shown_as_it_is() -> None:
    settings = load(Sample, flags={"events_url": "sqlite:////var/events.db"}, environ={})
    assert settings.model_dump(mode="json")["events_url"] == "sqlite:////var/events.db"
