"""Where data lives on this machine."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def checkout_root() -> Path | None:
    """The root of the checkout that this package runs from, or None when it was installed as a wheel."""
    root = Path(__file__).resolve().parents[3]
    return root if (root / "pyproject.toml").is_file() and (root / "services").is_dir() else None


def data_root() -> Path:
    """``$SLIPWAY_DATA``, else ``.slipway`` in the checkout's root, else the user's data folder."""
    if chosen := os.environ.get("SLIPWAY_DATA"):
        return Path(chosen).expanduser().resolve()
    root = checkout_root()
    return root / ".slipway" if root else platformdirs.user_data_path("slipway")
