"""The bare address: on to the first page, or to the run that the address names."""

from dashboard import state
from dashboard.components.links import go

go("model" if state.run_id() else "study")
