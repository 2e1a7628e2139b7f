"""What the server says of itself: JSON lines to stderr."""

import logging
import sys

import structlog


def configure_logs(*, cache: bool = True) -> None:
    """JSON lines to stderr, one event each; ``cache`` fixes the choice for the process."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=cache,
    )
