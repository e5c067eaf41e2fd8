"""Holds the sentences of `bocage policy`, and formats its figures.

They are for the people who write and sign a policy: what is wrong, then what to write instead (under the same key with
`.do`). Must not decide anything.
"""

from gateway.language import N_, NN_, Phrases
from policy import civil
from tools import command_line

WORDS = Phrases({
    # --- what is wrong with a text ---
    "syntax": N_("this is not TOML: {why}"),
    "syntax.do": N_('write each line as key = value, texts in quotes "…"'),
    "source_long": N_("the file has more than {max} characters"),
    "source_long.do": N_("shorten it"),
    "too_long": N_("the compiled policy takes more than {max} bytes"),
    "too_long.do": N_("shorten names and texts"),
    "missing": N_("`{name}` is missing"),
    "missing.do": N_("write it; a whole example: bocage policy sample"),
    "unknown": N_("there is no such key here"),
    "unknown.do": N_("write one of: {words}"),
    "unknown_near": N_("there is no such key here"),
    "unknown_near.do": N_("write `{words}`?"),
    "type": N_("is {found}, must be {wanted}"),
    "type.do": N_("see the example: bocage policy sample"),
    "type.flag": N_("a boolean"),
    "type.text": N_("a text in quotes"),
    "type.integer": N_("an integer"),
    "type.number": N_("a number"),
    "type.list": N_("a list"),
    "type.table": N_("a table"),
    "type.date": N_("a date"),
    "line": N_("is empty, too long or has invisible characters"),
    "line.do": N_("write 1 to {max} bytes (an accented letter counts two), without a space at an end"),
    "range": N_("{value} is not allowed"),
    "range.do": N_("write a number from {low} to {high}"),
    "degrees": N_("{value}° is not in metropolitan France"),
    "degrees.do": N_("write degrees from {low} to {high}; are latitude and longitude the wrong way round?"),
    "only_true": N_("`false` says nothing"),
    "only_true.do": N_("write true, or delete the line"),
    "key_over": N_("the key ends before the policy begins"),
    "key_over.do": N_("give a later last day, or leave the operator out"),
    "day": N_("`{value}` is no date"),
    "day.do": N_("write YYYY-MM-DD of a day that exists"),
    "year": N_("the year {value} is outside the calendar"),
    "year.do": N_("write a year from {low} to {high}"),
    "one_of": N_("`{value}` is not allowed"),
    "one_of.do": N_("write one of: {words}"),
    "empty": N_("the list is empty"),
    "empty.do": N_("put an item in, or delete the line"),
    "tables": N_("is not a list of tables"),
    "tables.do": N_("write [[{name}]], with two brackets"),
    "too_many": N_("there are more than {max}"),
    "too_many.do": N_("keep {max} at most"),
    # policy, site, operators
    "insee": N_("is not an INSEE code"),
    "insee.do": N_("write the commune's five characters, such as 49135"),
    "until_before": N_("the end is before the beginning"),
    "until_before.do": N_("write a date after the first one"),
    "validity": N_("the policy is for more than {max} years"),
    "validity.do": N_("have it decided again before that"),
    "key": N_("is not an Ed25519 public key, or one whose private key is printed in a standard"),
    "key.do": N_("copy the 64 hexadecimal digits that `bocage policy keys new` printed"),
    "key_twice": N_("this key is `{name}`'s already"),
    "key_twice.do": N_("give each one a key: bocage policy keys new"),
    # groups and feeders
    "twice": N_("the name `{name}` is taken"),
    "twice.do": N_("give each group, feeder and calendar a name; a feeder is of one group only"),
    "star": N_("* is no name: it means all feeders"),
    "star.do": N_("write a name"),
    "no_calendar": N_("there is no calendar `{name}`"),
    "no_calendar.do": N_("write one of: {names}"),
    "unused": N_("no feeder follows the calendar `{name}`"),
    "unused.do": N_("give it to a group, or comment it out"),
    "permanent": N_("a feeder that is always powered follows no calendar: no contactor puts its lamps out"),
    "permanent.do": N_('delete the line (its lamps dim by their own settings), or write kind = "switched"'),
    # calendars
    "step": N_("`{text}` is no step"),
    "step.do": N_('write an instant and a level: "sunset+15 on", "23:00 off"'),
    "time": N_("there is no time {text}"),
    "time.do": N_("write a time from 00:00 to 23:59"),
    "offset": N_("{value} minutes from the sun is too far"),
    "offset.do": N_("write {max} minutes at most, or a time"),
    "level": N_("{value} % is no level of a feeder: its contactor gives 100 %, or nothing"),
    "level.do": N_("write on or off; lamps that dim do so by their own settings, on a feeder that is always powered"),
    "step_order": N_("this step is not after the one before it"),
    "step_order.do": N_("write the steps in the order of the night, from noon to noon"),
    "step_evening": N_("a step of the evening follows one of the morning"),
    "step_evening.do": N_("put sunset and the times before midnight first"),
    "step_lit": N_("the night ends lit"),
    "step_lit.do": N_('end with a step such as "sunrise off"'),
    "weekday": N_("`{text}` is no weekday"),
    "weekday.do": N_('write "fri sat" or "mon..thu"'),
    "dates": N_("`{text}` is no date of an evening"),
    "dates.do": N_('write "07-14" (every year), "2026-07-14", or "12-20..01-03"'),
    "no_date": N_("there is no day {text}"),
    "no_date.do": N_("write a day that exists, month first: 07-14"),
    "dates_mixed": N_("`{text}` has a year on one side only"),
    "dates_mixed.do": N_("write the year on both sides, or on none"),
    "dates_order": N_("`{text}` ends before it begins"),
    "dates_order.do": N_("write the earlier date first"),
    "night_last": N_("some evenings have no night in this calendar"),
    "night_last.do": N_("end with a night that has neither `dates` nor `weekdays`"),
    "never_night": N_("no evening ever comes to this: the nights above it take them all, or there is none"),
    "never_night.do": N_("put exceptions before the ordinary night, or delete this"),
    "never_step": N_("this step never acts: when its time comes a later step has come already, or it is day"),
    "never_step.do": N_("write a time between the steps around it, in all seasons of this night, or delete the step"),
    "too_many_dates": N_("{count} nights and dates are too many"),
    "too_many_dates.do": N_("join neighbouring dates; {max} at most"),
    "too_many_programs": N_("{count} different nights are too many"),
    "too_many_programs.do": N_("keep {max} at most in a calendar"),
    # limits
    "no_target": N_("there is no group and no feeder `{name}`"),
    "no_target.do": N_("write * (all) or one of: {names}"),
    "limit_kind": N_("a limit says one thing, and one only"),
    "limit_kind.do": N_("write one of the lines: {words}"),
    "window": N_("`{text}` is no window of times"),
    "window.do": N_('write "01:00..12:00"'),
    "window_empty": N_("`{text}` has no length"),
    "window_empty.do": N_("write an end that is not the beginning"),
    "sun_window": N_("`{text}` is no window of daylight"),
    "sun_window.do": N_('write "sunrise+30..sunset-30"'),
    "too_many_limits": N_("{count} limits and exemptions are too many"),
    "too_many_limits.do": N_("reduce to {max}; an exemption without a year counts once for each year"),
    "breach": N_(
        "lights {feeders} on {when} (nights concerned: {nights}); forbidden {first} to {last}: {text} ({authority})"
    ),
    "breach.do": N_('put out before that ("{first} off"), or record the derogation in [[exemption]]'),
    "breach_permanent": N_(
        "{feeders} always powered, also on {when} (nights concerned: {nights}); forbidden {first} to {last}: {text} "
        "({authority})"
    ),
    "breach_permanent.do": N_('write kind = "switched" and a calendar, or take the feeder out of the limit\'s target'),
    "to_do": N_("to do: {text}"),
    # --- what stops a command ---
    "read": N_("{path} cannot be read: {why}"),
    "read.do": N_("check the file's name and its permissions"),
    "write": N_("{path} cannot be written: {why}"),
    "write.do": N_("check the folder and its permissions"),
    "exists": N_("{path} is there already: a key is never overwritten"),
    "exists.do": N_("choose another name"),
    "not_text": N_("{path} is no UTF-8 text"),
    "not_text.do": N_("give the policy's TOML file"),
    "not_ours": N_("{path} is neither a compiled policy nor a key set"),
    "not_ours.do": N_("give a file of `bocage policy compile`, `sign` or `keyset`"),
    "not_keyset": N_("{path} is no sound key set"),
    "not_keyset.do": N_("give a file of `bocage policy keyset`"),
    "not_policy": N_("{path} is no sound policy"),
    "not_policy.do": N_("give the TOML file, or a file of `bocage policy compile` or `sign`"),
    "not_public": N_("{path} is no file of a public key"),
    "not_public.do": N_("give the .pub file of `bocage policy keys new`"),
    "not_warehouse": N_("{path} is no file of a warehouse's public key"),
    "not_warehouse.do": N_("give the .pub file of `bocage centre receipt-key`"),
    "not_private": N_("{path} is no private Ed25519 key, or the passphrase is wrong"),
    "not_private.do": N_("give the file of `bocage policy keys new`, and its passphrase"),
    "readable": N_("{path} may be read by others than its owner: a private key is its holder's alone"),
    "readable.do": N_("chmod 600 {path}; if others had an account here, make another key: bocage policy keys new"),
    "published": N_("{path}: anybody can sign with this key, as with any that a standard prints as an example"),
    "published.do": N_("make one: bocage policy keys new"),
    "passphrases": N_("the two passphrases differ"),
    "passphrases.do": N_("start again"),
    "unsound": N_("this file has a fault ({why})"),
    "unsound.do": N_("compile it again: bocage policy compile"),
    "other_commune": N_("this file is of the commune {insee}"),
    "other_commune.do": N_("give the one of the commune {ours}"),
    "not_member": N_("the key {kid} is not of the key set in force (no. {version})"),
    "not_member.do": N_("have the holder of a key sign"),
    "no_signer": N_("a signature is missing"),
    "no_signer.do": N_("add --key FILE"),
    "signed_already": N_("the key {kid} has signed already"),
    "signed_already.do": N_("have another person sign"),
    "signed_enough": N_("there are {max} signatures already"),
    "signed_enough.do": N_("leave it at that"),
    "member_elsewhere": N_("the key of `{name}` is of the commune {insee}"),
    "member_elsewhere.do": N_("make one for this commune"),
    "member_twice": N_("the same key is given twice"),
    "member_twice.do": N_("give each person and each warehouse a key"),
    "warehouses": N_("these are too many warehouses"),
    "warehouses.do": N_("name {max} at most; remove one that is no longer in use"),
    "threshold": N_("{count} keys of which {value} change the set: impossible"),
    "threshold.do": N_("give {low} to {max} keys, and a threshold of {low} at least and no more than there are"),
    "no_member": N_("`{who}` is not one key of the set"),
    "no_member.do": N_("write a name or a short name in hexadecimal; there are: {names}"),
    # --- what commands print ---
    "faults": NN_("{path}: {count} fault", "{path}: {count} faults"),
    "sound": N_(
        "{path}: sound. Policy no. {version} of {insee}, {nights} nights checked, {feeders} feeders, {bytes} bytes"
    ),
    "written": N_("{path} written ({bytes} bytes)"),
    "key_made": N_("private key: {path}, for its holder alone"),
    "key_public": N_("public key: {public}"),
    "key_kid": N_("short name: {kid}"),
    "key_send": N_("to be sent to the person who makes the key set: {path}"),
    "ask_passphrase": N_("passphrase of {path}: "),
    "ask_again": N_("once more: "),
    "keyset_install": N_("to be installed by hand on each gateway, once: {path}"),
    "keyset_spare": N_(
        "careful: with {count} keys and a threshold of {threshold}, a lost key could not be replaced any more"
    ),
    "keyset_no_warehouse": N_(
        "careful: no warehouse is named (--warehouse): the gateways will free no record, and be full one day"
    ),
    "signatures": N_("signatures: {count} of {threshold}"),
    "signatures_more": N_("have others sign: bocage policy sign {path} --key KEY --out {path}"),
    "signed_by": N_("signed by {kid}"),
    # --- nights ---
    "night.head": N_("Night of {first} to {last}"),
    "night.sun": N_("sunset at {sunset}, sunrise at {sunrise}"),
    "night.change": N_("clocks change: {hours} hours from noon to noon"),
    "night.outside": N_("outside the policy's validity"),
    "night.group": N_("{group} (calendar {calendar}: {night})"),
    "night.lit": N_("lit {first} to {last}"),
    "night.dark": N_("dark all night"),
    "night.permanent": N_("always powered"),
    "night.every": N_("every evening"),
    "night.others": N_("the other evenings"),
    "night.none": N_("of no rule"),
    "night.limit": N_("{feeders}: no light {first} to {last} ({text})"),
    "weekdays": N_("Monday Tuesday Wednesday Thursday Friday Saturday Sunday"),
    # --- files in words ---
    "show.fault": N_("fault: {where} {problem}; {remedy}"),
    "show.unsigned": N_("No signature."),
    "show.signature": N_("signature of {kid} ({name})"),
    "show.unverified": N_("Not verified: give the key set in force (--keyset)."),
    "show.holds": N_("The signatures hold for the key set no. {version}."),
    "show.refused": N_("Refused: {problem}"),
    "refused.form": N_("it is no signed message of this kind"),
    "refused.stranger": N_("signed by a key that is not of the set in force"),
    "refused.signature": N_("a signature does not hold"),
    "refused.too-few": N_("signatures are missing"),
    "refused.commune": N_("it is another commune's"),
    "refused.version-order": N_("its version is not after that of the set in force"),
    "show.keyset": N_("Key set no. {version} of the commune {insee}: {threshold} of {count} keys sign the next one"),
    "show.warehouses": NN_(
        "{count} warehouse whose receipts count", "{count} warehouses whose receipts count"
    ),
    "show.policy": N_("Policy no. {version} of the commune {insee}"),
    "show.valid": N_("  valid from {first} to {last}"),
    "show.site": N_("  latitude {latitude}, longitude {longitude}"),
    "show.calendar": N_("Calendar {number}"),
    "show.feeder": N_("  feeder {name} ({group})"),
    "show.permanent": N_("Always powered"),
    "show.limits": N_("Limits"),
    "show.operators": N_("May command"),
    "show.until": N_(", until {until}"),
})

