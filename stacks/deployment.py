"""What both configurations say of how their stacks are deployed."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, ValidationInfo, field_validator

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

    @field_validator("pipeline")
    @classmethod
    def _state_outside(cls, pipeline: Pipeline | None, info: ValidationInfo) -> Pipeline | None:
        if pipeline is not None and isinstance(info.data.get("state"), LocalState):
            raise ValueError(
                'needs a "state" in S3 or HCP Terraform: a run starts in an empty folder, and '
                "would make everything again"
            )
        return pipeline
