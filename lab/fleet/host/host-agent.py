#!/usr/bin/env python3
"""The lab's stand-in for what AWS puts on an EC2 instance: the Systems Manager agent and the metadata service.

It polls the endpoint over the host's own network, so a fault that cuts that network cuts it too. Commands run as the
real agent runs them: a script file, a process group of their own, five at once; cancel and timeout are SIGKILL to the
group, so that no trap and no `nohup` child survives, while a `setsid` child does.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import http.server
import json
import os
import queue
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from typing import Any, Literal, TypedDict, Union

# No __pycache__ beside the program: that is the checkout. So this stands before the import (hence the noqa).
sys.dont_write_bytecode = True
from instance_metadata import RoleCredentials, metadata_handler  # noqa: E402

AGENT_VERSION = "3.3.3000.0"
COMMANDS_AT_ONCE = 5
OUTPUT_CHARACTERS = 24_000
RECONNECT_SECONDS = 1.0
POLL_TIMEOUT_SECONDS = 40
TOKEN_VARIABLE = "HOST_AGENT_TOKEN"


class Command(TypedDict):
    commandId: str
    script: str
    environment: dict[str, str]
    executionSeconds: float


class Report(TypedDict):
    commandId: str
    status: str
    statusDetails: str
    responseCode: int
    stdout: str
    stderr: str


# Of a command: it waits, it runs, it has run.
Known = Union[Literal["waiting", "done"], "subprocess.Popen[bytes]"]


def log(message: str) -> None:
    print(f"host-agent {message}", file=sys.stderr, flush=True)


class Endpoint:
    """One kept-open TLS connection; each thread has its own."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        url = urllib.parse.urlsplit(str(options.endpoint))
        self.host, self.port = url.hostname or "", url.port or 443
        self.tls = ssl.create_default_context(cafile=options.ca)
        self.connection: http.client.HTTPSConnection | None = None

    def call(self, action: str, body: object, timeout_seconds: float) -> dict[str, Any]:
        """@raises OSError or http.client.HTTPException while the endpoint is away."""
        try:
            if self.connection is None:
                self.connection = http.client.HTTPSConnection(
                    self.host, self.port, timeout=timeout_seconds, context=self.tls
                )
            headers = {
                "authorization": f"Bearer {self.options.token}",
                "x-instance-id": self.options.instance_id,
                "content-type": "application/json",
            }
            self.connection.request("POST", f"/_lab/agent/{action}", json.dumps(body), headers)
            response = self.connection.getresponse()
            answer = response.read()
            if response.status != 200:
                raise http.client.HTTPException(f"{action}: {response.status} {answer[:200]!r}")
            return json.loads(answer)
        except (OSError, http.client.HTTPException):
            if self.connection is not None:
                self.connection.close()
            self.connection = None
            raise


