"""The stack: what `pulumi up` builds and provisions, from the package to the outputs."""

import pulumi

from infra.alarms import Alarms
from infra.api import Api
from infra.budget import Budget
from infra.dashboard import Dashboard
from infra.domain import Domain
from infra.edge import Edge
from infra.function import Function
from infra.outputs import export
from infra.package import BUILD, build
from infra.queries import Queries
from infra.settings import deployment
from infra.storage import Storage
from infra.target import Target, Unbuildable

stack = deployment()

# Before any resource is registered: what cannot be built must change nothing.
target = Target(stack.stack.runtime, stack.stack.architecture, stack.stack.bytecode)
try:
    package = build(stack.settings, target, BUILD / f"{stack.name}.zip", pulumi.log.info)
except Unbuildable as error:
    raise pulumi.RunError(str(error)) from None

storage = Storage(stack)
function = Function(stack, storage, package)
api = Api(stack, function)
front: Edge | Domain | None = None
if stack.stack.edge:
    front = Edge(stack, stack.stack.custom_domain, api)
elif stack.stack.custom_domain:
    front = Domain(stack, stack.stack.custom_domain, api)

Queries(stack, function, api)
alarms = Alarms(stack, storage, function, api) if stack.stack.alarms else None
dashboard = Dashboard(stack, storage, function, api) if stack.stack.dashboard else None
if stack.stack.monthly_budget_usd:
    Budget(stack, stack.stack.monthly_budget_usd)

export(stack, storage, function, api, front, alarms, dashboard)
