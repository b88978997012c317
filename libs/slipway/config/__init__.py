"""Typed configuration: one TOML file a service, frozen, refused when it holds an unknown key.

Precedence, highest first: command-line flag, environment variable, TOML, default. Only addresses and secret
paths come from the environment; the field says which variable (:func:`from_env`). Everything is validated
before a socket opens, and an error names the key and the mend.
"""

from slipway.config.load import ConfigError, from_env, load
from slipway.config.place import checkout_root, data_root
from slipway.config.settings import DataFolder, LoopbackAddress, Settings
from slipway.config.urls import DatabaseUrl, EventsUrl, without_password

__all__ = [
    "ConfigError",
    "DataFolder",
    "DatabaseUrl",
    "EventsUrl",
    "LoopbackAddress",
    "Settings",
    "checkout_root",
    "data_root",
    "from_env",
    "load",
    "without_password",
]
