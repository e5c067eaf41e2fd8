"""TLS 1.3 with client certificates against a real Mosquitto: the right pair gets in, every wrong one is told why."""

import shutil
import subprocess
import sys
import threading
import time

import pytest

from tests.support.authority import Authority
from tests.support.broker import PATIENCE_S, LinkInbox, Mosquitto, until

pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed")
from gateway.io.mqtt import Connected, Disconnected, Message, MqttLink, MqttOptions, PubAck
from gateway.io.mqtt_socket import Addresses
from gateway.io.tls import Tls

pytestmark = [pytest.mark.broker, pytest.mark.live]

CLIENT = "49007-cab-12"
ANSWERS, STATE = "tc/1/a/49007/cab-12", "tc/1/s/49007/cab-12"


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pki")
    return Authority(folder, "territory"), Authority(folder, "stranger")


FUTURE, PAST = ("20350101000000Z", "20360101000000Z"), ("19990101000000Z", "20000101000000Z")


@pytest.fixture
def broker(mosquitto_path, pki, tmp_path):
    """A broker that wants certificates of the territory and takes the common name as the user's."""
    started = []

    def start(*, crl=None, **issue):
        certificate, key = pki[0].issue("broker", address="127.0.0.1", **issue)
        running = Mosquitto(
            mosquitto_path,
            tmp_path,
            more=f"require_certificate true\nuse_identity_as_username true\ntls_version tlsv1.3\n"
            f"cafile {pki[0].certificate}\ncertfile {certificate}\nkeyfile {key}\n"
            + (f"crlfile {crl}\n" if crl else ""),
        )
        running.certificate = certificate
        running.start()
        started.append(running)
        return running

    yield start
    for running in started:
        running.kill()


@pytest.fixture
def connect(broker):
    links = []

    def attempt(ca, certificate, key, host="127.0.0.1", crl=None, at=None, **options):
        inbox = LinkInbox()
        tls = Tls(str(ca), str(certificate), str(key), crl and str(crl))
        port = (at or broker()).port
        link = inbox.link = MqttLink(MqttOptions(host, port, CLIENT, STATE, tls), inbox.post, **options)
        links.append(link)
        link.connect([ANSWERS])
        return link, inbox

    yield attempt
    for link in links:
        link.close()


def outcome(inbox):
    """`connected`, or the word of the disconnection."""
    event = inbox.wait_for(lambda event: isinstance(event, (Connected, Disconnected)))
    return "connected" if isinstance(event, Connected) else event.why.partition(":")[0]


def test_the_territorys_certificate_opens_the_connection_both_ways(connect, pki):
    link, inbox = connect(pki[0].certificate, *pki[0].issue(CLIENT))
    inbox.wait_for(Connected)
    link.publish(1, ANSWERS, b"receipt", False)
    assert inbox.wait_for(Message).payload == b"receipt"


def test_what_the_broker_refuses_is_told_by_its_word(connect, pki):
    """In TLS 1.3 these alerts come after the handshake, when CONNECT is on its way already."""
    for certificate_and_key, word in (
        (pki[1].issue(CLIENT), "own-authority-unknown"),
        (pki[0].issue(CLIENT, days="-1"), "own-certificate-expired"),
        (pki[0].issue(CLIENT, between=FUTURE), "own-certificate-refused"),
        (pki[0].issue(CLIENT, purpose="serverAuth"), "own-certificate-refused"),
    ):
        _, inbox = connect(pki[0].certificate, *certificate_and_key)
        assert outcome(inbox) == word


def test_our_revocation_is_told_by_the_broker(connect, broker, pki):
    revoked = pki[0].issue(CLIENT, days="20")
    strict = broker(crl=pki[0].revocation_list(revoked[0]))
    assert outcome(connect(pki[0].certificate, *revoked, at=strict)[1]) == "own-certificate-revoked"
    assert outcome(connect(pki[0].certificate, *pki[0].issue(CLIENT), at=strict)[1]) == "connected"


