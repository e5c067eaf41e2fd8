"""The Linky's TIC: published frames of both modes, rubbish, and every way to cut them in pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.cabinet import tic
from gateway.core.cabinet.equipment import Linky
from gateway.core.cabinet.tic import HISTORIQUE, STANDARD, Frame, TicDecoder, linky
from tests.support.examples import examples

# A Linky of one phase in the standard mode, captured on 2023-03-01: lains/ticdecodecpp,
# test/samples/continuous_linky_1P_standard_TIC_sample.bin (its frames have 863 bytes). Without its PRM group, which
# names a household.
STANDARD_ONE_PHASE = (
    "ADSC\t064468368739\tM|VTIC\t02\tJ|DATE\tH230301091834\t\tC|NGTF\t      BASE      \t<|LTARF\t      BASE      \tF|"
    "EAST\t011887649\t;|EASF01\t011887649\tN|EASF02\t000000000\t#|EASF03\t000000000\t$|EASF04\t000000000\t%|"
    "EASF05\t000000000\t&|EASF06\t000000000\t'|EASF07\t000000000\t(|EASF08\t000000000\t)|EASF09\t000000000\t*|"
    'EASF10\t000000000\t"|EASD01\t011887649\tL|EASD02\t000000000\t!|EASD03\t000000000\t"|EASD04\t000000000\t#|'
    "IRMS1\t001\t/|URMS1\t230\t?|PREF\t04\tC|PCOUP\t04\t]|SINSTS\t00240\tL|SMAXSN\tH230301065253\t01024\t2|"
    "SMAXSN-1\tH230228111814\t00795\t!|CCASN\tH230301090000\t00170\t5|CCASN-1\tH230301083000\t00162\tV|"
    "UMOY1\tH230301091000\t229\t.|STGE\t003A0001\t:|MSG1\tPAS DE          MESSAGE         \t<|RELAIS\t000\tB|"
    "NTARF\t01\tN|NJOURF\t00\t&|NJOURF+1\t00\tB|"
    "PJOURF+1\t00008001" + " NONUTILE" * 10 + "\t9"
)
# A Linky of three phases in the historique mode: the same repository,
# continuous_linky_3P_historical_TIC_2024_sample.bin.
THREE_PHASES = (
    "ADCO 056234673197 L|OPTARIF BASE 0|ISOUSC 20 8|BASE 016871494 3|PTEC TH.. $|IINST1 000 H|IINST2 002 K|"
    "IINST3 000 J|IMAX1 060 6|IMAX2 060 7|IMAX3 060 8|PMAX 02910 2|PAPP 00760 .|HHPHC A ,|MOTDETAT 000000 B|PPOT 00 #"
)
# Off-peak tariff: esciara/pyteleinfo, tests/teleinfo/conftest.py, VALID_FRAME. A checksum that is a space, twice.
OFF_PEAK = (
    "ADCO 050022120078 2|OPTARIF HC.. <|ISOUSC 45 ?|HCHC 094939439 8|HCHP 127970334 7|PTEC HP..  |IINST 009  |"
    "IMAX 049 L|PAPP 02160 *|HHPHC E 0|MOTDETAT 400000 F"
)
# Tempo and EJP as two public decoders print or test them (full-text index of public repositories: the Tempo of ADCO
# 031662531488; qemu_test_data.h).
TEMPO = (
    "ADCO 031662531488 F|OPTARIF BBR( S|ISOUSC 45 ?|BBRHCJB 032918316 >|BBRHPJB 033657115 I|BBRHCJW 000000000 2|"
    'BBRHPJW 000000000 ?|BBRHCJR 000000000 -|BBRHPJR 000000000 :|PTEC HPJB P|DEMAIN ---- "|IINST 005 \\|IMAX 090 H|'
    "PAPP 01160 )|HHPHC A ,|MOTDETAT 000000 B"
)
EJP = (
    "ADCO 123456789012 G|OPTARIF EJP  T|ISOUSC 30 9|EJPHN 000123456 :|EJPHPM 000023456 H|PEJP 30 R|PTEC HN.. ^|"
    "IINST 005 \\|ADPS 030 ;|IMAX 090 H|PAPP 00690 0|HHPHC A ,|MOTDETAT 000000 B"
)
# The same index: a short frame, as meters of three phases send while a limit is exceeded.
SHORT = 'ADCO 123456789012 G|ADIR1 001 "|IINST1 001 I|IINST2 009 R|IINST3 000 J'

PUBLISHED = [
    (STANDARD, STANDARD_ONE_PHASE, Linky(STANDARD, "064468368739", 11_887_649, 240, "BASE")),
    (HISTORIQUE, THREE_PHASES, Linky(HISTORIQUE, "056234673197", 16_871_494, 760, "TH..")),
    (HISTORIQUE, OFF_PEAK, Linky(HISTORIQUE, "050022120078", 94_939_439 + 127_970_334, 2160, "HP..")),
    (HISTORIQUE, TEMPO, Linky(HISTORIQUE, "031662531488", 32_918_316 + 33_657_115, 1160, "HPJB")),
    (HISTORIQUE, EJP, Linky(HISTORIQUE, "123456789012", 123_456 + 23_456, 690, "HN..")),
]


def on_the_line(groups):
    return b"\x02" + b"".join(b"\n" + group.encode() + b"\r" for group in groups.split("|")) + b"\x03"


def read(mode, data):
    decoder = TicDecoder(mode)
    return decoder.receive(data), decoder.counters


# --- published frames ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mode", "groups", "expected"), PUBLISHED)
def test_a_published_frame_is_read_to_the_digit(mode, groups, expected):
    frames, counters = read(mode, on_the_line(groups))
    assert len(frames) == 1 and frames[0].faults == 0
    assert len(frames[0].groups) == counters["groups"] == len(groups.split("|")), "each published checksum verifies"
    assert linky(frames[0]) == expected


def test_the_captured_frame_has_its_published_length():
    # The repository's own test counts 863 bytes between STX and ETX, its PRM group of 23 bytes included.
    assert len(on_the_line(STANDARD_ONE_PHASE)) - 2 == 863 - len("\nPRM\t12345678901234\tB\r")


def test_dates_and_values_are_told_apart():
    (frame,), _ = read(STANDARD, on_the_line(STANDARD_ONE_PHASE))
    assert frame.groups["DATE"] == ("", "H230301091834")
    assert frame.groups["SMAXSN"] == ("01024", "H230301065253")
    assert frame.groups["LTARF"] == ("      BASE      ", None)
    (frame,), _ = read(HISTORIQUE, on_the_line(EJP))
    assert frame.groups["OPTARIF"] == ("EJP ", None), "padding belongs to the value"


def test_a_short_frame_says_nothing_about_the_index():
    (frame,), _ = read(HISTORIQUE, on_the_line(SHORT))
    assert frame.faults == 0 and linky(frame) is None


@pytest.mark.parametrize("missing", ["HCHC 094939439 8|", "ADCO 050022120078 2|"])
def test_half_an_index_is_none(missing):
    (frame,), _ = read(HISTORIQUE, on_the_line(OFF_PEAK.replace(missing, "")))
    assert linky(frame) is None


def test_a_frame_without_power_or_tariff_still_has_its_index():
    (frame,), _ = read(HISTORIQUE, on_the_line(THREE_PHASES.replace("PAPP 00760 .|", "").replace("PTEC TH.. $|", "")))
    assert linky(frame) == Linky(HISTORIQUE, "056234673197", 16_871_494, None, "")


def test_two_tariffs_at_once_are_nobodys_index():
    (frame,), _ = read(HISTORIQUE, on_the_line(OFF_PEAK + "|BASE 016871494 3"))
    assert frame.faults == 0 and linky(frame) is None


@pytest.mark.parametrize("text", ["-00000001", "1234567890", "00000000a", "", "\u0660\u0660"])
def test_an_index_that_is_no_number_is_none(text):
    assert linky(Frame(STANDARD, {"ADSC": ("1", None), "EAST": (text, None)}, 0)) is None


# --- what a line does -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mode", "groups", "expected"), PUBLISHED)
def test_a_frame_in_two_pieces_cut_anywhere(mode, groups, expected):
    data = on_the_line(groups)
    for cut in range(len(data) + 1):
        decoder = TicDecoder(mode)
        frames = decoder.receive(data[:cut]) + decoder.receive(data[cut:])
        assert [linky(frame) for frame in frames] == [expected], cut


@pytest.mark.parametrize(("mode", "groups", "expected"), PUBLISHED)
def test_a_frame_byte_by_byte(mode, groups, expected):
    decoder = TicDecoder(mode)
    frames = [frame for byte in on_the_line(groups) for frame in decoder.receive(bytes((byte,)))]
    assert [linky(frame) for frame in frames] == [expected]


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "groups", "expected"), PUBLISHED)
@pytest.mark.parametrize("bit", [0, 5, 6])
def test_one_flipped_bit_anywhere_never_yields_another_index(mode, groups, expected, bit):
    data = on_the_line(groups)
    for place in range(len(data)):
        flipped = data[:place] + bytes((data[place] ^ 1 << bit,)) + data[place + 1 :]
        frames, _ = read(mode, flipped + data + data)
        for seen in map(linky, frames):
            if bit < 6:
                assert seen in (expected, None), place
            else:  # the checksum does not cover it; a port's parity does
                assert seen is None or (seen.serial, seen.index_wh) == (expected.serial, expected.index_wh), place
        assert linky(frames[-1]) == expected, "in step again"


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "groups", "expected"), PUBLISHED)
def test_one_lost_byte_anywhere_never_yields_another_value(mode, groups, expected):
    data = on_the_line(groups)
    for place in range(len(data)):
        frames, _ = read(mode, data[:place] + data[place + 1 :] + data + data)
        assert {linky(frame) for frame in frames} <= {expected, None}, place
        assert linky(frames[-1]) == expected


@pytest.mark.parametrize("fault", [b"\x04", b"\x02"])
def test_a_frame_that_breaks_off_is_dropped_and_counted(fault):
    data = on_the_line(OFF_PEAK)
    frames, counters = read(HISTORIQUE, data[:60] + fault + data)
    assert len(frames) == 1 and linky(frames[0]) == PUBLISHED[2][2]
    assert counters["frames-interrupted" if fault == b"\x04" else "frames-cut"] == 1


def test_a_group_whose_checksum_is_wrong_spoils_its_frame_for_values():
    frames, counters = read(HISTORIQUE, on_the_line(OFF_PEAK.replace("IMAX 049 L", "IMAX 049 M")))
    assert frames[0].faults == counters["groups-refused"] == 1
    assert "IMAX" not in frames[0].groups and "HCHP" in frames[0].groups and linky(frames[0]) is None


def test_two_frames_whose_border_was_lost_are_not_one():
    data = on_the_line(OFF_PEAK)
    frames, counters = read(HISTORIQUE, data[:-1] + data[1:] + data)
    assert len(frames) == 1 and counters["frames-joined"] == 1


def test_parity_that_an_adapter_left_in_is_taken_off_and_checked():
    data = bytes(byte | 0x80 if byte.bit_count() % 2 else byte for byte in on_the_line(STANDARD_ONE_PHASE))
    assert linky(read(STANDARD, data)[0][0]) == PUBLISHED[0][2]
    (frame,), _ = read(STANDARD, data.replace(b"A", b"\xc1", 1))
    assert frame.faults == 1 and "ADSC" not in frame.groups


# The line of a capture with receive errors (lains/ticdecodecpp, continuous_linky_3P_historical_TIC_with_rx_errors.bin).
NOISY = (
    b"\x02\nADCO 056234673197 L\r\nOPTARIF BASE 0\r\nISOUSC 60Po`xs~w~\nPTEC TH.. $\r\nIINST1 001 I\r\nIINST2 001 J\r"
    b"\nI_~p~>c\nIMAX2 060 7\r\nIMAX3 060 8\r\nPMAX 02910 2\r\nPCpp|_Xm=4qTAT 00000 B\r\nPPOT 00 #\r\x03"
    b"\x02\nADCO 056234676`PR`PS|p~crSOUSC 20 \\\r\nBASE 016878529 9\r\nPTEC TH.. $\r\nII\\lppL|`c>`JM\nIINST3 000 J"
    b"\r\x03"
)


def test_a_captured_line_with_receive_errors_yields_no_value_and_then_recovers():
    frames, counters = read(HISTORIQUE, NOISY + on_the_line(THREE_PHASES))
    assert [linky(frame) for frame in frames] == [None, None, PUBLISHED[1][2]]
    assert frames[1].groups["BASE"] == ("016878529", None), "what verifies is there for who wants it"
    assert counters["groups-lost"] + counters["groups-refused"] >= 5


# --- bounds ---------------------------------------------------------------------------------------------------------


def test_a_group_without_end_is_bounded():
    decoder = TicDecoder(HISTORIQUE)
    decoder.receive(b"\x02\nADCO " + b"0" * 3000)
    assert decoder._group is None
    assert [linky(frame) for frame in decoder.receive(on_the_line(OFF_PEAK))] == [PUBLISHED[2][2]]


def test_a_frame_without_end_is_dropped():
    decoder = TicDecoder(HISTORIQUE)
    decoder.receive(b"\x02" + b"x" * (tic.FRAME_BYTES_MAX + 1))
    assert decoder.counters["frames-too-long"] == 1 and decoder._groups is None


def test_groups_without_end_are_dropped():
    def group(label):
        text = f"{label} 1"
        return f"\n{text} {chr(sum(text.encode()) % 64 + 32)}\r".encode()

    frames, counters = read(HISTORIQUE, b"\x02" + b"".join(group(f"L{n}") for n in range(200)) + b"\x03")
    assert frames == [] and counters["frames-too-long"] == 1


@examples(times=6)
@given(st.sampled_from(PUBLISHED), st.binary(max_size=600), st.lists(st.integers(0, 600), max_size=6))
def test_after_any_rubbish_in_any_pieces_the_next_frames_are_read(published, rubbish, cuts):
    mode, groups, expected = published
    data = rubbish + on_the_line(groups) * 2
    decoder, frames, start = TicDecoder(mode), [], 0
    for cut in [*sorted(cuts), len(data)]:
        frames += decoder.receive(data[start:cut])
        start = max(start, cut)
    assert [linky(frame) for frame in frames][-1:] == [expected]
    assert len(decoder.receive(b"")) == 0


@examples(times=6)
@given(
    st.sampled_from(PUBLISHED),
    st.lists(st.one_of(st.binary(max_size=5), st.sampled_from([b"\x02", b"\x03", b"\x04", b"\n", b"\r", b"\t", b" "]))),
)
def test_it_never_raises_and_never_holds_more_than_it_may(published, pieces):
    mode, groups, _ = published
    decoder = TicDecoder(mode)
    for piece in pieces:
        decoder.receive(piece + on_the_line(groups)[:40])
        assert decoder._groups is None or len(decoder._groups) <= tic.GROUPS_MAX
        assert decoder._group is None or len(decoder._group) <= tic.GROUP_BYTES_MAX
    assert all(count >= 0 for count in decoder.counters.values())
