"""The guide to incidents names every finding, cause and word of TLS, in both languages, and none that is gone."""

import re
from pathlib import Path

import pytest

from gateway.io import log, tls
from gateway.language import LANGUAGES, translate
from gateway.show import findings, report, words

GUIDE = (Path(report.__file__).parents[1] / "INCIDENTS.md").read_text(encoding="utf-8")
_, FRENCH, ENGLISH = re.split("^## (?:Français|English)$", GUIDE, flags=re.MULTILINE)
PARTS = {"fr": FRENCH, "en": ENGLISH}
GATEWAY = Path(report.__file__).parents[1]
SOURCE = "\n".join(
    path.read_text(encoding="utf-8")
    for folder in (GATEWAY, GATEWAY.parent / "firmware" / "policy")
    for path in sorted(folder.rglob("*.py"))
)
# Of the alarms those that a cabinet can have itself: the guide is for who opens it.
FINDINGS = sorted(
    key.removesuffix(".do")
    for key in words.WORDS.messages
    if key.endswith(".do") and (not key.startswith("alarm.") or key.split(".")[1] in (*findings._ALARMS, "other"))
)


def template(key, language):
    message = words.WORDS.messages[key]
    return translate(message, language, **{name: "{" + name + "}" for name in re.findall(r"\{(\w+)\}", str(message))})


def quoted(key, language):
    """The sentence of a word as the guide writes it: what is filled in is an ellipsis."""
    return re.sub(r"\{\w+\}", "…", template(key, language))


def said(text, language):
    """Whether a part of the guide quotes this; the certificate's two sentences share one line, as do the modem's."""
    return text in PARTS[language]


def test_the_findings_are_those_of_the_report():
    named = set(re.findall(r'Finding\("([a-z_.]+)"', Path(findings.__file__).read_text(encoding="utf-8")))
    assert len(named) > 10 and named <= set(FINDINGS)
    assert {"detour", "deaf", "hold", "thin", "lost", "absent", "mute", "late.modem"} <= set(FINDINGS)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", [*FINDINGS, "starting", "stopping"])
def test_every_finding_and_headline_is_in_the_guide(key, language):
    if key == "modem":
        modem = re.compile(r"modem\.(link|sim|registration)\.\w+")
        for reason in filter(modem.fullmatch, words.WORDS.messages):
            text = template(reason, language)
            assert reason in SPARED or any(said(shown, language) for shown in (text, short(text))), reason
    elif key == "expired":
        assert said({"fr": "« a expiré »", "en": '"has expired"'}[language], language)
    else:
        assert said(quoted(key, language), language)


# One that is well, and three that the others stand for.
SPARED = ("modem.link.answers", "modem.sim.locked", "modem.sim.failed", "modem.sim.puk")


def short(text):
    return re.sub(r"^(la carte SIM est|the SIM card is) ", "", text)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", [*tls.REMEDIES, *(key[4:] for key in words.WORDS.messages if key.startswith("why."))])
def test_every_cause_of_a_missing_link_is_in_the_guide(name, language):
    assert name in ("tls", "unknown") or said(f"`{name}`", language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_grave_word_of_the_log_is_in_the_guide(language):
    grave = {what for what in log._LEVELS if log.level_of(what) in (log.ERROR, log.WARNING)}
    assert {name for name in grave if not said(f"`{name}`", language)} <= {
        "disconnected", "library", "suppressed", "report-failed",
    }  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_stable_word_of_the_guide_is_in_the_code(language):
    named = set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", PARTS[language]))
    assert len(named) > 40
    # `modem-reset` is made of `modem-` and what changed (gateway/core/bearers/bearers.py).
    assert {name for name in named if f'"{name}' not in SOURCE} <= {"modem-reset"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_that_the_guide_quotes_is_one_of_ours(language):
    ours = "\n".join(quoted(key, language) for key in words.WORDS.messages) + SOURCE
    first = {"fr": r"^\| « (.+?) »[ ,|]", "en": r'^\| "(.+?)"[ ,|]'}[language]
    quotes = re.findall(first, PARTS[language], re.MULTILINE)
    assert len(quotes) > 20
    prefix = template("modem", language).replace("{why}", "")
    for quote in quotes:
        text = quote.removeprefix(prefix).replace("…", "").strip(" :")
        assert text in ours or quote in ours or quote.partition(" …")[0] in ours, quote
