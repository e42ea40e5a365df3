"""The product around the library of constructs."""

import s3_cross_account  # noqa: F401  (it says what `cdktf` is, before anything imports that)
