"""How features are missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from slipway.errors import FieldViolation, InvalidInput, Kind, SlipwayError, Unavailable


class FeaturesUnavailable(Unavailable):
    """Features that the version can't do without can't be read now."""

    reason = "FEATURES_UNAVAILABLE"

    def __init__(self, features: Sequence[str], why: str) -> None:
        shown = ", ".join(features[:5]) + (f" and {len(features) - 5} more" if len(features) > 5 else "")
        super().__init__(
            f"{shown} can't be read now, and the version needs them: {why or 'nobody was asked'}; "
            "try again, or give the columns",
            retry_after_s=1.0,
        )


class FeatureMissing(InvalidInput):
    """Features that the version can't do without have no value for these entities at this time."""

    reason = "FEATURE_MISSING"

    def __init__(self, holes: Mapping[str, str]) -> None:
        wrong = [FieldViolation(f"features[{name}]", why) for name, why in holes.items()]
        super().__init__("; ".join(f"{one.field}: {one.description}" for one in wrong), violations=wrong)


class FeatureTypeMismatch(SlipwayError):
    """The version was registered with a feature whose type its column can't take."""

    kind = Kind.FAILED_PRECONDITION
    reason = "FEATURE_TYPE_MISMATCH"

    def __init__(self, column: str, datatype: str, feature: str, holds: str) -> None:
        super().__init__(
            f"column {column!r} is {datatype}, but feature {feature!r} holds {holds}; "
            "register the version with a column of the feature's type",
            facts={"column": column, "feature": feature},
        )
