"""What an account needs before the gateway: a Pulumi program of its own, run once."""
