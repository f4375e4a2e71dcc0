"""A stack's configuration as the Pulumi engine holds it, checked whole before any resource."""

from typing import NamedTuple

import pulumi
from pulumi.runtime.config import (
    CONFIG,
    get_config_env,
    get_config_secret_keys_env,
    is_config_secret,
)

from webapp.settings import Settings
from webapp.settings.mistakes import Mistake, Mistakes
from webapp.settings.read import read
from webapp.settings.stack import Stack

# What is built from the longest of these names must fit, too: AWS takes 64 characters.
_LONGEST_NAME = 40


class Deployment(NamedTuple):
    """What one stack is to be. `secrets` is the JSON that the function reads; both are secret."""

    name: str
    settings: Settings
    stack: Stack
    signing_key: pulumi.Output[str]
    secrets: pulumi.Output[str]


def deployment() -> Deployment:
    """The stack that the engine runs this program for.

    Every mistake in its configuration is in the one error raised; warnings are shown and stop
    nothing. What the engine passes counts, not the files: an environment may have changed it.
    """
    prefix = f"{pulumi.get_project()}:"
    passed = {**get_config_env(), **CONFIG.get()}
    values = {k.removeprefix(prefix): v for k, v in passed.items() if k.startswith(prefix)}
    # The engine hands both over in the environment, and its language host sets them from there.
    secret = get_config_secret_keys_env()
    encrypted = {k for k in values if is_config_secret(prefix + k) or prefix + k in secret}
    try:
        configuration = read(values, pulumi.get_stack(), encrypted)
        name = _name(pulumi.get_stack())
    except Mistakes as mistakes:
        raise pulumi.RunError(f"the configuration has mistakes:\n{mistakes}") from None
    for warning in configuration.warnings:
        pulumi.log.warn(str(warning))
    key = pulumi.Config().require_secret("signingKey")
    return Deployment(name, configuration.settings, configuration.stack, key, _secrets(key))


def _name(stack: str) -> str:
    name = f"tollgate-{stack}"
    if len(name) > _LONGEST_NAME:
        message = f"makes names longer than AWS takes; use at most {_LONGEST_NAME - 9} characters"
        raise Mistakes([Mistake(f"the stack's name {stack}", message)])
    return name


def _secrets(key: pulumi.Output[str]) -> pulumi.Output[str]:
    """What is unset stays out, so that nothing in the function has to tell empty from missing."""
    config = pulumi.Config()
    document: dict[str, object] = {"current": key}
    if config.get("previousSigningKey"):
        document["previous"] = config.require_secret("previousSigningKey")
    if config.get_object("upstreamSecrets"):
        document["upstreams"] = config.require_secret_object("upstreamSecrets")
    return pulumi.Output.secret(pulumi.Output.json_dumps(document))
