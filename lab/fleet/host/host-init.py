"""First process of one lab host: the part of an EC2 instance that systemd and cloud-init play.

Usage: host-init.py CONFIG.json   (written by lab/fleet/hosts.ts; runs as pid 1 of fresh mount, pid and uts namespaces)

It gives the host its own /run, /tmp and data directory, starts the units and the agent, reaps, and answers systemctl.py
on a unix socket. Units are never restarted by themselves: a killed store stays dead until somebody starts it.
A second socket, outside the host's namespaces, takes power commands.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import TypedDict

SYSTEMCTL_SOCKET = "/run/lab-systemctl.sock"
#: How far the host's clock is from the machine's, see clock.c: nanoseconds, eight bytes.
CLOCK_OFFSET = "/run/lab/clock-offset"
READY_TIMEOUT_SECONDS = 10
AGENT_RESTART_SECONDS = 2


class UnitProgram(TypedDict):
    argv: list[str]


class UnitConfig(UnitProgram, total=False):
    user: str
    readyPort: int
    niceness: int
    restart: bool
    environment: dict[str, str]


class HostFileText(TypedDict):
    path: str
    owner: str
    mode: int
    content: str


class HostFile(HostFileText, total=False):
    encoding: str


class DataVolume(TypedDict):
    mebibytes: int
    owner: str


class HostProperties(TypedDict, total=False):
    preloaded: str


class HostConfig(HostProperties):
    name: str
    programDirectory: str
    logDirectory: str
    caFile: str
    powerSocket: str
    units: dict[str, UnitConfig]
    isOff: bool
    startAtBoot: list[str]
    programs: dict[str, str]
    files: list[HostFile]
    dataDirectories: dict[str, str]
    dataVolumes: dict[str, DataVolume]
    volumeFile: str
    path: str
    stopTimeoutSeconds: float


class Unit:
    """One process that is started, watched and stopped. `state` uses systemd's words: inactive, active, failed."""

    def __init__(self, name: str, config: UnitConfig, log_directory: str, hostname: str) -> None:
        self.name = name
        self.argv = config["argv"]
        self.user = config.get("user", "root")
        self.ready_port = config.get("readyPort")
        self.niceness = config.get("niceness")
        self.restart = config.get("restart", False)
        self.environment = config.get("environment", {})
        self.log_path = f"{log_directory}/{hostname}-{name}.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.state = "inactive"
        self.stopping = False

    def spawn(self) -> None:
        account = pwd.getpwnam(self.user)
        environment = {"HOME": account.pw_dir, "LANG": "C.UTF-8", "PATH": os.environ["PATH"], **self.environment}
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.argv,
                cwd="/",
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=account.pw_uid,
                group=account.pw_gid,
                extra_groups=[],
                start_new_session=True,
            )
        self.state = "active"
        self.stopping = False
        if self.niceness is not None:
            yield_to_others(self.process.pid, self.niceness)

    def main_pid(self) -> int:
        return self.process.pid if self.process and self.state == "active" else 0


def yield_to_others(pid: int, niceness: int) -> None:
    """Of a process that has just started a session. Where the kernel has autogroups (sched(7)), a process yields within
    its session alone, and each session is worth as much as any other: so the session has to yield too."""
    try:
        # Of all threads there are: it leads a group of its own.
        os.setpriority(os.PRIO_PGRP, pid, niceness)
        with open(f"/proc/{pid}/autogroup", "w", encoding="ascii") as file:
            file.write(str(niceness))
    except (FileNotFoundError, ProcessLookupError):
        # A kernel without autogroups, or a program that has ended already.
        pass
    except OSError as error:
        print(f"process {pid} does not yield: {error}", file=sys.stderr, flush=True)


