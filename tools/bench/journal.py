"""Benchmark of the gateway's journal on a real folder: group commit, bytes written, reading, recovery.

    python tools/bench/journal.py FOLDER [--records 200000] [--batch 50] [--payload 200]

FOLDER must be on the disk to be measured (not a RAM disk) and is filled with a new journal. Each flush waits
for its sync, as a caller that acknowledges before the next batch would. Device bytes are what the process
sent to the block layer (/proc/self/io), without the file system's own journal.
"""

import argparse
import os
import resource
import time
from pathlib import Path
from queue import SimpleQueue
from statistics import median

from gateway.core.journal import Journal, Stream
from gateway.io.disk import FileDisk

Reports = SimpleQueue[tuple[int, str | None]]


def bytes_to_device() -> int:
    """Return the bytes this process has sent to the block layer so far."""
    fields = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(fields["write_bytes"])


def write(disk: FileDisk, reports: Reports, options: argparse.Namespace) -> Stream:
    """Append all records in batches, each made durable before the next; print rates."""
    journal = Journal(disk, epoch=os.urandom(8))
    journal.recover()
    payload = os.urandom(options.payload)
    commits: list[float] = []
    before, start = bytes_to_device(), time.perf_counter()
    for _ in range(options.records // options.batch):
        for _ in range(options.batch):
            journal.append("telemetry", payload)
        ticket, asked = journal.flush(), time.perf_counter()
        assert ticket is not None
        journal.on_synced(*reports.get())
        commits.append(time.perf_counter() - asked)
    took = time.perf_counter() - start
    counters = journal.counters
    print(f"append       {counters.appended / took:10.0f} records/s, {options.batch} a flush")
    print(f"flush        {median(commits) * 1000:10.2f} ms median, {max(commits) * 1000:.1f} ms worst")
    print(f"file bytes   {counters.written_bytes / counters.appended_bytes:10.3f} per payload byte")
    print(f"device bytes {(bytes_to_device() - before) / counters.appended_bytes:10.2f} per payload byte")
    return next(stream for stream in journal.streams() if stream.lane == "telemetry")


def recover(disk: FileDisk, stream: Stream) -> None:
    """Start again on what was written, drain it as the uplink does and free it; print times and memory."""
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    journal = Journal(disk, epoch=os.urandom(8))
    report = journal.recover()
    took = time.perf_counter() - start
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory
    print(f"recovery     {took:10.2f} s for {report.records} records, memory peak + {grown} kB")

    start, position = time.perf_counter(), journal.oldest(stream)
    while items := journal.read(stream, position, count_max=50, bytes_max=64_000):
        position += len(items)
    print(f"read         {report.records / (time.perf_counter() - start):10.0f} records/s, 50 a call")
    start = time.perf_counter()
    journal.free_through(stream, position - 1)
    print(f"free         {(time.perf_counter() - start) * 1000:10.1f} ms for all")


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--batch", type=int, default=50)
    parser.add_argument("--payload", type=int, default=200, help="bytes of one record")
    options = parser.parse_args()
    reports: Reports = SimpleQueue()
    disk = FileDisk(options.folder, lambda ticket, error: reports.put((ticket, error)))
    stream = write(disk, reports, options)
    recover(disk, stream)
    disk.close()


if __name__ == "__main__":
    main()
