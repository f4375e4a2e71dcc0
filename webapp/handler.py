"""What Lambda calls: `handler`, made once per container from its environment and its package."""

import gc

# Nothing that starting makes is garbage; looking for some takes a twentieth of a cold start.
gc.disable()

import logging
import os

from webapp.bridge import make_handler
from webapp.gateway import create_app
from webapp.settings import Runtime, current

_runtime = Runtime.from_environ(os.environ)
logging.getLogger("tollgate").setLevel(_runtime.log_level)

handler = make_handler(create_app(current(_runtime.environment), _runtime))

gc.freeze()
gc.enable()
