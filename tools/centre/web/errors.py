"""Shows errors as pages in the reader's language: what is, and the way back; never a trace."""

import logging
from typing import Any

from tools.centre.web.page import shown


def not_found(request: Any, exception: Exception) -> Any:
    return shown(request, "error.html", status=404, reason="error.404")


def form_refused(request: Any, reason: str = "") -> Any:
    return shown(request, "error.html", status=403, reason="error.403")


def failed(request: Any) -> Any:
    return shown(request, "error.html", status=500, reason="error.500")


def unreadable(request: Any, error: Exception) -> Any:
    logging.getLogger(__name__).error("warehouse: %s", error)
    request.areas = frozenset()  # nothing more is asked of it
    answer = shown(request, "error.html", status=503, reason="error.database")
    answer["Retry-After"] = "60"
    return answer
