"""What the instance says of itself."""

from __future__ import annotations

import json
import os
import socket
import urllib.parse

from bounds import POLL_TIMEOUT_SECONDS, URL_SUFFIX_VARIABLE
from http_exchange import exchange


def host_of_service(service: str, region: str) -> str:
    """Of an AWS endpoint; what its name ends with in this partition stands in the document. Without it no name
    resolves, and nothing is applied."""
    return f"{service}.{region}.{os.environ.get(URL_SUFFIX_VARIABLE, '')}"


class Metadata:
    """IMDSv2."""

    def __init__(self, timeout_seconds: float = POLL_TIMEOUT_SECONDS) -> None:
        base = os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") or "http://169.254.169.254"
        self.url = urllib.parse.urlsplit(base)
        self.timeout_seconds = timeout_seconds

    def request(self, method: str, path: str, headers: dict[str, str]) -> str:
        address = (self.url.hostname or "", self.url.port or 80)
        with socket.create_connection(address, self.timeout_seconds) as connection:
            fields = {"host": self.url.netloc, "connection": "close", **headers}
            status, _, body = exchange(connection, method, path, fields)
        if status != 200:
            raise OSError(f"instance metadata answered {status} to {path}")
        return body.decode()

    def read(self, path: str) -> str:
        token = self.request("PUT", "/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds": "300"})
        return self.request("GET", "/latest/meta-data/" + path, {"X-aws-ec2-metadata-token": token})

    def credentials(self) -> dict[str, str]:
        role = self.read("iam/security-credentials/").split("\n")[0].strip()
        return json.loads(self.read("iam/security-credentials/" + urllib.parse.quote(role, safe="")))
