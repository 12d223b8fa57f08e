"""Loads the apparatus as pytest plugins; no logic here."""

pytest_plugins = [
    "fixtures.options",
    "fixtures.hypothesis_profiles",
    "fixtures.session",
    "fixtures.judge",
    "fixtures.store",
    "fixtures.controlled",
]
