"""A cabinet's certificate is renewed over the link: the cabinet's code, control's, the authority's, a real broker."""

import datetime
import json
import os
import queue
import threading
from types import SimpleNamespace

import pytest

pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed")

from cryptography import x509

from gateway.io import identity
from gateway.io.mqtt import Connected, Message, MqttLink, MqttOptions
from gateway.io.own_certificate import OwnCertificate
from gateway.io.tls import Tls
from gateway.shell.renewal import Renewal
from tests.support.broker import until
from tests.support.installed_centre import InstalledCentre, now
from tools.centre.broker import health, requests, roles
from tools.centre.broker.authority import Authority
from tools.centre.control import daemon, file
from tools.centre.control.dispatch import Dispatcher
from tools.centre.control.renewals import Renewals
from tools.command_line import Refused

NAME, OTHER = "49007-mairie-1", "49135-cab-1"
DAY = datetime.timedelta(days=1)


@pytest.fixture
def centre(mosquitto_path):
    with InstalledCentre(mosquitto_path) as made:
        yield made


class Control(threading.Thread):
    def __init__(self, centre):
        super().__init__()
        self._centre, self.served = centre, None

    def run(self):
        place = self._centre.place
        connection = file.open_to_write(str(place.control))
        lock = file.DaemonLock(str(place.control), "broker")
        dispatcher = Dispatcher(connection, lease_s=600, log=lambda *_, **__: None)
        asked = Renewals(place.requests, place.etc / "issued")
        self.served = daemon.ControlDaemon(dispatcher, self._centre.centre(roles.CONTROL), lock, asked)
        self.served.run()
        lock.close()
        connection.close()

    def __enter__(self):
        self.start()
        until(lambda: self.served is not None and self.served._subscribed, "control does not subscribe")
        return self

    def __exit__(self, *_):
        self.served.stop()
        self.join()


class Cabinet:
    """The shell's parts that renewal needs, with a certificate that ends in 60 days."""

    def __init__(self, centre, folder):
        self.key, self.given = folder / "gateway.key", folder / "gateway.pem"
        self.key.write_bytes(identity.make_key())
        request = identity.make_request(self.key.read_bytes(), NAME)
        self.authority = Authority(centre.place.etc)
        self.given.write_bytes(self.authority.enrol(NAME, request, replaces=False, now=now() - 765 * DAY))
        address = centre.centre(roles.CONTROL)
        data = folder / "data"
        data.mkdir()
        files = Tls(address.ca, str(self.given), str(self.key))
        self.own, self.events, self.said = OwnCertificate(files, data), queue.Queue(), []
        options = MqttOptions(address.host, address.port, NAME, "tc/1/s/49007/mairie-1", files)
        self.link = MqttLink(options, self.events.put, own=self.own)
        config = SimpleNamespace(core=SimpleNamespace(insee="49007", name="mairie-1"))
        self.renewal = Renewal(config, self.own, self.link, lambda what, **_: self.said.append(what))
        self._ms = 0

    def connect(self):
        self.link.connect(["tc/1/k/49007/mairie-1"])
        self.until(lambda event: isinstance(event, Connected))

    def ask(self):
        """As six hours later."""
        self._ms += 6 * 3600 * 1000
        self.renewal.poll(unix_s=int(now().timestamp()), now_ms=self._ms)

    def until(self, wanted):
        while True:
            for event in self.link.accept(self.events.get(timeout=20)):
                if isinstance(event, Message):
                    assert self.renewal.accept(event.topic, event.payload)
                if wanted(event):
                    return

    def serial(self):
        return x509.load_pem_x509_certificate(open(self.own.files().certificate, "rb").read()).serial_number


def enrol(centre, folder):
    cabinet = Cabinet(centre, folder)
    # The role comes with the enrolment; the certificate was made 765 days ago.
    assert centre.run("enrol", NAME, "--out", folder / "unused.pem") == 0
    newest = cabinet.authority.issued(NAME)[-1]
    (centre.place.etc / "issued" / NAME / f"{newest.serial_number:x}.pem").unlink()
    return cabinet


@pytest.mark.broker
def test_a_cabinet_asks_the_authority_signs_at_night_and_the_next_word_brings_it(centre, tmp_path, capsys):
    cabinet = enrol(centre, tmp_path)
    old = cabinet.serial()
    with Control(centre):
        cabinet.connect()
        cabinet.ask()
        until(lambda: [one.name for one in requests.read(centre.place)] == [NAME], "the request is not kept")
        assert cabinet.said == ["certificate-asked"] and cabinet.serial() == old
        assert centre.run("renew") == 0
        assert f"renewed: {NAME}" in capsys.readouterr().out
        cabinet.ask()
        cabinet.until(lambda event: isinstance(event, Message))
        assert cabinet.said[-1] == "certificate-renewed" and cabinet.serial() != old
        cabinet.link.close()
        cabinet.connect()
        cabinet.ask()
        assert cabinet.said.count("certificate-asked") == 2, "it asks no more"
        cabinet.link.close()
    assert cabinet.authority._serials() == set(), "the old one was used until the new one was: nothing is revoked"
    assert centre.run("renew") == 0
    assert "nothing to renew" in capsys.readouterr().out


def keep(centre, name, pem, *, first=0, last=0):
    moment = now().timestamp()
    centre.place.requests.mkdir(exist_ok=True)
    found = {"request": pem.decode(), "first_unix_s": moment - first, "last_unix_s": moment - last}
    (centre.place.requests / f"{name}.json").write_text(json.dumps(found))


@pytest.mark.broker
def test_the_authority_signs_only_what_is_in_force_already(centre, tmp_path, capsys):
    cabinet = Cabinet(centre, tmp_path)
    own, soon = cabinet.authority, now()
    request = identity.make_request(cabinet.key.read_bytes(), NAME)
    with pytest.raises(Refused, match="in the name of"):
        own.renew(OTHER, request, now=soon)
    with pytest.raises(Refused, match="no certificate in force"):
        own.renew(NAME, identity.make_request(identity.make_key(), NAME), now=soon)
    with pytest.raises(Refused, match="no certificate in force"):
        own.renew(NAME, request, now=soon + 61 * DAY)
    assert own.renew(NAME, request, now=soon - 40 * DAY) is None, "it lasts for 100 days"
    own.revoke(NAME, now=soon)
    with pytest.raises(Refused, match="no certificate in force"):
        own.renew(NAME, request, now=soon)
    keep(centre, NAME, request)
    assert centre.run("renew") == 0
    said = capsys.readouterr().out
    assert "nothing to renew" in said and "no certificate in force" in said
    assert len(own.issued(NAME)) == 1


@pytest.mark.broker
def test_what_the_network_left_is_data_and_who_asks_in_vain_is_told(centre, tmp_path):
    request = identity.make_request(identity.make_key(), NAME)
    keep(centre, NAME, request, first=4 * 86_400)
    keep(centre, OTHER, request, first=9 * 86_400, last=3 * 86_400)
    for name in ("..json", "nobody.json", "49007-a b.json"):
        (centre.place.requests / name).write_text("{}")
    os.mkfifo(centre.place.requests / "49007-pipe.json")
    (centre.place.requests / "49007-link.json").symlink_to(centre.place.etc / "authority.key")
    (centre.place.requests / "49007-torn.json").write_text('{"request": ')
    assert [one.name for one in requests.read(centre.place)] == [NAME, OTHER]
    told = [one.sentence("en") for one in health.findings(centre.place, now=now())]
    assert f"ask for a new certificate in vain, for three days: {NAME}" in told
