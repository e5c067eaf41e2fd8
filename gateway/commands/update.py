"""Brings the agent's own package and Debian's up to date by the centre's plans, watches them, and goes back where they
are not well.

A timer asks hourly (bocage-update.timer). After Debian's updates the machine starts again; where no plan of them was
read for 30 days, they are installed without one. It also fetches the programs for nodes that the centre wants offered
here, and begins or stops their campaigns. What the territory's key for packages, or Debian, has not signed is not
installed; nothing begins by night, nor over 4G unless --metered (then once a day). With --from a technician brings the
repository on a stick, and is there to see: neither plan nor hour nor bearer counts, and the highest version is taken.

example:
  sudo bocage gateway update --config /etc/bocage/gateway.toml --trust /media/usb/packages.asc
  sudo bocage gateway update --config /etc/bocage/gateway.toml
  sudo bocage gateway update --config /etc/bocage/gateway.toml --from /media/usb/agents
"""

import argparse
import os
import sys
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from gateway.commands import UsageError, add_config, on_config
from gateway.commands.setup import files
from gateway.commands.status import state_of
from gateway.config.config import Config
from gateway.core import self_update as core
from gateway.core.self_update import Plan
from gateway.core.status import Status
from gateway.io.packages import UNREACHABLE, PackageFault, Repository
from gateway.language import N_, Phrases, values
from gateway.shell import node_programs, self_update
from gateway.shell.self_update import FOLDER, KEY, Update

_WORDS = Phrases({
    "begun": N_(
        "{former} runs; {version} is being installed, then watched for {minutes} min: journalctl -u bocage-trial"
    ),
    "under_way": N_("version {version} is on trial: journalctl -u bocage-trial"),
    "current": N_("version {version} is wanted, and it runs"),
    "not_ours": N_("the campaign for version {version} does not concern this cabinet yet"),
    "failed": N_("version {version} was taken back here; only another campaign tries it again"),
    "no_key": N_("no key for packages is installed: sudo bocage gateway update … --trust packages.asc"),
    "trusted": N_("packages that this key has signed are installed from now on"),
    "no_tls": N_("[uplink] has no ca: the centre's plan can only be read with TLS"),
    "no_key_file": N_("{path} is no public key of OpenPGP as text; give packages.asc of `bocage centre agents key`"),
    # the system's packages
    "system.begun": N_(
        "Debian's updates of {state} are being installed ({count} packages); the machine starts again, and is watched "
        "for {minutes} min: journalctl -u bocage-trial"
    ),
    "system.current": N_("the system has Debian's updates of {state}"),
    "system.not_ours": N_("the campaign for Debian's updates of {state} does not concern this cabinet yet"),
    "system.failed": N_("Debian's updates of {state} were taken back here; only another campaign tries them again"),
    "system.alone": N_("no plan of Debian's updates was read; without one they come by themselves in {days} days"),
    "system.refused": N_("Debian's updates of {state} cannot be installed: {why}"),
    # programs for nodes
    "nodes.fetch": N_('program no. {number} for "{product}" is fetched, and its campaign begins here'),
    "nodes.begin": N_('the campaign of program no. {number} for "{product}" begins here'),
    "nodes.stop": N_('the centre has stopped the campaign of program no. {number} for "{product}"'),
    "nodes.lower": N_('the centre wants program no. {number} for "{product}", and a higher one is offered here'),
    "nodes.refused": N_('program no. {number} for "{product}", as the centre has it, is refused ({why}: {detail})'),
    "nodes.plan": N_("the centre's plan of programs for nodes cannot be read: {detail}"),
    "nodes.disk": N_("a program for nodes cannot be kept: {detail}"),
    # why nothing begins now
    "no-agent": N_("not now: the agent does not answer"),
    "no-clock": N_("not now: the time is not known"),
    "night": N_("not now: nothing is updated from an hour before sunset to an hour after sunrise"),
    "metered": N_("not now: only 4G is there"),
    "unlinked": N_("not now: the centre is not reached"),
    # why it cannot be
    "unreachable": N_("the repository is not reached: {detail}"),
    "signature": N_("the repository is not signed by the key that this cabinet trusts: {detail}"),
    "digest": N_("what came is not what was signed: {detail}"),
    "not-published": N_("that version is not in the repository; publish it: bocage centre agents publish"),
    "no-way-back": N_("the version that runs is not in the repository, so there is no way back; publish it too"),
    "older": N_("the version wanted is lower than the one that runs: {detail}"),
    "disk-full": N_("no room on the card for two versions; delete what is not the agent's"),
    "install": N_("dpkg has packages that are not whole: {detail}"),
    "plan": N_("the centre's plan cannot be read: {detail}"),
})  # fmt: skip
# A receipt within this time means that the warehouse was there before the update.
_HELD_S = 3600
# Over 4G the plan is asked for once a day: 6 kB.
_METERED_EVERY_S = 20 * 3600
# How long it may take to bring some hundred packages onto a slow card, and to start the machine twice.
_SYSTEM_S = 3600
_LAST_ASKED, _SYSTEM_HEARD, _SYSTEM_PLAN = "asked", "system-heard", "system.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    parser.add_argument("--trust", type=Path, metavar="KEY", help="the territory's public key for packages")
    parser.add_argument("--from", dest="stick", type=Path, metavar="FOLDER", help="a repository on a stick")
    parser.add_argument("--metered", action="store_true", help="also over 4G")
    parser.add_argument("--trial", action="store_true", help=argparse.SUPPRESS)  # of the trial's own unit


