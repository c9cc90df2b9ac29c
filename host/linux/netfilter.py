"""Own chains in the packet filter. A chain is named after the fault, its jump carries the comment
`holdfast:<faultId>`: so they can be found and removed when everything else is lost.

Each family is changed by ONE `iptables-restore --noflush` transaction: all of it or nothing, in milliseconds, and
rules of others are never read back or rewritten."""

from __future__ import annotations

import re
from collections.abc import Callable

from linux import command
from linux.addresses import family_of
from record import FaultRecord

TOOLS = ("iptables", "iptables-save", "iptables-restore")
#: How long to wait for the lock of xtables.
WAIT_SECONDS = 2
#: Containers with a network of their own are forwarded.
HOOKS = {"i": "INPUT", "o": "OUTPUT", "f": "FORWARD"}
COMMANDS = {"4": "iptables", "6": "ip6tables"}

#: {i, o or f: what follows `-A CHAIN `}
Rules = dict[str, list[str]]


def usable(save: str) -> bool:
    try:
        return command.attempt([save, "-t", "filter"]).code == 0
    except OSError:
        return False


def families() -> list[str]:
    """The address families whose packet filter works on this host: in these a fault and its fence are installed,
    removed and looked for, and in no other."""
    return [name for name, tool in COMMANDS.items() if command.exists(f"{tool}-restore") and usable(f"{tool}-save")]


def in_family(family: str, addresses: list[str]) -> list[str]:
    return [address for address in addresses if family_of(address) == family]


def save(family: str) -> list[str]:
    """Raises OSError when it cannot be read: what was not seen is not gone."""
    return command.run([f"{COMMANDS[family]}-save", "-t", "filter"]).splitlines()


def restore(family: str, lines: list[str]) -> None:
    words = [f"{COMMANDS[family]}-restore", "--noflush", "-w", str(WAIT_SECONDS)]
    command.run(words, "\n".join(["*filter", *lines, "COMMIT", ""]))


def chain_of(prefix: str, digest: str) -> str:
    """At most 28 characters, whatever the fault is called."""
    return f"{prefix}-{digest}"


def install(record: FaultRecord, prefix: str, rules_of: Callable[[str], Rules]) -> None:
    """In every family that has a rule that drops: the chains, each hooked in first place. Idempotent."""
    chain = chain_of(prefix, record.digest)
    for family in record.families:
        rules = {hook: each for hook, each in rules_of(family).items() if each}
        if not any(rule.endswith("-j DROP") for each in rules.values() for rule in each):
            continue
        lines = unhook(save(family), chain)
        lines += [f":{chain}-{hook} - [0:0]" for hook in rules]
        lines += [f"-A {chain}-{hook} {rule}" for hook, each in rules.items() for rule in each]
        comment = f"-m comment --comment holdfast:{record.fault_id}"
        lines += [f"-I {HOOKS[hook]} 1 {comment} -j {chain}-{hook}" for hook in rules]
        restore(family, lines)


def unhook(saved: list[str], chain: str) -> list[str]:
    """What takes the jumps to the chains away, and only these."""
    jump = re.compile(rf"-A (?!{chain}-[iof] ).* -j {chain}-[iof]$")
    return [f"-D{line[2:]}" for line in saved if jump.match(line)]


def removal(saved: list[str], chain: str) -> list[str]:
    """What takes away all that is there of the chains."""
    there = re.compile(rf":({chain}-[iof]) ")
    chains = [found.group(1) for found in map(there.match, saved) if found]
    return [*unhook(saved, chain), *(f"-F {each}" for each in chains), *(f"-X {each}" for each in chains)]


def remove(record: FaultRecord, prefix: str) -> None:
    """From every family, also from the others when one fails. Idempotent. Raises OSError."""
    failures: list[str] = []
    for family in record.families:
        try:
            lines = removal(save(family), chain_of(prefix, record.digest))
            if lines:
                restore(family, lines)
        except OSError as error:
            failures.append(str(error))
    if failures:
        raise OSError("; ".join(failures))


def is_there(record: FaultRecord, prefix: str) -> bool:
    """Is anything of the chains there, in any family? Raises OSError when one cannot be read."""
    chain = chain_of(prefix, record.digest)
    return any(removal(save(family), chain) for family in record.families)


def packets(record: FaultRecord, prefix: str) -> int:
    """How many packets met the rules that only count, which have no target. Costs a command or two."""
    ours = re.compile(rf"\[(\d+):\d+\] -A {chain_of(prefix, record.digest)}-[iof] (?!.*-j )")
    total = 0
    for family in record.families:
        lines = command.run([f"{COMMANDS[family]}-save", "-c", "-t", "filter"]).splitlines()
        total += sum(int(found.group(1)) for found in map(ours.match, lines) if found)
    return total
