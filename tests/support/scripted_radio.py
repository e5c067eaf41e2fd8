"""The chip's `network` and `espnow` as a script: what was called, what arrives, what is acknowledged, what hangs."""


class ScriptedRadio:
    """Stands for both modules and all their objects. `acknowledges(channel, mac, data)` says what becomes of a frame;
    None: the driver never reports about it. `broken`: names of calls that raise."""

    STA_IF = 0
    MODE_LR = 8
    PM_NONE = 0

    def __init__(self):
        self.calls = []
        self.arriving = []
        self.sent = []
        self.acknowledges = lambda _channel, _mac, _data: True
        self.broken = set()
        self.channel = None
        self.peers = set()
        self.peers_table = {}
        self.is_active = False
        self._stats = [0, 0, 0, 0, 0]

    # --- the modules and their objects are one

    def WLAN(self, interface):  # noqa: N802
        assert interface == self.STA_IF
        return self

    def ESPNow(self):  # noqa: N802
        return self

    def _called(self, name, *arguments):
        self.calls.append((name, arguments))
        if name in self.broken:
            raise OSError(name)

    def active(self, on):
        self._called("active", on)
        self.is_active = on
        if not on:
            self.peers.clear()

    def disconnect(self):
        self._called("disconnect")

    def config(self, **settings):
        self._called("config", settings)
        self.channel = settings.get("channel", self.channel)

    def add_peer(self, mac):
        self._called("add_peer", mac)
        if mac in self.peers or len(self.peers) == 20:
            raise OSError("ESP_ERR_ESPNOW_FULL")
        self.peers.add(mac)

    def del_peer(self, mac):
        self._called("del_peer", mac)
        self.peers.remove(mac)

    def send(self, mac, data, wait):
        assert wait is False, "it would hold up the loop"
        self._called("send", mac)
        if mac not in self.peers:
            raise OSError("ESP_ERR_ESPNOW_NOT_FOUND")
        self.sent.append((self.channel, mac, data))
        was_acknowledged = self.acknowledges(self.channel, mac, data)
        self._stats[0] += 1
        if was_acknowledged is not None:
            self._stats[1] += 1
            self._stats[2] += not was_acknowledged

    def stats(self):
        return tuple(self._stats)

    def recvinto(self, buffers, timeout_ms):
        assert timeout_ms == 0, "it would hold up the loop"
        self._called("recvinto")
        if not self.arriving:
            return 0
        mac, rssi_dbm, data = self.arriving.pop(0)
        self.peers_table[mac] = [rssi_dbm, 0]
        buffers[0] = mac
        buffers[1][: len(data)] = data
        buffers[2] = rssi_dbm
        return len(data)
