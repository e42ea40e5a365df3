"""What both configurations say of how their stacks are deployed."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from .pipeline import Pipeline
from .state import LocalState, State


class Deployment(BaseModel):
    """Where the state is kept, and which pipeline may deploy."""

    state: State = LocalState()
    pipeline: Annotated[
        Pipeline | None,
        Field(
            description="a pipeline",
            examples=[{"platform": "github", "repository": "my-organization/s3-links"}],
        ),
    ] = None
