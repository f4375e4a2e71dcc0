"""The program's configuration as the Pulumi engine holds it, checked before any resource."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env

from webapp.settings.mistakes import Mistake, Mistakes, shown, suggestion

_KEYS = ("repository", "environments", "oidcProviderArn")

_REPOSITORY = re.compile(r"[A-Za-z0-9-]+(@\d+)?/[\w.-]+(?(1)@\d+)", re.ASCII)
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
    if mistakes := [*_unknown(config), *_wrong(config, read)]:
        raise pulumi.RunError(f"the configuration has mistakes:\n{Mistakes(mistakes)}")
    return read


def _unknown(config: pulumi.Config) -> Iterator[Mistake]:
    """The engine does not refuse them: a misspelt key would have no effect."""
    for full in {**get_config_env(), **CONFIG.get()}:
        namespace, _, key = full.partition(":")
        if namespace == config.name and key not in _KEYS:
            yield Mistake(full, f"unknown key{suggestion(key, _KEYS)}")


def _wrong(config: pulumi.Config, read: Settings) -> Iterator[Mistake]:
    if not _REPOSITORY.fullmatch(read.repository):
        yield Mistake(
            config.full_key("repository"),
            f"{shown(read.repository)} is no repository; write owner/name, or owner@id/name@id",
        )
    if not read.environments:
        yield Mistake(config.full_key("environments"), "nobody could deploy; name one or more")
    for name in read.environments:
        if not re.fullmatch(r"[^:*?\s]+", str(name)):
            yield Mistake(
                config.full_key("environments"), f"{shown(name)} is no environment's name"
            )
    if read.oidc_provider_arn and not _PROVIDER.fullmatch(read.oidc_provider_arn):
        yield Mistake(
            config.full_key("oidcProviderArn"),
            f"{shown(read.oidc_provider_arn)} is not GitHub's provider; `aws iam"
            " list-open-id-connect-providers` shows it",
        )