class Agent:
    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.waiting: queue.Queue[Command] = queue.Queue()
        self.reports: queue.Queue[Report] = queue.Queue()
        self.lock = threading.Lock()
        self.known: dict[str, Known] = {}  # by command id, as the next one
        self.cancelled: set[str] = set()

    def run(self) -> None:
        for _ in range(COMMANDS_AT_ONCE):
            threading.Thread(target=self.work, daemon=True).start()
        threading.Thread(target=self.send_reports, daemon=True).start()
        endpoint = Endpoint(self.options)
        while True:
            with self.lock:
                have = {"known": list(self.known), "cancelled": list(self.cancelled)}
            try:
                undelivered = endpoint.call("poll", {**have, "version": AGENT_VERSION}, POLL_TIMEOUT_SECONDS)
            except (OSError, http.client.HTTPException, ValueError) as error:
                log(f"endpoint away: {error}")
                time.sleep(RECONNECT_SECONDS)
                continue
            for command in undelivered["commands"]:
                with self.lock:
                    if command["commandId"] in self.known:
                        continue
                    self.known[command["commandId"]] = "waiting"
                self.waiting.put(command)
            for command_id in undelivered["cancels"]:
                self.cancel(command_id)

    def cancel(self, command_id: str) -> None:
        with self.lock:
            self.cancelled.add(command_id)
            process = self.known.get(command_id)
            if isinstance(process, subprocess.Popen):
                kill_group(process)

    def work(self) -> None:
        while True:
            command = self.waiting.get()
            try:
                self.execute(command)
            except Exception as error:  # a dead agent would run nothing any more
                log(f"command {command['commandId']}: {error!r}")
                self.report(command["commandId"], "Failed", "Failed", -1, b"", repr(error).encode())

    def execute(self, command: Command) -> None:
        command_id = command["commandId"]
        with self.lock:
            if command_id in self.cancelled:
                self.known[command_id] = "done"
                self.report(command_id, "Cancelled", "Cancelled", -1, b"", b"")
                return
        self.report(command_id, "InProgress", "InProgress", -1, b"", b"")
        directory = tempfile.mkdtemp(prefix="ssm-", dir=self.options.work_directory)
        script = os.path.join(directory, "_script.sh")
        with open(script, "w", encoding="utf-8") as file:
            file.write(command["script"])
        os.chmod(script, 0o700)
        # Output goes to files as with the real agent, and is read when the script has ended.
        with (
            open(os.path.join(directory, "stdout"), "w+b") as out,
            open(os.path.join(directory, "stderr"), "w+b") as err,
        ):
            with self.lock:
                process = subprocess.Popen(
                    ["sh", "-c", script],
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    cwd=directory,
                    env={**self.environment(), **command["environment"]},
                    start_new_session=True,
                )
                self.known[command_id] = process
                if command_id in self.cancelled:
                    kill_group(process)
            timed_out = False
            try:
                process.wait(timeout=command["executionSeconds"])
            except subprocess.TimeoutExpired:
                timed_out = True
                kill_group(process)
                process.wait()
            with self.lock:
                self.known[command_id] = "done"
                cancelled = command_id in self.cancelled
            out.seek(0)
            err.seek(0)
            output, errors = out.read(OUTPUT_CHARACTERS * 4), err.read(OUTPUT_CHARACTERS * 4)
        code = process.returncode
        if cancelled and code < 0:
            self.report(command_id, "Cancelled", "Cancelled", 137, output, errors)
        elif timed_out:
            self.report(command_id, "TimedOut", "ExecutionTimedOut", 137, output, errors)
        else:
            status = "Success" if code == 0 else "Failed"
            self.report(command_id, status, status, code if code >= 0 else 128 - code, output, errors)

    def environment(self) -> dict[str, str]:
        """Clean, as a service's; plus what this host's /etc/environment says about the endpoint."""
        return {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
            "LANG": "C.UTF-8",
            "AWS_SSM_INSTANCE_ID": self.options.instance_id,
            "AWS_SSM_REGION_NAME": self.options.region,
            "AWS_ENDPOINT_URL": self.options.endpoint,
            "AWS_CA_BUNDLE": self.options.ca,
        }

    def report(self, command_id: str, status: str, details: str, code: int, output: bytes, errors: bytes) -> None:
        self.reports.put(
            {
                "commandId": command_id,
                "status": status,
                "statusDetails": details,
                "responseCode": code,
                "stdout": output.decode("utf-8", "replace")[:OUTPUT_CHARACTERS],
                "stderr": errors.decode("utf-8", "replace")[:OUTPUT_CHARACTERS],
            }
        )

    def send_reports(self) -> None:
        endpoint = Endpoint(self.options)
        while True:
            report = self.reports.get()
            while True:
                try:
                    endpoint.call("report", {"reports": [report]}, POLL_TIMEOUT_SECONDS)
                    break
                except (OSError, http.client.HTTPException, ValueError) as error:
                    log(f"report of {report['commandId']} waits: {error}")
                    time.sleep(RECONNECT_SECONDS)


def kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instance-id", required=True)
    parser.add_argument("--endpoint", required=True, help="https://aws.holdfast.internal")
    parser.add_argument("--ca", required=True, help="PEM file of the endpoint's certificate authority")
    parser.add_argument("--region", required=True)
    parser.add_argument("--metadata-address", required=True, help="address:port to serve IMDSv2 on")
    parser.add_argument(
        "--work-directory", default=None, help="where commands keep script and output (default: a temporary directory)"
    )
    options = parser.parse_args()
    # Not an argument: every user of the host may read those.
    options.token = os.environ.pop(TOKEN_VARIABLE, "")
    if options.token == "":
        parser.error(f"{TOKEN_VARIABLE} must be set in the environment")
    options.ca = os.path.abspath(options.ca)
    host, port = options.metadata_address.rsplit(":", 1)
    handler = metadata_handler(options.instance_id, options.region, RoleCredentials(Endpoint(options), log))
    server = http.server.ThreadingHTTPServer((host, int(port)), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    log(f"metadata on {server.server_address[0]}:{server.server_address[1]}")
    Agent(options).run()


if __name__ == "__main__":
    main()
