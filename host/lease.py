"""The lease: read from DynamoDB over one kept-open TLS connection, signed here (SigV4) with the instance's role.

Standard library only, so that nothing has to be on the host; no secret ever stands on a command line.
"""
import calendar
import datetime
import email.utils
import hashlib
import hmac
import http.client
import json
import os
import ssl
import threading
import time
import urllib.parse

POLL_SECONDS = 0.5
TIMEOUT_SECONDS = 0.4
REFRESH_BEFORE_EXPIRY_SECONDS = 600


def now():
    """Seconds that no one can set and that go on while the machine is suspended: a resumed host must not believe that
    its fault is young."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Metadata:
    """IMDSv2."""

    def __init__(self, timeout_seconds=TIMEOUT_SECONDS):
        base = os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") or "http://169.254.169.254"
        self.url = urllib.parse.urlsplit(base)
        self.timeout_seconds = timeout_seconds

    def request(self, method, path, headers):
        connection = http.client.HTTPConnection(self.url.hostname, self.url.port or 80, timeout=self.timeout_seconds)
        try:
            connection.request(method, path, headers=headers)
            response = connection.getresponse()
            body = response.read(65536).decode()
            if response.status != 200:
                raise OSError(f"instance metadata answered {response.status} to {path}")
            return body
        finally:
            connection.close()

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
        parsed = email.utils.parsedate(date_header or "")
        # The header has whole seconds: smaller differences are rounding, not drift.
        if parsed and abs(calendar.timegm(parsed) - self.utc()) > 2:
            self.offset = calendar.timegm(parsed) - now()


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
                    "Keys": [{"leaseId": {"S": experiment_id} }, {"leaseId": {"S": "GLOBAL"} }],
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
            except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
                self.problem = f"credentials: {error}"
                time.sleep(0.5)

    def keep_polling(self):
        due = now()
        while True:
            if self.credentials:
                try:
                    self.poll()
                    self.problem = None
                except (OSError, ValueError, http.client.HTTPException) as error:
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
            self.connection = http.client.HTTPSConnection(
                self.url.hostname, self.url.port or 443, timeout=TIMEOUT_SECONDS, context=self.context
            )
            self.connection.connect()
        sent_at = now()
        headers = signed_headers(
            self.credentials, self.region, self.url.netloc, "DynamoDB_20120810.BatchGetItem", self.body, self.clock.utc()
        )
        self.connection.request("POST", "/", self.body, headers)
        response = self.connection.getresponse()
        text = response.read(65536)
        # Before the status: a wrong clock is refused with 400, and only this answer can put it right.
        self.clock.correct(response.headers.get("Date"))
        if response.status != 200:
            raise OSError(f"lease table answered {response.status}: {text[:200].decode(errors='replace')}")
        self.view.feed(json.loads(text), sent_at, self.table)


class LeaseView:
    """What this host knows of its lease. Pure: fed with answers, asked with a time."""

    def __init__(self, experiment_id, grant):
        self.experiment_id = experiment_id
        self.grant = grant
        self.highest_beat = None
        self.advances = 0
        self.advanced_at = None
        self.released = None
        self.missing = "the lease was not read"

    def feed(self, answer, sent_at, table):
        """A released row counts whatever else is missing; an advance needs both rows, HOLD, our grant, a higher beat.
        Anything else is no news: it neither renews nor ends."""
        items = answer.get("Responses", {}).get(table, [])
        rows = {row.get("leaseId", {}).get("S"): row for row in items}
        own, everyone = rows.get(self.experiment_id), rows.get("GLOBAL")
        if everyone and everyone.get("state", {}).get("S") == "RELEASED":
            self.released = "KILL_SWITCH"
        elif own and own.get("state", {}).get("S") == "RELEASED":
            self.released = self.released or "LEASE_RELEASED"
        self.missing = self.why_not(own, everyone)
        if self.missing:
            return
        beat = int(own["beat"]["N"])
        if self.highest_beat is not None and beat > self.highest_beat:
            self.advances += 1
            self.advanced_at = sent_at
        self.highest_beat = max(beat, self.highest_beat or 0)

    def why_not(self, own, everyone):
        if not own:
            return f"the lease table has no row {self.experiment_id}"
        if not everyone:
            return "the lease table has no row GLOBAL"
        for row in (own, everyone):
            if row.get("state", {}).get("S") != "HOLD":
                return f"row {row['leaseId']['S']} is not HOLD"
        if "N" not in own.get("beat", {}):
            return "the lease has no beat"
        if self.grant not in own.get("grants", {}).get("SS", []):
            return "the lease grants nothing to this host with these parameters"
        return None

    def watched(self):
        """May the fault be applied? HOLD, granted, and the guard was seen alive twice since we began to look."""
        return not self.released and not self.missing and self.advances >= 2

    def lost(self, at, grace_seconds):
        return self.advanced_at is None or at - self.advanced_at > grace_seconds
