"""Reads CloudFormation YAML and resolves `!Ref`, `!GetAtt`, `!Sub`, `!If` and friends to local values.

Only what is asked for is resolved, so that a template may use anything that the local stack never looks at. What is
asked for and cannot be resolved raises InvalidInput with one sentence naming the place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from trading.errors import InvalidInput

_PLACEHOLDER = re.compile(r"\$\{([^!}][^}]*)\}")


@dataclass(frozen=True, slots=True)
class Tagged:
    """A value behind a CloudFormation tag: `!Ref Queue` is Tagged("Ref", "Queue")."""

    tag: str
    value: Any


class _Loader(yaml.SafeLoader):
    pass


def _construct_tagged(loader: _Loader, suffix: str, node: yaml.Node) -> Tagged:
    if isinstance(node, yaml.ScalarNode):
        return Tagged(suffix, loader.construct_scalar(node))
    if isinstance(node, yaml.SequenceNode):
        return Tagged(suffix, loader.construct_sequence(node, deep=True))
    assert isinstance(node, yaml.MappingNode)
    return Tagged(suffix, loader.construct_mapping(node, deep=True))


_Loader.add_multi_constructor("!", _construct_tagged)


def read_document(path: Path) -> dict[str, Any]:
    """One template as plain values and `Tagged`. Raises InvalidInput when it is missing or not YAML."""
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except FileNotFoundError:
        raise InvalidInput(f"template {path} does not exist") from None
    except yaml.YAMLError as error:
        raise InvalidInput(f"template {path} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict):
        raise InvalidInput(f"template {path} has no Resources")
    return document


Reference = Callable[[str, str], str | None]
"""(resource type, logical id) -> what `!Ref` gives for it locally, None when it is not known."""


@dataclass(kw_only=True)
class Stack:
    """One template with its parameters; nested stacks are opened when an output of theirs is asked for."""

    path: Path
    parameters: Mapping[str, str]
    pseudo: Mapping[str, str]
    reference: Reference
    attribute: Callable[[str, str, str], str | None]
    document: dict[str, Any] = field(init=False)
    _nested: dict[str, Stack] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.document = read_document(self.path)
        declared = self.document.get("Parameters", {})
        if unknown := sorted(set(self.parameters) - set(declared)):
            raise InvalidInput(f"{self.path.name} has no parameter {unknown[0]}; expected one of {sorted(declared)}")

    @property
    def resources(self) -> dict[str, dict[str, Any]]:
        """Resources whose condition holds."""
        every = self.document["Resources"]
        return {name: each for name, each in every.items() if self._condition(each.get("Condition"), name)}

    def resolve(self, value: Any, where: str) -> Any:
        """Plain value of anything in the template. `where` names the place for the error sentence."""
        if isinstance(value, Tagged):
            return self._tagged(value, where)
        if isinstance(value, dict):
            return {key: self.resolve(each, f"{where}.{key}") for key, each in value.items()}
        if isinstance(value, list):
            return [self.resolve(each, where) for each in value]
        return value

    def nested(self, logical_id: str) -> Stack:
        if logical_id not in self._nested:
            properties = self.document["Resources"][logical_id]["Properties"]
            parameters = self.resolve(properties.get("Parameters", {}), logical_id)
            self._nested[logical_id] = Stack(
                path=self.path.parent / str(properties["TemplateURL"]),
                parameters={name: str(each) for name, each in parameters.items()},
                pseudo=self.pseudo,
                reference=self.reference,
                attribute=self.attribute,
            )
        return self._nested[logical_id]

    def _tagged(self, value: Tagged, where: str) -> Any:
        if value.tag == "Ref":
            return self._ref(str(value.value), where)
        if value.tag == "GetAtt":
            path = value.value if isinstance(value.value, str) else ".".join(value.value)
            return self._get_attribute(path, where)
        if value.tag == "Sub" and isinstance(value.value, str):
            return _PLACEHOLDER.sub(lambda match: self._substitute(match[1], where), value.value)
        if value.tag == "If":
            condition, yes, no = value.value
            return self.resolve(yes if self._condition(condition, where) else no, where)
        if value.tag in ("Equals", "Not"):
            return self._logic(value, where)
        raise InvalidInput(f"{self.path.name}: {where} uses !{value.tag}, which the local stack cannot resolve")

    def _logic(self, value: Tagged, where: str) -> bool:
        parts = [self.resolve(each, where) for each in value.value]
        # Parameters are text to CloudFormation, so 0 and "0" are equal.
        return str(parts[0]) == str(parts[1]) if value.tag == "Equals" else not parts[0]

    def _condition(self, name: str | None, where: str) -> bool:
        if name is None:
            return True
        if name not in self.document.get("Conditions", {}):
            raise InvalidInput(f"{self.path.name}: {where} uses the condition {name}, which does not exist")
        return bool(self.resolve(self.document["Conditions"][name], f"condition {name}"))

    def _substitute(self, name: str, where: str) -> str:
        return str(self._get_attribute(name, where) if "." in name else self._ref(name, where))

    def _ref(self, name: str, where: str) -> Any:
        if name in self.pseudo:
            return self.pseudo[name]
        if name in self.document.get("Parameters", {}):
            return self._parameter(name, where)
        resource = self.document["Resources"].get(name)
        if resource is not None:
            named = self._table_name(resource, where) or self.reference(str(resource["Type"]), name)
            if named is not None:
                return named
        raise InvalidInput(f"{self.path.name}: {where} uses !Ref {name}, which the local stack cannot resolve")

    def _table_name(self, resource: dict[str, Any], where: str) -> str | None:
        name = resource.get("Properties", {}).get("TableName") if resource["Type"] == "AWS::DynamoDB::Table" else None
        return None if name is None else str(self.resolve(name, where))

    def _parameter(self, name: str, where: str) -> Any:
        if name in self.parameters:
            return self.parameters[name]
        declared = self.document["Parameters"][name]
        if "Default" not in declared:
            raise InvalidInput(f"{self.path.name}: {where} needs the parameter {name}, which has no default")
        return declared["Default"]

    def _get_attribute(self, path: str, where: str) -> Any:
        logical_id, _, attribute = path.partition(".")
        resource = self.document["Resources"].get(logical_id)
        if resource is not None:
            if resource["Type"] == "AWS::CloudFormation::Stack" and attribute.startswith("Outputs."):
                return self._output(logical_id, attribute.removeprefix("Outputs."), where)
            known = self.attribute(str(resource["Type"]), logical_id, attribute)
            if known is not None:
                return known
        raise InvalidInput(f"{self.path.name}: {where} uses !GetAtt {path}, which the local stack cannot resolve")

    def _output(self, logical_id: str, output: str, where: str) -> Any:
        inner = self.nested(logical_id)
        outputs = inner.document.get("Outputs", {})
        if output not in outputs:
            raise InvalidInput(f"{self.path.name}: {where} uses the output {output}, which {logical_id} does not have")
        return inner.resolve(outputs[output]["Value"], f"output {output}")
