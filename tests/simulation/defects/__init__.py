"""Mistakes that were really made, planted into the real code one at a time: each must be seen by the simulation."""

from __future__ import annotations

from tests.simulation.defects.deciding import DECIDING
from tests.simulation.defects.keeping import KEEPING
from tests.simulation.defects.planting import Defect
from tests.simulation.defects.protecting import PROTECTING
from tests.simulation.defects.sending import SENDING

DEFECTS: tuple[Defect, ...] = (*SENDING, *PROTECTING, *DECIDING, *KEEPING)
