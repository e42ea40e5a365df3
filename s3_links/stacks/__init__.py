"""One Terraform stack for each kind of deployment."""
