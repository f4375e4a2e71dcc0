"""`TREE EVENT`: what a container of the gateway does up to its first answer."""

import json
import sys
import time

sys.path.insert(0, sys.argv[1])

from webapp.handler import handler

imported = time.process_time()
answer = handler(json.loads(sys.argv[2]), None)
print("answered", answer["statusCode"], imported, time.process_time(), flush=True)