def test_a_revoked_broker_is_not_believed(connect, broker, pki):
    ours, running = pki[0].issue(CLIENT), broker()
    crl = pki[0].revocation_list(running.certificate)
    assert outcome(connect(pki[0].certificate, *ours, at=running, crl=crl)[1]) == "certificate-revoked"
    crl = pki[0].revocation_list()
    assert outcome(connect(pki[0].certificate, *ours, at=running, crl=crl)[1]) == "connected"


def test_a_broker_that_is_not_to_be_believed_is_told_by_its_word(connect, broker, pki):
    ours = pki[0].issue(CLIENT)
    assert outcome(connect(pki[1].certificate, *ours)[1]) == "authority-unknown"
    assert outcome(connect(pki[0].certificate, *ours, host="localhost")[1]) == "name-mismatch"
    assert outcome(connect(pki[0].certificate, *ours, at=broker(between=PAST))[1]) == "certificate-expired"
    assert outcome(connect(pki[0].certificate, *ours, at=broker(between=FUTURE))[1]) == "certificate-not-yet-valid"


def test_files_that_are_wrong_are_told_as_a_disconnection_too(connect, pki, tmp_path):
    certificate, _ = pki[0].issue(CLIENT)
    assert outcome(connect(pki[0].certificate, certificate, tmp_path / "absent.key")[1]) == "file-unreadable"
    assert outcome(connect(pki[0].certificate, certificate, pki[1].issue(CLIENT)[1])[1]) == "key-mismatch"


@pytest.mark.parametrize(("between", "word"), [(PAST, "certificate-expired"), (FUTURE, "certificate-not-yet-valid")])
def test_without_a_clock_dates_do_not_count_and_with_one_they_do(connect, broker, pki, between, word):
    """A cabinet that starts in 1970 must reach its broker, or it would never get a clock."""
    clock_is_good = threading.Event()
    ours, running = pki[0].issue(CLIENT), broker(between=between)
    link, inbox = connect(pki[0].certificate, *ours, at=running, clock_is_good=clock_is_good.is_set)
    assert outcome(inbox) == "connected"
    # NTP has answered: the connection that was accepted without dates is judged now, and so is every later one.
    clock_is_good.set()
    assert outcome(inbox) == word
    link.connect([ANSWERS])
    assert outcome(inbox) == word
    # The broker is given a certificate in order: nobody touches the gateway.
    link._addresses = Addresses("127.0.0.1", broker().port)
    link.connect([ANSWERS])
    assert outcome(inbox) == "connected"


def test_a_connection_made_without_a_clock_stays_when_the_dates_are_right(connect, broker, pki):
    asked = []

    def clock_is_good():
        asked.append(len(asked))
        return len(asked) > 1

    link, inbox = connect(pki[0].certificate, *pki[0].issue(CLIENT), at=broker(), clock_is_good=clock_is_good)
    assert outcome(inbox) == "connected"
    until(lambda: not link._carrier._dates_unchecked, "the dates are not looked at")
    link.publish(1, ANSWERS, b"still here", False)
    inbox.wait_for(PubAck)


WITH_A_WRONG_CLOCK = """
import sys
from gateway.io import clock
from gateway.io.mqtt import MqttLink, MqttOptions
from gateway.io.tls import Tls
from tests.support.broker import LinkInbox

port, ca, certificate, key = sys.argv[1:]
inbox = LinkInbox()
options = MqttOptions("127.0.0.1", int(port), "49007-cab-12", "tc/1/s/49007/cab-12", Tls(ca, certificate, key))
inbox.link = MqttLink(options, inbox.post, clock_is_good=lambda: clock.utc(trust=True)[0] is not None)
inbox.link.connect(["tc/1/a/49007/cab-12"])
print(inbox.wait_for(object))
"""