# Returns the sentence under a key, in a language, with its values; a value named `count` chooses singular or plural.
word = WORDS.text


def clock(minutes: int) -> str:
    """Returns minutes of the day as the form writes them: `01:00`."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def moment(unix_s: int, language: str) -> str:
    """Returns an instant by the wall clock of Paris: `14/07/2027 à 01:00`, `2027-07-14 at 01:00`."""
    local = civil.local_from_unix(civil.PARIS, unix_s)
    year, month, day = civil.civil_from_days(local.civil_day)
    time = clock(local.second // 60)
    if language == "fr":
        return f"{day:02}/{month:02}/{year} à {time}"
    return f"{year}-{month:02}-{day:02} at {time}"


def duration(seconds: int, language: str) -> str:
    """Returns a duration in hours and minutes, rounded down: `8 h 05`, `8 h 05 min`."""
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours} h {minutes:02}" + ("" if language == "fr" else " min")


class Refused(command_line.Refused):
    """Stops a command of `bocage policy`: `key` names the sentence in WORDS, `key.do` its remedy."""

    def __init__(self, key: str, **values: object) -> None:
        self.key = key
        super().__init__(key, **values)

    def text(self, language: str) -> str:
        remedy = word("to_do", language, text=word(f"{self.key}.do", language, **self.values))
        return f"{word(self.key, language, **self.values)}\n  {remedy}"
