"""Search for anything: customers and items by id or name."""

from litestar import Response, get

from lingxi.access import Scope
from lingxi.app.views import SearchView
from lingxi.server.api.parameters import Search, check_text
from lingxi.server.dependencies import AskAnswers
from lingxi.server.pages.frame import AskFrame

_HITS = 12


@get("/search", opt={"scope": Scope.CUSTOMERS}, sync_to_thread=True)
def get_search(frame: AskFrame, answers: AskAnswers, q: Search = "") -> Response[str]:
    """What was found; the box in the top bar shows the same list."""
    text = check_text("q", q).strip()
    view = answers.search(text, n=_HITS) if text else SearchView(())
    groups = {
        kind: [hit for hit in view.hits if hit.kind == kind]
        for kind in dict.fromkeys(hit.kind for hit in view.hits)
    }
    return frame.page("search.html", {"q": text, "groups": groups, "n": len(view.hits)})


ROUTES = [get_search]
