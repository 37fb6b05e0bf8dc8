from __future__ import annotations

import pytest

from tests.unit.operator.scene import World


@pytest.fixture
def world() -> World:
    return World()
