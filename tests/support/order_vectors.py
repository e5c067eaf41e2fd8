"""Orders and the bytes that firmware/wire makes of them, for the script of the browser (`tests/vectors/orders.json`).

    python -m tests.support.order_vectors    writes the file anew
"""

import json
from pathlib import Path

from tests.support.town_world import PHONE
from wire import command, cose

PATH = Path(__file__).parents[1] / "vectors" / "orders.json"
_NOW_S = 1_795_000_000
_LIGHT = command.Command(
    bytes(range(8)), command.EMERGENCY, "Maire", "accident", _NOW_S, _NOW_S + 3600, "49135", None, None, None, None,
    None,
)  # fmt: skip
ORDERS = (
    _LIGHT,
    _LIGHT._replace(target="levée", gateway="cab-1", expires_s=_NOW_S + 14_400),
    _LIGHT._replace(author="é" * 30, reason="x" * 60, insee="2A004", target="t" * 24),  # lengths of two bytes of head
    _LIGHT._replace(not_before_s=255, expires_s=256),
    _LIGHT._replace(not_before_s=65_535, expires_s=65_536),
    _LIGHT._replace(not_before_s=2**32 - 2, expires_s=2**32 - 1),
    _LIGHT._replace(kind=command.END, reason="retour à la politique", ends=bytes(range(8, 16))),
    _LIGHT._replace(kind=command.OVERRIDE, level=0, target="levée", reason="travaux"),
    _LIGHT._replace(kind=command.OVERRIDE, level=50, target="levée"),
    _LIGHT._replace(kind=command.OVERRIDE, level=100),
    _LIGHT._replace(kind=command.DIRECTIVE, target="thermostat", values={1: -300, 8: 200}),
)


def vectors():
    """A list of plain values: the fields as the script names them, the payload, the signed order (hexadecimal)."""
    made = []
    for one in ORDERS:
        payload = command.encode_command(one)
        signed = cose.sign1_encode(payload, PHONE.kid, cose.COMMAND_AAD, PHONE.private.sign)
        fields = {
            "kind": one.kind, "author": one.author, "reason": one.reason, "notBefore": one.not_before_s,
            "expires": one.expires_s, "insee": one.insee, "gateway": one.gateway, "target": one.target,
            "id": one.id.hex(), "level": one.level, "ends": None if one.ends is None else one.ends.hex(),
            "values": one.values and list(map(list, one.values.items())),
        }  # fmt: skip
        made.append({"fields": fields, "payload": payload.hex(), "signed": signed.hex()})
    return {"seed": PHONE.private.private_bytes_raw().hex(), "public": PHONE.public.hex(), "orders": made}


def text():
    return json.dumps(vectors(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
