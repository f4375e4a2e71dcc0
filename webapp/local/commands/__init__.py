"""The command line: what each command is called and takes; what it does stands beside."""
