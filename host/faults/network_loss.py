"""NETWORK_LOSS: a share of the packets to the peers is lost, by netem or, on a kernel without it, by netfilter."""

from __future__ import annotations

from faults import Counting, Effect, Fault, FaultRecord, Pipes
from linux import addresses, netem, packet_loss, passage
from linux.packet_loss import Loss
from refused import Refused


def netem_options(record: FaultRecord) -> list[str]:
    return ["loss", "random", f"{record.values['packetLossPct']}%", f"{record.values['correlationPct']}%"]


def loss_of(record: FaultRecord) -> Loss:
    return Loss(int(record.values["packetLossPct"]), "out", passages=passage.of_record(record))


def is_by_netem(record: FaultRecord) -> bool:
    return netem.missing(record, netem_options(record)) is None


class NetworkLoss(Fault):
    tools = ("tc",)
    is_marked = True
    reappears = True
    can_be_fenced = True

    def uses_packet_filter(self, record: FaultRecord) -> bool:
        return not is_by_netem(record)

    def prepare(self, record: FaultRecord) -> list[str]:
        problem = netem.missing(record, netem_options(record))
        if not problem:
            record.facts["interfaces"] = netem.interfaces_to(record.peers)
            return [f"delete our queueing discipline on {', '.join(record.facts['interfaces'])}"]
        if record.values["correlationPct"] != "0":
            raise Refused(f"correlationPct: must be 0 where packets are lost through netfilter: {problem}")
        addresses.require_families(record.families, record.peers)
        record.notes.append("packets are lost through netfilter: this kernel has no netem")
        return [f"remove the chains that carry the comment holdfast:{record.fault_id}"]

    def apply(self, record: FaultRecord, pipes: Pipes, seconds: int) -> None:
        if is_by_netem(record):
            netem.install(record, record.facts["interfaces"], netem_options(record), passage.of_record(record))
        else:
            packet_loss.apply(record, loss_of(record), seconds)

    def refresh(self, record: FaultRecord, seconds: int) -> None:
        if not is_by_netem(record):
            packet_loss.refresh(record, loss_of(record), seconds)

    def revert(self, record: FaultRecord) -> None:
        """Looks for both: without a record nobody knows which one it was."""
        problems: list[str] = []
        for revert in (netem.revert, packet_loss.revert):
            try:
                revert(record)
            except OSError as error:
                problems.append(str(error))
        if problems:
            raise OSError("; ".join(problems))

    def status(self, record: FaultRecord) -> bool:
        return netem.is_there(record) or packet_loss.is_there(record)

    def observe(self, record: FaultRecord, provokes: bool) -> Effect:
        if provokes:
            passage.send_through(record, record.node_port)
        if is_by_netem(record):
            return Effect("packets through the fault", "packets", netem.counts(record).packets, Counting.TOTAL)
        return packet_loss.effect(record)

    def touched(self, record: FaultRecord) -> list[str]:
        return [*netem.touched(record.facts.get("interfaces", [])), *packet_loss.sets_of(record)]


FAULT = NetworkLoss()
