"""The equipment of the cabinet itself: switches feeders by policy, command and fallback, and proves it in watts."""
