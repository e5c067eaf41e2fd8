"""The form of a node's standing order: one encoding, bounded, and every fault has its reason."""

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.examples import examples
from wire import limits, node_order
from wire.faults import WireFault
from wire.node_order import EMERGENCY, OVERRIDE, NodeOrder

GOOD = [1, bytes(range(8)), 1, 100, 1_795_604_400, 3600]

orders = st.builds(
    NodeOrder,
    st.integers(0, limits.SEQUENCE_MAX),
    st.binary(min_size=8, max_size=8),
    st.sampled_from([EMERGENCY, OVERRIDE]),
    st.integers(0, 100),
    st.integers(limits.ORDER_S_MAX, limits.SECONDS_MAX),
    st.integers(0, limits.ORDER_S_MAX),
) | st.builds(node_order.nothing, st.integers(0, limits.SEQUENCE_MAX))


@given(orders)
def test_an_order_comes_back(order):
    data = node_order.encode(order)
    assert node_order.decode(data) == order and len(data) <= 28 <= limits.ORDER_BYTES_MAX
    code = {None: None, EMERGENCY: 1, OVERRIDE: 2}[order.rule]
    items = [order.number, order.id, code, *order[3:]] if code else [order.number]
    assert data == cbor2.dumps(items)


@examples(times=10)
@given(st.binary(max_size=40))
def test_any_bytes_give_an_order_or_a_fault(data):
    try:
        order = node_order.decode(data)
    except WireFault:
        return
    assert node_order.encode(order) == data


@pytest.mark.parametrize(
    ("place", "value", "why"),
    [
        (0, -1, "order-number"),
        (0, True, "order-number"),
        (0, limits.SEQUENCE_MAX + 1, "order-number"),
        (1, "12345678", "order-id"),
        (1, bytes(7), "order-id"),
        (1, bytes(9), "order-id"),
        (2, 0, "order-rule"),
        (2, 4, "order-rule"),
        (2, None, "order-rule"),
        (3, 101, "order-level"),
        (3, -1, "order-level"),
        (4, None, "order-expiry"),
        (5, -1, "order-expiry"),
        (5, limits.ORDER_S_MAX + 1, "order-expiry"),
    ],
)
def test_a_field_that_cannot_be_is_named(place, value, why):
    items = [*GOOD[:place], value, *GOOD[place + 1 :]]
    with pytest.raises(WireFault) as caught:
        node_order.decode(cbor2.dumps(items))
    assert caught.value.reason == why


@pytest.mark.parametrize("items", [[], GOOD[:5], [*GOOD, 1], {1: 2}, 7, None, "order"])
def test_another_shape_is_refused(items):
    with pytest.raises(WireFault):
        node_order.decode(cbor2.dumps(items))


def test_an_encoder_refuses_what_its_decoder_would():
    with pytest.raises(WireFault, match="order-level"):
        node_order.encode(NodeOrder(1, bytes(8), EMERGENCY, 101, 1_795_604_400, 60))


def test_the_time_of_writing_follows_from_expiry_and_duration():
    assert node_order.written_at_s(NodeOrder(1, bytes(8), EMERGENCY, 100, 1_795_604_400, 3600)) == 1_795_600_800
