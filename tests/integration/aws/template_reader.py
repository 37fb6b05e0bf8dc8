"""template.yaml and its nested templates as plain Python values, short intrinsics (`!Ref X`) as {"Ref": "X"}."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

TOP = Path(__file__).parents[3]
FUNCTION_TYPE = "AWS::Serverless::Function"


class TemplateLoader(yaml.SafeLoader):
    """Safe YAML that knows CloudFormation's tags."""


def read_intrinsic(loader: TemplateLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        return {name: value.split(".", 1) if suffix == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {name: loader.construct_mapping(node, deep=True)}


TemplateLoader.add_multi_constructor("!", read_intrinsic)


@cache
def read_template(path: str = "template.yaml") -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load((TOP / path).read_text(), Loader=TemplateLoader)
    return loaded


def resources(kind: str, path: str = "template.yaml") -> dict[str, dict[str, Any]]:
    """Properties of every resource of one type, by logical id."""
    found = read_template(path)["Resources"].items()
    return {name: body.get("Properties", {}) for name, body in found if body["Type"] == kind}


def functions() -> dict[str, dict[str, Any]]:
    """Properties of every function, by the name of its folder."""
    return {body["CodeUri"].strip("/").split("/")[-1]: body for body in resources(FUNCTION_TYPE).values()}


def events(kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """(function, event properties) for every event of one type."""
    for name, body in functions().items():
        for event in body.get("Events", {}).values():
            if event["Type"] == kind:
                yield name, event["Properties"]


def environment(name: str) -> dict[str, Any]:
    """The variables one function gets: the template's globals and its own."""
    shared = read_template()["Globals"]["Function"]["Environment"]["Variables"]
    return {**shared, **functions()[name]["Environment"]["Variables"]}


def setting(name: str, key: str) -> Any:
    """One property of a function, from itself or from the template's globals."""
    return functions()[name].get(key, read_template()["Globals"]["Function"].get(key))
