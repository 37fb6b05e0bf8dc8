"""Names the code that is played: a digest of every source file that decides, stores or sends."""

from __future__ import annotations

import hashlib

from infra.local.template import ROOT, TEMPLATE

FOLDERS = ("functions", "shared", "layers/trading/python/trading")
SUFFIXES = (".py", ".toml")


def code_version() -> str:
    """16 hex digits, the same for the same sources."""
    digest = hashlib.sha256(TEMPLATE.read_bytes())
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in SUFFIXES:
                digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]
