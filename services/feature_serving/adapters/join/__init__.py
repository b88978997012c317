"""The join, in a short-lived process of its own: what it needs and how it dies must not touch serving.

``python -m services.feature_serving.adapters.join`` reads one job as JSON from stdin, writes a Parquet file and tells
about it as JSON on stdout: facts, or the error that the caller is to see. DuckDB reads sources, finds entities, sorts
and joins by time; numpy folds windows, in one fixed order. The same job gives the same bytes, whatever its threads.

All moments are microseconds since 1970 UTC; a source's finer ones are cut to them.
"""
