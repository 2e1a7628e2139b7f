"""The front of the server: requests for the door go straight to it, all others to Litestar."""

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from lingxi.server.collect.door import Door


class Front:
    """An ASGI application around another one."""

    def __init__(self, door: Door, app: ASGIApp) -> None:
        self._door = door
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == ScopeType.HTTP:
            address = self._door.find(scope)
            if address is not None:
                scope["state"] = {}
                await self._door.serve(address, scope, receive, send)
                return
        await self._app(scope, receive, send)
