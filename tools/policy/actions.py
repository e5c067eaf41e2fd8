"""What each sub-command of `bocage policy` does: files in, files and words out. `cli` has their arguments.

Returns the exit status; raises Refused, which `cli` tells.
"""

import argparse
import getpass
import json
import sys
from pathlib import Path

from policy import document, keyset
from policy.document import Policy
from policy.keyset import KeySet
from tools.policy import files, keys, nights, showing, signing
from tools.policy.compiler import Compiled, compile_text
from tools.policy.refused import Refused
from tools.policy.words import counted, word
from wire import cose

SAMPLE = Path(__file__).with_name("sample.toml")
FAULTY = 1


def sample(args: argparse.Namespace) -> int:
    print(SAMPLE.read_text(encoding="utf-8"), end="")
    return 0


def check(args: argparse.Namespace) -> int:
    compiled = _compiled(args.file)
    if args.json:
        print(json.dumps([_plain(one, args.lang) for one in compiled.complaints], indent=2, ensure_ascii=False))
    elif compiled.policy is None:
        _tell_faults(args.file, compiled, args.lang)
    else:
        _tell_sound(args.file, compiled.policy, args.lang)
    return 0 if compiled.policy else FAULTY


def compile(args: argparse.Namespace) -> int:
    compiled = _compiled(args.file)
    if compiled.policy is None:
        _tell_faults(args.file, compiled, args.lang)
        return FAULTY
    _tell_sound(args.file, compiled.policy, args.lang)
    _write(args.out, document.encode(compiled.policy), args.lang)
    return 0


def night(args: argparse.Namespace) -> int:
    policy, calendars = _policy(args.file, args.lang)
    if policy is None:
        return FAULTY
    evening = nights.civil_day(args.date)
    if args.json:
        print(json.dumps(nights.plain(policy, evening), indent=2, ensure_ascii=False))
    else:
        print("\n".join(nights.lines(policy, evening, calendars, args.lang)))
    return 0


def sign(args: argparse.Namespace) -> int:
    found = files.load(args.file)
    in_force = files.load_keyset(args.keyset) if args.keyset else None
    signer = keys.load_signer(args.key, _asker(args.lang))
    signed = signing.sign(found, signer, in_force)
    assert found.content is not None  # what has a fault is not signed
    print("\n".join(showing.summary(found.content, args.lang)))
    _write(args.out, signed, args.lang)
    print(word("signed_by", args.lang, kid=signer.kid.hex()))
    return 0


def show(args: argparse.Namespace) -> int:
    found = files.load(args.file)
    in_force = files.load_keyset(args.keyset) if args.keyset else None
    print("\n".join(showing.lines(found, in_force, args.lang)))
    sound = found.content is not None
    return 0 if sound and (in_force is None or showing.holds(found, in_force)) else FAULTY


def keys_new(args: argparse.Namespace) -> int:
    passphrase = _new_passphrase(args.out, args.lang) if args.encrypt else None
    member = keys.make(args.out, args.commune, args.name, passphrase)
    print(word("key_made", args.lang, path=args.out))
    print(word("key_public", args.lang, public=member.key.hex()))
    print(word("key_kid", args.lang, kid=cose.kid_of(member.key).hex()))
    print(word("key_send", args.lang, path=keys.public_path(args.out)))
    return 0


def keyset_new(args: argparse.Namespace) -> int:
    members = [keys.load_member(path) for path in args.member]
    made = signing.first_set(args.commune, members, args.threshold)
    _write(args.out, keyset.encode(made), args.lang)
    print(word("keyset_install", args.lang, path=args.out))
    _tell_spare(made, args.lang)
    return 0


def keyset_change(args: argparse.Namespace) -> int:
    in_force = files.load_keyset(args.basis)
    add = [keys.load_member(path) for path in args.add]
    following = signing.next_set(in_force, add=add, remove=args.remove, threshold=args.threshold)
    signers = [keys.load_signer(path, _asker(args.lang)) for path in args.key]
    _write(args.out, signing.sign_set(following, signers, in_force), args.lang)
    print(word("signatures", args.lang, count=len(signers), threshold=in_force.threshold))
    if len(signers) < in_force.threshold:
        print(word("signatures_more", args.lang, path=args.out))
    _tell_spare(following, args.lang)
    return 0


def _compiled(path: Path) -> Compiled:
    try:
        return compile_text(files.read(path).decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Refused("not_text", path=path) from None


def _policy(path: Path, language: str) -> tuple[Policy | None, tuple[str, ...]]:
    """The policy of a TOML, compiled or signed file; None after its faults have been told."""
    found = files.recognise(files.read(path))
    if found is not None:
        if not isinstance(found.content, Policy):
            raise Refused("not_policy", path=path)
        return found.content, ()
    compiled = _compiled(path)
    if compiled.policy is None:
        _tell_faults(path, compiled, language)
    return compiled.policy, compiled.calendars


def _plain(complaint, language: str) -> dict:
    return {
        "line": complaint.line,
        "where": complaint.where,
        "problem": complaint.problem(language),
        "remedy": complaint.remedy(language),
    }


def _tell_faults(path: Path, compiled: Compiled, language: str) -> None:
    for one in compiled.complaints:
        where = f" {one.where}:" if one.where else ""
        print(f"{path}:{one.line}:{where} {one.problem(language)}", file=sys.stderr)
        print(f"  {word('to_do', language, text=one.remedy(language))}", file=sys.stderr)
    print(counted("faults", language, len(compiled.complaints), path=path), file=sys.stderr)


def _tell_sound(path: Path, policy: Policy, language: str) -> None:
    print(
        word(
            "sound",
            language,
            path=path,
            version=policy.version,
            insee=policy.insee,
            nights=round((policy.valid_until_s - policy.valid_from_s) / 86_400),
            feeders=len(policy.lighting.feeders),
            bytes=len(document.encode(policy)),
        )
    )


def _tell_spare(made: KeySet, language: str) -> None:
    if len(made.keys) == made.threshold:
        print(word("keyset_spare", language, count=len(made.keys), threshold=made.threshold))


def _write(path: Path, data: bytes, language: str) -> None:
    files.write(path, data)
    print(word("written", language, path=path, bytes=len(data)))


def _asker(language: str):
    return lambda path: getpass.getpass(word("ask_passphrase", language, path=path)).encode()


def _new_passphrase(path: Path, language: str) -> bytes:
    first = getpass.getpass(word("ask_passphrase", language, path=path))
    if getpass.getpass(word("ask_again", language)) != first:
        raise Refused("passphrases")
    return first.encode()
