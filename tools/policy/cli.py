"""Writes a commune's lighting policy as TOML, checks it, shows it night by night, signs it.

  bocage policy sample > feneu.toml                      a whole policy with comments, to start from
  bocage policy check feneu.toml                         every fault, with its line and what to write instead
  bocage policy night feneu.toml --date 2027-07-14       when each feeder is lit that night
  bocage policy keys new --commune 49135 --name Maire --out maire.key
  bocage policy keyset new --commune 49135 --member maire.pub --member adjoint.pub --member coffre.pub \\
      --out commune.keys
  bocage policy compile feneu.toml --out feneu.policy
  bocage policy sign feneu.policy --key maire.key --out feneu.signed
  bocage policy show feneu.signed --keyset commune.keys

Exit status: 0 done, 1 a fault in a file or a refusal, 2 a fault in the arguments.
"""

COMMANDS = {
    "sample": "tools.policy.commands.sample",
    "check": "tools.policy.commands.check",
    "night": "tools.policy.commands.night",
    "compile": "tools.policy.commands.compile",
    "sign": "tools.policy.commands.sign",
    "show": "tools.policy.commands.show",
    "keys new": "tools.policy.commands.keys_new",
    "keyset new": "tools.policy.commands.keyset_new",
    "keyset change": "tools.policy.commands.keyset_change",
}
