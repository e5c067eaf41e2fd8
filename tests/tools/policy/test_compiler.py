"""The compiler: the sample becomes the policy that it says, and every fault is told with its line, in two languages."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.language import LANGUAGES
from policy import civil, document, lighting, limits
from policy.document import FeederRule, Limit
from policy.lighting import CLOCK, SUNRISE, SUNSET, Rule, Step
from tests.support.commune import PUBLISHED
from tests.support.sample_policy import KEY, SAMPLE
from tools.policy import words
from tools.policy.commands.sample import PLACEHOLDER
from tools.policy.compiler import SOURCE_CHARACTERS_MAX, compile_text


def faults(source):
    compiled = compile_text(source)
    assert (compiled.policy is None) == bool(compiled.faults)
    for one in compiled.faults:
        for language in LANGUAGES:
            remedy = one.remedy(language)
            assert one.problem(language) and remedy and not remedy.endswith(" ") and "None" not in remedy
    return compiled.faults


def test_the_sample_is_the_policy_that_it_says():
    compiled = compile_text(SAMPLE)
    assert compiled.faults == ()
    policy = compiled.policy
    assert compiled.calendars == ("rues", "route", "parcs")
    assert (policy.version, policy.insee, policy.authority) == (1, "49135", "Conseil municipal de Feneu")
    assert civil.local_from_unix(civil.PARIS, policy.valid_from_s)[:2] == (civil.days_from_civil(2027, 1, 1), 43200)
    assert civil.local_from_unix(civil.PARIS, policy.valid_until_s)[:2] == (civil.days_from_civil(2030, 1, 1), 43200)
    section = policy.lighting
    assert section.site == lighting.Site(475720, -5940, civil.PARIS)
    all_night = (Step(SUNSET, 0, 100, 0), Step(SUNRISE, 0, 0, 0))
    cut = (Step(SUNSET, 0, 100, 0), Step(CLOCK, 1380, 0, 0), Step(CLOCK, 360, 100, 0), Step(SUNRISE, 0, 0, 0))
    late = (Step(SUNSET, 0, 100, 0), Step(CLOCK, 60, 0, 0), Step(CLOCK, 360, 100, 0), Step(SUNRISE, 0, 0, 0))
    assert section.calendars[0] == lighting.Calendar(
        (*(Rule(127, date, date, 0) for date in (714, 1224, 1231)), Rule(48, 0, 0, 1), Rule(127, 0, 0, 2)),
        (all_night, late, cut),
    )
    assert section.feeders == (
        FeederRule("bourg", document.SWITCHED, 0, "rues"),
        FeederRule("gare", document.SWITCHED, 0, "rues"),
        FeederRule("rd-768", document.SWITCHED, 1, "grand-axe"),
        FeederRule("mail", document.SWITCHED, 2, "parcs"),
        FeederRule("etang", document.SWITCHED, 2, "parcs"),
    )
    order = "Arrêté du 27 décembre 2018, article 2"
    assert section.limits[0] == Limit("parcs", document.DARK_WINDOW, 60, 720, "État", order, 0, 0)
    assert [one.kind for one in section.limits] == [1, 2, 3, 4]
    assert section.limits[3][:4] + section.limits[3][6:] == ("parcs", 4, 1, 0, 20270621, 20270621)
    assert policy.operators == (document.Operator(bytes.fromhex(KEY), "Astreinte éclairage", 7, 0),)
    assert document.decode(document.encode(policy)) == (policy, ())


def test_a_key_that_may_only_light_has_a_last_day():
    policy = compile_text(SAMPLE.replace(RIGHTS, 'rights = ["light"]\nuntil = "2032-03-31"')).policy
    (phone,) = policy.operators
    assert phone.rights == document.LIGHT and phone.until_s == 1_964_390_400 - 2 * 3600  # midnight in France


def test_a_feeder_may_differ_from_its_group():
    changed = SAMPLE.replace('"gare"]', '{ name = "gare", calendar = "route" }]')
    assert compile_text(changed).policy.lighting.feeders[1] == FeederRule("gare", document.SWITCHED, 1, "rues")
    changed = SAMPLE.replace('"gare"]', '{ name = "gare", kind = "permanent" }]')
    assert compile_text(changed).policy.lighting.feeders[1] == FeederRule("gare", document.PERMANENT, 0, "rues")


def test_a_group_that_is_always_powered_has_no_calendar():
    feeders = compile_text(SAMPLE + STADIUM).policy.lighting.feeders
    assert feeders[-1] == FeederRule("stade", document.PERMANENT, 0, "sports")


def test_kind_is_switched_when_left_out():
    changed = SAMPLE.replace('kind = "switched"                     #', "#")
    assert compile_text(changed).policy.lighting.feeders[0].kind == document.SWITCHED


def test_an_exemption_without_a_year_is_one_for_each_year():
    changed = SAMPLE.replace('dates = "2027-06-21"\nauthority', 'dates = ["02-29", "12-30..01-02"]\nauthority')
    assert changed != SAMPLE
    found = [one[6:] for one in compile_text(changed.replace("02:00 off", "01:00 off")).policy.lighting.limits[3:]]
    assert (20280229, 20280229) in found and len([one for one in found if one[0] % 10000 == 229]) == 1
    assert [one for one in found if one[0] % 10000 == 1230] == [
        (year * 10000 + 1230, (year + 1) * 10000 + 102) for year in (2026, 2027, 2028, 2029)
    ]


def test_windows_line_ends_and_a_byte_order_mark_change_nothing():
    assert compile_text(SAMPLE.replace("\n", "\r\n")) == compile_text(SAMPLE)


STADIUM = '[[group]]\nname = "sports"\nkind = "permanent"\nfeeders = ["stade"]\n'
BAN = '[[limit]]\ntarget = "stade"\ndark = "22:15..06:00"\nauthority = "Maire"\ntext = "Arrêté 2027-3"\n'
FEASTS = '["07-14", "12-24", "12-31"]'
SATURDAY = '["sunset on", "01:00 off", "06:00 on", "sunrise off"]'
RIGHTS = 'rights = ["override", "emergency", "test"]'

# (what of the sample is replaced, by what, the words of the fault, a text of the line on which it is told)
FAULTS = [
    ('commune = "49135"', "commune = ", "syntax", None),
    ('version = 1 ', 'verzion = 1 ', "missing", "[policy]"),
    ('version = 1 ', 'verzion = 1 ', "unknown_near", None),
    ("[site]", "[site]\nxyzzy = 1", "unknown", "xyzzy"),
    ('version = 1 ', 'version = "1" ', "type", None),
    ('version = 1 ', 'version = 0 ', "range", None),
    ('version = 1 ', 'version = true ', "type", None),
    ('commune = "49135"', 'commune = "4913"', "insee", None),
    ('authority = "Conseil municipal de Feneu"\ntext = "Délibération 2026-41 du', 'authority = ""\ntext = "D', "line",
     'authority = ""'),
    ("valid_from = 2027-01-01", 'valid_from = "le 1er"', "day", None),
    ("valid_from = 2027-01-01", "valid_from = 2027-01-01T00:00:00", "type", None),
    ("valid_from = 2027-01-01", "valid_from = 1999-01-01", "year", None),
    ("valid_until = 2029-12-31", "valid_until = 2026-12-31", "until_before", None),
    ("valid_until = 2029-12-31", "valid_until = 2039-12-31", "validity", None),
    ("latitude = 47.5720", "latitude = -0.5940", "degrees", None),
    ("longitude = -0.5940", 'longitude = "-0.5940"', "type", None),
    (FEASTS, '["07-14", "24-12", "12-31"]', "no_date", None),
    (FEASTS, "[]", "empty", None),
    (FEASTS, '["juillet"]', "dates", None),
    (FEASTS, "[714]", "dates", None),
    (FEASTS, '["2027-07-14..08-01"]', "dates_mixed", None),
    (FEASTS, '["2027-07-14..2027-07-01"]', "dates_order", None),
    (FEASTS, str([f"07-{day:02}" for day in range(1, 20)]), "too_many_dates", '[[calendar.night'),
    ('weekdays = "fri sat"', 'weekdays = "vendre"', "weekday", None),
    ('weekdays = "fri sat"', "weekdays = [5, 6]", "type", None),
    (SATURDAY, '["sunset on", 7]', "type", None),
    (SATURDAY, '["sunset on", "1am off"]', "step", None),
    (SATURDAY, '["sunset on", "25:00 off"]', "time", None),
    (SATURDAY, '["sunset+200 on", "00:00 off"]', "offset", None),
    (SATURDAY, '["sunset 120%", "00:00 off"]', "level", None),
    (SATURDAY, '["01:00 off", "sunset on", "sunrise off"]', "step_evening", None),
    (SATURDAY, '["sunset on", "06:00 on", "01:00 off"]', "step_order", None),
    (SATURDAY, '["sunset on"]', "step_lit", None),
    (SATURDAY,
     str([f"{hour % 24}:{minute} on" for hour in range(18, 32) for minute in (10, 50)]), "too_many", None),
    (SATURDAY, '["sunset on", "23:00 50%", "sunrise off"]', "level", None),
    ('weekdays = "fri sat"', "", "never_night", "les autres soirs"),
    (FEASTS, '["12-01..01-06", "12-24"]', "never_night", None),
    (FEASTS, '["2026-07-14", "12-24", "12-31"]', "never_night", None),
    ('weekdays = "fri sat"', 'weekdays = "lun..ven"\n  steps = ["sunset on", "23:30 off"]\n  [[calendar.night]]\n'
     '  weekdays = "ven"', "never_night", "[[calendar.night]]"),
    (FEASTS + '\n  steps = ["sunset on", "sunrise off"]', '["06-01..07-15"]\n  steps = ["sunset on", "21:00 off"]',
     "never_step", "21:00 off"),
    (FEASTS + '\n  steps = ["sunset on", "sunrise off"]',
     '["06-01..07-15"]\n  steps = ["sunset on", "23:00 off", "06:30 on", "sunrise off"]', "never_step", "06:30 on"),
    ('feeders = ["rd-768"]', 'feeders = ["rd-768"]\n[[group]]\nname = "sports"\nkind = "permanent"\n'
     'calendar = "route"\nfeeders = ["stade"]', "permanent", 'calendar = "route"'),
    ('feeders = ["rd-768"]', 'feeders = ["rd-768", { name = "stade", kind = "permanent", calendar = "rues" }]',
     "permanent", "stade"),
    ("[[limit]]", f"{STADIUM}{BAN}[[limit]]", "breach_permanent", 'feeders = ["stade"]'),
    ('steps = ["sunset on", "23', 'weekdays = "mon"\n  steps = ["sunset on", "23', "night_last", "les autres soirs"),
    ('name = "route"', 'name = "rues"', "twice", 'name = "rues"'),
    ('name = "route"', 'name = "routes"', "unused", 'name = "routes"'),
    ('calendar = "route"', 'calendar = "routes"', "no_calendar", None),
    ('feeders = ["rd-768"]', 'feeders = ["bourg"]', "twice", None),
    ('feeders = ["rd-768"]', 'feeders = ["*"]', "star", None),
    ('feeders = ["rd-768"]', "feeders = [768]", "type", None),
    ('feeders = ["rd-768"]', 'feeders = [{ name = "rd-768", colour = "red" }]', "unknown", None),
    ('feeders = ["rd-768"]', 'feeders = [{ name = "rd-768", kind = "fixed" }]', "one_of", None),
    ('feeders = ["rd-768"]', 'feeders = ["rues"]', "twice", None),
    ('kind = "switched"                     #', 'kind = "switch" #', "one_of", None),
    ('target = "grand-axe"', 'target = "grande-axe"', "no_target", None),
    ('dark = "01:00..12:00" ', 'dark = "01:00" ', "window", None),
    ('dark = "01:00..12:00" ', 'dark = "01:00..01:00" ', "window_empty", None),
    ('dark = "01:00..12:00" ', 'dark = 1 ', "type", None),
    ('dark = "01:00..12:00" ', "# ", "limit_kind", "[[limit]]"),
    ("keep_lit = true", 'keep_lit = true\ndark = "01:00..02:00"', "limit_kind", "[[limit]]"),
    ("keep_lit = true", "keep_lit = false", "only_true", None),
    ("least = 50", "least = 9", "range", None),
    ("keep_lit = true", "keep_lit = true\nfrom = 2028-01-01\nuntil = 2027-01-01", "until_before", "until = 2027"),
    ('"sunrise+30..sunset-30"', '"sunset..sunrise"', "sun_window", None),
    ('limit = "dark"', 'limit = "darkness"', "one_of", None),
    ('dates = "2027-06-21"\nauthority', 'dates = "06-31"\nauthority', "no_date", 'dates = "06-31"'),
    (KEY, "d75a", "key", None),
    (KEY, PLACEHOLDER, "key", None),
    (KEY, PUBLISHED.key.hex(), "key", None),
    (KEY, "0" * 64, "key", None),
    (KEY, "xyz", "key", None),
    (RIGHTS, 'rights = ["overide"]', "one_of", None),
    (RIGHTS, "rights = []", "empty", None),
    (RIGHTS, f"{RIGHTS}\nuntil = 2020-01-01", "key_over", None),
    (RIGHTS, f"{RIGHTS}\nuntil = 1999-01-01", "year", None),
    (RIGHTS, "rights = [[1]]", "one_of", None),
    ("[[operator]]", f'[[operator]]\nname = "Autre"\nkey = "{KEY}"\nrights = "test"\n[[operator]]', "key_twice", None),
    ("[policy]", "[[policy]]", "type", None),
    ('["sunset on", "22:00 off"]', '["sunset on", "02:00 off"] # parc', "breach", "# parc"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "key", "marker"), FAULTS)
def test_a_fault_is_told_on_its_line(old, new, key, marker):
    changed = SAMPLE.replace(old, new, 1)
    assert changed != SAMPLE
    found = [one for one in faults(changed) if one.key == key]
    assert found, [(one.line, one.key) for one in faults(changed)]
    lines = changed.split("\n")
    if key != "syntax" and marker is None:
        first = changed[: changed.index(new)].count("\n") + 1
        assert any(first <= one.line <= first + new.count("\n") + 3 for one in found)
    elif marker is not None:
        assert any(marker in lines[one.line - 1] for one in found)


def test_every_word_of_a_fault_has_its_case():
    told = {
        key.removesuffix(".do")
        for key in list(words.WORDS.messages)[: list(words.WORDS.messages).index("to_do")]
        if key.endswith(".do")
    }
    apart = {"source_long", "too_long", "too_many_limits", "too_many_programs", "tables"}
    assert told - apart == {key for _, _, key, _ in FAULTS}


def test_all_faults_are_told_at_once_in_the_order_of_the_file():
    changed = SAMPLE
    for old, new in (('"49135"', '"x"'), ("47.5720", "4.7"), ('"fri sat"', '"x"'), ('"rd-768"', '"*"'), (KEY, "0")):
        changed = changed.replace(old, new, 1)
    found = faults(changed)
    assert [one.key for one in found] == ["insee", "degrees", "weekday", "star", "key"]
    assert [one.line for one in found] == sorted(one.line for one in found)
    assert found[2].where == "calendar[1].night[2].weekdays"


def test_a_syntax_fault_has_its_line_and_the_end_of_the_file_too():
    (one,) = faults(SAMPLE.replace('"49135"', "49 135"))
    assert "49 135" in SAMPLE.replace('"49135"', "49 135").split("\n")[one.line - 1]
    (one,) = faults('[policy]\nversion = [1,\n')
    assert one.key == "syntax" and one.line >= 2


def test_an_empty_file_lacks_everything():
    found = faults("")
    assert {one.values.get("name") for one in found} == {"policy", "site", "calendar", "group"}
    assert all(one.line == 1 for one in found)


def many(form, count):
    return "\n".join(form.format(number=number) for number in range(count))


def test_each_bound_is_told():
    limit = '[[limit]]\ntarget = "parcs"\nkeep_lit = true\nauthority = "a"\ntext = "t{number}"\n'
    assert [one.key for one in faults(SAMPLE + many(limit, 29))] == ["too_many_limits"]
    assert {one.key for one in faults(SAMPLE + many(limit, 33))} == {"too_many", "too_many_limits"}
    night = '[[calendar.night]]\ndates = "0{number}-01"\nsteps = ["sunset+{number} on", "sunrise off"]\n'
    nights = "\n".join(night.format(number=number) for number in range(1, 9))
    base = SAMPLE.replace('  [[calendar.night]]                  # la traversée', nights + "  [[calendar.night]] #", 1)
    assert [one.key for one in faults(base)] == ["too_many_programs"]
    assert faults("group = 1\n" + SAMPLE.replace("[[group]]", "[[groupe]]"))[0].key == "tables"
    (long,) = faults("#" * (SOURCE_CHARACTERS_MAX + 1))
    assert long.key == "source_long"


def test_a_policy_that_is_too_long_is_told():
    feeders = ", ".join(f'"{"é" * 10}{number:03}"' for number in range(200))
    limit = '[[limit]]\ntarget = "parcs"\nkeep_lit = true\nauthority = "{pad}"\ntext = "{number}{pad}"\n'
    text = "".join(limit.format(number=number, pad="x" * 110) for number in range(28))
    operators = "".join(
        f'[[operator]]\nname = "{"n" * 60}"\nkey = "{(number + 2):064x}"\nrights = "test"\n' for number in range(30)
    )
    changed = SAMPLE.replace('["bourg", "gare"]', f"[{feeders}]").replace('"rues"', '"' + "r" * 24 + '"')
    assert [one.key for one in faults(changed + text + operators)] == ["too_many"]
    changed = changed.replace(f', "{"é" * 10}199"', "").replace(f', "{"é" * 10}198"', "")
    changed = changed.replace(f', "{"é" * 10}197"', "")
    assert [one.key for one in faults(changed + text + operators)] == ["too_long"]


toml_values = st.one_of(
    st.sampled_from(["1", "-1", '"x"', "true", "[]", "{}", "[[1]]", "2027-01-01", "1.5", '["a", 1]', "{ a = 1 }"]),
)


@given(st.integers(0, 10_000), toml_values)
def test_any_value_in_the_place_of_another_is_told_and_raises_nothing(place, value):
    lines = SAMPLE.split("\n")
    with_value = [i for i, line in enumerate(lines) if " = " in line and not line.startswith("#")]
    at = with_value[place % len(with_value)]
    lines[at] = lines[at].partition(" = ")[0] + f" = {value}"
    compile_text("\n".join(lines))


@given(st.integers(0, 10_000))
def test_any_line_left_out_raises_nothing(place):
    lines = SAMPLE.split("\n")
    del lines[place % len(lines)]
    compile_text("\n".join(lines))


@given(st.text(max_size=60))
def test_no_text_raises(text):
    assert compile_text(text).policy is None


@pytest.mark.parametrize("value", ["[" * 5000 + "]" * 5000, "1" * 5000, "-" + "9" * 5000, "nan", "1e999"])
def test_values_out_of_all_proportion_raise_nothing(value):
    assert faults(f"a = {value}")[0].key in ("syntax", "missing")
    assert faults(SAMPLE.replace("47.5720", value))


def test_the_sample_names_no_limit_that_the_table_does_not_have():
    data = tomllib.loads(SAMPLE)
    assert len(data["limit"]) + len(data["exemption"]) <= limits.ceilings_max
