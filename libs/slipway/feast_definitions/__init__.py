"""Compiles a Feast repository into the feature catalogue's definitions, in a short-lived process of its own.

    python -m slipway.feast_definitions REPO OUTPUT

Feast brings half of PyPI: seconds and hundreds of megabytes. So no other process imports this package's modules, least
of all one that serves; ``slipway-features compile`` and ``apply`` start this one. Needs the ``definitions`` extra.

Writes to OUTPUT, as JSON, the document that ``slipway-features apply`` reads: ``{"views": [...], "services": [...]}``.
What the catalogue has no words for is refused by name, all of it at once, and never left out in silence:
``{"refusals": [{"field", "description"}]}`` with exit status 2. Tags, but for those of ``fallbacks``, and organisations
alone have no place in the catalogue and are left out. Nothing is applied in Feast, and no registry of Feast's is read
or written.

``repository`` loads what the Python files define, ``views``, ``windows``, ``fallbacks`` and ``services`` say it in the
catalogue's words, ``refusals`` collects what they can't say.
"""

import sys

# Feast takes torch along where it finds it, a third of its seconds, and does without where it finds none. A definition
# that imports torch itself gets it.
_absent = "torch" not in sys.modules
if _absent:
    sys.modules["torch"] = None  # type: ignore[assignment]
try:
    import feast  # noqa: F401
finally:
    if _absent:
        del sys.modules["torch"]
