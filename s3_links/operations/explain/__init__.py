"""Why a request is refused, or that it is not: what is really there, evaluated."""
