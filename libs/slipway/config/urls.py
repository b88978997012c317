"""URLs of databases and event logs: held to what is built in, and shown without their passwords."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, PlainSerializer

_PASSWORD = re.compile(r"(?<=://)([^/@:]*):[^/@]*@")


def _held_to(*schemes: str) -> Callable[[str], str]:
    def check(url: str) -> str:
        scheme = urlsplit(url).scheme
        if url and (scheme not in schemes or "://" not in url):
            raise ValueError(f"must be a URL that begins with {' or '.join(f'{one}://' for one in schemes)}")
        if scheme == "sqlite" and not url.startswith("sqlite:////"):
            raise ValueError("needs an absolute path; write sqlite:////folder/file.db, with four slashes")
        return url

    return check


def without_password(url: str) -> str:
    """The URL as it may be shown: ``postgresql://user:***@host/name``."""
    return _PASSWORD.sub(r"\1:***@", url)


DatabaseUrl = Annotated[str, AfterValidator(_held_to("sqlite", "postgresql")), PlainSerializer(without_password)]
"""``sqlite:////folder/file.db`` or ``postgresql://user@host/name``; empty stands for the service's own file."""

EventsUrl = Annotated[str, AfterValidator(_held_to("sqlite", "kafka")), PlainSerializer(without_password)]
"""``sqlite:////folder/events.db`` or ``kafka://host:port[,host:port]``;
empty stands for the log under the data folder."""
