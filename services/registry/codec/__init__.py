"""Between the contract's messages and the registry's values."""

from services.registry.codec.changes import encode_change
from services.registry.codec.endpoints import decode_spec, encode_endpoint, encode_revision, encode_state
from services.registry.codec.models import decode_draft, encode_alias, encode_artifact, encode_model, encode_version
from services.registry.codec.rollouts import decode_start, encode_rollout
from services.registry.codec.verdicts import decode_disabled, decode_verdict

__all__ = [
    "decode_disabled",
    "decode_draft",
    "decode_spec",
    "decode_start",
    "decode_verdict",
    "encode_alias",
    "encode_artifact",
    "encode_change",
    "encode_endpoint",
    "encode_model",
    "encode_revision",
    "encode_rollout",
    "encode_state",
    "encode_version",
]
