"""Lambda runs the versions that the tests ran."""

from __future__ import annotations

import re

from tests.integration.aws.template_reader import TOP

LINE = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*])?==([^ ;]+)", re.MULTILINE)


def versions(path: str) -> set[tuple[str, str]]:
    return set(LINE.findall((TOP / path).read_text()))


def test_layer_ships_the_tested_versions() -> None:
    shipped = versions("layers/dependencies/requirements.txt")
    assert len(shipped) > 15
    assert shipped - versions("requirements.lock") == set()


def test_every_locked_package_has_hashes() -> None:
    for path in ("layers/dependencies/requirements.txt", "infra/aws/sam-requirements.lock", "requirements.lock"):
        for block in re.split(r"^(?=[A-Za-z0-9])", (TOP / path).read_text(), flags=re.MULTILINE):
            assert "==" not in block.split("\n")[0] or "--hash=sha256:" in block, f"{path}: {block[:60]}"
