"""What a node reports beside its trade's readings: its own health, and when the next report is due. Pure functions."""

from wire import quantity


def health(platform, trade_health, time, outbox, counters, before, wear, *, now_ms) -> dict:
    """{wire key: scaled integer}. `counters`: of the link; `before`: (records lost, datagrams retransmitted) of this
    boot before its last sleep; `wear`: a node.wear.Wear or None."""
    readings = dict(platform)
    readings.update(trade_health)
    readings[quantity.UPTIME] = time.uptime_s(now_ms)
    readings[quantity.OUTBOX_WAITING] = outbox.waiting()
    readings[quantity.RECORDS_DROPPED] = before[0] + outbox.lost()
    readings[quantity.RETRANSMISSIONS] = before[1] + counters["retransmitted"]
    if time.rate.doubt_ppm is not None:
        readings[quantity.CLOCK_DRIFT] = time.rate.ppm
    if wear is not None:
        readings[quantity.FLASH_WRITES] = wear.total
    return readings


def next_ms(unix_s, period_s, spread_s, apart_s, *, now_ms) -> int:
    """On the quarter hour of UTC plus this node's own seconds, so that a gateway's batch holds a whole street; more
    than `apart_s` from now. Without a clock a period from now."""
    if unix_s is None:
        return now_ms + 1000 * period_s
    offset_s = spread_s % min(60, period_s)
    return now_ms + 1000 * (apart_s + period_s - (unix_s + apart_s - offset_s) % period_s)
