"""NETWORK_LATENCY: packets to the peers leave later, by netem or, on a kernel without it, by a worker of ours."""

from __future__ import annotations

from bounds import WORKER_HELD_BYTES, WORKER_PACKETS_PER_SECOND
from faults import Counting, Effect, Fault, FaultRecord, Pipes
from linux import addresses, netem, packet_delay, passage, worker_processes
from refused import Refused

WORKER = "delay_packets"
RATE_SECONDS = 0.5


def netem_options(record: FaultRecord) -> list[str]:
    values = record.values
    varying = [f"{values['jitterMs']}ms", f"{values['correlationPct']}%"] if values["jitterMs"] != "0" else []
    return ["delay", f"{values['latencyMs']}ms", *varying]


def is_by_worker(record: FaultRecord) -> bool:
    """Raises Refused where neither way is open."""
    problem = netem.missing(record, netem_options(record))
    if problem and record.values["delayWorker"] != "yes":
        raise Refused(
            f"NETWORK_LATENCY needs netem here, a worker in its place is for clusters of tier staging: {problem}"
        )
    return bool(problem)


class NetworkLatency(Fault):
    tools = ("tc",)
    is_marked = True
    reappears = True
    can_be_fenced = True

    def uses_packet_filter(self, record: FaultRecord) -> bool:
        return is_by_worker(record)

    def prepare(self, record: FaultRecord) -> list[str]:
        if is_by_worker(record):
            return self.prepare_worker(record)
        record.facts["interfaces"] = netem.interfaces_to(record.peers)
        return [f"delete our queueing discipline on {', '.join(record.facts['interfaces'])}"]

    def prepare_worker(self, record: FaultRecord) -> list[str]:
        values, latency_ms = record.values, int(record.values["latencyMs"])
        no_netem = netem.missing(record, netem_options(record))
        if values["correlationPct"] != "0":
            raise Refused(f"correlationPct: must be 0 where a worker delays packets: {no_netem}")
        addresses.require_families(record.families, record.peers)
        problem = packet_delay.problem(record)
        if problem:
            raise Refused(
                "NETWORK_LATENCY needs netem, or NFQUEUE (xt_NFQUEUE and nfnetlink_queue, on some systems in the"
                f" package kernel-modules-extra or linux-modules-extra): {problem[:200]}; {no_netem}"
            )
        taken = packet_delay.holder(record)
        if taken:
            raise Refused(f"faultId: {taken}; another id has another queue")
        from linux import packet_rate  # noqa: PLC0415 the program that only rolls back does without

        try:
            rate = packet_rate.to(record.peers, netem.leading_to(record.peers), RATE_SECONDS)
        except OSError as error:
            raise Refused(f"how many packets go to the peers cannot be seen: {error}") from None
        held = round(rate.bytes_per_second * latency_ms / 1000)
        if rate.packets_per_second > WORKER_PACKETS_PER_SECOND:
            raise Refused(
                f"peerAddresses: {rate.packets_per_second:.0f} packets a second go to the peers, a worker can hold"
                f" {WORKER_PACKETS_PER_SECOND} a second; {no_netem}"
            )
        if held > WORKER_HELD_BYTES:
            raise Refused(
                f"latencyMs: {held} bytes go to the peers in {latency_ms} ms, a worker can hold {WORKER_HELD_BYTES};"
                f" {no_netem}"
            )
        record.notes.append(
            f"a worker delays the packets: no netem here; {rate.packets_per_second:.0f} a second before, at most"
            f" {WORKER_PACKETS_PER_SECOND}"
        )
        return [f"end the worker and remove the chains that carry the comment holdfast:{record.fault_id}"]

    def apply(self, record: FaultRecord, pipes: Pipes, seconds: int) -> None:
        values = record.values
        if not is_by_worker(record):
            netem.install(record, record.facts["interfaces"], netem_options(record), passage.of_record(record))
            return
        words = [str(packet_delay.queue_of(record)), values["latencyMs"], values["jitterMs"], str(WORKER_HELD_BYTES)]
        worker_processes.start(record, pipes, WORKER, [*words, packet_delay.report_of(record)])
        packet_delay.apply(record, seconds)

    def refresh(self, record: FaultRecord, seconds: int) -> None:
        if is_by_worker(record):
            packet_delay.refresh(record, seconds)

    def revert(self, record: FaultRecord) -> None:
        """Looks for both: without a record nobody knows which one it was."""
        problems: list[str] = []
        for revert in (netem.revert, packet_delay.revert):
            try:
                revert(record)
            except OSError as error:
                problems.append(str(error))
        if problems:
            raise OSError("; ".join(problems))

    def status(self, record: FaultRecord) -> bool:
        return netem.is_there(record) or packet_delay.is_there(record)

    def observe(self, record: FaultRecord, provokes: bool) -> Effect:
        if provokes:
            passage.send_through(record, record.node_port)
        if is_by_worker(record):
            return packet_delay.effect(record, int(record.values["latencyMs"]))
        return Effect("packets through the fault", "packets", netem.counts(record).packets, Counting.TOTAL)

    def touched(self, record: FaultRecord) -> list[str]:
        return [*netem.touched(record.facts.get("interfaces", [])), *packet_delay.touched(record)]

    def workers(self, record: FaultRecord) -> int:
        return 1 if is_by_worker(record) else 0


FAULT = NetworkLatency()
