"""Authentication: who is calling, whether a browser may say so from there, and in which role."""

from webapp.call import Call
from webapp.cookies import cleared_cookie, session_cookie
from webapp.endpoints import REFRESH
from webapp.errors import Problem
from webapp.guards import ForgedTokens
from webapp.identity import Credential, check_same_site, has_role, presented
from webapp.sessions import Sessions, Superseded
from webapp.settings import Settings
from webapp.tokens import Token, Tokens


class Authentication:
    """The step between the limits by address and those by caller."""

    def __init__(
        self, tokens: Tokens, sessions: Sessions, forged: ForgedTokens, settings: Settings
    ) -> None:
        self._tokens = tokens
        self._sessions = sessions
        self._forged = forged
        self._settings = settings

    def identify(self, call: Call) -> None:
        """Let the call know its caller, if it has one.

        Raises a Problem: 400 and 401 for credentials, 403 for another site's page or a role that
        is missing, 429 for too many forged tokens, 503 when nobody can tell.
        """
        route = call.route
        if route.auth != "none" or route.session:
            call.credential = presented(call.request, route, self._settings.session.cookie_name)
        if route.auth != "none" and call.credential:
            self._verify(call, call.credential)
        elif route.auth == "session":
            raise Problem("missing_token", "Sign in, or send the token as a bearer token.")
        check_same_site(call.request, route, call.credential, self._settings)
        if call.identity and not has_role(route, call.identity.roles):
            raise Problem("forbidden", "The session has none of the roles that this route needs.")
        self._use_session(call)

    def _verify(self, call: Call, credential: Credential) -> None:
        try:
            call.token = self._tokens.verify(credential.token)
            call.identity = self._sessions.read(call.token, refreshing=_refreshes(call))
        except Problem as problem:
            if problem.code == "invalid_token":
                self._forged.count(call.request.address)
            # Of a superseded token the browser may hold the successor already.
            over = problem.status == 401 and not isinstance(problem, Superseded)
            if over and credential.by_cookie:
                call.cookie = cleared_cookie(self._settings.session)
            raise

    def _use_session(self, call: Call) -> None:
        """Note the use of a session; a cookie that ends soon is renewed. A refresh does both."""
        if call.identity and call.token and call.credential and not _refreshes(call):
            sliding = call.credential.by_cookie
            if longer := self._sessions.use(call.identity, call.token, sliding=sliding):
                self.give_cookie(call, longer)

    def give_cookie(self, call: Call, token: Token) -> None:
        """Let the answer carry a token in the session cookie."""
        max_age = token.expires_at - self._sessions.now()
        call.cookie = session_cookie(self._settings.session, self._tokens.sign(token), max_age)


def _refreshes(call: Call) -> bool:
    return call.route.id == REFRESH
