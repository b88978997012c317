"""Typed configuration: one TOML file a service, frozen, refused when it holds an unknown key.

Precedence, highest first: command-line flag, environment variable, TOML, default. Only addresses and secret
paths come from the environment; the field says which variable (:func:`from_env`). Everything is validated
before a socket opens, and an error names the key and the mend.
"""

from slipway.config.load import ConfigError, from_env, load
from slipway.config.place import checkout_root, data_root
from slipway.config.settings import DataFolder, LoopbackAddress, Settings

__all__ = ["ConfigError", "DataFolder", "LoopbackAddress", "Settings", "checkout_root", "data_root", "from_env", "load"]
