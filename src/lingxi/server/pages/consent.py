"""Consent: who has agreed to what."""

from litestar import Response, get

from lingxi.access import Scope
from lingxi.app.collect_views import ConsentsView
from lingxi.server.dependencies import AskAnswers
from lingxi.server.pages.frame import AskFrame
from lingxi.server.pages.words import Words


@get("/consent", opt={"scope": Scope.OVERVIEW}, sync_to_thread=True)
def get_consent(frame: AskFrame, answers: AskAnswers) -> Response[str]:
    """Consent over all customers, by purpose and channel."""
    view = answers.consents()
    return frame.page("consent.html", {"view": view, "answer": answer_consent(frame.words, view)})


def answer_consent(words: Words, view: ConsentsView) -> str:
    """How many may be written to, in one sentence."""
    if not view.customers:
        return words.text("consent.answer.nobody")
    return words.text("consent.answer", n=view.reachable, total=view.customers)


ROUTES = [get_consent]
