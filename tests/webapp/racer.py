"""One of several processes that race on one key: prints the times of the requests it admitted.

python -m tests.webapp.racer TABLE LIMIT WINDOW REQUESTS; the first line on stdin starts it.
"""

import json
import sys
import time

from botocore.client import Config

from webapp import gcra, tables
from webapp.counters import Demand
from webapp.gcra import Bucket
from webapp.ledger import DynamoCounters


def main(table: str, limit: int, window: int, requests: int) -> None:
    # An emulator that 16 processes share with two cores is slower than DynamoDB.
    patient = tables.HASTY.merge(Config(connect_timeout=10, read_timeout=10))
    tables.HASTY = patient
    stores = tables.Stores("", table, "eu-central-1")
    bucket = Bucket("raced", gcra.interval(limit, window), limit)
    counters = DynamoCounters(lambda: stores.limits, table, bucket.span, lambda: 0)
    _ = stores.limits
    print("ready", flush=True)
    sys.stdin.readline()
    admitted = []
    for _ in range(requests):
        now = time.time_ns()
        if counters.take([Demand("one key", (bucket,))], now).admitted:
            admitted.append(now)
    print(json.dumps(admitted), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
