import gc

from hypothesis import HealthCheck, settings

# What moto, the SDKs and the engine load stays: looking for garbage in it again and again takes
# a sixth of the time.
gc.set_threshold(50_000, 20, 100)

# A busy machine is no finding. The default run repeats itself; `make test-slow` explores.
settings.register_profile(
    "repeatable",
    deadline=None,
    derandomize=True,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "exploring", settings.get_profile("repeatable"), derandomize=False, max_examples=200
)
settings.load_profile("repeatable")