@on_config
def run(config: Config, args: argparse.Namespace) -> int:
    """Returns the exit status: 0 done, or nothing to do; 1 it cannot be; 2 the usage is at fault."""
    if args.trust is not None:
        return _trust(args)

    def ask() -> Status:
        return state_of(config, unix_s=int(time.time()))

    update = Update(ask)
    if args.trial:
        update.run_trial()
        return 0
    under_way = update.trial()
    if under_way is not None:
        try:
            update.begin(args.config)  # the power may have failed before, or a person stopped its unit
        except PackageFault as fault:
            return _fault(args, fault)
        return _say(args, "under_way", version=under_way.version)
    FOLDER.mkdir(mode=0o755, exist_ok=True)
    if args.stick is not None:
        if not KEY.exists():
            raise UsageError(_WORDS.text("no_key", args.lang))
        return _by_stick(update, ask(), args)
    return _by_plans(update, ask(), config, args)


def _by_plans(update: Update, status: Status, config: Config, args: argparse.Namespace) -> int:
    """Follows the plan of the agent, and where that changes nothing the system's: one trial at a time."""
    tls = config.mqtt.tls
    if tls is None:
        raise UsageError(_WORDS.text("no_tls", args.lang))
    address, done = self_update.address_of(config.mqtt.host), 0
    why = core.hindrance(status, _site(config), lasts_s=0, by_metered=args.metered)
    if why is None and not _is_time_to_ask(status):
        why = core.METERED
    if why not in (None, core.UNLINKED):
        return _say(args, why)
    if why is not None:
        _say(args, why)
    elif KEY.exists():
        done = _by_plan(update, status, config, address, args)
    else:
        _say(args, "no_key")
    if update.trial() is None:
        done |= _system(update, status, config, address if why is None else None, args)
    return done


def _by_plan(update: Update, status: Status, config: Config, address: str, args: argparse.Namespace) -> int:
    tls = config.mqtt.tls
    assert tls is not None
    _follow_nodes(config, address, tls.ca, args)
    try:
        plan = self_update.read_plan(address, tls.ca)
    except PackageFault as fault:
        return _fault(args, fault)
    name = f"{config.core.insee}-{config.core.name}"
    if plan.cabinets is not None and name not in plan.cabinets:
        update.settle(plan, is_ours=False)
        return _say(args, "not_ours", version=plan.version)
    if update.outcome.has_failed(plan):
        return _say(args, "failed", version=plan.version)
    why = core.hindrance(status, _site(config), lasts_s=plan.watch_s, by_metered=args.metered)
    if why is not None:
        return _say(args, why)
    return _stage(update, plan, Repository(FOLDER, address, KEY, tls.ca), status, args)


