"""Checks a broker before a territory depends on it, in one page: what it offers, whom it admits, what a gateway may do.

With --gateway it also tries what a gateway's account may and may not do. Use a certificate made for this check, or of
a gateway that is switched off: the same name twice ends the other's connection. With --config, on the broker's machine,
it reads what no client can see. Its trials leave a few refused messages in the counts of ingest and control, and the
gateway's name in the list of control. The exit status is 1 where the broker is unfit.

example:
  bocage centre check-broker --broker mqtt.example.org:8883 --ca ca.pem --cert control.pem --key control.key \\
    --gateway 49007-essai --gateway-cert essai.pem --gateway-key essai.key --config /etc/mosquitto/mosquitto.conf
"""

import argparse
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.language import N_, translate
from tools.centre.arguments import add_broker, check_trust, parse_broker, parse_gateway
from tools.command_line import Refused, UsageError, add_json

if TYPE_CHECKING:
    from tools.centre.mqtt import Finding

_UNFIT = 1
_TITLES = {
    "offer": N_("What it offers"),
    "trust": N_("Whom it admits"),
    "gateway": N_("What a gateway's account may do"),
    "config": N_("What its configuration says"),
}
_TO_DO = N_("to do: {text}")
_SKIPPED = {
    "gateway": N_("not tried: give --gateway, with --gateway-cert and --gateway-key"),
    "config": N_("not read: give --config, on the broker's machine"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_broker(parser, "bocage-check")
    parser.add_argument("--gateway", metavar="INSEE-NAME", help="a gateway's account, to try what it may do")
    parser.add_argument("--gateway-cert", metavar="FILE", help="its certificate (PEM)")
    parser.add_argument("--gateway-key", metavar="FILE", help="its private key (PEM)")
    parser.add_argument("--config", type=Path, metavar="FILE", help="mosquitto.conf or rabbitmq.conf")
    add_json(parser, "for programs")


def run(args: argparse.Namespace) -> int:
    host, port = parse_broker(args.broker)
    check_trust(args)
    from tools.centre.broker import configuration, probe  # needs paho-mqtt, which a fault in the arguments does not
    from tools.centre.mqtt import BrokerAddress

    centre = BrokerAddress(host, port, args.client_id, args.ca, args.cert, args.key)
    found = {}
    try:
        found["offer"] = probe.offer_findings(centre)
        found["trust"] = probe.trust_findings(centre)
        if args.gateway:
            gateway = parse_gateway("--gateway", args.gateway)
            address = BrokerAddress(host, port, args.gateway, args.ca, args.gateway_cert, args.gateway_key)
            found["gateway"] = probe.gateway_findings(centre, address, gateway)
    except (OSError, probe.Refused) as error:
        raise Refused(N_("--broker {broker}: {error}"), broker=args.broker, error=error) from error
    if args.config:
        try:
            found["config"] = configuration.findings(args.config)
        except (OSError, ValueError) as error:
            raise UsageError(N_("--config {path}: {error}"), path=args.config, error=error) from error
    if args.json:
        plain = {part: [plain_of(one, args.lang) for one in lines] for part, lines in found.items()}
        print(json.dumps(plain, ensure_ascii=False, indent=2))
    else:
        print("\n".join(_page(found, args.lang)))
    return _UNFIT if any(one.is_fault for lines in found.values() for one in lines) else 0


def _page(found, language) -> list[str]:
    lines = []
    for part, title in _TITLES.items():
        lines.append(translate(title, language))
        if part not in found:
            lines.append(f"  – {translate(_SKIPPED[part], language)}")
        lines += (f"  {line}" for line in lines_of(found.get(part, ()), language))
    return lines


def lines_of(found: "Iterable[Finding]", language: str) -> Iterator[str]:
    """Yields a line for each finding, and one for what to do about it."""
    for one in found:
        yield f"{'✗' if one.is_fault else '!' if one.remedy else '✓'} {one.sentence(language)}"
        if one.remedy is not None:
            yield f"    → {translate(_TO_DO, language, text=one.to_do(language))}"


def plain_of(one: "Finding", language: str) -> dict[str, object]:
    return {"is_fault": one.is_fault, "what": one.sentence(language), "to_do": one.to_do(language) or None}
