"""Loads the apparatus as pytest plugins; no logic here."""

pytest_plugins = [  # each after those it imports
    "fixtures.hypothesis_profiles",
    "fixtures.options",
    "fixtures.judge",
    "fixtures.store",
    "fixtures.conformance",
    "fixtures.session",
    "fixtures.controlled",
    "fixtures.published",
    "fixtures.language_models",
    "fixtures.pruned_models",
    "fixtures.robust_models",
    "fixtures.ruler_models",
    "fixtures.small_models",
    "fixtures.intervened_models",
    "fixtures.cut_models",
    "fixtures.planned",
    "fixtures.workers",
]
