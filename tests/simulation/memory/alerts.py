"""Alerts that are kept in a list instead of being published."""

from __future__ import annotations

from botocore.exceptions import EndpointConnectionError

from shared.alerts import Alerts
from shared.storage.control import ControlStore
from tests.simulation.memory.tables import MemoryTables
from trading.model.alerts import Alert


class MemoryAlerts(Alerts):
    """`tell` is the real one, three calls: `tell_once` of `control_store`, the publishing, which is here one step, and
    `tell_once_settle`.

    `told` are all alerts that were published over these tables, in order, through whatever object.
    """

    def __init__(self, tables: MemoryTables, control_store: ControlStore) -> None:
        super().__init__("memory", control_store)
        self._tables = tables

    @property
    def told(self) -> list[Alert]:
        return self._tables.told

    def _publish(self, alert: Alert) -> None:
        if self._tables.topic_down:
            raise EndpointConnectionError(endpoint_url="the alerts topic")
        self._tables.told.append(alert)
