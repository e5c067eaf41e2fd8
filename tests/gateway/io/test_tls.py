"""TLS contexts, the words for what goes wrong with them, dates with and without a clock. Both ends in this process."""

import calendar
import socket
import ssl
import threading

import pytest

from gateway.core.limits import RELEASED_UNIX_S
from gateway.io import clock, tls
from gateway.io.tls import Tls, TlsFileError
from tests.support.authority import Authority

FUTURE, PAST = ("20350101000000Z", "20360101000000Z"), ("19990101000000Z", "20000101000000Z")


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pki")
    return Authority(folder, "territory"), Authority(folder, "stranger")


@pytest.fixture(scope="module")
def ours(pki):
    """The files of a gateway in order."""
    certificate, key = pki[0].issue("49007-cab-12")
    return Tls(str(pki[0].certificate), str(certificate), str(key))


def shake_hands(client, server, name="127.0.0.1", first_bytes=None):
    """The client's error, or None. The server reads once, so that its alert after the handshake arrives."""
    ends = socket.socketpair()

    def serve():
        try:
            if first_bytes is not None:
                ends[1].sendall(first_bytes)
                ends[1].recv(5000)
                return
            with server.wrap_socket(ends[1], server_side=True) as sock:
                sock.sendall(b"x")
        except OSError:
            pass  # the client tells
        finally:
            ends[1].close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(ends[0], server_hostname=name) as sock:
            sock.recv(1)
            return None
    except OSError as error:
        return error
    finally:
        ends[0].close()
        thread.join()


def server(pki, *, between=None, address="127.0.0.1", demand=True, purpose=None, authority=None):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued = (authority or pki[0]).issue("broker", address=address, between=between, purpose=purpose)
    made.load_cert_chain(*issued)
    if demand:
        made.verify_mode = ssl.CERT_REQUIRED
        made.load_verify_locations(pki[0].certificate)
    return made


def word(error):
    return tls.fault_of(error).word


# --- the broker's certificate -------------------------------------------------------------------------------------


def test_a_pair_of_the_territory_is_accepted(pki, ours):
    assert shake_hands(tls.context(ours), server(pki)) is None


def test_what_is_wrong_with_the_brokers_certificate_has_a_word(pki, ours):
    client = tls.context(ours)
    assert word(shake_hands(client, server(pki, between=PAST))) == "certificate-expired"
    assert word(shake_hands(client, server(pki, between=FUTURE))) == "certificate-not-yet-valid"
    assert word(shake_hands(client, server(pki, authority=pki[1]))) == "authority-unknown"
    assert word(shake_hands(client, server(pki, address="127.0.0.9"))) == "name-mismatch"
    assert word(shake_hands(client, server(pki), name="broker.example.fr")) == "name-mismatch"
    assert word(shake_hands(client, server(pki, address=None, purpose="clientAuth"))) == "certificate-refused"


def test_a_revoked_broker_is_refused_and_an_innocent_one_is_not(pki, ours):
    revoked, key = pki[0].issue("broker", address="127.0.0.1", days="29")
    client = tls.context(ours._replace(crl=str(pki[0].revocation_list(revoked))))
    assert shake_hands(client, server(pki)) is None
    broker = server(pki)
    broker.load_cert_chain(revoked, key)
    assert word(shake_hands(client, broker)) == "certificate-revoked"


def test_a_revocation_list_that_is_old_or_another_authoritys_has_a_word(pki, ours):
    old = str(pki[0].revocation_list(expired=True))
    assert word(shake_hands(tls.context(ours._replace(crl=old)), server(pki))) == "crl-expired"
    assert shake_hands(tls.context(ours._replace(crl=old), check_dates=False), server(pki)) is None
    other = str(pki[1].revocation_list())
    assert word(shake_hands(tls.context(ours._replace(crl=other)), server(pki))) == "crl-missing"


# --- our own certificate, as the broker tells by an alert ---------------------------------------------------------


