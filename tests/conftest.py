"""Hypothesis profiles: ``--hypothesis-profile=dev|ci|nightly``; CI where the variable CI is set, else dev."""

import os

from hypothesis import HealthCheck, settings

# Drawing shapes and then filling them is quick; what Hypothesis finds slow here is a busy machine.
_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}

settings.register_profile("dev", max_examples=40, **_COMMON)
settings.register_profile("ci", max_examples=80, derandomize=True, print_blob=True, **_COMMON)
settings.register_profile("nightly", max_examples=400, print_blob=True, **_COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev"))
