"""The verbs about training sets."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from services.feature_serving.cli.connect import ADDRESS, connect
from slipway.cli import emit, emit_one, json_option
from slipway.cli.group import Group
from slipway.errors import Kind, SlipwayError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from slipway.client import TrainingSet

_FILE = click.Path(path_type=Path, dir_okay=False)
_DIGITS = 19


class NotMade(SlipwayError):
    """The set could not be made; the message is the service's."""

    kind = Kind.FAILED_PRECONDITION
    reason = "TRAINING_SET_FAILED"


@click.group("training-set", cls=Group)
def training_set() -> None:
    """Features as they were known at each row's moment, for training: make, list and fetch such sets."""


@training_set.command(
    "create",
    epilog="Example: slipway-features training-set create spine.parquet --feature-service late --output t.parquet",
)
@click.argument("spine", type=_FILE)
@click.option("--feature-service", required=True, help="Whose features are joined to the spine.")
@click.option("--cutoff", metavar="TIME", help="Use nothing that became known later, such as 2013-06-01T00:00:00Z.")
@click.option("--output", type=_FILE, help="Write the set here once it is ready.")
@click.option("--no-wait", is_flag=True, help="Ask for the set only; it is made all the same.")
@ADDRESS
@json_option
def create(
    *,
    spine: Path,
    feature_service: str,
    cutoff: str | None,
    output: Path | None,
    no_wait: bool,
    address: str | None,
    as_json: bool,
) -> None:
    """Join features to the rows of SPINE, a Parquet file with the views' join keys and `event_time`.

    With a column `label_time`, rows whose label became known after the cut-off are left out too.
    """
    from services.feature_serving.cli import rows  # noqa: PLC0415

    if no_wait and output:
        raise click.UsageError("--output needs the set: leave out --no-wait, or fetch it later with download")
    moment = None if cutoff is None else rows.moment("--cutoff", cutoff)
    with connect(address) as slipway:
        with _working(f"sending {spine.name}"):
            made = slipway.features.create_training_set(spine, feature_service, moment)
        if not no_wait:
            with _working(f"making {made.id}"):
                made = slipway.features.wait_training_set(made.id)
            _require_made(made)
        if output:
            slipway.features.download_training_set(made.id, output)
    _show(made, as_json=as_json)


@training_set.command("list", epilog="Example: slipway-features training-set list --json")
@ADDRESS
@json_option
def listed(address: str | None, as_json: bool) -> None:
    """List the training sets, newest first."""
    with connect(address) as slipway:
        found = [_row(one) for one in slipway.features.training_sets()]
    emit(found, as_json=as_json, empty="no training sets yet; see slipway-features training-set create --help")


@training_set.command("show", epilog="Example: slipway-features training-set show ts-0123456789abcdef")
@click.argument("set_id", metavar="ID")
@ADDRESS
@json_option
def show(set_id: str, address: str | None, as_json: bool) -> None:
    """Show one training set with its columns and what it was made from."""
    with connect(address) as slipway:
        _show(slipway.features.get_training_set(set_id), as_json=as_json)


@training_set.command(
    "download", epilog="Example: slipway-features training-set download ts-0123456789abcdef t.parquet"
)
@click.argument("set_id", metavar="ID")
@click.argument("file", type=_FILE)
@ADDRESS
@json_option
def download(set_id: str, file: Path, address: str | None, as_json: bool) -> None:
    """Write a ready set's Parquet to FILE, whole or not at all."""
    with connect(address) as slipway, _working(f"fetching {set_id}"):
        slipway.features.download_training_set(set_id, file)
        made = slipway.features.get_training_set(set_id)
    emit_one({"file": str(file), "digest": made.digest, "size_bytes": made.size_bytes}, as_json=as_json)


@contextmanager
def _working(told: str) -> Iterator[None]:
    """Say on a terminal's stderr what takes its time."""
    from rich.console import Console  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    with console.status(Text(told)):
        yield


def _require_made(made: TrainingSet) -> None:
    if made.error:
        raise NotMade(f"{made.id} can't be made: {made.error}", facts={"id": made.id})


def _row(made: TrainingSet) -> dict[str, Any]:
    return {
        "id": made.id,
        "state": made.state.value,
        "feature_service": made.feature_service,
        "rows": made.row_count,
        "size_bytes": made.size_bytes,
        "cutoff": made.cutoff,
        "create_time": made.create_time,
        "digest": made.digest,
        "error": made.error,
    }


def _show(made: TrainingSet, *, as_json: bool) -> None:
    columns = [asdict(one) for one in made.columns]
    inputs = [
        {
            "view": one.view,
            "view_revision": one.view_revision,
            "path": one.path,
            "digest": one.digest,
            "row_count": one.row_count,
        }
        for one in made.inputs
    ]
    facts = {
        **_row(made),
        "rows_after_cutoff": made.rows_after_cutoff,
        "spine_digest": made.spine_digest,
        "feature_service_revision": made.feature_service_revision,
        "code": made.code,
        "finish_time": made.finish_time,
    }
    if as_json:
        emit_one({**facts, "columns": columns, "inputs": inputs}, as_json=True)
        return
    emit_one({name: value for name, value in facts.items() if value not in {"", None}}, as_json=False)
    for rows in (columns, inputs):
        if rows:
            click.echo()
            emit([{**one, **_short(one)} for one in rows], as_json=False)


def _short(row: dict[str, Any]) -> dict[str, str]:
    """The digest as people tell it apart."""
    return {"digest": str(row["digest"])[:_DIGITS]} if "digest" in row else {}
