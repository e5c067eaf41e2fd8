"""Holds the commune's key set and its signed policies, on the state disk.

Files `policy-<version>` and `keyset-<version>` hold what was received, signature included, and are verified again at
every start. A version never goes backwards: one at or below the highest that was ever accepted is refused, even if that
file is damaged, for its name contains the number. A policy that is not valid yet waits beside the one in force; one
that has expired stays in force ("last windows kept") and an alarm reports it. The first key set is installed by hand; a
later one must be signed by as many keys of the set in force as that set demands.
"""

from collections.abc import Callable
from typing import NamedTuple

from gateway.core import limits
from gateway.core.custody.disk import SharedFolder, numbered
from policy import document, keyset
from policy.fault import Fault
from policy.keyset import KeySet
from wire import command, cose
from wire.faults import WireFault

Verify = Callable[[bytes, bytes, bytes], bool]  # public key, signature, data

# Reasons of a refusal, beside the words of `policy.keyset`.
NO_KEYS, OLDER, CONTENT, MALFORMED, DISK = "no-keys", "older", "content", "malformed", "disk"
KEYS_DAMAGED = "keys-damaged"


class SignedPolicy(NamedTuple):
    """Holds a policy: its content, the key that signed it, its signed bytes."""

    policy: document.Policy
    kid: bytes
    data: bytes

    @property
    def plain(self) -> bytes:
        """Returns the document's CBOR, taken from its signed message."""
        return cose.sign1_decode(self.data, bytes_max=command.BUNDLE_BYTES_MAX).payload


class PolicyVerdict(NamedTuple):
    """Reports whether one part of a bundle was accepted: `why` None: accepted. `version`, where it could be read."""

    part: str
    why: str | None
    version: int | None = None
    detail: str = ""


