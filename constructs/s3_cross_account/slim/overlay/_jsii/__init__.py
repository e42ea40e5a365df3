"""Stands in for the AWS package's own ``_jsii``: loads an assembly when it is first used."""

import cdktf._jsii  # noqa: F401
import constructs._jsii  # noqa: F401

from s3_cross_account import slim

slim.load_when_used()
