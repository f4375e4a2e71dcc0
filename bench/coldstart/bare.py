"""`TREE`: the least that a function with a table does up to its first answer."""

import os
import sys
import time

sys.path.insert(0, sys.argv[1])

import botocore.session

imported = time.process_time()
client = botocore.session.get_session().create_client("dynamodb")
answer = client.get_item(
    TableName=os.environ["TOLLGATE_RATE_LIMITS_TABLE"], Key={"rate_limit_key": {"S": "nobody"}}
)
status = answer["ResponseMetadata"]["HTTPStatusCode"]
print("answered", status, imported, time.process_time(), flush=True)
