"""What the Python files of a Feast repository define."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import Any

from feast.repo_operations import parse_repo

from slipway.feast_definitions.refusals import Refusal, Refused

CONFIG = "feature_store.yaml"


def load(folder: Path) -> Any:
    """Import the repository's files as ``feast apply`` does; gives Feast's own RepoContents.

    Raises Refused when it is no repository, or when a file fails: the error tells file and line. Works in
    ``folder`` from then on, and imports from it first.
    """
    folder = folder.resolve()
    if not (folder / CONFIG).is_file():
        raise Refused([Refusal(CONFIG, f"is not in {folder}; name the folder of a Feast repository")])
    os.chdir(folder)  # Feast makes module names of paths that are relative to here
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode = True
    try:
        return parse_repo(folder)
    except Exception as error:  # whatever a stranger's file raises is its author's to read
        raise Refused([Refusal(_place(error, folder), f"fails with {type(error).__name__}: {error}")]) from error


def _place(error: Exception, folder: Path) -> str:
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}:{error.lineno}"
    frames = [one for one in traceback.extract_tb(error.__traceback__) if Path(one.filename).is_relative_to(folder)]
    if not frames:
        return folder.name
    return f"{Path(frames[-1].filename).relative_to(folder)}:{frames[-1].lineno}"
