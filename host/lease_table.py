"""The lease table in DynamoDB: read over one kept-open TLS connection, signed here (SigV4) with the instance's role.

Standard library only, so that nothing has to be on the host; no secret ever stands on a command line. Only the runner
needs this module: the supervisor does without TLS, which is half of a process' memory."""

from __future__ import annotations

import calendar
import hashlib
import hmac
import json
import os
import socket
import ssl
import threading
import time
import urllib.parse
from collections.abc import Callable
from typing import Any

from bounds import KILL_SWITCH_ID, POLL_SECONDS, POLL_TIMEOUT_SECONDS
from http_exchange import exchange
from instance_metadata import Metadata, host_of_service
from linux.boot_clock import now

REFRESH_BEFORE_EXPIRY_SECONDS = 600
STACK_BYTES = 512 * 1024
DATE = "%a, %d %b %Y %H:%M:%S GMT"


class Clock:
    """Wall clock for signatures that a drifting or stepped system clock cannot take away: anchored once to the boot
    clock, corrected by the Date of answers that came over verified TLS."""

    def __init__(self) -> None:
        self.offset = time.time() - now()

    def utc(self) -> float:
        return now() + self.offset

    def correct(self, date_header: str | None) -> None:
        try:
            seconds = calendar.timegm(time.strptime(date_header or "", DATE))
        except ValueError:
            return
        # The header has whole seconds: smaller differences are rounding, not drift.
        if abs(seconds - self.utc()) > 2:
            self.offset = seconds - now()


def signed_headers(
    credentials: dict[str, str], region: str, host: str, target: str, body: bytes, utc_seconds: float
) -> dict[str, str]:
    """Headers of a signed DynamoDB request (SigV4)."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(utc_seconds))
    headers = {
        "content-type": "application/x-amz-json-1.0",
        "host": host,
        "x-amz-date": stamp,
        "x-amz-security-token": credentials["Token"],
        "x-amz-target": target,
    }
    names = ";".join(headers)
    canonical = "".join(f"{name}:{value}\n" for name, value in headers.items())
    request = "\n".join(["POST", "/", "", canonical, names, hashlib.sha256(body).hexdigest()])
    scope = f"{stamp[:8]}/{region}/dynamodb/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(request.encode()).hexdigest()])
    key = ("AWS4" + credentials["SecretAccessKey"]).encode()
    for part in (stamp[:8], region, "dynamodb", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    who = f"Credential={credentials['AccessKeyId']}/{scope}"
    headers["authorization"] = f"AWS4-HMAC-SHA256 {who}, SignedHeaders={names}, Signature={signature}"
    return headers


def endpoint(region: str) -> urllib.parse.SplitResult:
    """URL of the table. Plain HTTP is refused: it would show the session token. Raises ValueError."""
    url = os.environ.get("AWS_ENDPOINT_URL_DYNAMODB") or os.environ.get("AWS_ENDPOINT_URL")
    parts = urllib.parse.urlsplit(url or f"https://{host_of_service('dynamodb', region)}")
    if parts.scheme != "https" or not parts.hostname:
        raise ValueError("AWS_ENDPOINT_URL: must be https://")
    return parts


class Reader:
    """Reads the two rows every 0.5 s in a thread of its own, so that nothing it waits for (names, TLS, metadata) can
    hold up the thread that decides. `answered(sent at, answer)` and `failed(problem)` are called from there."""

    def __init__(
        self,
        table: str,
        experiment_id: str,
        region: str,
        answered: Callable[[float, dict[str, Any]], None],
        failed: Callable[[str], None],
    ) -> None:
        self.region = region
        self.answered = answered
        self.failed = failed
        self.url = endpoint(region)
        self.clock = Clock()
        self.context = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or None)
        self.connection: ssl.SSLSocket | None = None
        self.credentials: dict[str, str] | None = None
        keys = [{"leaseId": {"S": each}} for each in (experiment_id, KILL_SWITCH_ID)]
        wanted: dict[str, object] = {
            "Keys": keys,
            "ConsistentRead": True,
            "ProjectionExpression": "leaseId, #s, beat, grants",
        }
        wanted["ExpressionAttributeNames"] = {"#s": "state"}
        # SSM would read two braces in a row as one of its own parameters.
        self.body = json.dumps({"RequestItems": {table: wanted}}).encode()

    def start(self) -> None:
        threading.stack_size(STACK_BYTES)
        threading.Thread(target=self.keep_credentials, daemon=True).start()
        threading.Thread(target=self.keep_reading, daemon=True).start()

    def keep_credentials(self) -> None:
        while True:
            try:
                fresh = Metadata(2).credentials()
                left = calendar.timegm(time.strptime(fresh["Expiration"], "%Y-%m-%dT%H:%M:%SZ")) - self.clock.utc()
                self.credentials = fresh
                time.sleep(min(max(left - REFRESH_BEFORE_EXPIRY_SECONDS, 30), 1800))
            except (OSError, ValueError, KeyError) as error:
                self.failed(f"credentials: {error}")
                time.sleep(0.5)

    def keep_reading(self) -> None:
        due = now()
        while True:
            if self.credentials:
                try:
                    self.read(self.credentials)
                except (OSError, ValueError) as error:
                    self.failed(f"{type(error).__name__}: {error}")
                    self.close()
            due = max(due + POLL_SECONDS, now()) if self.credentials else now() + 0.05
            time.sleep(max(0, due - now()))

    def close(self) -> None:
        if self.connection:
            self.connection.close()
            self.connection = None

    def connect(self) -> ssl.SSLSocket:
        address = (self.url.hostname or "", self.url.port or 443)
        plain = socket.create_connection(address, POLL_TIMEOUT_SECONDS)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.context.wrap_socket(plain, server_hostname=self.url.hostname)

    def read(self, credentials: dict[str, str]) -> None:
        self.connection = self.connection or self.connect()
        sent_at = now()
        target = "DynamoDB_20120810.BatchGetItem"
        headers = signed_headers(credentials, self.region, self.url.netloc, target, self.body, self.clock.utc())
        status, fields, text = exchange(self.connection, "POST", "/", headers, self.body)
        # Before the status: a wrong clock is refused with 400, and only this answer can put it right.
        self.clock.correct(fields.get("date"))
        if status != 200:
            raise OSError(f"lease table answered {status}: {text[:200].decode(errors='replace')}")
        if fields.get("connection", "").lower() == "close":
            self.close()
        self.answered(sent_at, json.loads(text))
