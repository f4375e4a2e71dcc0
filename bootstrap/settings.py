"""The program's configuration as the Pulumi engine holds it, checked before any resource."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env

from webapp.settings.mistakes import Mistake, Mistakes, shown, suggestion

_KEYS = ("repository", "environments", "oidcProviderArn")

# With GitHub's ids behind both names, or behind none.
_REPOSITORY = re.compile(r"[A-Za-z0-9-]+(@\d+)?/[\w.-]+(?<!\.git)(?(1)@\d+)", re.ASCII)
_PROVIDER = re.compile(
    r"arn:aws:iam::\d{12}:oidc-provider/token\.actions\.githubusercontent\.com", re.ASCII
)


class Settings(NamedTuple):
    """`repository` is what GitHub's tokens say behind `repo:`."""

    repository: str
    environments: tuple[str, ...]
    oidc_provider_arn: str

    def previewing(self) -> list[str]:
        """The subjects of GitHub's tokens in pull requests, and on main (the nightly preview)."""
        return [
            f"repo:{self.repository}:pull_request",
            f"repo:{self.repository}:ref:refs/heads/main",
        ]

    def deploying(self) -> list[str]:
        """The subjects in jobs of the environments: GitHub hands them out after its approvals."""
        return [f"repo:{self.repository}:environment:{name}" for name in self.environments]


def settings() -> Settings:
    """Every mistake is in the one error raised."""
    config = pulumi.Config()
    read = Settings(
        config.get("repository") or "",
        tuple(config.get_object("environments") or ()),
        config.get("oidcProviderArn") or "",
    )
    found = [*_unknown(config.name), *_wrong(read)]
    if mistakes := [Mistake(config.full_key(key), message) for key, message in found]:
        raise pulumi.RunError(f"the configuration has mistakes:\n{Mistakes(mistakes)}")
    return read


def _unknown(project: str) -> Iterator[tuple[str, str]]:
    """The engine does not refuse them: a misspelt key would have no effect."""
    for full in {**get_config_env(), **CONFIG.get()}:
        namespace, _, key = full.partition(":")
        if namespace == project and key not in _KEYS:
            yield key, f"unknown key{suggestion(key, _KEYS)}"


def _wrong(read: Settings) -> Iterator[tuple[str, str]]:
    repository, environments, provider = read
    if not _REPOSITORY.fullmatch(repository):
        remedy = "write owner/name, or owner@id/name@id"
        yield "repository", f"{shown(repository)} is no repository; {remedy}"
    if not environments:
        yield "environments", "nobody could deploy; name one or more"
    for name in environments:
        if not re.fullmatch(r"[^:*?]+", str(name)):
            yield "environments", f"{shown(name)} is no name; write them out, as in [dev, prod]"
    if provider and not _PROVIDER.fullmatch(provider):
        remedy = "`aws iam list-open-id-connect-providers` shows it"
        yield "oidcProviderArn", f"{shown(provider)} is not GitHub's provider; {remedy}"
