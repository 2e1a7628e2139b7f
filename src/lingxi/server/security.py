"""Headers that every answer carries, and the cookies of the dashboard."""

from litestar.datastructures import Cookie

from lingxi.config import ServerSettings

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
_ALWAYS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
_HSTS = {"strict-transport-security": "max-age=31536000"}
SESSION_COOKIE = "lingxi_session"
VISIT_COOKIE = "lingxi_visit"


def security_headers(settings: ServerSettings) -> list[tuple[bytes, bytes]]:
    """The headers of every answer; HSTS only where cookies are for HTTPS alone."""
    chosen = _ALWAYS | (_HSTS if settings.secure_cookies else {})
    return [(name.encode(), value.encode()) for name, value in chosen.items()]


def session_cookie_name(settings: ServerSettings) -> str:
    """The cookie of the login session; over HTTPS the browser itself guards its origin."""
    return ("__Host-" if settings.secure_cookies else "") + SESSION_COOKIE


def session_cookie(settings: ServerSettings, token: str) -> Cookie:
    """Carries the token of a login session; scripts cannot read it."""
    return Cookie(
        key=session_cookie_name(settings),
        value=token,
        path="/",
        httponly=True,
        samesite="lax",
        secure=settings.secure_cookies,
    )


def expired_session_cookie(settings: ServerSettings) -> Cookie:
    """Takes the session's cookie away from the browser."""
    return Cookie(
        key=session_cookie_name(settings),
        value="",
        max_age=0,
        path="/",
        httponly=True,
        samesite="lax",
        secure=settings.secure_cookies,
    )


def visit_cookie(settings: ServerSettings, secret: str) -> Cookie:
    """Before a login: the secret that the login form's token is made from."""
    return Cookie(
        key=VISIT_COOKIE,
        value=secret,
        path="/",
        httponly=True,
        samesite="strict",
        secure=settings.secure_cookies,
    )
