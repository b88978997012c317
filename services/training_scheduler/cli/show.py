"""Runs and workflows as tables, or as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from slipway.cli import emit, emit_one, figures

if TYPE_CHECKING:
    from slipway.client import Run, Step, Workflow


def workflow_row(workflow: Workflow, *, as_json: bool) -> dict[str, Any]:
    """One workflow: all of it as JSON, the gist as a row."""
    if as_json:
        return asdict(workflow)
    parameters = (
        f"{one.name}: {one.type}{one.default_json and f' = {one.default_json}'}" for one in workflow.parameters
    )
    return {
        "name": workflow.name,
        "parameters": ", ".join(parameters),
        "steps": ", ".join(one.name for one in workflow.steps),
        "description": workflow.description.partition("\n")[0],
        "code": workflow.code_digest[7:19],
    }


def run_row(run: Run) -> dict[str, Any]:
    """One run without its steps."""
    return {
        "id": run.id,
        "workflow": run.workflow,
        "state": str(run.state),
        "created": run.create_time,
        "finished": run.finish_time,
        "params": dict(run.params),
        "error": run.error,
        "incident": run.incident_id,
    }


def show(run: Run, *, as_json: bool) -> None:
    """Print one run: an object with its steps, or lines and a table."""
    if as_json:
        emit_one(run_row(run) | {"steps": [_step_row(step) for step in run.steps]}, as_json=True)
        return
    emit_one({name: value for name, value in run_row(run).items() if value not in ("", None)}, as_json=False)
    click.echo()
    emit([_brief(step) for step in run.steps], as_json=False)


def seconds(step: Step) -> float | None:
    """How long its latest attempt took, when it has ended."""
    if step.start_time is None or step.finish_time is None:
        return None
    return round((step.finish_time - step.start_time).total_seconds(), 3)


def said(step: Step) -> str:
    """Its summary in a line, or its error."""
    return figures(step.summary or {}) or step.error


def _step_row(step: Step) -> dict[str, Any]:
    return {
        "step": step.name,
        "state": str(step.state),
        "attempts": step.attempts,
        "started": step.start_time,
        "seconds": seconds(step),
        "summary": None if step.summary is None else dict(step.summary),
        "error": step.error,
        "output": step.output_digest,
    }


def _brief(step: Step) -> dict[str, Any]:
    """What a person looks for first; the rest is in the JSON."""
    return {
        "step": step.name,
        "state": str(step.state),
        "attempts": step.attempts,
        "seconds": seconds(step),
        "summary": figures(step.summary or {}),
        "error": step.error,
    }
