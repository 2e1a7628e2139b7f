"""Sources that are pulled from: what a plug-in is, those built in, and the pulling itself."""

from lingxi.ingest.pulling.kinds import make_source
from lingxi.ingest.pulling.pull import Pulled, pull_source
from lingxi.ingest.pulling.source import Page, Source
from lingxi.ingest.pulling.state import PullRow, list_pulls

__all__ = ["Page", "PullRow", "Pulled", "Source", "list_pulls", "make_source", "pull_source"]
