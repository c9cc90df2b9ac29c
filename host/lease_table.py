"""The lease table in DynamoDB: read over one kept-open TLS connection, signed here (SigV4) with the instance's role.

Standard library only, so that nothing has to be on the host; no secret ever stands on a command line. Only the poller
needs this module: the leash does without TLS, which is half of a process' memory.
"""
import calendar
import datetime
import hashlib
import hmac
import json
import os
import socket
import ssl
import threading
import time
import urllib.parse

from bounds import KILL_SWITCH_ID, POLL_SECONDS, POLL_TIMEOUT_SECONDS
from http_exchange import exchange
from lease import now

REFRESH_BEFORE_EXPIRY_SECONDS = 600


class Metadata:
    """IMDSv2."""

    def __init__(self, timeout_seconds=POLL_TIMEOUT_SECONDS):
        base = os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") or "http://169.254.169.254"
        self.url = urllib.parse.urlsplit(base)
        self.timeout_seconds = timeout_seconds

    def request(self, method, path, headers):
        address = (self.url.hostname, self.url.port or 80)
        with socket.create_connection(address, self.timeout_seconds) as connection:
            status, _, body = exchange(connection, method, path, {"host": self.url.netloc, "connection": "close", **headers})
        if status != 200:
            raise OSError(f"instance metadata answered {status} to {path}")
        return body.decode()

    def read(self, path):
        token = self.request("PUT", "/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds": "300"})
        return self.request("GET", "/latest/meta-data/" + path, {"X-aws-ec2-metadata-token": token})

    def credentials(self):
        role = self.read("iam/security-credentials/").split("\n")[0].strip()
        return json.loads(self.read("iam/security-credentials/" + urllib.parse.quote(role, safe="")))


class Clock:
    """Wall clock for signatures that a drifting or stepped system clock cannot take away: anchored once to the boot
    clock, corrected by the Date of answers that came over verified TLS."""

    def __init__(self):
        self.offset = time.time() - now()

    def utc(self):
        return now() + self.offset

    def correct(self, date_header):
        try:
            seconds = calendar.timegm(time.strptime(date_header or "", "%a, %d %b %Y %H:%M:%S GMT"))
        except ValueError:
            return
        # The header has whole seconds: smaller differences are rounding, not drift.
        if abs(seconds - self.utc()) > 2:
            self.offset = seconds - now()


def signed_headers(credentials, region, host, target, body, utc_seconds):
    """Headers of a signed DynamoDB request (SigV4)."""
    stamp = datetime.datetime.fromtimestamp(utc_seconds, datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
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
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials['AccessKeyId']}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return headers


def endpoint(region):
    """URL of the table. Plain HTTP is refused: it would show the session token."""
    url = os.environ.get("AWS_ENDPOINT_URL_DYNAMODB") or os.environ.get("AWS_ENDPOINT_URL")
    parts = urllib.parse.urlsplit(url or f"https://dynamodb.{region}.amazonaws.com")
    if parts.scheme != "https" or not parts.hostname:
        raise ValueError("AWS_ENDPOINT_URL: must be https://")
    return parts


class Poller:
    """Reads the two rows every 0.5 s in a thread of its own, so that nothing it waits for (names, TLS, metadata) can
    hold up the thread that decides; `view` gets what came."""

    def __init__(self, table, experiment_id, region, view):
        self.view = view
        self.region = region
        self.url = endpoint(region)
        self.clock = Clock()
        self.context = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or None)
        self.connection = None
        self.credentials = None
        self.problem = "no answer yet"
        self.body = json.dumps({
            "RequestItems": {
                table: {
                    "Keys": [{"leaseId": {"S": experiment_id} }, {"leaseId": {"S": KILL_SWITCH_ID} }],
                    "ConsistentRead": True,
                    "ProjectionExpression": "leaseId, #s, beat, grants",
                    "ExpressionAttributeNames": {"#s": "state"},
                }
            }
        }).encode()
        self.table = table

    def start(self):
        threading.Thread(target=self.keep_credentials, daemon=True).start()
        threading.Thread(target=self.keep_polling, daemon=True).start()

    def keep_credentials(self):
        while True:
            try:
                fresh = Metadata(2).credentials()
                expiry = datetime.datetime.strptime(fresh["Expiration"], "%Y-%m-%dT%H:%M:%SZ")
                left = calendar.timegm(expiry.timetuple()) - self.clock.utc()
                self.credentials = fresh
                time.sleep(min(max(left - REFRESH_BEFORE_EXPIRY_SECONDS, 30), 1800))
            except (OSError, ValueError, KeyError) as error:
                self.problem = f"credentials: {error}"
                time.sleep(0.5)

    def keep_polling(self):
        due = now()
        while True:
            if self.credentials:
                try:
                    self.poll()
                    self.problem = None
                except (OSError, ValueError) as error:
                    self.problem = f"{type(error).__name__}: {error}"
                    self.close()
            due = max(due + POLL_SECONDS, now()) if self.credentials else now() + 0.05
            time.sleep(max(0, due - now()))

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None

    def poll(self):
        if self.connection is None:
            plain = socket.create_connection((self.url.hostname, self.url.port or 443), POLL_TIMEOUT_SECONDS)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connection = self.context.wrap_socket(plain, server_hostname=self.url.hostname)
        sent_at = now()
        headers = signed_headers(
            self.credentials, self.region, self.url.netloc, "DynamoDB_20120810.BatchGetItem", self.body, self.clock.utc()
        )
        status, fields, text = exchange(self.connection, "POST", "/", headers, self.body)
        # Before the status: a wrong clock is refused with 400, and only this answer can put it right.
        self.clock.correct(fields.get("date"))
        if status != 200:
            raise OSError(f"lease table answered {status}: {text[:200].decode(errors='replace')}")
        if fields.get("connection", "").lower() == "close":
            self.close()
        self.view.feed(json.loads(text), sent_at, self.table)
