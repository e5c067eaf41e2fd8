"""The equipment of the cabinet itself: feeders by policy, command and fallback, and their proof in watts."""
