"""What is wrong, the gravest first, with what to do: at the cabinet, at the gateway, and the log's last incidents."""

from gateway.language.figures import duration
from gateway.show.findings import Finding, alarm_findings, findings
from gateway.show.page.feeder import finding_items
from gateway.show.page.html import Child, Safe, join, tag
from gateway.show.page.view import View
from gateway.show.report import fault_words
from gateway.show.words import word

_SHOWN_MAX = 10


def faults(view: View) -> Safe:
    """The screen's body."""
    alarms = alarm_findings(view.status)
    others = [found for found in findings(view.status) if not found.key.startswith("alarm.")]
    if not alarms and not others:
        return join(tag("p", view.say("faults.none"), class_="notice good"), _log(view))
    return join(_group(view, "faults.street", alarms), _group(view, "faults.gateway", others), _log(view))


def _group(view: View, title: str, found: list[Finding]) -> Child:
    if not found:
        return None
    return join(tag("h2", view.say(title)), finding_items(view, found))


def _log(view: View) -> Child:
    told = view.status.faults
    if not told:
        return None
    lines = [
        tag("li", word("ago", view.language, ago=duration(one.ago_s, view.language),
                       what=fault_words(one, view.language)))
        for one in reversed(told[-_SHOWN_MAX:])
    ]  # fmt: skip
    return join(tag("h2", view.say("faults.log")), tag("ul", lines, class_="lines"))
