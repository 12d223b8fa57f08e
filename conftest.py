"""Loads the apparatus as pytest plugins; no logic here."""

pytest_plugins = [  # each after those it imports
    "fixtures.hypothesis_profiles",
    "fixtures.options",
    "fixtures.store",
    "fixtures.judge",
    "fixtures.conformance",
    "fixtures.session",
    "fixtures.controlled",
    "fixtures.published",
    "fixtures.language_models",
    "fixtures.small_models",
    "fixtures.planned",
    "fixtures.workers",
]
