"""Drives the chip's radio as ESP-NOW, in long-range mode, for a node's bearer and for the concentrator. It never waits.

An error of the driver is a result (False), not an exception. A frame is given to the driver without waiting; `done`
returns afterwards whether it has completed and was acknowledged. It decides nothing.
"""

# The buffer of frames that wait to be read: 30 of the longest. When it is full the driver drops frames that its radio
# has acknowledged.
RECEIVED_BYTES_MAX = 8192
# Frames read in one turn: a flood must not keep the loop from the rest.
RECEIVED_PER_TURN_MAX = 8
_FRAME_BYTES_MAX = 250


class Radio:
    """Sends and receives frames. `network_module` and `espnow_module` are those of the chip, or a twin's."""

    def __init__(self, network_module, espnow_module, channel):
        self._network = network_module
        self._wlan = network_module.WLAN(network_module.STA_IF)
        self._now = espnow_module.ESPNow()
        # `recvinto` fills these: sender, data, strength, time.
        self._buffers = [bytearray(6), bytearray(_FRAME_BYTES_MAX), 0, 0]
        self._responses = 0
        self._failures = 0
        self.faults = 0  # calls that the driver refused
        self.is_whole = False
        self.begin(channel)

    def begin(self, channel) -> bool:
        """Switches everything off and on again; peers are forgotten. Returns whether the driver did all of it
        (`is_whole`)."""
        self._attempt(self._wlan.disconnect)  # it may raise because it is not connected
        steps = (
            (self._now.active, (False,), {}),
            (self._wlan.active, (False,), {}),
            (self._wlan.active, (True,), {}),
            # In power saving it receives nothing.
            (self._wlan.config, (), {"pm": self._wlan.PM_NONE}),
            (self._wlan.config, (), {"protocol": self._long_range()}),
            (self._wlan.config, (), {"channel": channel}),
            (self._now.config, (), {"rxbuf": RECEIVED_BYTES_MAX}),
            (self._now.active, (True,), {}),
        )
        self.is_whole = True
        for call, arguments, settings in steps:
            if not self._attempt(call, *arguments, **settings):
                self.is_whole = False
        self._responses, self._failures = self._sent_counts()
        return self.is_whole

    def stop(self) -> None:
        """Switches the radio off until `begin`."""
        self._attempt(self._now.active, False)
        self._attempt(self._wlan.active, False)

    def tune(self, channel) -> bool:
        return self._attempt(self._wlan.config, channel=channel)

    def add(self, mac) -> bool:
        return self._attempt(self._now.add_peer, mac)

    def delete(self, mac) -> bool:
        return self._attempt(self._now.del_peer, mac)

    def send(self, mac, data) -> bool:
        """Gives the driver a frame and returns whether it accepted it."""
        return self._attempt(self._now.send, mac, data, False)

    def done(self) -> list:
        """Returns, for each frame that has completed since the last call, whether it was acknowledged."""
        responses, failures = self._sent_counts()
        failed = failures - self._failures
        count = responses - self._responses
        self._responses, self._failures = responses, failures
        return [index >= failed for index in range(count)]

    def receive(self) -> list:
        """Returns [(MAC, strength in dBm, data)] of the frames that wait, at most RECEIVED_PER_TURN_MAX."""
        arrived = []
        for _ in range(RECEIVED_PER_TURN_MAX):
            try:
                count = self._now.recvinto(self._buffers, 0)
            except (OSError, ValueError):  # its buffer is broken: the next frame may be whole
                self.faults += 1
                continue
            if not count:
                break
            arrived.append((bytes(self._buffers[0]), self._buffers[2], bytes(self._buffers[1][:count])))
        return arrived

    def dropped(self) -> int:
        """Returns how many frames came while the buffer was full."""
        return self._now.stats()[4]

    def heard_count(self) -> int:
        """Returns how many senders the driver remembers; it never forgets one, and each takes memory."""
        return len(self._now.peers_table)

    def register(self, poll, events):
        """Registers the radio with a `select.poll`, to wake when a frame arrives."""
        poll.register(self._now, events)

    def _sent_counts(self):
        stats = self._now.stats()
        return stats[1], stats[2]

    def _long_range(self):
        # Named PROTOCOL_LR since MicroPython 1.27.
        found = getattr(self._wlan, "PROTOCOL_LR", None)
        return self._network.MODE_LR if found is None else found

    def _attempt(self, call, *arguments, **settings):
        try:
            call(*arguments, **settings)
        except (OSError, RuntimeError, ValueError):
            self.faults += 1
            return False
        return True
