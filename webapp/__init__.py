"""Tollgate: a serverless API gateway.

Every request passes these steps, in this order (`gateway.Gateway.answer`); the first that refuses
answers with problem details, and what was counted before stays counted:

1. event, path and head: what is malformed, ambiguous or too large is refused (400, 431);
   where the stack has an edge, what did not come through it is refused (403)
2. `denyFrom` (403)
3. route: the most specific pattern (404), `allowFrom` (403), method (405), body size (413)
4. limits whose key is the address alone (429)
5. identity: credentials (400, 401, 429 for who forges them), same site (403), roles (403)
6. all other limits, and the guard of sign-ins (429)
7. the gateway's own endpoint, or the upstream (502, 503, 504)
"""

VERSION = "0.1.0"
