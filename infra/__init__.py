"""What turns the gateway into a stack: the packager and the Pulumi components."""
