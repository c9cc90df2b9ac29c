"""PROCESS_KILL: the store's process ends by a signal; its supervisor, or the way back, starts it again."""
import time

import processes
import scripts
import service_manager
import store_process
from lease import now
from parameters import Refused
from store import log

RESOURCE = "process"
PARAMETERS = {"signal": r"KILL|TERM", "restart": r"rollback|supervisor"}
BACK_SECONDS = 10
# systemd gives a unit up that is started more than five times in 10 s.
ASK_AGAIN_SECONDS = 2.5


def prepare(values, state):
    state["process"] = store_process.require(values)
    if values["restart"] == "supervisor":
        return [f"none: what supervises {values['unit']} starts it again"]
    if store_process.main_pid(values["unit"]) != state["process"][0]:
        raise Refused(f"restart: rollback needs systemctl to know the main process of {values['unit']}")
    return [f"systemctl start {values['unit']}, unless its supervisor has started it again"]


def environment(state):
    values = state["values"]
    return {
        **store_process.environment(state),
        "HOLDFAST_SIGNAL": values["signal"], "HOLDFAST_RESTART": values["restart"], "HOLDFAST_UNIT": values["unit"],
    }


def wait_back(state):
    """Why the killed process is not back, or None. One that a supervisor should have started is reported, not failed."""
    values, port = state["values"], store_process.port_of(state["values"])
    rolls_back, ask_again_at = values["restart"] == "rollback", now() + ASK_AGAIN_SECONDS
    # A process that takes its time to end listens on, and would end after we had called it started again.
    while processes.is_same(*state["process"]) or not processes.listening_inodes(port):
        # Whoever would start it: now nobody does any more, and the end of the machine must not wait for it.
        if service_manager.is_going_down():
            return None
        if now() - state["liftedAtSeconds"] > BACK_SECONDS:
            still = f"process {state['process'][0]} still runs" if processes.is_same(*state["process"]) else ""
            text = f"{still or values['unit'] + f' does not listen on {port}'} {BACK_SECONDS} s after the way back began"
            if rolls_back:
                return text
            state["reason"] = text
            return None
        if rolls_back and now() > ask_again_at:
            ask_again_at = now() + ASK_AGAIN_SECONDS
            try:
                scripts.run(scripts.fault(state), "revert", state)
            except OSError as error:
                log(str(error))
        time.sleep(0.1)
    return None
