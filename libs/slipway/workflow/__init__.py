"""How a data scientist writes a typed workflow.

    @dataclass(frozen=True)
    class Params:
        rounds: int = 200

    @step(output="flights")
    def load() -> Flights: ...

    @step
    def train(flights: Flights, rounds: int, context: StepContext) -> Trained: ...

    flights_delay = workflow("flights-delay", [load, train], Params)

A step is a plain function; it stays callable, so that a test needs nothing else. Its parameters name what they take:
the output of another step (called as the step, or as its ``output=``), a field of the params, the params themselves
(by their type), or the :class:`StepContext` (by its type). :func:`workflow` checks the graph where it is written:
every input bound, every type equal or narrower, no cycle, every output storable. :func:`run_locally` runs it in this
process, without a scheduler, through the same codec.

An output is stored as one artifact without pickle (:mod:`slipway.workflow.schema`): a dataclass of JSON values, bytes,
tables of pyarrow and pandas, arrays of numpy, nested dataclasses, and whatever :func:`storable` teaches. If it has a
method ``summary()``, that mapping of figures is shown to people beside the step.

A step may run more than once: after a failure, and after the scheduler died. One with effects outside passes
``context.request_id``, which is the same on every attempt. pandas, pyarrow and numpy are imported only when used.
"""

from slipway.workflow.context import Connect, RunCancelled, StepContext
from slipway.workflow.define import BoundStep, Workflow, workflow
from slipway.workflow.errors import BadWorkflow, NotStorable
from slipway.workflow.local import LocalRun, run_locally
from slipway.workflow.opaque import storable
from slipway.workflow.step import Step, step
from slipway.workflow.summary import summary_of

__all__ = [
    "BadWorkflow",
    "BoundStep",
    "Connect",
    "LocalRun",
    "NotStorable",
    "RunCancelled",
    "Step",
    "StepContext",
    "Workflow",
    "run_locally",
    "step",
    "storable",
    "summary_of",
    "workflow",
]
