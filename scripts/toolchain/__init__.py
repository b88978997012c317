"""The house's own tools: what ``scripts/generate``, ``scripts/check`` and ``scripts/new-service`` run.

They are no part of the installed package, and may use the development extra freely.
"""
