"""Runs a territory in parts, over several processes, and joins their results.

Gateways meet at the broker only, where none delays another; so the parts exchange nothing, and the result is the same
for any number of processes, to the last bit of its digest. Each part has a broker and a centre for its cabinets: a
process works through several parts one after the other, so that memory is that of a few parts and not of all.
"""

import os
from collections.abc import Callable
from typing import Any

from simulator.options import Drawn, Options, draw
from simulator.report.result import Result, joined
from simulator.territory import Part, Territory

# Few: what a part of four cabinets touches stays nearer to the processor than what one of twenty does.
_PART_CABINETS_MAX = 4
_REPORT_S = 0.2

Progress = Callable[[int, int], None]


def usual() -> int:
    """Returns the number of processors of this machine."""
    return os.cpu_count() or 1


def parts_of(cabinets: int, processes: int) -> list[Part]:
    """Returns equal parts: one a process at least, as far as cabinets reach, and of four cabinets at most.

    The commune without nodes costs about as much as a cabinet with forty; it comes with the last part.
    """
    count = min(cabinets, processes * -(-cabinets // (processes * _PART_CABINETS_MAX)))
    ends = [(cabinets + 1) * (number + 1) // count for number in range(count)]
    ends[-1] = cabinets
    firsts = [0, *ends[:-1]]
    return [Part(first, end, end == cabinets) for first, end in zip(firsts, ends, strict=True)]


def run(
    options: Options, drawn: Drawn | None = None, *, processes: int = 1, progress: Progress | None = None
) -> Result:
    """Runs a territory and judges it; calls `progress(done_s, total_s)` with the mean of its parts."""
    parts = parts_of(options.cabinets, processes)
    drawn = draw(options) if drawn is None else drawn  # once, not in each part: it is about all cabinets
    shown = _Shown(len(parts), progress)
    if processes == 1:
        return joined([Territory(options, drawn, part).run(shown.of(number)) for number, part in enumerate(parts)])
    # Only several processes need these, which are a fifth of what is loaded at the start.
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor, wait

    # A fresh interpreter, on every system alike: what a fork would inherit is not part of a seed.
    context = multiprocessing.get_context("spawn")
    queue = context.SimpleQueue()
    with ProcessPoolExecutor(min(processes, len(parts)), context, _set_queue, (queue,)) as pool:
        futures = [pool.submit(_run_part, options, drawn, part, number) for number, part in enumerate(parts)]
        try:
            waiting = set(futures)
            while waiting:
                done, waiting = wait(waiting, _REPORT_S)
                for future in done:
                    future.result()  # the first failure ends the run
                while not queue.empty():
                    number, done_s, total_s = queue.get()
                    shown.of(number)(done_s, total_s)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        return joined([future.result() for future in futures])


class _Shown:
    """Joins the progress of parts: what is done is their mean."""

    def __init__(self, parts: int, progress: Progress | None) -> None:
        self._done_s = [0] * parts
        self._progress = progress

    def of(self, number: int) -> Progress:
        """Returns the function that accepts the progress of one part."""

        def observe(done_s: int, total_s: int) -> None:
            self._done_s[number] = done_s
            if self._progress is not None:
                self._progress(sum(self._done_s) // len(self._done_s), total_s)

        return observe


# In a process of the pool: the way back for the progress.
_queue: Any = None


def _set_queue(queue: Any) -> None:
    global _queue
    _queue = queue


def _run_part(options: Options, drawn: Drawn, part: Part, number: int) -> Result:
    def report(done_s: int, total_s: int) -> None:
        _queue.put((number, done_s, total_s))

    return Territory(options, drawn, part).run(report)
