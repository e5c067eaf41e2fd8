"""Says in the reader's language what is wrong with settings and with the files of a workshop.

The readers of settings are the chip's own code, which speaks English: their texts stand in the table below, and values
are found in them again. A text that is not here stands as it came.
"""

import json
import re

from gateway.language import N_, Sentence
from gateway.language.reasons import of_file
from policy.fault import Fault
from tools.command_line import Refused, UsageError

_PLACED = N_("{place}: {problem}; {remedy}")
_UNPLACED = N_("{problem}; {remedy}")
_TEXTS = (
    # what a value is
    N_("nothing"), N_("a boolean"), N_("a text"), N_("bytes"), N_("a list"), N_("a map"), N_("a float"),
    N_("a huge integer"), N_("of an unknown kind"),
    # problems
    N_("is nothing"), N_("is not known"), N_("is not a setting"), N_("is given"), N_("is not a map"),
    N_("is not 16 hex digits"), N_("is not 4 or 6 hex digits"), N_("is not 32 hex digits"), N_("is not 12 hex digits"),
    N_("is not on this board"), N_("is not [network, key]"), N_("is not an IPv4 address"), N_("is not an address"),
    N_("are not public keys"), N_("is not above on_lx"), N_("has hours that do not rise"), N_("is no date"),
    N_("has no room"), N_("has a meter in the place of the boiler's bridge"), N_("is not true or false"),
    N_("is held on a battery"), N_("is held"), N_("says the same dry and wet"), N_("is 1 without a meter"),
    N_("is too little for twice the greatest flow"), N_("are longer than a node reads"),
    N_("takes {ms} ms for {count} latching valves"), N_("gives {count} pulses a second at twice what may flow"),
    N_("gives {count} pulses a minute at the flow of zone {zone}"),
    N_("sleeps through more than {count} pulses a minute"),
    N_("{count} more faults"), N_("has {count} items"), N_("is {value}"),
    # remedies
    N_("give a list"), N_("give {low} items"), N_("give {low} to {high} items"),
    N_("give an integer from {low} to {high}"), N_("remove it, or correct its spelling"),
    N_("repair the first ones and try again"), N_("give an object with at least node, kind, gateway"),
    N_("give the kind of node that this board is"), N_("give the id that was minted for this board"),
    N_("give the one of the node's key file"), N_("give {count} public keys of 64 hex digits at most"),
    N_("remove it: only UDP has an address"), N_("remove it, or say false"), N_("give two texts"),
    N_("give four numbers, 192.168.1.10"), N_("give a literal IP address"), N_("give the concentrator's MAC"),
    N_("give one of {words}"), N_("give of {words}"), N_("give an object, {{}} for the defaults"),
    N_("give about one and a half times on_lx"), N_("list the points from the first hour on"),
    N_("give YYYYMMDD of the last cleaning"), N_("give YYYYMMDD of the day on which the lamp had these hours"),
    N_("give the lower voltage first, in 0.1 V"), N_("leave it out, or give another output"),
    N_("give one of them, or leave it out"), N_("leave out defaults: {bytes} bytes"),
    N_("a battery holds no coil: use a latching valve"), N_("measure both: in air, and in soil just watered"),
    N_("give 0, or the meter"), N_("this board has bridges only: use a latching valve, or 0"),
    N_("give true for a node that runs on its cell"),
    N_("shorten them: all latching valves are pulsed shut within {ms} ms of a start"),
    N_("{count} are counted: take a meter of {least} uL a pulse or more"),
    N_("take a meter of less a pulse: {least} a minute show a burst in time"),
    N_("take an emitter of {least} mL or more: each pulse wakes the chip"),
    N_("the board counts {count} a second: take an emitter of {least} mL or more"),
    N_("give {value}"),
    # of calendars and programmes
    N_("is not of the form of first"), N_("is {value}, before first"), N_("is {value}, no such date"),
    N_("is not after the step before it"), N_("is a step of the evening below one of the morning"),
    N_("leaves the lamp lit at the end of the night"), N_("is {value}, inside the span before it"),
    N_("is {value}, not after from"), N_("rise"), N_("has no year"), N_("is too long"),
    N_("do not say what is forbidden to {use} at crise"), N_("gives {rate} tenths of mm/h on this area"),
    N_("is given alone"), N_("is equal to from"), N_("is not a text of use"),
    N_("give both as 0, as MMDD or as YYYYMMDD"), N_("put the earlier date first"),
    N_("give 0, MMDD or YYYYMMDD of a day that exists"), N_("give 0 or MMDD of a day that exists"),
    N_("give YYYYMMDD of a day that exists"), N_("give a year from {low} to {high}"),
    N_("list the steps in the order of the night, which runs from noon to noon"),
    N_("list steps at sunset or before midnight above steps after midnight or at sunrise"),
    N_("end with a step of level 0, such as [2, 0, 0] (sunrise), or set by_day"),
    N_("give 4, or 6 with ceilings and exemptions"), N_("list the spans in order, apart"),
    N_("end a span at 1440 and go on the day after"), N_("give comfort first, then no more for each longer emptiness"),
    N_("date an exemption: YYYYMMDD of its first and last day"), N_("name who decided, and by which text"),
    N_("give {count} bytes at most"), N_("give {low} to {high} bytes of text"),
    N_("add the prefecture's order: {order}"), N_("give 0 (the emitter's) or {low} to 100"),
    N_("check flow (mL/min), area (dm2)"), N_("give first and last, or both as 0"),
    N_("give 0 and 1440 for the whole day"),
)  # fmt: skip