class Policies:
    """Accepts policies and returns the one in force. `keyset`: the one installed by hand, or None: then no policy is
    accepted. `verify(key, signature, data)`.
    """

    def __init__(self, folder: SharedFolder, keyset: KeySet | None, verify: Verify) -> None:
        self._folder = folder
        self._verify = verify
        self.keyset = keyset
        self._keysets = [] if keyset is None else [keyset]  # on this card, from the first to the one in force
        self._held: list[SignedPolicy] = []  # by version, the last is the newest
        self.highest = 0
        self._highest_keyset = 0 if keyset is None else keyset.version
        self._damaged: set[int] = set()  # versions that may be accepted once more
        self.counters = {"accepted": 0, "refused": 0, "damaged-files": 0, "disk-errors": 0}
        self._load()

    def in_force(self, unix_s: int | None) -> SignedPolicy | None:
        """Return the newest whose validity has begun, else the oldest in hand; without a clock the newest."""
        begun = [one for one in self._held if unix_s is None or one.policy.valid_from_s <= unix_s]
        if begun:
            return begun[-1]
        return self._held[0] if self._held else None

    def to_come(self, unix_s: int | None) -> SignedPolicy | None:
        """Return the policy whose validity has not begun yet, if one waits."""
        if unix_s is None or not self._held or self._held[-1].policy.valid_from_s <= unix_s:
            return None
        return self._held[-1] if len(self._held) > 1 else None

    def held(self) -> list[SignedPolicy]:
        """Return every policy in hand, the newest first."""
        return self._held[::-1]

    @property
    def newest_version(self) -> int:
        """Returns the version of the newest policy that can be read; 0: none."""
        return self._held[-1].policy.version if self._held else 0

    @property
    def keyset_version(self) -> int:
        return 0 if self.keyset is None else self.keyset.version

    def accept(self, payload: bytes, *, unix_s: int | None) -> list[PolicyVerdict]:
        """Accept a bundle of topic `p`: key set, policy, or both. A part that is held already yields no verdict."""
        try:
            keyset, policy = command.decode_bundle(payload)
        except WireFault as fault:
            self.counters["refused"] += 1
            return [
                PolicyVerdict("bundle", "too-long" if fault.reason == "too-long" else MALFORMED, None, fault.reason)
            ]
        parts = [
            None if keyset is None else self._accept_keyset(keyset),
            None if policy is None else self._accept_policy(policy, unix_s),
        ]
        verdicts = [verdict for verdict in parts if verdict is not None]
        for verdict in verdicts:
            self.counters["accepted" if verdict.why is None else "refused"] += 1
        return verdicts

    # --- inside -------------------------------------------------------------------------------------------------

    def _accept_keyset(self, data: bytes) -> PolicyVerdict | None:
        if self.keyset is None:
            return PolicyVerdict("keyset", NO_KEYS)
        opened, faults = keyset.open_keyset(data, self.keyset, self._verify)
        if opened is None:
            # The set in force comes again with every bundle. It is signed by the set before it, so it does not verify
            # now.
            return None if self._is_held("keyset", data) else _refused("keyset", faults)
        if not self._keep(f"keyset-{opened.version:010}", data):
            return PolicyVerdict("keyset", DISK, opened.version)
        self._replace_keys(opened)
        return PolicyVerdict("keyset", None, opened.version)

    def _accept_policy(self, data: bytes, unix_s: int | None) -> PolicyVerdict | None:
        if any(one.data == data for one in self._held):
            return None
        if self.keyset is None:
            return PolicyVerdict("policy", NO_KEYS)
        if self.keyset.version < self._highest_keyset:
            # A later set is on the card and cannot be read: the keys that we can read may have been replaced.
            return PolicyVerdict("policy", KEYS_DAMAGED, None, f"key set {self._highest_keyset} is needed")
        policy, kid, faults = keyset.open_policy(data, self.keyset, self._verify)
        if policy is None:
            return _refused("policy", faults)
        if policy.version < self.highest or (policy.version == self.highest and policy.version not in self._damaged):
            return PolicyVerdict("policy", OLDER, policy.version, f"version {self.highest} has been held")
        if not self._keep(f"policy-{policy.version:010}", data):
            return PolicyVerdict("policy", DISK, policy.version)
        self.highest = policy.version
        self._damaged.discard(policy.version)
        current = self.in_force(unix_s)
        # Keep the policy in force and the new one; one that waited in between is obsolete. Without a clock it is not
        # known which is in force, so all are kept.
        kept = self._held if unix_s is None else [one for one in self._held if one is current]
        self._held = [*kept, SignedPolicy(policy, kid, data)][-limits.POLICY_FILES_MAX :]
        self._forget_old()
        return PolicyVerdict("policy", None, policy.version)

    def _replace_keys(self, keys: KeySet) -> None:
        """Put another key set in force. A version that only a replaced key has reached bars no later policy: a thief
        could have signed the highest number there is."""
        self.keyset = keys
        self._keysets.append(keys)
        self._highest_keyset = max(self._highest_keyset, keys.version)
        self._held.sort(key=self._rank)
        current = [one.policy.version for one in self._held if self._is_of_these_keys(one)]
        if self._held and not self._is_of_these_keys(max(self._held, key=lambda one: one.policy.version)):
            self.highest = max(current, default=0)

    def _rank(self, one: SignedPolicy) -> tuple[bool, int]:
        return self._is_of_these_keys(one), one.policy.version

    def _is_of_these_keys(self, one: SignedPolicy) -> bool:
        """Return whether a policy is signed by a key of the set in force."""
        return self.keyset is not None and keyset.key_of(self.keyset, one.kid) is not None

    def _is_held(self, part: str, data: bytes) -> bool:
        try:
            return any(self._read(name) == data for _version, name in self._files(part))
        except OSError:
            self.counters["disk-errors"] += 1
            return False

    def _keep(self, name: str, data: bytes) -> bool:
        """Write a file to the disk before it counts: a restart must not go back to an older one."""
        try:
            if name in self._folder.disk.list():
                self._folder.disk.delete(name)  # a torn file of an earlier try
            self._folder.save(name, data)
        except OSError:
            self.counters["disk-errors"] += 1
            return False
        return True

    def _load(self) -> None:
        """Load all files, names first: a file that cannot be read bars older versions all the same."""
        try:
            keysets, policies = self._files("keyset"), self._files("policy")
        except OSError:
            self.counters["disk-errors"] += 1
            return
        for version, name in keysets:
            self._highest_keyset = max(self._highest_keyset, version)
            self._load_keyset(version, self._try_read(name))
        for version, name in policies:
            self._load_policy(version, self._try_read(name))
        self._held.sort(key=self._rank)
        of_these = [one.policy.version for one in self._held if self._is_of_these_keys(one)]
        self.highest = max([*of_these, *self._damaged], default=self.newest_version)

    def _load_keyset(self, version: int, data: bytes) -> None:
        if self.keyset is None or version <= self.keyset.version:
            return  # a later set has been installed by hand
        opened, _faults = keyset.open_keyset(data, self.keyset, self._verify)
        if opened is None:
            self.counters["damaged-files"] += 1
        else:
            self.keyset = opened
            self._keysets.append(opened)

    def _load_policy(self, version: int, data: bytes) -> None:
        # The key that signed it may have been replaced since: the policy was good then, and is the one in force.
        for keys in reversed(self._keysets):
            policy, kid, _faults = keyset.open_policy(data, keys, self._verify)
            if policy is not None:
                self._held.append(SignedPolicy(policy, kid, data))
                return
        if self._keysets:
            self.counters["damaged-files"] += 1
            self._damaged.add(version)

    def _try_read(self, name: str) -> bytes:
        """Return the file's bytes; none on an OSError, so that the file counts as damaged."""
        try:
            return self._read(name)
        except OSError:
            self.counters["disk-errors"] += 1
            return b""

    def _read(self, name: str) -> bytes:
        return self._folder.read(name, command.BUNDLE_BYTES_MAX)

    def _files(self, part: str) -> list[tuple[int, str]]:
        return list(numbered(self._folder.disk, part, 10))

    def _forget_old(self) -> None:
        held = {f"policy-{one.policy.version:010}" for one in self._held}
        try:
            for _version, name in self._files("policy")[: -limits.POLICY_FILES_MAX]:
                if name not in held:
                    self._folder.disk.delete(name)
        except OSError:
            self.counters["disk-errors"] += 1


def _refused(part: str, faults: tuple[Fault, ...]) -> PolicyVerdict:
    """Return a verdict with the word of the first fault, and with all faults as text for a log."""
    first = faults[0].path
    why = first if first in keyset.WORDS else CONTENT
    return PolicyVerdict(part, why, None, "; ".join(f"{fault.path}: {fault.problem}" for fault in faults)[:400])