class ServiceManager:
    def __init__(self, units: dict[str, Unit], stop_timeout_seconds: float) -> None:
        self.units = units
        self.stop_timeout_seconds = stop_timeout_seconds
        self.changed = threading.Condition()
        self.powered = True

    def start(self, unit: Unit) -> None:
        """Starts `unit` if it is not active; like Type=notify, returns when it serves. @raises RuntimeError if not."""
        with self.changed:
            if not self.powered:
                raise RuntimeError("the host is stopped")
            if unit.state != "active":
                unit.spawn()
        deadline = time.monotonic() + READY_TIMEOUT_SECONDS
        while unit.ready_port is not None:
            try:
                socket.create_connection(("127.0.0.1", unit.ready_port), timeout=0.5).close()
                return
            except OSError as error:
                if unit.state != "active" or time.monotonic() > deadline:
                    raise RuntimeError(
                        f"{unit.name} does not serve on port {unit.ready_port}: {error}; "
                        f"state {unit.state}, log {unit.log_path}"
                    ) from error
                time.sleep(0.02)

    def stop(self, unit: Unit) -> None:
        """SIGTERM (and SIGCONT, as systemd does, so that a paused process can obey), then SIGKILL."""
        with self.changed:
            if unit.state != "active" or unit.process is None:
                unit.state = "inactive"
                return
            unit.stopping = True
            pid = unit.process.pid
            os.kill(pid, signal.SIGTERM)
            os.kill(pid, signal.SIGCONT)
            if not self.changed.wait_for(lambda: unit.state != "active", self.stop_timeout_seconds):
                os.kill(pid, signal.SIGKILL)
                self.changed.wait_for(lambda: unit.state != "active")

    def reap(self) -> None:
        # Under the lock: a child that dies at once must not be reaped before spawn() has noted its pid.
        with self.changed:
            while True:
                try:
                    pid, status = os.waitpid(-1, os.WNOHANG)
                except ChildProcessError:
                    return
                if pid == 0:
                    return
                for unit in self.units.values():
                    process = unit.process
                    if process is not None and process.pid == pid and process.returncode is None:
                        process.returncode = os.waitstatus_to_exitcode(status)
                        self.ended(unit, process.returncode)

    def ended(self, unit: Unit, code: int) -> None:
        clean = unit.stopping or code == 0
        unit.state = "inactive" if clean else "failed"
        self.changed.notify_all()
        if unit.restart and self.powered:
            timer = threading.Timer(AGENT_RESTART_SECONDS, self.restart, [unit])
            timer.daemon = True
            timer.start()

    def restart(self, unit: Unit) -> None:
        with self.changed:
            if self.powered and unit.state != "active":
                unit.spawn()

    def power_off(self) -> None:
        """Like stopping a machine: stops the units, kills the rest, drops the kernel's state."""
        with self.changed:
            self.powered = False
        for unit in self.units.values():
            if not unit.restart:
                self.stop(unit)
        with contextlib.suppress(ProcessLookupError):  # there may be none
            os.kill(-1, signal.SIGKILL)  # from the first process: every other one of the host
        with self.changed:
            self.changed.wait_for(lambda: all(unit.state != "active" for unit in self.units.values()))
        forget_runtime_state()

    def power_on(self) -> None:
        set_links("up")
        with self.changed:
            self.powered = True
            for unit in self.units.values():
                if unit.state != "active":
                    unit.spawn()

    def answer(self, verb: str, name: str, wanted: str | None = None) -> tuple[int, str, str]:
        """One systemctl request as (exit code, stdout, stderr)."""
        unit = self.units.get(name.removesuffix(".service"))
        if unit is None or unit.restart:
            code = 4 if verb in ("is-active", "show") else 5
            return code, "inactive\n" if verb == "is-active" else "", f"Unit {name} could not be found.\n"
        if verb == "show":
            # Only the agent restarts, and it is not shown as a unit.
            state = "deactivating" if unit.stopping and unit.state == "active" else unit.state
            shown = {"MainPID": unit.main_pid(), "Restart": "no", "ActiveState": state}
            return 0, f"{shown[wanted or '']}\n", ""
        if verb == "is-active":
            return (0 if unit.state == "active" else 3), f"{unit.state}\n", ""
        if verb in ("stop", "restart"):
            self.stop(unit)
        if verb in ("start", "restart"):
            self.start(unit)
        return 0, "", ""

    def serve(self, connection: socket.socket) -> None:
        with connection:
            request = json.loads(connection.makefile("r").readline())
            try:
                code, out, err = self.answer(request["verb"], request["unit"], request["property"])
            except (RuntimeError, OSError) as error:
                code, out, err = 1, "", f"{error}\n"
            connection.sendall(json.dumps({"code": code, "out": out, "err": err}).encode() + b"\n")


