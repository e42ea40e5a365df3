"""Loads the slim assembly into the jsii kernel, in place of the AWS package's own ``_jsii``."""

import json
from importlib.resources import files

import cdktf._jsii  # noqa: F401
import constructs._jsii  # noqa: F401
import jsii

_manifest = json.loads(files(__name__).joinpath("manifest.json").read_text(encoding="utf-8"))

__jsii_assembly__ = jsii.JSIIAssembly.load(
    "@cdktf/provider-aws", _manifest["version"], __name__[: -len("._jsii")], "provider-aws.tgz"
)

__all__ = ["__jsii_assembly__"]
