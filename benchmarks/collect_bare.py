"""The ceiling of the server: the same Litestar on the same granian, reading the body, no more."""

from litestar import Litestar, Request, Response, post

PATHS = ["/v1/batch", "/v1/track", "/v1/page", "/v1/identify"]
ANSWER = b'{"success":true}'


@post(PATHS, status_code=200)
async def take(request: Request[object, object, object]) -> Response[bytes]:
    """A constant answer once the body was read."""
    await request.body()
    return Response(ANSWER, media_type="application/json")


def load_app() -> Litestar:
    """The application of a worker process."""
    return Litestar([take], openapi_config=None, logging_config=None, request_max_body_size=10**7)


RUN = """
import multiprocessing, sys
from granian import Granian
from granian.constants import Interfaces
if __name__ == "__main__":
    multiprocessing.set_start_method("spawn", force=True)
    Granian("collect_bare:load_app", address="127.0.0.1", port=int(sys.argv[1]),
            interface=Interfaces.ASGI, factory=True, workers=1, websockets=False,
            log_enabled=False).serve()
"""
"""Started with ``python -c``: granian as ``lingxi serve`` starts it."""
