"""Loads the apparatus as pytest plugins; no logic here."""

pytest_plugins = [  # each after those it imports
    "fixtures.plain.hypothesis_profiles",
    "fixtures.plain.seeded",
    "fixtures.run.options",
    "fixtures.run.store",
    "fixtures.run.judge",
    "fixtures.run.conformance",
    "fixtures.run.session",
    "fixtures.run.controlled",
    "fixtures.run.published",
    "fixtures.run.language_models",
    "fixtures.run.small_models",
    "fixtures.run.planning",
    "fixtures.run.workers",
]
