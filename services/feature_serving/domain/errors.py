"""What the catalogue refuses, and why."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.errors import Kind, NotFound, SlipwayError


class FeatureViewNotFound(NotFound):
    """No view of that name."""

    reason = "FEATURE_VIEW_NOT_FOUND"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"there is no feature view {name!r}; apply it first or see ListFeatureViews", facts={"view": name}
        )


class FeatureTypeChanged(SlipwayError):
    """A stored feature would change its type."""

    kind = Kind.FAILED_PRECONDITION
    reason = "FEATURE_TYPE_CHANGED"

    def __init__(self, view: str, feature: str, before: str, after: str) -> None:
        super().__init__(
            f"feature {feature!r} of view {view!r} is {before} and can't become {after}; give it another name",
            facts={"view": view, "feature": feature, "from": before, "to": after},
        )


class EntitiesChanged(SlipwayError):
    """A stored view would be found by other keys."""

    kind = Kind.FAILED_PRECONDITION
    reason = "ENTITIES_CHANGED"

    def __init__(self, view: str, before: Sequence[str], after: Sequence[str]) -> None:
        super().__init__(
            f"view {view!r} is of {', '.join(before)} and can't become one of {', '.join(after)}; "
            "give the view another name",
            facts={"view": view, "from": ",".join(before), "to": ",".join(after)},
        )
