"""Makes the labels of nodes: a page that a browser prints, with a QR code of each node's id.

examples:
  bocage node label 01000007
  bocage node label --out labels.html
  bocage node label --page 10.0.7.1:8080

Without ids: every node in use. A label says what the node is, its id, the `kid` by which a cabinet names a node that it
has no key of, and the place. It holds no secret. Its code is the address of the node's screen on the page of its
cabinet: beside the pole the camera of a phone opens it. `--page` says where cabinets serve it. The sheet is A4 with 3
by 8 labels of 70 mm by 37 mm, as stationers sell them; print at 100 %, without margins.
"""

import argparse
import html
import re
from pathlib import Path

import segno

from gateway.language import N_, NN_, translate
from tools.command_line import UsageError
from tools.hardware import files as hardware_files
from tools.link.image import FIRMWARE
from tools.node.faults import of_path
from tools.node.workshop import Row, Workshop, add_folder
from wire.oscore_context import usual_kid

_MADE = NN_(
    "{path}: {count} label; print it from a browser at 100 %, without margins",
    "{path}: {count} labels; print it from a browser at 100 %, without margins",
)
_NONE = N_("no node to label: bocage node new makes one")
# Where the set-up of a gateway puts the page (`bocage gateway setup`).
_PAGE_ADDRESS = "192.168.50.1:8080"
_ADDRESS = re.compile("(https?://)?[0-9A-Za-z.:-]{1,60}|(https?://)?\\[[0-9a-f:.]{2,45}\\](:[0-9]{1,5})?")
_NO_ADDRESS = N_("--page {value}: give the address of the cabinets' page, such as 192.168.50.1:8080")
_PAGE = """<!doctype html>
<html lang="{language}"><meta charset="utf-8"><title>Bocage</title>
<style>
@page {{ size: A4; margin: 0 }}
body {{ margin: 0; font: 8pt/1.25 sans-serif; color: #000; background: #fff }}
main {{ display: grid; grid-template-columns: repeat(3, 70mm); grid-auto-rows: 37mm }}
section {{ box-sizing: border-box; padding: 3.5mm 3mm; display: grid; grid-template-columns: 26mm 1fr; gap: 2.5mm;
  align-items: center; overflow: hidden; break-inside: avoid }}
section:nth-child(24n+1):not(:first-child) {{ break-before: page }}
svg {{ width: 26mm; height: 26mm; display: block }}
b {{ font: bold 10pt/1.3 monospace; white-space: pre }}
p {{ margin: 0; overflow-wrap: anywhere }}
</style>
<main>
{labels}
</main>
"""
_LABEL = """<section>{code}<div><p>{kind}</p><b>{node}</b><p>kid {kid}</p><p>{place}</p></div></section>"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("nodes", nargs="*", metavar="NODE", help="ids, or the last digits of each (all in use)")
    parser.add_argument("--out", type=Path, default=Path("labels.html"), help="the page (default: %(default)s)")
    parser.add_argument(
        "--page", default=_PAGE_ADDRESS, metavar="ADDRESS", help="the cabinets' page (default: %(default)s)"
    )
    add_folder(parser)


def run(args: argparse.Namespace) -> int:
    """Returns the exit status: 0 made, 1 no such node or the page cannot be written, 2 no node at all."""
    if not _ADDRESS.fullmatch(args.page):
        raise UsageError(_NO_ADDRESS, value=args.page)
    workshop = Workshop(args.folder)
    rows = [workshop.find(word) for word in args.nodes] or workshop.in_use()
    if not rows:
        raise UsageError(_NONE)
    try:
        args.out.write_text(page(rows, args.lang, args.page), encoding="utf-8")
    except OSError as error:
        raise of_path(args.out, error) from error
    print(translate(_MADE, args.lang, path=args.out, count=len(rows)))
    return 0


def page(rows: list[Row], language: str, address: str) -> str:
    """Returns the page with one label a node. `address`: where cabinets serve their page."""
    base = address if "://" in address else f"http://{address}"
    kinds = hardware_files.load(FIRMWARE.parent)[0].nodes
    labels = []
    for row in rows:
        code = segno.make(f"{base}/node/{row.node}", error="m", micro=False)
        titles = kinds.get(row.kind, {})
        title = titles.get("title" if language == "fr" else "title_en", row.kind)
        parts = {
            "kind": title.partition(":")[0].strip(),
            "node": f"{row.node[:8]}\n{row.node[8:]}",
            "kid": usual_kid(bytes.fromhex(row.node)).hex(),
            "place": row.place,
        }
        told = {name: html.escape(text) for name, text in parts.items()}
        labels.append(_LABEL.format(code=code.svg_inline(border=2, omitsize=True), **told))
    return _PAGE.format(language=language, labels="\n".join(labels))
