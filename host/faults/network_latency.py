"""NETWORK_LATENCY: packets to the peers leave later."""

from __future__ import annotations

from faults import Counting, Effect, Fault, FaultRecord, Pipes
from linux import netem, passage
from refused import Refused


def netem_options(record: FaultRecord) -> list[str]:
    values = record.values
    varying = [f"{values['jitterMs']}ms", f"{values['correlationPct']}%"] if values["jitterMs"] != "0" else []
    return ["delay", f"{values['latencyMs']}ms", *varying]


class NetworkLatency(Fault):
    tools = ("tc",)
    is_marked = True
    reappears = True
    can_be_fenced = True

    def prepare(self, record: FaultRecord) -> list[str]:
        problem = netem.problem(record, netem_options(record))
        if problem:
            raise Refused(f"NETWORK_LATENCY needs netem: {problem}")
        record.facts["interfaces"] = netem.interfaces_to(record.peers)
        return [f"delete our queueing discipline on {', '.join(record.facts['interfaces'])}"]

    def apply(self, record: FaultRecord, pipes: Pipes, seconds: int) -> None:
        netem.install(record, record.facts["interfaces"], netem_options(record), passage.of_record(record))

    def revert(self, record: FaultRecord) -> None:
        netem.revert(record)

    def status(self, record: FaultRecord) -> bool:
        return netem.is_there(record)

    def observe(self, record: FaultRecord, provokes: bool) -> Effect:
        if provokes:
            passage.send_through(record, record.node_port)
        return Effect("packets through the fault", "packets", netem.counts(record).packets, Counting.TOTAL)

    def touched(self, record: FaultRecord) -> list[str]:
        return netem.touched(record.facts.get("interfaces", []))


FAULT = NetworkLatency()