def _system(update: Update, status: Status, config: Config, address: str | None, args: argparse.Namespace) -> int:
    """Follows the plan of Debian's updates, or none where none was read for long. `address`: of the centre; None: it is
    not reached."""
    tls, heard = config.mqtt.tls, FOLDER / _SYSTEM_HEARD
    now_s = None if status.clock is None else status.clock.unix_s
    if tls is None or now_s is None:
        return 0
    plan = None
    if address is not None:
        try:
            plan = self_update.read_plan(address, tls.ca, _SYSTEM_PLAN)
        except PackageFault as fault:
            if fault.reason != UNREACHABLE:
                return _fault(args, fault)
    # A campaign of long ago that this cabinet has been through is none any more: the next one may have been forgotten.
    is_spent = plan is not None and plan.cabinets is None and plan.version < _state_of(now_s - core.ALONE_S)
    if plan is not None and is_spent and plan.version <= (update.state() or ""):
        plan = None
    if plan is not None or not heard.exists():
        _note(heard, now_s)
    is_alone = plan is None
    if plan is None:
        left_s = core.ALONE_S - (now_s - int(heard.stat().st_mtime))
        if left_s > 0:
            return _say(args, "system.alone", days=-(-left_s // 86_400))
        plan = Plan(0, _state_of(now_s), core.WATCH_S, None)
    name = f"{config.core.insee}-{config.core.name}"
    if plan.cabinets is not None and name not in plan.cabinets:
        update.system_outcome.settle(plan, update.state() or "", is_ours=False)
        return _say(args, "system.not_ours", state=plan.version)
    if update.system_outcome.has_failed(plan):
        return _say(args, "system.failed", state=plan.version)
    lasts_s = plan.watch_s + _SYSTEM_S
    why = core.hindrance(status, _site(config), lasts_s=lasts_s, by_metered=args.metered, is_alone=is_alone)
    if why is not None:
        return _say(args, why)
    done, is_staged = _stage_system(update, plan, status, args)
    if is_staged:
        _note(heard, now_s)  # without a plan it does so again after as long a time
    return done


def _note(path: Path, unix_s: int) -> None:
    path.touch()
    os.utime(path, (unix_s, unix_s))


def _state_of(unix_s: int) -> str:
    """Returns the state that Debian's archive had at the last midnight (UTC)."""
    return f"{datetime.fromtimestamp(unix_s, UTC):%Y%m%d}T000000Z"


def _stage_system(update: Update, plan: Plan, status: Status, args: argparse.Namespace) -> tuple[int, bool]:
    """Returns the exit status, and whether the system has that state or is on its way there."""
    try:
        trial = update.stage_system(plan, core.before(status, held_s=_HELD_S))
        if trial is not None:
            update.begin(args.config)
    except PackageFault as fault:
        if fault.reason != UNREACHABLE:
            update.refuse_system(plan, fault.reason)
        why = f"{values.value_text('why', fault.reason, args.lang)} ({fault.detail})"
        print(_WORDS.text("system.refused", args.lang, state=plan.version, why=why), file=sys.stderr)
        return 0 if fault.reason == UNREACHABLE else 1, False
    if trial is None:
        update.system_outcome.settle(plan, update.state(), is_ours=True)
        return _say(args, "system.current", state=plan.version), True
    minutes = -(-trial.watch_s // 60)
    return _say(args, "system.begun", state=plan.version, count=len(trial.changes), minutes=minutes), True


def _follow_nodes(config: Config, address: str, ca: str, args: argparse.Namespace) -> None:
    """Does what the centre wants of nodes. What prevents it must not keep the agent from its own update."""
    name = f"{config.core.insee}-{config.core.name}"
    read = partial(self_update.read_file, address, ca)
    try:
        for step in node_programs.follow(config.data, name, read, now_s=int(time.time())):
            word = f"nodes.{step.word}" if f"nodes.{step.word}" in _WORDS else "nodes.refused"
            _say(args, word, product=step.product, number=step.number, why=step.word, detail=step.detail)
    except PackageFault:
        return  # the centre has no such plan, or is not reached: the next hour
    except ValueError as error:
        _say(args, "nodes.plan", detail=str(error))
    except OSError as error:
        _say(args, "nodes.disk", detail=str(error))


def _by_stick(update: Update, status: Status, args: argparse.Namespace) -> int:
    repository = Repository(FOLDER, f"file:{args.stick.resolve()}", KEY, None)
    try:
        repository.refresh()
    except PackageFault as fault:
        return _fault(args, fault)
    plan = Plan(int(time.time()), repository.newest() or "0", core.WATCH_S, None)
    return _stage(update, plan, repository, status, args)


def _stage(update: Update, plan: Plan, repository: Repository, status: Status, args: argparse.Namespace) -> int:
    try:
        trial = update.stage(plan, repository, core.before(status, held_s=_HELD_S))
        if trial is not None:
            update.begin(args.config)
    except PackageFault as fault:
        if fault.reason != UNREACHABLE:
            update.refuse(plan, fault.reason)
        return _fault(args, fault)
    if trial is None:
        update.settle(plan, is_ours=True)
        return _say(args, "current", version=plan.version)
    return _say(args, "begun", former=trial.former, version=trial.version, minutes=-(-trial.watch_s // 60))


def _site(config: Config) -> tuple[int, int] | None:
    cabinet = config.cabinet
    return None if cabinet is None else (cabinet.latitude_e4, cabinet.longitude_e4)


def _is_time_to_ask(status: Status) -> bool:
    """Returns whether the plan may be asked for now: over 4G, once a day."""
    asked, carrier = FOLDER / _LAST_ASKED, status.carrier
    is_metered = carrier is not None and carrier.metered
    if is_metered and asked.exists() and time.time() - asked.stat().st_mtime < _METERED_EVERY_S:
        return False
    asked.touch()
    return True


def _trust(args: argparse.Namespace) -> int:
    data = args.trust.read_bytes()
    if not data.startswith(b"-----BEGIN PGP PUBLIC KEY BLOCK-----"):
        raise UsageError(_WORDS.text("no_key_file", args.lang, path=args.trust))
    files.replace(Path("/"), files.New(KEY, data, 0o644))
    return _say(args, "trusted")


def _say(args: argparse.Namespace, word: str, **values: object) -> int:
    print(_WORDS.text(word, args.lang, **values))
    return 0


def _fault(args: argparse.Namespace, fault: PackageFault) -> int:
    text = _WORDS.text(fault.reason, args.lang, detail=fault.detail)
    print(f"bocage gateway update: {text}", file=sys.stderr)
    return 0 if fault.reason == UNREACHABLE and not args.stick else 1
