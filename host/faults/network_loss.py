"""NETWORK_LOSS: a share of the packets to the peers is lost, by netem or, on a kernel without it, by netfilter."""

from __future__ import annotations

from faults import Counting, Effect, Fault, FaultRecord, Pipes
from linux import addresses, flapping, netem, packet_loss, passage
from linux.packet_loss import Loss
from refused import Refused

#: Why netem is not asked: sets can be filled and emptied, and end by themselves; a queue cannot.
FLAPS = "the loss comes and goes (flap)"


def netem_options(record: FaultRecord) -> list[str]:
    return ["loss", "random", f"{record.values['packetLossPct']}%", f"{record.values['correlationPct']}%"]


def loss_of(record: FaultRecord) -> Loss:
    percent, flaps = int(record.values["packetLossPct"]), flapping.is_asked_for(record)
    return Loss(percent, "out", passages=passage.of_record(record), flaps=flaps)


def is_by_netem(record: FaultRecord) -> bool:
    return why_not_netem(record) is None


def why_not_netem(record: FaultRecord) -> str | None:
    return FLAPS if flapping.is_asked_for(record) else netem.missing(record, netem_options(record))


class NetworkLoss(Fault):
    tools = ("tc",)
    is_marked = True
    reappears = True
    can_be_fenced = True

    def uses_packet_filter(self, record: FaultRecord) -> bool:
        return not is_by_netem(record)

    def prepare(self, record: FaultRecord) -> list[str]:
        flapping.require(record)
        problem = why_not_netem(record)
        if not problem:
            record.facts["interfaces"] = netem.interfaces_to(record.peers)
            return [f"delete our queueing discipline on {', '.join(record.facts['interfaces'])}"]
        if record.values["correlationPct"] != "0":
            raise Refused(f"correlationPct: must be 0 where packets are lost through netfilter: {problem}")
        addresses.require_families(record.families, record.peers)
        why = FLAPS if problem == FLAPS else "this kernel has no netem"
        record.notes.append(f"packets are lost through netfilter: {why}")
        return [f"remove the chains that carry the comment holdfast:{record.fault_id}"]

    def apply(self, record: FaultRecord, pipes: Pipes, seconds: int) -> None:
        if is_by_netem(record):
            netem.install(record, record.facts["interfaces"], netem_options(record), passage.of_record(record))
        else:
            packet_loss.apply(record, loss_of(record), seconds)
            flapping.start(record, pipes, loss_of(record))

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
        return flapping.effect(record)

    def touched(self, record: FaultRecord) -> list[str]:
        return [*netem.touched(record.facts.get("interfaces", [])), *packet_loss.sets_of(record)]

    def workers(self, record: FaultRecord) -> int:
        return flapping.workers(record)


FAULT = NetworkLoss()