def test_what_a_broker_says_of_our_certificate_has_a_word(pki, ours):
    def told(authority=pki[0], crl=None, **options):
        certificate, key = authority.issue("49007-cab-13", **options)
        broker = server(pki)
        if crl:
            broker.load_verify_locations(pki[0].revocation_list(certificate))
            broker.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF
        return word(shake_hands(tls.context(Tls(ours.ca, str(certificate), str(key))), broker))

    assert told(between=PAST) == "own-certificate-expired"
    assert told(between=FUTURE) == "own-certificate-refused"
    assert told(authority=pki[1]) == "own-authority-unknown"
    assert told(crl=True) == "own-certificate-revoked"
    assert told(purpose="serverAuth") == "own-certificate-refused"


def test_a_missing_client_certificate_has_a_word(pki, ours):
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.minimum_version = ssl.TLSVersion.TLSv1_3
    client.load_verify_locations(ours.ca)
    assert word(shake_hands(client, server(pki))) == "own-certificate-missing"


# --- the other end ------------------------------------------------------------------------------------------------


def test_an_end_that_speaks_another_tls_or_none_has_a_word(pki, ours):
    old = server(pki)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    assert word(shake_hands(tls.context(ours), old)) == "tls-version"
    error = shake_hands(tls.context(ours), None, first_bytes=b"HTTP/1.1 400 Bad Request\r\n\r\n")
    assert word(error) == "not-tls", error


def test_what_is_not_tls_has_no_word():
    assert tls.fault_of(ConnectionRefusedError("refused")) is None
    assert tls.fault_of(ValueError("x")) is None
    assert tls.fault_of(ssl.SSLEOFError(8, "gone")) is None
    assert word(ssl.SSLError(1, "something new")) == "tls-error"


# --- our files ----------------------------------------------------------------------------------------------------


def test_files_that_are_wrong_have_a_word_and_the_detail_names_the_file(pki, ours, tmp_path):
    damaged, other = tmp_path / "damaged.pem", pki[0].issue("49007-cab-14")
    damaged.write_text("no certificate")
    locked = pki[0].lock(other[1], "s3cret-pass")
    absent = str(tmp_path / "absent.pem")
    for files, expected in (
        (ours._replace(ca=absent), "file-unreadable"),
        (ours._replace(certificate=absent), "file-unreadable"),
        (ours._replace(key=absent), "file-unreadable"),
        (ours._replace(crl=absent), "file-unreadable"),
        (ours._replace(ca=str(tmp_path)), "file-unreadable"),
        (ours._replace(ca=str(damaged)), "file-not-pem"),
        (ours._replace(certificate=str(damaged)), "file-not-pem"),
        (ours._replace(key=str(damaged)), "file-not-pem"),
        (ours._replace(crl=str(damaged)), "file-not-pem"),
        (ours._replace(key=str(other[1])), "key-mismatch"),
        (ours._replace(certificate=str(other[0]), key=str(locked)), "key-locked"),
    ):
        with pytest.raises(TlsFileError) as raised:
            tls.context(files)
        fault = tls.fault_of(raised.value)
        assert fault.word == expected, files
        assert str(tmp_path) in fault.detail or "key" in fault.detail


def test_nothing_of_a_key_file_is_ever_shown(pki, ours, tmp_path):
    secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQ="
    bad = tmp_path / "bad.key"
    bad.write_text(f"-----BEGIN PRIVATE KEY-----\n{secret}\n-----END PRIVATE KEY-----\n")
    files = ours._replace(key=str(bad))
    with pytest.raises(TlsFileError) as raised:
        tls.context(files)
    assert secret not in f"{raised.value!r} {raised.value} {tls.fault_of(raised.value)} {files!r}"


def test_every_word_has_its_sentence_in_french_and_in_english():
    words = {*tls._VERIFY_WORDS.values(), *(word for _, word in tls._REASON_WORDS), "certificate-refused", "tls-error"}
    words |= {"file-unreadable", "file-not-pem", "key-mismatch", "key-locked"}
    assert words == set(tls.REMEDIES)
    for word in words:
        assert tls.remedy(word).endswith(".") and tls.remedy(word, "en").endswith(".")
        assert tls.remedy(word) != tls.remedy(word, "en")
    assert tls.remedy("connection-refused") == ""