def _pattern(text: str) -> re.Pattern[str]:
    """Returns what matches a text of the table with its values."""
    parts = re.split(r"(?<!\{)\{(\w+)\}", text)
    words = [re.escape(part.replace("{{", "{").replace("}}", "}")) for part in parts[::2]]
    names = [f"(?P<{name}>.+)" for name in parts[1::2]]
    return re.compile("".join(word + name for word, name in zip(words, [*names, ""], strict=True)))


# A text with more words of its own is tried before one that would take them for a value.
_PATTERNS = {text: _pattern(text) for text in sorted(_TEXTS, key=lambda text: -len(re.sub(r"\{\w+\}", "", text)))}


def said(text: str) -> Sentence | str:
    """Returns a sentence of the catalogue for a text of the settings' readers, or the text."""
    for message, pattern in _PATTERNS.items():
        if found := pattern.fullmatch(text):
            return Sentence(message, {name: said(value) for name, value in found.groupdict().items()})
    return text


def of_setting(fault: Fault, place: str = "") -> Sentence:
    """Says a fault. `place`: the file, and the line, that have the setting."""
    where = ": ".join(word for word in (place, fault.path) if word)
    values = {"place": where, "problem": said(fault.problem), "remedy": said(fault.remedy)}
    return Sentence(_PLACED if where else _UNPLACED, values)


def listed(faults: list[Sentence]) -> UsageError:
    """Returns the refusal that says several faults, a line each."""
    names = [f"fault{index}" for index in range(len(faults))]
    return UsageError("\n  ".join(f"{{{name}}}" for name in names), **dict(zip(names, faults, strict=True)))


def of_path(path: object, error: Exception, stop: type[Refused | UsageError] = Refused) -> Refused | UsageError:
    """Returns the refusal for a file that cannot be read or written: OSError, or what no text of its form is."""
    if isinstance(error, OSError | UnicodeDecodeError):
        return stop(N_("{path}: {why}"), path=path, why=of_file(error))
    if isinstance(error, json.JSONDecodeError):
        message = N_("{path}:{line}: no JSON from column {column} on: see the quotes, commas and brackets there")
        return stop(message, path=path, line=error.lineno, column=error.colno)
    return stop(f"{path}: {error}")
