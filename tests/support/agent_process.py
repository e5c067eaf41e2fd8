"""The agent as a process or in this one, and a node on a UDP socket that speaks to it."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing
from random import Random

from gateway.core.custody import entry
from gateway.core.custody.journal import Journal
from gateway.io.disk import FileDisk
from gateway.shell import keys as node_keys
from policy import keyset
from simulator.hosts.keys import key_of, keyset_of, link_of
from tests.support.broker import PATIENCE_S, Inbox, free_port
from tests.support.gateway_world import GATEWAY, NODE
from wire import coap_message
from wire.coap import Failed, Response


class AgentProcess:
    """Starts and stops the process; every line of its log is read."""

    def __init__(self, repository, config):
        self.command = [sys.executable, "-m", "tools", "gateway", "run", "--config", str(config), "--insecure"]
        path = os.pathsep.join((str(repository / "firmware"), str(repository)))
        self.environment = {**os.environ, "PYTHONPATH": path}
        self.process = None

    def start(self):
        """Returns the address of its node link."""
        self.process = subprocess.Popen(self.command, env=self.environment, stderr=subprocess.PIPE, text=True)
        self.log = Inbox()
        self._reader = threading.Thread(target=self._read, args=(self.process, self.log), daemon=True)
        self._reader.start()
        return tuple(self.log.wait_for(lambda line: line["what"] == "started")["link"])

    @staticmethod
    def _read(process, log):
        for line in process.stderr:
            log.post(json.loads(line) if line.startswith("{") else {"what": line})

    def stop(self, number):
        """The exit status."""
        if self.process is None:
            return None
        process, self.process = self.process, None
        process.send_signal(number)
        status = process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        process.stderr.close()
        return status


class Client:
    """A node on a UDP socket."""

    def __init__(self, seed=1):
        self.link = link_of(NODE, "gateway", boot=now_ms() & 0xFFFFFFFF, random_below=Random(seed).randrange)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def ask(self, address, data=b"", *, code=coap_message.POST, path=(b"t",), given_up=lambda: False):
        """One request; its answer, or the reason why there is none. It waits no longer once `given_up()`."""
        exchange = self.link.request("gateway", code, path, data, now_ms=now_ms())
        assert isinstance(exchange, int)
        end_ms = now_ms() + 1000 * PATIENCE_S
        while now_ms() < end_ms and not given_up():
            for _, datagram in self.link.outgoing():
                self.socket.sendto(datagram, address)
            self.socket.settimeout(0.5)
            try:
                datagram, _ = self.socket.recvfrom(2000)
                events = self.link.receive(datagram, "gateway", now_ms=now_ms())
            except (TimeoutError, ConnectionError):
                events = self.link.poll(now_ms=now_ms())
            for happened in events:
                if happened.exchange == exchange:
                    return happened.code if isinstance(happened, Response) else happened.reason
            assert not any(isinstance(happened, Failed) for happened in events)
        return "no answer"


def now_ms():
    return time.monotonic_ns() // 1_000_000


def without_broker(folder):
    """The path of a configuration whose broker is not there: everything stays in the journal."""
    path = folder / "gateway.toml"
    node_keys.write(folder / "data" / "keys", key_of(NODE))
    (folder / "commune.keys").write_bytes(keyset.encode(keyset_of("49007")))
    path.write_text(
        f"""
[gateway]
id = "{GATEWAY.hex()}"
insee = "49007"
name = "cab-12"
data = "{folder}/data"
keys = "{folder}/commune.keys"
[link]
bind = "127.0.0.1:0"
commit_ms = 20
[uplink]
broker = "127.0.0.1:{free_port()}"
"""
    )
    return path


def held_in(folder):
    """Identities of all records in a journal folder."""
    found = set()
    with closing(FileDisk(folder, lambda _ticket, _error: None)) as disk:
        journal = Journal(disk, epoch=bytes(8))
        journal.recover()
        for stream in journal.streams():
            first = journal.oldest(stream)
            while items := journal.read(stream, first, count_max=1000, bytes_max=1 << 20):
                first += len(items)  # nothing is lost here, so each item is one position
                found |= {(made.node, made.record.boot, made.record.sequence) for made in map(entry.decode, items)}
    return found


def run_agent(settings, beside, monkeypatch=None, **patched):
    """Run an agent in this process and the coroutine function `beside(agent)` with it; what `run` returned."""
    from gateway import agent as agent_module
    from gateway.config import config

    for name, value in patched.items():
        monkeypatch.setattr(agent_module, name, value)

    async def main():
        made = agent_module.Agent(config.load(settings, insecure=True))
        running = asyncio.ensure_future(made.run())
        try:
            await asyncio.wait_for(beside(made), PATIENCE_S)
            return await asyncio.wait_for(running, PATIENCE_S)
        except RuntimeError:  # a process that crashes takes its disks with it
            made._opened.journal_disk.close()
            made._opened.state_disk.close()
            raise
        finally:
            running.cancel()

    return asyncio.run(main())


async def until(condition):
    while not condition():
        await asyncio.sleep(0.005)