def links() -> list[str]:
    shown = subprocess.run(["ip", "-j", "link", "show"], check=True, stdout=subprocess.PIPE).stdout
    return [link["ifname"] for link in json.loads(shown) if "LOOPBACK" not in link["flags"]]


def set_links(state: str) -> None:
    for link in links():
        subprocess.run(["ip", "link", "set", "dev", link, state], check=True)


def forget_runtime_state() -> None:
    """Drops what does not survive a power-off: packet filters, queueing disciplines, /run and /tmp, the links."""
    for command in ("iptables", "ip6tables"):
        for table in ("filter", "nat", "mangle", "raw"):
            for flag in ("-F", "-X"):
                subprocess.run([command, "-w", "5", "-t", table, flag], check=False, stderr=subprocess.DEVNULL)
        for chain in ("INPUT", "FORWARD", "OUTPUT"):
            subprocess.run([command, "-w", "5", "-P", chain, "ACCEPT"], check=False, stderr=subprocess.DEVNULL)
    for link in links():
        subprocess.run(["tc", "qdisc", "del", "dev", link, "root"], check=False, stderr=subprocess.DEVNULL)
    set_links("down")
    if os.path.exists(CLOCK_OFFSET):
        set_clock_right()
    for directory, kept in (("/run", ("lab", os.path.basename(SYSTEMCTL_SOCKET))), ("/tmp", ())):
        for entry in os.scandir(directory):
            if entry.name in kept:
                continue
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                os.unlink(entry.path)


def listen(path: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    os.chmod(path, 0o600)
    listener.listen(16)
    return listener


def press_power(services: ServiceManager, connection: socket.socket) -> None:
    with connection:
        verb = connection.makefile("r").readline().strip()
        try:
            {"stop": services.power_off, "start": services.power_on}[verb]()
            connection.sendall(b"ok\n")
        except (KeyError, OSError, subprocess.CalledProcessError) as error:
            connection.sendall(f"{error!r}\n".encode())


def accept(listener: socket.socket, answer: Callable[[socket.socket], None]) -> None:
    def loop() -> None:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=answer, args=[connection], daemon=True).start()

    threading.Thread(target=loop, daemon=True).start()


def mount(*arguments: str) -> None:
    # -n: the host's /run, where mount keeps its table, is what is being replaced.
    subprocess.run(["mount", "-n", *arguments], check=True)


def private_directories(config: HostConfig) -> None:
    """The host's own /run, /tmp and data. What it needs of the checkout is bound in first: that may lie below /tmp."""
    # `ip netns exec` came with a sysfs of its own, without the control groups, which all hosts share with the machine.
    mount("--rbind", "/run/cgroup", "/sys/fs/cgroup")
    staging = "/run/lab-staging"
    mount("-t", "tmpfs", "-o", "mode=755,size=64m", "lab-run", staging)
    os.makedirs(f"{staging}/lab/bin")
    bound = {"program": config["programDirectory"], "log": config["logDirectory"], **config["programs"]}
    for name, source in bound.items():
        os.mkdir(f"{staging}/lab/{name}")
        mount("--bind", source, f"{staging}/lab/{name}")
    with open(config["caFile"], "rb") as source, open(f"{staging}/lab/ca.pem", "wb") as target:
        target.write(source.read())
    mount("--move", staging, "/run")
    for directory, volume in config["dataVolumes"].items():
        mount_volume(directory, volume, config["volumeFile"])
    mount("-t", "tmpfs", "-o", "mode=1777,size=256m", "lab-tmp", "/tmp")
    for directory, options in config["dataDirectories"].items():
        mount("-t", "tmpfs", "-o", options, "lab-data", directory)
    if "preloaded" in config:
        give_clock(config["preloaded"])
    os.symlink("/run/lab/program/systemctl.py", "/run/lab/bin/systemctl")
    if os.path.exists("/usr/bin/systemctl"):
        mount("--bind", "/run/lab/program/systemctl.py", "/usr/bin/systemctl")


