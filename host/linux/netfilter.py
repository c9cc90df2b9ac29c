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
#: Containers with a network of their own are forwarded. Ours come first, but for what holds packets on their way out:
#: those go on behind the whole table, so the rules of others have to come before.
HOOKS = {"i": "-I INPUT 1", "o": "-I OUTPUT 1", "f": "-I FORWARD 1", "p": "-A POSTROUTING"}
#: Of the chains that hold packets, in a table of their own: it has no rule of a firewall that could be passed over.
QUEUE_PREFIX = "hfq"
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


def table_of(prefix: str) -> str:
    return "mangle" if prefix == QUEUE_PREFIX else "filter"


def save(family: str, table: str = "filter", counts: bool = False) -> list[str]:
    """Raises OSError when it cannot be read: what was not seen is not gone."""
    words = [f"{COMMANDS[family]}-save", *(["-c"] if counts else [])]
    if table == "filter":
        return command.run([*words, "-t", table]).splitlines()
    # One that the host never had cannot be asked for by name.
    _, _, rest = f"\n{command.run(words)}".partition(f"\n*{table}\n")
    return rest.partition("\nCOMMIT")[0].splitlines()


def restore(family: str, lines: list[str], table: str = "filter") -> None:
    words = [f"{COMMANDS[family]}-restore", "--noflush", "-w", str(WAIT_SECONDS)]
    command.run(words, "\n".join([f"*{table}", *lines, "COMMIT", ""]))


def chain_of(prefix: str, digest: str) -> str:
    """At most 28 characters, whatever the fault is called."""
    return f"{prefix}-{digest}"


def install(record: FaultRecord, prefix: str, rules_of: Callable[[str], Rules]) -> None:
    """In every family that has a rule that does more than to let pass: the chains, each hooked. Idempotent."""
    chain, table = chain_of(prefix, record.digest), table_of(prefix)
    for family in record.families:
        rules = {hook: each for hook, each in rules_of(family).items() if each}
        if all(rule.endswith("-j RETURN") for each in rules.values() for rule in each):
            continue
        lines = unhook(save(family, table), chain)
        lines += [f":{chain}-{hook} - [0:0]" for hook in rules]
        lines += [f"-A {chain}-{hook} {rule}" for hook, each in rules.items() for rule in each]
        comment = f"-m comment --comment holdfast:{record.fault_id}"
        lines += [f"{HOOKS[hook]} {comment} -j {chain}-{hook}" for hook in rules]
        restore(family, lines, table)


def unhook(saved: list[str], chain: str) -> list[str]:
    """What takes the jumps to the chains away, and only these."""
    jump = re.compile(rf"-A (?!{chain}-[iofp] ).* -j {chain}-[iofp]$")
    return [f"-D{line[2:]}" for line in saved if jump.match(line)]


def removal(saved: list[str], chain: str) -> list[str]:
    """What takes away all that is there of the chains."""
    there = re.compile(rf":({chain}-[iofp]) ")
    chains = [found.group(1) for found in map(there.match, saved) if found]
    return [*unhook(saved, chain), *(f"-F {each}" for each in chains), *(f"-X {each}" for each in chains)]


def remove(record: FaultRecord, prefix: str) -> None:
    """From every family, also from the others when one fails. Idempotent. Raises OSError."""
    failures, table = list[str](), table_of(prefix)
    for family in record.families:
        try:
            lines = removal(save(family, table), chain_of(prefix, record.digest))
            if lines:
                restore(family, lines, table)
        except OSError as error:
            failures.append(str(error))
    if failures:
        raise OSError("; ".join(failures))


def is_there(record: FaultRecord, prefix: str) -> bool:
    """Is anything of the chains there, in any family? Raises OSError when one cannot be read."""
    chain = chain_of(prefix, record.digest)
    return any(removal(save(family, table_of(prefix)), chain) for family in record.families)


def packets(record: FaultRecord, prefix: str) -> int:
    """How many packets met the rules that only count, which have no target. Costs a command or two."""
    ours = re.compile(rf"\[(\d+):\d+\] -A {chain_of(prefix, record.digest)}-[iofp] (?!.*-j )")
    total = 0
    for family in record.families:
        lines = save(family, table_of(prefix), counts=True)
        total += sum(int(found.group(1)) for found in map(ours.match, lines) if found)
    return total
