"""The meaning of each field below the keys that `Pulumi.yaml` describes, for people and editors."""

from collections.abc import Mapping

from msgspec import Struct

from webapp.settings.gateway import Cors, Policy, Route, SessionSettings, SignInGuard, Upstream
from webapp.settings.stack import CustomDomain, Vpc

MEANINGS: Mapping[type[Struct], Mapping[str, str]] = {
    Upstream: {
        "url": "Where the service is: https (http with `allowInsecure`), a host, perhaps a port and"
        " a base path that is put before every path. No user name, query or fragment.",
        "connectTimeout": "Seconds until a connection must stand.",
        "timeout": "Seconds for the whole exchange, retries included; a route may set its own.",
        "retries": "How often GET, HEAD, OPTIONS, PUT or DELETE is tried again when no byte of an"
        " answer came.",
        "allowInsecure": "Accepts an http url, inside a network that you trust.",
        "secretHeader": "The header that proves to this upstream that a request came through the"
        " gateway; its value stands in `upstreamSecrets`.",
    },
    Route: {
        "id": "The route's name in policies, log lines and metrics.",
        "path": "Literal segments, `{name}` for one segment, a last `{name+}` for the rest. The"
        " most specific pattern wins.",
        "upstream": "The name of the service that answers.",
        "methods": "Other methods are 405. HEAD follows GET; OPTIONS only where it is listed.",
        "rewrite": "The path at the upstream, a template over the same names; unset the same.",
        "auth": "`session` demands one, `optional` takes one, `none` does not look.",
        "roles": "Any of them lets a caller pass; needs `auth: session`.",
        "session": "`issue` starts the session of whom the upstream names, `end` ends it.",
        "timeout": "Seconds for the exchange, in place of the upstream's.",
        "forwardAuthorization": "Passes `Authorization` on, unless it holds a token of this"
        " gateway; unset it is true where `auth` is `none`.",
        "maxBodyBytes": "A larger body is 413.",
        "allowFrom": "Addresses and networks (CIDR); everyone else gets 403.",
    },
    Policy: {
        "name": "The policy's name in headers, log lines and refusals.",
        "key": "Who shares a bucket: `ip`, `user`, `session`, `route`, `global`, or a list of those"
        " together. Who is not signed in counts by address.",
        "limit": "Requests per `window`.",
        "window": "Seconds.",
        "burst": "Requests that pass at once; unset it is `limit`.",
        "routes": "Ids of routes that it applies to; unset it is all of them and `/auth/*`.",
        "roles": "It applies to callers with one of these only.",
        "exempt": "Addresses and networks (CIDR) that it does not apply to.",
        "mode": "`shadow` counts and reports, and refuses nobody.",
        "onStoreError": "When the counters cannot be asked: `open` lets pass, `closed` is 503,"
        " `local` counts in each container.",
    },
    SessionSettings: {
        "ttl": "Seconds that a session lasts without a refresh.",
        "maxLifetime": "Seconds after which it ends, however often it is refreshed.",
        "refreshThreshold": "With fewer seconds left a browser's cookie is renewed.",
        "cookieName": "It keeps `__Host-`, which binds the cookie to this host.",
        "sameSite": "The cookie's attribute; `None` is for pages of other sites.",
        "cacheSeconds": "Seconds that a container trusts a session that it has read: fewer reads,"
        " but an ended session or a changed role is noticed that much later.",
    },
    SignInGuard: {
        "limit": "Failed sign-ins per `window` and address.",
        "window": "Seconds.",
    },
    Cors: {
        "allowOrigins": 'Origins of pages that may read answers, or `"*"` (not with credentials).',
        "allowMethods": "Methods that such pages may use.",
        "allowHeaders": "Request headers that they may send.",
        "exposeHeaders": "Headers that they may read, besides the gateway's own.",
        "allowCredentials": "They may send the session cookie along.",
        "maxAge": "Seconds that a browser remembers the answer to a preflight.",
    },
    CustomDomain: {
        "name": "The host name that clients use.",
        "zoneId": "The Route 53 zone in which the records are made.",
        "certificateArn": "A certificate of your own: in the stack's region, with `edge` in"
        " us-east-1. Required without `zoneId`.",
    },
    Vpc: {
        "subnetIds": "Private subnets, in two zones or more.",
        "securityGroupIds": "They must let 443 and the upstreams' ports out.",
    },
}
