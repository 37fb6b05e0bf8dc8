from __future__ import annotations

from tests.integration.limits.conftest import url, wire

__all__ = ["url", "wire"]
