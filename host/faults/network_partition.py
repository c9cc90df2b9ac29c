"""NETWORK_PARTITION: the host, with what it forwards for containers, and its peers no longer hear each other."""

from __future__ import annotations

from faults import Effect, Fault, FaultRecord, Pipes
from linux import addresses, engine_process, flapping, packet_loss, passage
from linux.packet_loss import Loss
from refused import Refused


def ports_of(record: FaultRecord) -> list[int]:
    return [int(port) for port in filter(None, record.values["ports"].split(","))]


def client_ports(record: FaultRecord) -> list[int]:
    """The store's ports that clients are kept from."""
    if record.values["scope"] != "isolate":
        return []
    wanted = ports_of(record)
    ports = [int(port) for port in record.values["storePorts"].split(",")]
    return [port for port in ports if not wanted or port in wanted]


def loss_of(record: FaultRecord) -> Loss:
    percent, direction = int(record.values["packetLossPct"]), record.values["direction"]
    passages, flaps = passage.of_record(record), flapping.is_asked_for(record)
    return Loss(percent, direction, ports_of(record), client_ports(record), passages, flaps)


class NetworkPartition(Fault):
    is_marked = True
    reappears = True
    can_be_fenced = True

    def uses_packet_filter(self, record: FaultRecord) -> bool:
        return True

    def prepare(self, record: FaultRecord) -> list[str]:
        flapping.require(record)
        addresses.require_families(record.families, record.peers)
        if record.values["scope"] == "isolate":
            if not client_ports(record):
                raise Refused(
                    "ports: scope=isolate keeps clients from the store, so one of storePorts has to be among them; or"
                    " use scope=peers"
                )
            addresses.require_families(record.families, addresses.reachable_v6(addresses.own()))
            engine_process.require_own_port(record, "scope=isolate (scope=peers is possible)")
        return [f"remove the chains that carry the comment holdfast:{record.fault_id}"]

    def apply(self, record: FaultRecord, pipes: Pipes, seconds: int) -> None:
        packet_loss.apply(record, loss_of(record), seconds)
        flapping.start(record, pipes, loss_of(record))

    def refresh(self, record: FaultRecord, seconds: int) -> None:
        packet_loss.refresh(record, loss_of(record), seconds)

    def revert(self, record: FaultRecord) -> None:
        packet_loss.revert(record)

    def status(self, record: FaultRecord) -> bool:
        return packet_loss.is_there(record)

    def observe(self, record: FaultRecord, provokes: bool) -> Effect:
        if provokes:
            passage.send_through(record, (ports_of(record) or [record.node_port])[0])
        return flapping.effect(record)

    def touched(self, record: FaultRecord) -> list[str]:
        return packet_loss.sets_of(record)

    def workers(self, record: FaultRecord) -> int:
        return flapping.workers(record)


FAULT = NetworkPartition()
