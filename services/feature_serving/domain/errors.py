"""What the catalogue refuses, and why."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.errors import FieldViolation, Kind, NotFound, SlipwayError, Unavailable


class FeatureViewNotFound(NotFound):
    """No view of that name."""

    reason = "FEATURE_VIEW_NOT_FOUND"

    def __init__(self, name: str, field: str = "") -> None:
        told = f"there is no feature view {name!r}; apply it first or see ListFeatureViews"
        super().__init__(_at(field, told), facts={"view": name}, violations=_violations(field, told))


class FeatureNotFound(NotFound):
    """No feature of that name in the view."""

    reason = "FEATURE_NOT_FOUND"

    def __init__(self, view: str, feature: str, field: str) -> None:
        told = f"view {view!r} has no feature {feature!r}; apply it first or see GetFeatureView"
        super().__init__(
            _at(field, told), facts={"view": view, "feature": feature}, violations=_violations(field, told)
        )


class FeatureServiceNotFound(NotFound):
    """No feature service of that name."""

    reason = "FEATURE_SERVICE_NOT_FOUND"

    def __init__(self, name: str, field: str = "") -> None:
        told = f"there is no feature service {name!r}; apply it first or see ListFeatureServices"
        super().__init__(_at(field, told), facts={"service": name}, violations=_violations(field, told))


class WatermarkNotFound(NotFound):
    """A view that got no row yet."""

    reason = "WATERMARK_NOT_FOUND"

    def __init__(self, view: str) -> None:
        super().__init__(f"view {view!r} got no row yet; push one or publish it", facts={"view": view})


class FeatureInUse(SlipwayError):
    """A feature that a feature service names would go."""

    kind = Kind.FAILED_PRECONDITION
    reason = "FEATURE_IN_USE"

    def __init__(self, view: str, feature: str, service: str) -> None:
        super().__init__(
            f"feature {feature!r} of view {view!r} is read by feature service {service!r}; take it out there first",
            facts={"view": view, "feature": feature, "service": service},
        )


class OnlineStoreUnavailable(Unavailable):
    """The online store does not answer."""

    reason = "ONLINE_STORE_UNAVAILABLE"

    def __init__(self, why: str) -> None:
        super().__init__(f"the online store can't be used now: {why}", retry_after_s=1.0)


class ForeignData(SlipwayError):
    """The online store holds something else where values should be."""

    kind = Kind.DATA_LOSS
    reason = "ONLINE_STORE_FOREIGN_DATA"

    def __init__(self) -> None:
        super().__init__(
            "a key of the online store holds no hash: another program writes to the same Redis database; "
            "give each a database of its own, by redis_url"
        )


def _at(field: str, told: str) -> str:
    return f"{field}: {told}" if field else told


def _violations(field: str, told: str) -> Sequence[FieldViolation]:
    return [FieldViolation(field, told)] if field else []


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


class AggregationChanged(SlipwayError):
    """What a stored feature of a windowed view is made of would change, or a view would become windowed."""

    kind = Kind.FAILED_PRECONDITION
    reason = "AGGREGATION_CHANGED"

    def __init__(self, view: str, what: str, before: str, after: str) -> None:
        super().__init__(
            f"{what!r} of view {view!r} is {before} and can't become {after}; give the one or the other a new name",
            facts={"view": view, "what": what, "from": before, "to": after},
        )
