"""The arms of an endpoint before, during and after a rollout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.registry.domain.endpoint import MAX_ROUTES, Endpoint, EndpointSpec, Route, Target
from services.registry.domain.errors import NoAliasFollowed, RolloutImpossible
from services.registry.domain.experiment import Experiment
from services.registry.domain.rollout import Rollout, RolloutKind, RolloutPlan, RolloutState

CANDIDATE = "candidate"
PREVIOUS = "previous"
# So that a percent of a main arm's weight is a whole number where other arms have a share of the traffic too.
_DIVISIBLE = 100


def main_arm(endpoint: Endpoint) -> Route:
    """The arm that a rollout or a rollback is about: the one with most of the traffic, the first among equals.

    While a rollout runs it is the one that it named. Raises NoAliasFollowed when the arm is pinned to a version.
    """
    if endpoint.rollout and endpoint.rollout.running:
        named = endpoint.rollout.main_route
        main = next(route for route in endpoint.routes if route.name == named)
    else:
        main = endpoint.spec.main
    if not main.target.alias:
        raise NoAliasFollowed(endpoint.name, main.name)
    return main


def check_room(endpoint: Endpoint, main: Route, plan: RolloutPlan) -> None:
    """Raise RolloutImpossible unless the endpoint leaves a rollout room."""
    if plan.kind is RolloutKind.AB and endpoint.spec.experiment:
        raise RolloutImpossible(
            endpoint.name,
            f"it is in experiment {endpoint.spec.experiment.name!r}, and AB is another; end that with PutEndpoint",
        )
    if any(route.name == CANDIDATE for route in endpoint.routes):
        raise RolloutImpossible(endpoint.name, f"it has an arm {CANDIDATE!r} of its own; rename that with PutEndpoint")
    if len(_without(endpoint.routes, PREVIOUS)) >= MAX_ROUTES:
        raise RolloutImpossible(endpoint.name, f"it has {MAX_ROUTES} arms; remove one with PutEndpoint")
    if any(step.percent for step in plan.steps) and main.weight < _DIVISIBLE and _shares(endpoint.routes, main.name):
        raise RolloutImpossible(
            endpoint.name,
            f"arm {main.name!r} has weight {main.weight} beside others, too little to take percents of; multiply all "
            f"weights so that it has {_DIVISIBLE} or more, with PutEndpoint",
        )


def under(rollout: Rollout, spec: EndpointSpec) -> EndpointSpec:
    """``spec`` as ``rollout`` wants it: of its step while it runs, of its end once it has ended."""
    changed = replace(spec, routes=tuple(arms(rollout, spec.routes)))
    if rollout.plan.kind is not RolloutKind.AB:
        return changed
    if not rollout.running:
        return replace(changed, experiment=None)
    name = rollout.plan.experiment or rollout.id
    # By its own salt: who was in one experiment's arm tells nothing of the next one's.
    return replace(changed, experiment=Experiment(name, (rollout.main_route, CANDIDATE), rollout.id))


def at_rest(rollout: Rollout, spec: EndpointSpec) -> EndpointSpec:
    """``spec`` without what ``rollout`` made of it while it ran."""
    return under(replace(rollout, state=RolloutState.ROLLED_BACK), spec)


def arms(rollout: Rollout, routes: Sequence[Route]) -> list[Route]:
    """``routes`` as ``rollout`` wants them: of its step while it runs, of its end once it has ended.

    The main arm's target is left to whoever moves the alias; arms that are nobody's business here stay as they are.
    """
    others = [route for route in routes if route.name != CANDIDATE]
    if rollout.state is RolloutState.RUNNING:
        return _at_step(rollout, _without(others, PREVIOUS))
    ended = [_weighed(route, rollout.main_route, rollout.main_weight) for route in others]
    if rollout.state is RolloutState.SUCCEEDED:
        pinned = Target(rollout.model, rollout.baseline_version)
        ended.append(Route(PREVIOUS, pinned, 0, rollout.baseline_version, shadow=True))
    return ended


def without_previous(spec: EndpointSpec) -> EndpointSpec:
    """``spec`` without the shadow that a rollout which succeeded has left."""
    return replace(spec, routes=tuple(_without(spec.routes, PREVIOUS)))


def _at_step(rollout: Rollout, others: Sequence[Route]) -> list[Route]:
    percent = rollout.plan.steps[rollout.step].percent
    if _shares(others, rollout.main_route):
        candidate = round(rollout.main_weight * percent / 100)
        main = rollout.main_weight - candidate
    else:
        candidate, main = percent, 100 - percent
    pinned = Target(rollout.model, rollout.candidate_version)
    arm = Route(CANDIDATE, pinned, candidate, rollout.candidate_version, shadow=True)
    return [*(_weighed(route, rollout.main_route, main) for route in others), arm]


def _shares(routes: Sequence[Route], main: str) -> bool:
    """Whether an arm beside the main one answers some of the traffic."""
    return any(route.weight for route in routes if route.name not in {main, CANDIDATE, PREVIOUS})


def _weighed(route: Route, name: str, weight: int) -> Route:
    return replace(route, weight=weight) if route.name == name else route


def _without(routes: Sequence[Route], name: str) -> list[Route]:
    return [route for route in routes if route.name != name]