def give_clock(library: str) -> None:
    """A clock that can be set: in every process of the host that starts from now on."""
    set_clock_right()
    preload = "/run/lab/ld.so.preload"
    with open(preload, "w", encoding="utf-8") as file:
        file.write(f"{library}\n")
    mount("--bind", preload, "/etc/ld.so.preload")


def set_clock_right() -> None:
    # In place: processes have the file mapped.
    descriptor = os.open(CLOCK_OFFSET, os.O_WRONLY | os.O_CREAT, 0o644)
    with os.fdopen(descriptor, "wb") as file:
        file.write(bytes(8))


def mount_volume(directory: str, volume: DataVolume, image: str) -> None:
    """A loop device that nothing can outlive: its file has no name from here on, and the kernel frees the device with
    the last mount of it."""
    make_directory(directory)
    with open(image, "wb") as file:
        file.truncate(volume["mebibytes"] << 20)
    try:
        subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", image], check=True)
        mount("-o", "loop", image, directory)
    finally:
        os.unlink(image)
    account = pwd.getpwnam(volume["owner"])
    os.chown(directory, account.pw_uid, account.pw_gid)
    os.chmod(directory, 0o750)


def make_directory(directory: str) -> None:
    """A mount point that the machine does not have: on a layer that only this host sees."""
    if os.path.isdir(directory):
        return
    parent = os.path.dirname(directory)
    upper, work = (f"/run/lab/layers{parent}/{part}" for part in ("upper", "work"))
    for part in (upper, work):
        os.makedirs(part)
    mount("-t", "overlay", "-o", f"lowerdir={parent},upperdir={upper},workdir={work}", "lab-layer", parent)
    os.mkdir(directory)


def write_files(files: list[HostFile]) -> None:
    for file in files:
        account = pwd.getpwnam(file["owner"])
        make_owned(os.path.dirname(file["path"]), account)
        content = file["content"].encode()
        descriptor = os.open(file["path"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, file["mode"])
        with os.fdopen(descriptor, "wb") as target:
            os.fchown(descriptor, account.pw_uid, account.pw_gid)
            target.write(base64.b64decode(content) if file.get("encoding") == "base64" else content)


def make_owned(directory: str, account: pwd.struct_passwd) -> None:
    """Makes what is missing of a path, each directory its owner's."""
    if os.path.isdir(directory):
        return
    make_owned(os.path.dirname(directory), account)
    os.mkdir(directory, 0o750)
    os.chown(directory, account.pw_uid, account.pw_gid)


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        config: HostConfig = json.load(file)
    socket.sethostname(config["name"])
    os.chdir("/")
    # Before the host gets its own /run: power commands come from outside.
    power = listen(config["powerSocket"])
    private_directories(config)
    write_files(config["files"])
    os.environ["PATH"] = config["path"]

    units = {name: Unit(name, unit, "/run/lab/log", config["name"]) for name, unit in config["units"].items()}
    services = ServiceManager(units, config["stopTimeoutSeconds"])
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.signal(signal.SIGCHLD, lambda _signal, _frame: None)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)

    accept(listen(SYSTEMCTL_SOCKET), services.serve)
    accept(power, lambda connection: press_power(services, connection))
    if config["isOff"]:
        services.powered = False
        set_links("down")
    else:
        with services.changed:
            for name in config["startAtBoot"]:
                units[name].spawn()
    while True:
        services.reap()
        os.read(wake_read, 512)


main()