# --- dates --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("between", [PAST, FUTURE], ids=["1999", "2035"])
def test_without_a_clock_everything_counts_but_the_dates(pki, ours, between, strict):
    def client(files=ours):
        made = tls.context(files, check_dates=False)
        if strict:  # what Python 3.13 sets in its default context
            made.verify_flags |= ssl.VERIFY_X509_STRICT
        return made

    assert shake_hands(client(), server(pki, between=between)) is None
    assert word(shake_hands(client(), server(pki, between=between, authority=pki[1]))) == "authority-unknown"
    assert word(shake_hands(client(), server(pki, between=between, address="127.0.0.9"))) == "name-mismatch"
    revoked, key = pki[0].issue("broker", address="127.0.0.1", between=between, purpose="r")
    broker = server(pki)
    broker.load_cert_chain(revoked, key)
    crl = str(pki[0].revocation_list(revoked))
    assert word(shake_hands(client(ours._replace(crl=crl)), broker)) == "certificate-revoked"


def test_dates_are_judged_afterwards_as_openssl_would():
    peer = {"notBefore": "Jan  1 00:00:00 2035 GMT", "notAfter": "Jan  1 00:00:00 2036 GMT"}
    first, last = calendar.timegm((2035, 1, 1, 0, 0, 0)), calendar.timegm((2036, 1, 1, 0, 0, 0))
    assert tls.dates_fault(peer, unix_s=first - 1).word == "certificate-not-yet-valid"
    assert tls.dates_fault(peer, unix_s=first) is None
    assert tls.dates_fault(peer, unix_s=last) is None
    assert tls.dates_fault(peer, unix_s=last + 1).word == "certificate-expired"
    assert tls.dates_fault(None, unix_s=first) is None


@pytest.mark.parametrize(
    ("last", "moment"),
    [("20351231235959Z", (2035, 12, 31, 23, 59, 59)), ("20511231235959Z", (2051, 12, 31, 23, 59, 59)),
     ("19990228120000Z", (1999, 2, 28, 12, 0, 0))],
)  # fmt: skip
def test_days_left_reads_both_notations_of_a_date(pki, last, moment):
    certificate = str(pki[0].issue("dated", between=("19980101000000Z", last))[0])
    end_s = calendar.timegm(moment)
    assert tls.days_left(certificate, unix_s=end_s) == 0
    assert tls.days_left(certificate, unix_s=end_s - 86_400) == 1
    assert tls.days_left(certificate, unix_s=end_s - 86_399) == 0
    assert tls.days_left(certificate, unix_s=end_s + 1) == -1


def test_days_left_of_what_is_no_certificate_is_unknown(pki, tmp_path):
    whole = pki[0].certificate.read_text()
    for text in ("", "no certificate", whole[:200], whole.replace("MII", "QUJ"), ssl.PEM_HEADER + ssl.PEM_FOOTER):
        (tmp_path / "bad.pem").write_text(text)
        assert tls.days_left(str(tmp_path / "bad.pem"), unix_s=0) is None
    assert tls.days_left(str(tmp_path / "absent.pem"), unix_s=0) is None


def test_days_left_never_fails_on_damaged_bytes(pki, tmp_path):
    der = ssl.PEM_cert_to_DER_cert(pki[0].certificate.read_text())
    path = tmp_path / "damaged.pem"
    for at in range(len(der)):
        path.write_text(ssl.DER_cert_to_PEM_cert(der[:at] + bytes((der[at] ^ 0xFF,)) + der[at + 1 :]))
        tls.days_left(str(path), unix_s=0)


def test_a_clock_before_the_release_is_never_good(monkeypatch):
    monkeypatch.setattr(clock, "_kernel_uncertainty_s", lambda: 1)
    for unix_s, good in ((0, False), (RELEASED_UNIX_S - 1, False), (RELEASED_UNIX_S, True)):
        monkeypatch.setattr(clock.time, "time_ns", lambda unix_s=unix_s: unix_s * 1_000_000_000)
        for trust in (False, True):
            assert (clock.utc(trust=trust).unix_ms is not None) is good
