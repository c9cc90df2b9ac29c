"""The part of the lab's host agent that stands in for the EC2 instance metadata service (IMDSv2)."""

from __future__ import annotations

import http.client
import http.server
import json
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

TIMEOUT_SECONDS = 40
RECONNECT_SECONDS = 1.0
CREDENTIALS_REFRESH_SECONDS = 600
METADATA_TOKEN = "x-aws-ec2-metadata-token"


class Endpoint(Protocol):
    """The one of host-agent.py, which is no module: its name is the program's."""

    def call(self, action: str, body: object, timeout_seconds: float) -> dict[str, Any]: ...


class RoleCredentials:
    """The instance role's credentials. The last ones stay while the endpoint is away, as on a real instance."""

    def __init__(self, endpoint: Endpoint, log: Callable[[str], None]) -> None:
        self.endpoint = endpoint
        self.log = log
        self.current: dict[str, Any] | None = None
        self.role: str | None = None
        self.arrived = threading.Event()
        threading.Thread(target=self.refresh, daemon=True).start()

    def refresh(self) -> None:
        while True:
            try:
                answer = self.endpoint.call("credentials", {}, TIMEOUT_SECONDS)
                self.role = answer.pop("Role")
                self.current = answer
                self.arrived.set()
                time.sleep(CREDENTIALS_REFRESH_SECONDS)
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.log(f"credentials wait: {error}")
                time.sleep(RECONNECT_SECONDS)


def metadata_handler(
    instance_id: str, region: str, credentials: RoleCredentials
) -> type[http.server.BaseHTTPRequestHandler]:
    """IMDSv2: a session token first, then the few paths that an SDK or a host program reads."""
    tokens: dict[str, float] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            ttl = self.headers.get("x-aws-ec2-metadata-token-ttl-seconds", "")
            if self.path != "/latest/api/token" or not ttl.isdigit() or not 1 <= int(ttl) <= 21600:
                return self.answer(400, "")
            token = secrets.token_urlsafe(42)
            tokens[token] = time.monotonic() + int(ttl)
            return self.answer(200, token, {"x-aws-ec2-metadata-token-ttl-seconds": ttl})

        def do_GET(self) -> None:
            if tokens.get(self.headers.get(METADATA_TOKEN, ""), 0) < time.monotonic():
                return self.answer(401, "")
            found = self.find(self.path)
            return self.answer(404, "") if found is None else self.answer(200, found)

        def find(self, path: str) -> str | None:
            roles = "/latest/meta-data/iam/security-credentials/"
            if path == "/latest/meta-data/instance-id":
                return instance_id
            if path == "/latest/meta-data/placement/region":
                return region
            if path == "/latest/meta-data/placement/availability-zone":
                return f"{region}a"
            if path == "/latest/dynamic/instance-identity/document":
                return json.dumps({"instanceId": instance_id, "region": region})
            if path.startswith(roles) and credentials.arrived.wait(5):
                asked = path[len(roles) :]
                if asked == "":
                    return credentials.role
                return json.dumps(credentials.current) if asked == credentials.role else None
            return None

        def answer(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
            body = text.encode()
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
