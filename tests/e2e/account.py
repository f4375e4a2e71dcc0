"""An emulated account: what the program registers there is created through boto3.

Only what a request meets. Everything else gets the recording engine's answers.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import boto3
import pulumi
from pulumi.runtime import Mocks, rpc

REGION = "us-east-1"
KEY_ID = "test"

Inputs = Mapping[str, Any]
Created = tuple[str, dict[str, Any]]


class Account(Mocks):
    """Its resources have the program's inputs, and the outputs that the emulator gives them."""

    def __init__(self, url: str, otherwise: Mocks) -> None:
        self._url = url
        self._otherwise = otherwise
        self.dynamodb = self.client("dynamodb")
        self.secrets = self.client("secretsmanager")
        self.logs = self.client("logs")
        self.iam = self.client("iam")
        self.functions = self.client("lambda")
        self.apis = self.client("apigatewayv2")
        self._makers: dict[str, Callable[[str, Inputs], Created]] = {
            "aws:dynamodb/table:Table": self._table,
            "aws:secretsmanager/secret:Secret": self._secret,
            "aws:secretsmanager/secretVersion:SecretVersion": self._secret_version,
            "aws:cloudwatch/logGroup:LogGroup": self._log_group,
            "aws:iam/role:Role": self._role,
            "aws:iam/rolePolicy:RolePolicy": self._role_policy,
            "aws:lambda/function:Function": self._function,
            "aws:lambda/alias:Alias": self._alias,
            "aws:lambda/permission:Permission": self._permission,
            "aws:apigatewayv2/api:Api": self._api,
            "aws:apigatewayv2/integration:Integration": self._integration,
            "aws:apigatewayv2/route:Route": self._route,
            "aws:apigatewayv2/stage:Stage": self._stage,
        }

    def client(self, service: str, **credentials: str) -> Any:
        """By default as the account's owner, whom no policy bounds."""
        signing = credentials or {"aws_access_key_id": KEY_ID, "aws_secret_access_key": KEY_ID}
        return boto3.client(service, region_name=REGION, endpoint_url=self._url, **signing)

    def new_resource(self, args: Any) -> Created:
        maker = self._makers.get(args.typ)
        if maker is None:
            created: Created = self._otherwise.new_resource(args)
            return created
        inputs = _plain(args.inputs)
        identifier, outputs = maker(args.name, inputs)
        return identifier, {**inputs, **outputs}

    def call(self, args: Any) -> Any:
        return self._otherwise.call(args)

    def _table(self, name: str, inputs: Inputs) -> Created:
        keys = {"HASH": inputs["hashKey"], "RANGE": inputs.get("rangeKey")}
        answer = self.dynamodb.create_table(
            TableName=name,
            BillingMode=inputs["billingMode"],
            KeySchema=[{"KeyType": k, "AttributeName": v} for k, v in keys.items() if v],
            AttributeDefinitions=[
                {"AttributeName": attribute["name"], "AttributeType": attribute["type"]}
                for attribute in inputs["attributes"]
            ],
        )
        self.dynamodb.update_time_to_live(
            TableName=name, TimeToLiveSpecification=_pascal(inputs["ttl"])
        )
        return name, {"name": name, "arn": answer["TableDescription"]["TableArn"]}

    def _secret(self, name: str, _inputs: Inputs) -> Created:
        arn = self.secrets.create_secret(Name=name)["ARN"]
        return arn, {"arn": arn}

    def _secret_version(self, _name: str, inputs: Inputs) -> Created:
        answer = self.secrets.put_secret_value(
            SecretId=inputs["secretId"], SecretString=inputs["secretString"]
        )
        return answer["VersionId"], {"versionId": answer["VersionId"]}

    def _log_group(self, _name: str, inputs: Inputs) -> Created:
        name = inputs["name"]
        self.logs.create_log_group(logGroupName=name)
        self.logs.put_retention_policy(logGroupName=name, retentionInDays=inputs["retentionInDays"])
        return name, {"arn": f"arn:aws:logs:{REGION}:000000000000:log-group:{name}"}

    def _role(self, name: str, inputs: Inputs) -> Created:
        policy = inputs["assumeRolePolicy"]
        answer = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy)
        return name, {"name": name, "arn": answer["Role"]["Arn"]}

    def _role_policy(self, name: str, inputs: Inputs) -> Created:
        self.iam.put_role_policy(
            RoleName=inputs["role"], PolicyName=name, PolicyDocument=inputs["policy"]
        )
        return name, {}

    def _function(self, _name: str, inputs: Inputs) -> Created:
        taken = ("description", "runtime", "architectures", "handler", "role", "memorySize")
        nested = ("environment", "loggingConfig", "tracingConfig")
        code: pulumi.FileArchive = inputs["code"]
        answer = self.functions.create_function(
            FunctionName=inputs["name"],
            Code={"ZipFile": Path(str(code.path)).read_bytes()},
            Publish=inputs["publish"],
            Timeout=inputs["timeout"],
            **_pascal({name: inputs[name] for name in (*taken, *nested)}),
        )
        arn = answer["FunctionArn"].removesuffix(f":{answer['Version']}")
        return inputs["name"], {"arn": arn, "version": answer["Version"]}

    def _alias(self, _name: str, inputs: Inputs) -> Created:
        arn = self.functions.create_alias(**_pascal(inputs))["AliasArn"]
        invoked = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn}/invocations"
        return arn, {"arn": arn, "invokeArn": invoked}

    def _permission(self, name: str, inputs: Inputs) -> Created:
        self.functions.add_permission(
            StatementId=name,
            FunctionName=inputs["function"],
            **_pascal({k: v for k, v in inputs.items() if k != "function"}),
        )
        return name, {}

    def _api(self, _name: str, inputs: Inputs) -> Created:
        answer = self.apis.create_api(**_pascal(inputs))
        identifier = answer["ApiId"]
        execution = f"arn:aws:execute-api:{REGION}:000000000000:{identifier}"
        return identifier, {"executionArn": execution, "apiEndpoint": answer["ApiEndpoint"]}

    def _integration(self, _name: str, inputs: Inputs) -> Created:
        renamed = {**inputs, "timeoutInMillis": inputs["timeoutMilliseconds"]}
        del renamed["timeoutMilliseconds"]
        return self.apis.create_integration(**_pascal(renamed))["IntegrationId"], {}

    def _route(self, _name: str, inputs: Inputs) -> Created:
        return self.apis.create_route(**_pascal(inputs))["RouteId"], {}

    def _stage(self, _name: str, inputs: Inputs) -> Created:
        renamed = {**inputs, "stageName": inputs["name"]}
        del renamed["name"]
        return self.apis.create_stage(**_pascal(renamed))["StageName"], {}


def _plain(value: Any) -> Any:
    """With secrets opened; whole numbers travel as fractions."""
    if rpc.is_rpc_secret(value):
        return _plain(rpc.unwrap_rpc_secret(value))
    if isinstance(value, Mapping):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


# Their keys are the program's own.
_MAPS = frozenset({"variables"})


def _pascal(value: Any) -> Any:
    """Names of fields as boto3 spells most of them: PascalCase."""
    if isinstance(value, list):
        return [_pascal(entry) for entry in value]
    if not isinstance(value, Mapping):
        return value
    return {
        f"{name[0].upper()}{name[1:]}": entry if name in _MAPS else _pascal(entry)
        for name, entry in value.items()
    }
