"""`TREE EVENT`: what a container of the gateway does up to its first answer."""

import json
import sys

sys.path.insert(0, sys.argv[1])

from webapp.handler import handler

answer = handler(json.loads(sys.argv[2]), None)
print("answered", answer["statusCode"], flush=True)
