"""The front of the server: what the door and the lane take goes straight there, the rest to
Litestar."""

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from lingxi.server.collect.door import Door
from lingxi.server.lane import Lane


class Front:
    """An ASGI application around another one."""

    def __init__(self, door: Door, lane: Lane, app: ASGIApp) -> None:
        self._door, self._lane, self._app = door, lane, app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == ScopeType.HTTP:
            address = self._door.find(scope)
            if address is not None:
                scope["state"] = {}
                await self._door.serve(address, scope, receive, send)
                return
            wanted = self._lane.find(scope)
            if wanted is not None:
                scope["state"] = {}
                await self._lane.serve(wanted, scope, send)
                return
        await self._app(scope, receive, send)