@pytest.mark.parametrize(
    ("date", "told"),
    [
        ("1999-01-01", "Connected("),
        ("2026-10-31", "Connected("),
        ("2045-01-01", "Disconnected(why='certificate-expired"),
    ],
)
def test_a_process_whose_whole_clock_is_wrong(broker, pki, repository, date, told):
    """Before the release no clock is good, even one that the configuration vouches for; one in 2045 is believed."""
    if (faketime := shutil.which("faketime")) is None:
        pytest.skip("no faketime program: apt-get install faketime")
    files = (pki[0].certificate, *pki[0].issue(CLIENT))
    done = subprocess.run(
        [faketime, f"{date} 12:00:00", sys.executable, "-c", WITH_A_WRONG_CLOCK, str(broker().port), *map(str, files)],
        env={"PYTHONPATH": "firmware:.", "PATH": "/usr/bin:/bin", "DONT_FAKE_MONOTONIC": "1", "TZ": "UTC"},
        cwd=repository,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.startswith(told), done.stdout + done.stderr


def test_without_a_clock_a_stranger_is_still_a_stranger(connect, broker, pki):
    ours = pki[0].issue(CLIENT)
    _, inbox = connect(pki[1].certificate, *ours, clock_is_good=lambda: False)
    assert outcome(inbox) == "authority-unknown"


def test_certificate_files_are_read_again_at_each_connection(connect, pki, tmp_path):
    """Renewal without a restart: the stranger's files are replaced by the territory's."""
    certificate, key = tmp_path / "gateway.pem", tmp_path / "gateway.key"
    for target, source in zip((certificate, key), pki[1].issue(CLIENT), strict=True):
        target.write_bytes(source.read_bytes())
    link, inbox = connect(pki[0].certificate, certificate, key)
    inbox.wait_for(Disconnected)
    for target, source in zip((certificate, key), pki[0].issue(CLIENT), strict=True):
        target.write_bytes(source.read_bytes())
    link.connect([ANSWERS])
    inbox.wait_for(Connected)


def test_renewal_under_load_loses_no_publication_and_says_nothing(connect, broker, pki, tmp_path):
    """Certificates are renewed ten times while batches go up; each renewal is a make-before-break on one bearer."""
    certificate, key = tmp_path / "gateway.pem", tmp_path / "gateway.key"

    def renew(days):
        # The key first, the certificate last: a connection that reads in between is told key-mismatch and tried again.
        for target, source in zip((key, certificate), reversed(pki[0].issue(CLIENT, days=days)), strict=True):
            target.with_suffix(".new").write_bytes(source.read_bytes())
            target.with_suffix(".new").rename(target)

    renew("30")
    link, inbox = connect(pki[0].certificate, certificate, key, at=broker())
    inbox.wait_for(Connected)
    acknowledged = set()
    for round_ in range(10):
        renew(str(20 + round_))
        link.connect([ANSWERS])
        wanted = set(range(100 * round_, 100 * round_ + 5))
        for token in wanted:
            link.publish(token, ANSWERS, b"batch", False)
        connected = False
        while not connected or not wanted <= acknowledged:
            event = inbox.wait_for(lambda event: isinstance(event, (Connected, Disconnected, PubAck)))
            assert not isinstance(event, Disconnected)
            if isinstance(event, PubAck):
                acknowledged.add(event.token)
            else:
                # What the replaced connection left open goes again, as the core does after its question.
                connected = True
                for token in wanted - acknowledged:
                    link.publish(token, ANSWERS, b"batch", False)
    assert len(acknowledged) == 50


def test_the_ingest_takes_its_certificate_to_the_same_broker(broker, pki, tmp_path, repository):
    certificate, key = pki[0].issue("ingest-1")
    log = tmp_path / "ingest.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tools", "centre", "ingest", "--db", str(tmp_path / "w.sqlite")),
                *("--broker", f"127.0.0.1:{broker().port}", "--ca", str(pki[0].certificate)),
                *("--cert", str(certificate), "--key", str(key)),
            ],
            stderr=sink,
            env={"PYTHONPATH": "firmware:.", "PATH": "/usr/bin:/bin"},
            cwd=repository,
        )
    try:
        end = time.monotonic() + PATIENCE_S
        while b'"connected"' not in log.read_bytes():
            assert process.poll() is None and time.monotonic() < end, log.read_text()
    finally:
        process.terminate()
        process.wait()
