"""The edge: who asks, and by which name, as CloudFront hands it over once it has proven itself."""

import hashlib
import hmac

from webapp import addresses
from webapp.errors import Problem
from webapp.events import HOST, Request
from webapp.keys import Keys

# `infra.edge` sets them; the gateway believes the last two only where the first is right.
PROOF, ADDRESS, PUBLIC_HOST = "tollgate-edge-proof", "tollgate-edge-address", "tollgate-edge-host"


def proof(key: str) -> str:
    """What the distribution shows: an HMAC (RFC 2104), from which nobody learns the signing key."""
    return hmac.new(key.encode(), PROOF.encode(), hashlib.sha256).hexdigest()


class Edge:
    """The only way in: the API's own endpoint answers health checks and nothing else."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def admit(self, request: Request) -> Request:
        """The viewer's request. Raises a Problem: 403 without the proof, 503 without the key."""
        if request.path.split("/")[1] == "health":
            return request
        shown = (request.header(PROOF) or "").encode()
        if not self._proves(shown) and not (self._keys.reread() and self._proves(shown)):
            raise Problem("forbidden", "The gateway is reached by its public host only.")
        host = request.header(PUBLIC_HOST) or ""
        return request._replace(
            address=addresses.read(request.header(ADDRESS) or ""),
            host=host if HOST.fullmatch(host) else "",
            headers=tuple(
                (name, value)
                for name, value in request.headers
                if name not in (PROOF, ADDRESS, PUBLIC_HOST)
            ),
        )

    def _proves(self, shown: bytes) -> bool:
        keys = self._keys.secrets().signing
        return any(hmac.compare_digest(shown, proof(key).encode()) for key in keys)
